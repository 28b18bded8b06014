"""Purchase orders of the simulated network, and invoices that refer to them.

Assumed: lines are replaced as a set; any status may follow any other; only an open
order's vendor and coding are looked at; an order that is closed or cancelled takes no new
invoice, and keeps those that refer to it already; a line's external id is the company's only one, so that an invoice's
line may name an order's line without the header naming the order.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.simulator_books import Company, Problem, Record, RecordRefused, Upserted, replace
from connectors.avidxchange.simulator_coding import coding_problems, quantity_problems
from connectors.avidxchange.simulator_wire import Wire


def upsert_purchase_order(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """Create, change, close or reopen a purchase order; refuses with every reason found."""
    existing = company.purchase_orders.external(sent["external_id"])
    profile = wire.profile
    if problems := [*_header_problems(company, sent, profile), *_line_problems(company, sent, existing, profile)]:
        raise RecordRefused(*problems)
    for line in existing["lines"] if existing else ():
        company.order_lines.pop(line["external_id"], None)
    record, action = replace(company.purchase_orders, existing, sent, {}, now)
    company.order_lines.update({line["external_id"]: record["id"] for line in record["lines"] if line["external_id"]})
    return Upserted(record=record, action=action)


def _header_problems(company: Company, sent: Record, profile: Profile) -> Iterator[Problem]:
    def problem(code: str, field: str, message: str) -> Problem:
        return Problem(code=code, field=profile.name("purchase_order", field), message=message)

    vendor = company.vendors.external(sent["vendor_external_id"])
    if vendor is None:
        yield problem("vendor_not_found", "vendor_external_id", "No vendor with this external id.")
    elif not vendor["is_active"] and sent["status"] == "open":
        yield problem("vendor_inactive", "vendor_external_id", "The vendor is inactive.")
    if sent["currency"] not in profile.limits.currencies:
        yield problem("field_invalid", "currency", "This currency is not paid.")
    if sum((line["amount"] for line in sent["lines"]), Decimal(0)) != sent["total_amount"]:
        yield problem("po_total_mismatch", "total_amount", "The lines do not sum to the total.")
    if not sent["lines"]:
        yield problem("field_invalid", "lines", "At least one line is expected.")


def _line_problems(company: Company, sent: Record, existing: Record | None, profile: Profile) -> Iterator[Problem]:
    kind = "purchase_order_line"
    own = existing["id"] if existing else None
    seen: set[str | None] = set()
    for index, line in enumerate(sent["lines"]):
        place = f"{profile.name('purchase_order', 'lines')}[{index}]"
        key = line["external_id"]
        if key is not None and (key in seen or company.order_lines.get(key, own) != own):
            at = f"{place}.{profile.name(kind, 'external_id')}"
            yield Problem(code="field_invalid", field=at, message="Another line has this external id.")
        seen.add(key)
        yield from quantity_problems(kind, line, place, profile)
        if sent["status"] == "open":
            yield from coding_problems(company, kind, line, place, profile)


def order_problems(company: Company, sent: Record, existing: Record | None, profile: Profile) -> Iterator[Problem]:
    """What is wrong with the orders that an invoice and its lines refer to."""
    kept = _orders_of(company, existing) if existing else set()
    if sent["po_external_id"] is not None:
        order = company.purchase_orders.external(sent["po_external_id"])
        yield from _reference_problem(sent, order, kept, profile.name("invoice", "po_external_id"))
    for index, line in enumerate(sent["lines"]):
        if line["po_line_external_id"] is None:
            continue
        order = company.purchase_orders.get(company.order_lines.get(line["po_line_external_id"], ""))
        place = f"{profile.name('invoice', 'lines')}[{index}].{profile.name('invoice_line', 'po_line_external_id')}"
        yield from _reference_problem(sent, order, kept, place)


def _orders_of(company: Company, invoice: Record) -> set[str]:
    named = company.purchase_orders.external(invoice["po_external_id"])
    by_lines = {company.order_lines.get(line["po_line_external_id"], "") for line in invoice["lines"]}
    return by_lines | ({named["id"]} if named else set())


def _reference_problem(sent: Record, order: Record | None, kept: set[str], place: str) -> Iterator[Problem]:
    if order is None:
        yield Problem(code="po_not_found", field=place, message="There is no such purchase order.")
    elif order["vendor_external_id"] != sent["vendor_external_id"]:
        yield Problem(code="field_invalid", field=place, message="The purchase order is another vendor's.")
    elif order["status"] != "open" and order["id"] not in kept:
        yield Problem(code="po_closed", field=place, message=f"The purchase order is {order['status']}.")
