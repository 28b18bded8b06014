"""Ours into theirs, by the names of a profile; pure.

Cut: descriptions, at the profile's limit. Never cut: names and numbers; one that is too long is a `MappingError` that
names the field and the limit. Never sent: bank details, and more of a tax id than its last four.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.avidxchange.contract import NotOffered, Profile
from connectors.avidxchange.wire import write_money
from connectors.base import Write
from connectors.errors import MappingError
from connectors.records import Account, Address, Bill, Kind, Line, Ref, Vendor

UNITED_STATES = {"united states", "united states of america", "usa", "u.s.a.", "u.s."}
LAST_FOUR = re.compile(r"[0-9A-Za-z]{1,4}")
UNLIMITED = 4000


@dataclass
class Item:
    """One record on its way to them: values are checked against the profile's limits as they are put in."""

    profile: Profile
    kind: str
    title: str
    body: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, value: Any) -> None:
        """Set a value; what is empty is left out, which means null to them."""
        if value not in ("", None):
            self.profile.put(self.kind, self.body, name, value)

    def text(self, name: str, value: str, *, required: bool = False) -> None:
        """Set a text that is never cut."""
        shortest, longest = self._limits(name)
        words = name.removeprefix("remit_").replace("_", " ")
        value = value.strip()
        if required and not value:
            raise MappingError(f"{self.title} has no {words}.", code="field_missing", missing=name)
        if len(value) > longest:
            raise MappingError(
                f"{self.title}: {words} has {len(value)} characters; AvidXchange takes {longest} at most.",
                code="field_too_long",
                missing=name,
            )
        if value and len(value) < shortest:
            raise MappingError(
                f"{self.title}: {words} is shorter than the {shortest} characters that AvidXchange asks for.",
                code="field_too_short",
                missing=name,
            )
        self.put(name, value)

    def description(self, name: str, value: str) -> None:
        """Set a text of which the start is enough; the same text is always cut the same way."""
        longest = self._limits(name)[1]
        self.put(name, value if len(value) <= longest else value[: longest - 1] + "…")

    def money(self, name: str, amount: Decimal, currency: str) -> None:
        """Set an amount, exactly."""
        try:
            self.put(name, write_money(self.profile, amount, currency))
        except ValueError as error:
            raise MappingError(f"{self.title}: {error}.", code="amount_too_fine", missing=name) from error

    def reference(self, name: str, ref: Ref | None, what: str) -> None:
        """Set the external id under which we wrote another record."""
        if ref is None or not ref.key:
            raise MappingError(f"{self.title} has no {what}.", code="reference_missing", missing=name)
        self.put(name, ref.key)

    def _limits(self, name: str) -> tuple[int, int]:
        return self.profile.limits.lengths.get(self.kind, {}).get(name, (0, UNLIMITED))


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


def encode_bill(profile: Profile, bill: Bill, key: str) -> dict[str, Any]:
    """A bill under our record key; refused here unless its lines, tax included, sum to its amount."""
    item = Item(profile, "invoice", f"Bill {bill.number or bill.id}")
    _check_sums(profile, bill, item.title)
    item.put("external_id", key)
    item.put("document_type", profile.word("document_type", "invoice"))
    item.text("invoice_number", bill.number, required=True)
    item.reference("vendor_external_id", bill.vendor, "vendor at AvidXchange")
    item.put("invoice_date", bill.date.isoformat())
    item.put("due_date", bill.due_date.isoformat() if bill.due_date else "")
    item.put("currency", bill.currency)
    item.money("amount", bill.amount, bill.currency)
    item.description("description", bill.memo)
    item.put("lines", [_encode_line(profile, line, bill, item.title) for line in bill.lines])
    return item.body


def _check_sums(profile: Profile, bill: Bill, title: str) -> None:
    total = sum((line.amount for line in bill.lines), Decimal(0))
    if bill.currency not in profile.limits.currencies:
        raise MappingError(
            f"{title} is in {bill.currency}; AvidXchange pays {', '.join(profile.limits.currencies)}.",
            code="currency_not_paid",
            missing="currency",
        )
    if bill.amount <= 0:
        raise MappingError(
            f"{title} is of {bill.amount}; only what is above zero can be paid.", code="amount_not_positive"
        )
    if total != bill.amount:
        raise MappingError(f"{title}: its lines sum to {total}, its total is {bill.amount}.", code="lines_do_not_sum")
    if len(bill.lines) > profile.limits.invoice_lines:
        raise MappingError(
            f"{title} has {len(bill.lines)} lines; AvidXchange takes {profile.limits.invoice_lines} at most.",
            code="too_many_lines",
            missing="lines",
        )


def _encode_line(profile: Profile, line: Line, bill: Bill, title: str) -> dict[str, Any]:
    title = f"{title}, {'the tax line' if line.is_tax else f'line {line.number}'}"
    if line.dimensions:
        raise MappingError(f"{title} carries dimensions, which are not sent.", code="dimensions_not_sent")
    item = Item(profile, "invoice_line", title)
    item.put("line_number", line.number)
    item.description("description", line.description)
    item.money("amount", line.amount, bill.currency)
    item.reference("gl_account_external_id", line.account, "account at AvidXchange")
    return item.body


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
    Kind.BILL: Route("invoice", "submit_invoices", "list_invoices", encode_bill),
}


def encode(profile: Profile, write: Write) -> dict[str, Any]:
    """What is sent for this write; MappingError naming what is missing."""
    try:
        return ROUTES[write.kind].encode(profile, write.record, write.record_key)
    except NotOffered as error:
        raise MappingError(str(error), code="not_offered") from error


def shows(sent: Any, held: Any) -> bool:
    """Whether everything that was sent stands in what they hold: a field they do not show, they do not prove."""
    if isinstance(sent, dict):
        return isinstance(held, dict) and all(shows(value, held.get(name)) for name, value in sent.items())
    if isinstance(sent, list):
        return isinstance(held, list) and len(sent) == len(held) and all(map(shows, sent, held))
    return bool(sent == held)
