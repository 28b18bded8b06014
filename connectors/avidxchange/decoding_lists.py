"""Theirs into ours: what we keep at AvidXchange besides invoices, and the bank accounts that it draws on; pure.

All of it went in from us, but for the bank accounts: the key is the external id.
"""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.decoding import decode_invoice, decode_lines, decode_payment, version
from connectors.avidxchange.mapping import value_id
from connectors.avidxchange.wire import BadRow, Row
from connectors.records import (
    Account,
    Address,
    AnyRecord,
    Dimension,
    FundingAccount,
    Kind,
    PurchaseOrder,
    Ref,
    Vendor,
)

Decode = Callable[[Profile, Any], AnyRecord]


def decode_vendor(profile: Profile, raw: Any) -> Vendor:
    """A vendor as their record stands."""
    row = Row(profile, "vendor", raw)
    address = Address(
        line1=row.text("remit_line1"),
        line2=row.text("remit_line2"),
        city=row.text("remit_city"),
        state=row.text("remit_state"),
        postal_code=row.text("remit_postal_code"),
        country=row.text("remit_country"),
    )
    return Vendor(
        **_kept(row),
        name=row.required("name"),
        legal_name=row.text("legal_name"),
        number=row.text("vendor_number"),
        active=row.truth("is_active") is not False,
        email=row.text("email"),
        phone=row.text("phone"),
        terms=row.text("payment_terms"),
        customer_account=row.text("customer_account_number"),
        tax_id_last4=row.text("tax_id_last4"),
        is_1099=row.truth("is_1099") is True,
        remit_to=address if address != Address() else None,
    )


def decode_account(profile: Profile, raw: Any) -> Account:
    """A GL account as their record stands."""
    row = Row(profile, "gl_account", raw)
    parent = row.text("parent_external_id")
    return Account(
        **_kept(row),
        code=row.required("code"),
        name=row.text("name"),
        type=row.text("type"),
        active=row.truth("is_active") is not False,
        parent=Ref(Kind.ACCOUNT, "", parent) if parent else None,
    )


def decode_value(profile: Profile, raw: Any, code: str) -> Dimension:
    """A value of the dimension of this code as their record stands."""
    row = Row(profile, "dimension_value", raw)
    kept, parent = _kept(row), row.text("parent_external_id")
    return Dimension(
        **{**kept, "id": value_id(code, kept["id"])},
        dimension=code.lower(),
        code=row.required("code"),
        name=row.text("name"),
        active=row.truth("is_active") is not False,
        parent=Ref(Kind.DIMENSION, "", parent) if parent else None,
    )


def decode_purchase_order(profile: Profile, raw: Any) -> PurchaseOrder:
    """A purchase order as their record stands."""
    row = Row(profile, "purchase_order", raw)
    currency = row.text("currency") or profile.limits.currencies[0]
    day = row.day("order_date")
    if day is None:
        raise BadRow("order_date is missing")
    return PurchaseOrder(
        **_kept(row),
        number=row.text("po_number"),
        vendor=Ref(Kind.VENDOR, "", row.text("vendor_external_id")),
        date=day,
        currency=currency,
        amount=row.money("total_amount", currency),
        status=profile.meaning("purchase_order_status", row.text("status")),
        lines=decode_lines(row, "purchase_order_line", currency),
    )


def decode_bank_account(profile: Profile, raw: Any) -> FundingAccount:
    """A bank account that AvidXchange draws on; only one that its treasury has approved is active."""
    row = Row(profile, "bank_account", raw)
    approved = profile.meaning("bank_account_status", row.text("status")) == "synced"
    return FundingAccount(
        id=row.required("id"),
        version=row.digest(),
        key=row.text("external_id"),
        name=row.text("name"),
        last4=row.text("last4"),
        active=approved or not profile.has("bank_account", "status"),
    )


def _kept(row: Row) -> dict[str, Any]:
    """What every record of theirs has."""
    return {
        "id": row.required("id"),
        "version": version(row),
        "modified_at": row.moment("updated_at"),
        "key": row.text("external_id"),
    }


DECODERS: Mapping[Kind, Decode] = {
    Kind.VENDOR: decode_vendor,
    Kind.ACCOUNT: decode_account,
    Kind.PURCHASE_ORDER: decode_purchase_order,
    Kind.BILL: decode_invoice,
    Kind.CREDIT: decode_invoice,
    Kind.PAYMENT: decode_payment,
    Kind.FUNDING_ACCOUNT: decode_bank_account,
}
NAMES: Mapping[Kind, str] = {
    Kind.VENDOR: "vendor",
    Kind.ACCOUNT: "gl_account",
    Kind.DIMENSION: "dimension_value",
    Kind.PURCHASE_ORDER: "purchase_order",
    Kind.BILL: "invoice",
    Kind.CREDIT: "invoice",
    Kind.PAYMENT: "payment",
    Kind.FUNDING_ACCOUNT: "bank_account",
}
