"""Invoices of the simulated network: what is accepted, the way through approval, and what payments make of the balance.

Public: a vendor has to exist before its invoice, approval stays inside AvidXchange. Assumed: states and transitions,
what may still be edited when, that a cancelled invoice frees its number, and every figure's derivation.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.simulator_books import (
    CENT,
    ZERO,
    ActRefused,
    Company,
    Image,
    Problem,
    Record,
    RecordRefused,
    RequestRefused,
    Upserted,
)
from connectors.avidxchange.simulator_coding import coding_problems, missing_dimensions, quantity_problems
from connectors.avidxchange.simulator_images import check_image, drop_image, put_image
from connectors.avidxchange.simulator_orders import order_problems
from connectors.avidxchange.simulator_wire import Wire

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "received": frozenset({"in_workflow", "error", "cancelled"}),
    "in_workflow": frozenset({"on_hold", "approved", "rejected", "cancelled"}),
    "on_hold": frozenset({"in_workflow", "rejected", "cancelled"}),
    "rejected": frozenset({"in_workflow", "cancelled"}),
    "approved": frozenset({"on_hold", "cancelled"}),
    "error": frozenset({"received", "cancelled"}),
    "cancelled": frozenset(),
}
# A changed upsert sends an invoice on its way again.
RESUBMITTED: Final[Mapping[str, str]] = {"received": "received", "rejected": "in_workflow", "error": "received"}
LIVE: Final = frozenset(
    {
        "pending_approval", "held", "processing", "debit_requested", "funds_received", "sent_to_printer",
        "card_processing", "issued", "cleared", "stop_requested", "error",
    }
)  # fmt: skip
EXECUTED: Final = frozenset({"issued", "cleared", "stop_requested"})
RELEASED_LATER: Final = frozenset({"pending_approval", "held"})
CODING: Final = ("gl_account_external_id", "dimensions", "description")
IMAGE: Final = ("image_content", "image_content_type", "image_file_name", "image_sha256")


def submit_invoice(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """Create, change or leave an invoice or credit, and its image if it carries one."""
    content, content_type, file_name, digest = (sent.pop(name) for name in IMAGE)
    if content is None:
        record, action = _upsert_invoice(company, sent, wire.profile, now)
        if action == "updated" and wire.profile.strategies.image == "base64InInvoice":
            drop_image(company, record, now)
        return Upserted(record=record, action=action)
    try:
        image = Image(content=content, content_type=content_type or "", file_name=file_name)
        check_image(image, digest, wire.profile)
        record, action = _upsert_invoice(company, sent, wire.profile, now)
        before = record["version"]
        put_image(company, record, image, now)
    except RequestRefused as refused:
        place = wire.profile.name("invoice", "image_content")
        raise RecordRefused(Problem(code=refused.code, field=place, message=refused.message)) from refused
    changed = action == "unchanged" and record["version"] != before
    return Upserted(record=record, action="updated" if changed else action)


def _upsert_invoice(company: Company, sent: Record, profile: Profile, now: datetime) -> tuple[Record, str]:
    """Create, change or leave an invoice; refuses with every reason found."""
    existing = company.invoices.external(sent["external_id"])
    if existing is not None and company.sent_invoices[existing["id"]] == sent:
        return existing, "unchanged"
    if existing is not None:
        _check_editable(existing, sent, profile)
    problems = [
        *_problems(company, sent, profile),
        *order_problems(company, sent, existing, profile),
        *_line_problems(company, sent, profile),
    ]
    if problems:
        raise RecordRefused(*problems)
    vendor = company.vendor(external_id=sent["vendor_external_id"])
    if existing is None:
        record = company.invoices.add({**sent, **new_invoice(sent, vendor)}, now)
    else:
        company.invoice_numbers.pop(number_key(existing), None)
        status = RESUBMITTED.get(existing["workflow_status"], existing["workflow_status"])
        moved = _arrival(status, now) if status != existing["workflow_status"] else {}
        record = existing
        company.invoices.change(record, {**sent, "vendor_id": vendor["id"], "balance": sent["amount"], **moved}, now)
    company.sent_invoices[record["id"]] = sent
    company.invoice_numbers[number_key(record)] = record["id"]
    return record, "created" if existing is None else "updated"


def new_invoice(sent: Record, vendor: Record) -> Record:
    """What every new invoice has besides what was sent."""
    return {
        "origin": "api",
        "vendor_id": vendor["id"],
        "workflow_status": "received",
        "payment_status": "open" if sent["document_type"] == "credit" else "unpaid",
        "discount_taken": ZERO,
        "amount_scheduled": ZERO,
        "amount_paid": ZERO,
        "amount_credited": ZERO,
        "balance": sent["amount"],
        "approved_at": None,
        "rejected_at": None,
        "rejection_reason": None,
        "in_workflow_at": None,
        "on_hold_at": None,
        "rejected_before": False,
        "image_status": "none",
        "image_sha256": None,
        "payment_ids": [],
        "errors": [],
    }


def number_key(invoice: Record) -> tuple[str, str, str]:
    """What only one invoice of a vendor may have, unless it is cancelled."""
    return invoice["vendor_id"], invoice["invoice_number"], invoice["document_type"]


def _check_editable(existing: Record, sent: Record, profile: Profile) -> None:
    status = existing["workflow_status"]
    in_route = status == "in_workflow" or (status == "on_hold" and existing["approved_at"] is None)
    if status in RESUBMITTED or (in_route and _without_coding(existing) == _without_coding({**existing, **sent})):
        return
    place = profile.name("invoice", "external_id")
    raise RecordRefused(Problem(code="invoice_locked", field=place, message="It cannot be changed any more."))


def _without_coding(invoice: Record) -> Record:
    lines = [{name: value for name, value in line.items() if name not in CODING} for line in invoice["lines"]]
    return {**invoice, "lines": lines}


def _problems(company: Company, sent: Record, profile: Profile) -> Iterator[Problem]:
    def problem(code: str, field: str, message: str, existing_id: str | None = None) -> Problem:
        return Problem(code=code, field=profile.name("invoice", field), message=message, existing_id=existing_id)

    vendor = company.vendors.external(sent["vendor_external_id"])
    if vendor is None:
        yield problem("vendor_not_found", "vendor_external_id", "No vendor with this external id.")
    elif not vendor["is_active"]:
        yield problem("vendor_inactive", "vendor_external_id", "The vendor is inactive.")
    is_credit = sent["document_type"] == "credit"
    if sent["amount"] == 0 or (sent["amount"] < 0) != is_credit:
        yield problem("amount_invalid", "amount", "An invoice is above zero, a credit below.")
    if is_credit and any(line["amount"] > 0 for line in sent["lines"]):
        yield problem("amount_invalid", "lines", "No line of a credit is above zero.")
    discount = sent["discount_amount"]
    if discount is not None and not 0 <= discount <= max(sent["amount"], ZERO):
        yield problem("amount_invalid", "discount_amount", "A discount is between zero and the amount.")
    if sent["currency"] not in profile.limits.currencies:
        yield problem("field_invalid", "currency", "This currency is not paid.")
    twin = company.invoice_numbers.get(number_key({**sent, "vendor_id": vendor["id"] if vendor else None}))
    if twin is not None and company.invoices[twin]["external_id"] != sent["external_id"]:
        yield problem("duplicate_invoice", "invoice_number", "The vendor's number is taken.", twin)


def _line_problems(company: Company, sent: Record, profile: Profile) -> Iterator[Problem]:
    place = profile.name("invoice", "lines")
    lines = sent["lines"]
    if not 0 < len(lines) <= profile.limits.invoice_lines:
        most = profile.limits.invoice_lines
        yield Problem(code="field_invalid", field=place, message=f"1 to {most} lines are expected.")
    if sum((line["amount"] for line in lines), Decimal(0)) != sent["amount"]:
        yield Problem(code="line_total_mismatch", field=place, message="The lines do not sum to the amount.")
    for index, line in enumerate(lines):
        at = f"{place}[{index}]"
        yield from quantity_problems("invoice_line", line, at, profile)
        yield from coding_problems(company, "invoice_line", line, at, profile)
        yield from missing_dimensions(company, line, f"{at}.{profile.name('invoice_line', 'dimensions')}")


def move_invoice(company: Company, invoice: Record, to: str, now: datetime, reason: str | None = None) -> None:
    """An invoice goes on in its approval; refuses what the transitions do not have."""
    if to not in TRANSITIONS[invoice["workflow_status"]]:
        raise ActRefused(f"{invoice['id']} is {invoice['workflow_status']} and cannot become {to}")
    if invoice["workflow_status"] == "approved" and live_payments(company, invoice):
        raise ActRefused(f"{invoice['id']} has a live payment")
    if to == "cancelled":
        company.invoice_numbers.pop(number_key(invoice), None)
    company.invoices.change(invoice, _arrival(to, now, reason), now)


def recode_line(company: Company, invoice: Record, line: int, changes: Record, now: datetime) -> None:
    """People inside code a line otherwise; what was sent stays what it was."""
    if invoice["workflow_status"] not in ("received", "in_workflow", "on_hold"):
        raise ActRefused(f"{invoice['id']} is {invoice['workflow_status']} and is not coded any more")
    account = changes.get("gl_account_external_id")
    if account is not None and company.gl_accounts.external(account) is None:
        raise ActRefused(f"{company.name} has no GL account {account}")
    lines = [{**known, **(changes if index == line else {})} for index, known in enumerate(invoice["lines"])]
    company.invoices.change(invoice, {"lines": lines}, now)


def _arrival(status: str, now: datetime, reason: str | None = None) -> Record:
    """What an invoice is stamped with as it reaches a status."""
    fresh = {"in_workflow_at": now, "approved_at": None, "rejected_at": None, "rejection_reason": None}
    stamps: Record = {
        "received": {"errors": []},
        "in_workflow": fresh,
        "approved": {"approved_at": now},
        "rejected": {"rejected_at": now, "rejection_reason": reason, "rejected_before": True},
        "on_hold": {"on_hold_at": now},
        "error": {"errors": [{"code": "field_invalid", "message": reason, "retryable": False}]},
    }
    return {"workflow_status": status, **stamps.get(status, {})}


def cancel_invoice(company: Company, invoice: Record, now: datetime) -> None:
    """The customer withdraws an invoice; a second time changes nothing."""
    if invoice["workflow_status"] == "cancelled":
        return
    if live_payments(company, invoice):
        raise RequestRefused(409, "invoice_has_payments", "A live payment pays this invoice.")
    move_invoice(company, invoice, "cancelled", now)


def phase(payment: Record) -> str:
    """How far the money has come: none, pending, executed or reversed."""
    if payment["status"] not in LIVE:
        return "reversed"
    if payment["status"] in EXECUTED:
        return "executed"
    return "none" if payment["status"] in RELEASED_LATER else "pending"


def live_payments(company: Company, invoice: Record) -> list[Record]:
    """The payments that pay this invoice, or would."""
    return [payment for id in invoice["payment_ids"] if (payment := company.payments[id])["status"] in LIVE]


def derive_figures(company: Company, invoice: Record, now: datetime) -> None:
    """What payments have made of an invoice; it changes only if a figure does."""
    paid = scheduled = discount = ZERO
    for payment in live_payments(company, invoice):
        for application in payment["applications"]:
            if application["invoice_id"] != invoice["id"]:
                continue
            if payment["status"] in EXECUTED:
                paid += application["net_amount"]
                discount += application["discount_amount"]
            else:
                scheduled += application["net_amount"]
    figures: Record = {"amount_paid": paid, "amount_scheduled": scheduled, "discount_taken": discount}
    figures["balance"] = invoice["amount"] - discount - paid - invoice["amount_credited"]
    figures["payment_status"] = _payment_status(invoice, figures)
    if any(invoice[name] != value for name, value in figures.items()):
        company.invoices.change(invoice, figures, now)


def _payment_status(invoice: Record, figures: Record) -> str:
    settled = abs(figures["balance"]) <= CENT
    touched = figures["balance"] != invoice["amount"]
    if invoice["document_type"] == "credit":
        return "applied" if settled else "partially_applied" if touched else "open"
    if settled:
        return "paid"
    return "partially_paid" if touched else "scheduled" if figures["amount_scheduled"] else "unpaid"
