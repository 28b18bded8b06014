"""Ours into theirs, by the names of a profile; pure.

Never sent: bank details, and more of a tax id than its last four. A dimension's value goes by `<code>:<their id>`, so
that a reference to it says which dimension it is of.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from connectors.avidxchange.contract import NotOffered, Profile
from connectors.avidxchange.items import Item
from connectors.base import Action, Write
from connectors.errors import MappingError
from connectors.records import (
    Account,
    Address,
    AnyRecord,
    Bill,
    Credit,
    Dimension,
    Kind,
    Line,
    PurchaseOrder,
    Ref,
    Vendor,
)

UNITED_STATES = {"united states", "united states of america", "usa", "u.s.a.", "u.s."}
LAST_FOUR = re.compile(r"[0-9A-Za-z]{1,4}")
STOPPING = frozenset({Action.WITHDRAW, Action.VOID})


def encode_vendor(profile: Profile, vendor: Vendor, key: str) -> dict[str, Any]:
    """A vendor under our record key: never bank details, never more than the last four of a tax id."""
    item = Item(profile, "vendor", f"Vendor {vendor.name or vendor.id}")
    item.put("external_id", key)
    item.text("name", vendor.name, required=True)
    item.text("legal_name", vendor.legal_name)
    item.text("vendor_number", vendor.number)
    item.put("is_active", vendor.active)
    item.text("customer_account_number", vendor.customer_account)
    if LAST_FOUR.fullmatch(vendor.tax_id_last4):
        item.put("tax_id_last4", vendor.tax_id_last4)
    item.put("is_1099", vendor.is_1099)
    item.text("email", vendor.email)
    item.text("phone", vendor.phone)
    item.text("payment_terms", vendor.terms)
    if vendor.remit_to is not None:
        _put_address(item, vendor.remit_to)
    return item.body


def _put_address(item: Item, address: Address) -> None:
    country = "US" if address.country.strip().casefold() in UNITED_STATES else address.country
    for name, value in (
        ("remit_line1", address.line1),
        ("remit_line2", address.line2),
        ("remit_city", address.city),
        ("remit_state", address.state),
        ("remit_postal_code", address.postal_code),
        ("remit_country", country),
    ):
        item.text(name, value)


def encode_account(profile: Profile, account: Account, key: str) -> dict[str, Any]:
    """A GL account under our record key; one that the ERP gave no number goes by its id there."""
    item = Item(profile, "gl_account", f"Account {account.code or account.name}")
    item.put("external_id", key)
    item.text("code", account.code or account.id, required=True)
    item.text("name", account.name, required=True)
    item.put("type", account.type or account.classification)
    item.put("is_active", account.active)
    item.put("parent_external_id", account.parent.key if account.parent else "")
    return item.body


# Dimensions.


def dimension_code(name: str) -> str:
    """The code of a dimension, by our name for it."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper())


def definition_key(name: str) -> str:
    """The external id of a dimension itself: the same for every company, as its name is."""
    return sha256(f"dimension {dimension_code(name)}".encode()).hexdigest()[:32]


def value_id(code: str, id: str) -> str:
    """Our id for a value at AvidXchange, which says by itself which dimension it is of."""
    return f"{code}:{id}"


def encode_definition(profile: Profile, name: str, required: bool) -> dict[str, Any]:
    """A dimension itself; `required` on every line of an invoice or not."""
    item = Item(profile, "dimension", f"Dimension {name}")
    item.put("external_id", definition_key(name))
    item.text("code", dimension_code(name), required=True)
    item.text("name", name[:1].upper() + name[1:])
    item.put("is_required_on_line", required)
    item.put("is_active", True)
    return item.body


def encode_dimension(profile: Profile, value: Dimension, key: str) -> dict[str, Any]:
    """One value of a dimension under our record key; one that the ERP gave no number goes by its id there."""
    item = Item(profile, "dimension_value", f"{value.dimension.capitalize()} {value.name or value.code}")
    item.put("external_id", key)
    item.text("code", value.code or value.id, required=True)
    item.text("name", value.name, required=True)
    item.put("is_active", value.active)
    item.put("parent_external_id", value.parent.key if value.parent else "")
    return item.body


# Purchase orders, bills and credits.


def encode_purchase_order(profile: Profile, order: PurchaseOrder, key: str) -> dict[str, Any]:
    """A purchase order under our record key, with what has been received of each line."""
    item = Item(profile, "purchase_order", f"Purchase order {order.number or order.id}")
    _check_sums(profile, order, item.title)
    item.put("external_id", key)
    item.text("po_number", order.number, required=True)
    item.reference("vendor_external_id", order.vendor, "vendor at AvidXchange")
    item.put("order_date", order.date.isoformat())
    item.put("currency", order.currency)
    item.put("status", _order_status(profile, order, item.title))
    item.money("total_amount", order.amount, order.currency)
    item.put("lines", [_encode_order_line(profile, line, order, key, item.title) for line in order.lines])
    return item.body


def _order_status(profile: Profile, order: PurchaseOrder, title: str) -> str:
    if order.status not in profile.enums["purchase_order_status"]:
        raise MappingError(
            f"{title} is {order.status or 'of no status'}: open, closed or cancelled is expected.",
            code="status_unknown",
        )
    return profile.word("purchase_order_status", order.status)


def _encode_order_line(profile: Profile, line: Line, order: PurchaseOrder, key: str, title: str) -> dict[str, Any]:
    item = _encode_line(profile, "purchase_order_line", line, order.currency, title)
    item.put("external_id", line_key(key, line.id or str(line.number)))
    item.number("quantity_received", line.received)
    if line.account is not None:
        item.reference("gl_account_external_id", line.account, "account at AvidXchange")
    return item.body


def line_key(order_key: str, line_id: str) -> str:
    """The external id of a purchase order's line."""
    return f"{order_key}:{line_id}"


def encode_payable(profile: Profile, payable: Bill | Credit, key: str) -> dict[str, Any]:
    """A bill or credit under our record key; refused here unless its lines, tax included, sum to its amount.

    To AvidXchange a credit is an invoice below zero.
    """
    word, sign = ("credit", -1) if isinstance(payable, Credit) else ("invoice", 1)
    item = Item(profile, "invoice", f"{type(payable).__name__} {payable.number or payable.id}")
    _check_sums(profile, payable, item.title)
    if payable.amount <= 0:
        raise MappingError(
            f"{item.title} is of {payable.amount}; only what is above zero can be paid or credited.",
            code="amount_not_positive",
        )
    item.put("external_id", key)
    item.put("document_type", profile.word("document_type", word))
    item.text("invoice_number", payable.number, required=True)
    item.reference("vendor_external_id", payable.vendor, "vendor at AvidXchange")
    item.put("invoice_date", payable.date.isoformat())
    item.put("due_date", payable.due_date.isoformat() if payable.due_date else "")
    item.put("currency", payable.currency)
    item.money("amount", sign * payable.amount, payable.currency)
    item.description("description", payable.memo)
    orders = {line.order for line in payable.lines if line.order is not None}
    if len(orders) == 1:  # of several, each line names its own
        item.reference("po_external_id", orders.pop(), "purchase order at AvidXchange")
    item.put("lines", [_encode_payable_line(profile, line, sign, payable, item.title) for line in payable.lines])
    return item.body


def _encode_payable_line(profile: Profile, line: Line, sign: int, payable: Bill | Credit, title: str) -> dict[str, Any]:
    price = None if line.unit_price is None else sign * line.unit_price
    signed = replace(line, amount=sign * line.amount, unit_price=price)
    item = _encode_line(profile, "invoice_line", signed, payable.currency, title)
    if sign < 0 < signed.amount:
        said = f"{item.title} takes {signed.amount} off the credit; AvidXchange takes no such line."
        raise MappingError(said, code="credit_line_above_zero", missing="lines")
    item.reference("gl_account_external_id", line.account, "account at AvidXchange")
    if line.order is not None and line.order_line:
        order = replace(line.order, key=line.order.key and line_key(line.order.key, line.order_line))
        item.reference("po_line_external_id", order, "purchase order at AvidXchange")
    return item.body


def _encode_line(profile: Profile, kind: str, line: Line, currency: str, title: str) -> Item:
    item = Item(profile, kind, f"{title}, {'the tax line' if line.is_tax else f'line {line.number}'}")
    item.put("line_number", line.number)
    item.description("description", line.description)
    item.number("quantity", line.quantity)
    item.put("unit_price", None if line.unit_price is None else Decimal(f"{line.unit_price:f}"))
    item.money("amount", line.amount, currency)
    if line.dimensions and not profile.has(kind, "dimensions"):
        raise MappingError(f"{item.title} carries dimensions, which this contract has no name for.", code="not_offered")
    item.put("dimensions", [_encode_coding(profile, ref, item.title) for ref in line.dimensions])
    return item


def _encode_coding(profile: Profile, ref: Ref, title: str) -> dict[str, Any]:
    name = re.split("[:-]", ref.id)[0]
    item = Item(profile, "line_dimension", title)
    item.put("dimension_code", dimension_code(name))
    item.reference("value_external_id", ref, f"{name.lower() or 'dimension'} at AvidXchange")
    return item.body


def _check_sums(profile: Profile, record: Bill | Credit | PurchaseOrder, title: str) -> None:
    total = sum((line.amount for line in record.lines), Decimal(0))
    if record.currency not in profile.limits.currencies:
        raise MappingError(
            f"{title} is in {record.currency}; AvidXchange pays {', '.join(profile.limits.currencies)}.",
            code="currency_not_paid",
            missing="currency",
        )
    if total != record.amount:
        raise MappingError(f"{title}: its lines sum to {total}, its total is {record.amount}.", code="lines_do_not_sum")
    if len(record.lines) > profile.limits.invoice_lines:
        raise MappingError(
            f"{title} has {len(record.lines)} lines; AvidXchange takes {profile.limits.invoice_lines} at most.",
            code="too_many_lines",
            missing="lines",
        )


# Whatever it is.


@dataclass(frozen=True)
class Route:
    """What a kind is called in the contract, and how it is written and listed."""

    name: str
    write: str
    listing: str
    encode: Callable[[Profile, Any, str], dict[str, Any]]


ROUTES: Mapping[Kind, Route] = {
    Kind.VENDOR: Route("vendor", "upsert_vendors", "list_vendors", encode_vendor),
    Kind.ACCOUNT: Route("gl_account", "upsert_gl_accounts", "list_gl_accounts", encode_account),
    Kind.DIMENSION: Route("dimension_value", "upsert_dimension_values", "list_dimension_values", encode_dimension),
    Kind.PURCHASE_ORDER: Route(
        "purchase_order", "upsert_purchase_orders", "list_purchase_orders", encode_purchase_order
    ),
    Kind.BILL: Route("invoice", "submit_invoices", "list_invoices", encode_payable),
    Kind.CREDIT: Route("invoice", "submit_invoices", "list_invoices", encode_payable),
}
INVOICES = frozenset({Kind.BILL, Kind.CREDIT})


def encode(profile: Profile, write: Write) -> dict[str, Any]:
    """What is sent for this write; MappingError naming what is missing."""
    record = _stopped(write.record) if write.action in STOPPING else write.record
    try:
        return ROUTES[write.kind].encode(profile, record, write.record_key)
    except NotOffered as error:
        raise MappingError(str(error), code="not_offered") from error


def _stopped(record: AnyRecord) -> AnyRecord:
    """What is no more in the ERP stays at AvidXchange, out of use: nothing can be deleted there."""
    if isinstance(record, PurchaseOrder):
        return replace(record, status="cancelled")
    return replace(record, active=False) if isinstance(record, Vendor | Account | Dimension) else record


def shows(sent: Any, held: Any) -> bool:
    """Whether everything that was sent stands in what they hold: a field they do not show, they do not prove."""
    if isinstance(sent, dict):
        return isinstance(held, dict) and all(shows(value, held.get(name)) for name, value in sent.items())
    if isinstance(sent, list):
        return isinstance(held, list) and len(sent) == len(held) and all(map(shows, sent, held))
    return bool(sent == held)
