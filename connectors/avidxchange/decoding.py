"""Theirs into ours, by the names of a profile; pure. A row that cannot be read is a `BadRow`, whatever stands in it."""

from decimal import Decimal
from typing import Any

import msgspec

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.wire import BadRow, Row, as_list
from connectors.records import Application, Bill, Credit, KeptImage, Kind, Line, Method, Payment, Phase, Ref

METHODS = {"check": Method.CHECK, "ach": Method.ACH, "virtual_card": Method.CARD}
WITH_THEM = ("stopped", "returned", "expired")  # they have the money, and reissue or refund it
NUMBERS = {Method.CHECK: "check_number", Method.ACH: "ach_trace"}


def decode_invoice(profile: Profile, raw: Any) -> Bill | Credit:
    """An invoice as their record stands, or a credit, whose amounts are above zero here.

    Its key is the external id when it came in through the API, which is by us.
    """
    row = Row(profile, "invoice", raw)
    currency = row.text("currency") or profile.limits.currencies[0]
    amount = row.money("amount", currency)
    of_credit, sign = (Credit, -1) if _is_credit(row, amount) else (Bill, 1)
    moment = row.moment("updated_at")
    day = row.day("invoice_date") or (moment and moment.date())
    if day is None:
        raise BadRow("invoice_date is missing")
    origin, status = row.text("origin"), profile.meaning("workflow_status", row.required("workflow_status"))
    return of_credit(
        id=row.required("id"),
        version=version(row),
        modified_at=moment,
        number=row.text("invoice_number"),
        vendor=Ref(Kind.VENDOR, row.text("vendor_id"), row.text("vendor_external_id")),
        date=day,
        due_date=row.day("due_date"),
        currency=currency,
        amount=sign * amount,
        balance=sign * (row.money("balance", currency) if profile.has("invoice", "balance") else amount),
        lines=decode_lines(row, "invoice_line", currency, sign),
        memo=row.text("rejection_reason") or row.text("description"),
        settlements=tuple(map(str, as_list(row.value("payment_ids")))),
        status=status,
        status_reason=row.text("rejection_reason"),
        status_at=row.moment(f"{status}_at") if status in ("approved", "rejected") else None,
        payment_status=profile.meaning("invoice_payment_status", row.text("payment_status")),
        image=_decode_image(row),
        key=row.text("external_id") if not origin or profile.meaning("origin", origin) == "api" else "",
    )


def _decode_image(row: Row) -> KeptImage | msgspec.UnsetType:
    """What they say of the invoice's image; nothing where it has none, or where the contract does not say."""
    word = row.text("image_status")
    status = row.profile.meaning("image_status", word) if word else "none"
    if status == "none":
        return msgspec.UNSET
    return KeptImage(sha256=row.text("image_sha256").lower(), status=status)


def _is_credit(row: Row, amount: Decimal) -> bool:
    """By its type where the contract has one, else by its sign: AvidXchange's older invoices are credits below zero."""
    said = row.text("document_type")
    return row.profile.meaning("document_type", said) == "credit" if said else amount < 0


def decode_lines(row: Row, kind: str, currency: str, sign: int = 1) -> tuple[Line, ...]:
    """The lines of an invoice or a purchase order with their coding, all of it by the keys that we gave."""
    order_key = row.text("po_external_id") if kind == "invoice_line" else ""
    return tuple(
        _decode_line(line, number, currency, sign, order_key) for number, line in enumerate(row.rows("lines", kind), 1)
    )


def _decode_line(row: Row, number: int, currency: str, sign: int, order_key: str) -> Line:
    account, price = row.text("gl_account_external_id"), row.number("unit_price")
    of_order = row.kind == "purchase_order_line"
    their_order, _, order_line = ("" if of_order else row.text("po_line_external_id")).rpartition(":")
    values = [part.text("value_external_id") for part in row.rows("dimensions", "line_dimension")]
    return Line(
        number=number,
        amount=sign * row.money("amount", currency),
        description=row.text("description"),
        account=Ref(Kind.ACCOUNT, "", account) if account else None,
        dimensions=tuple(Ref(Kind.DIMENSION, "", value) for value in values if value),
        id=row.text("external_id").rpartition(":")[2] if of_order else "",
        quantity=row.number("quantity"),
        unit_price=None if price is None else sign * price,
        received=row.number("quantity_received") if of_order else None,
        order=Ref(Kind.PURCHASE_ORDER, "", order) if (order := their_order or order_key) else None,
        order_line=order_line,
    )


def decode_payment(profile: Profile, raw: Any) -> Payment:
    """A payment as their record stands; a status or method that no profile knows makes its phase unknown."""
    row = Row(profile, "payment", raw)
    currency = row.text("currency") or profile.limits.currencies[0]
    method = METHODS.get(profile.meaning("payment_method", row.text("method")), Method.UNKNOWN)
    status = row.required("status")
    funding = row.text("funding_account_id")
    exceptions = row.rows("exceptions", "payment_exception")
    remarks = [row.text("status_reason"), *(exception.text("message") for exception in exceptions)]
    return Payment(
        id=row.required("id"),
        version=version(row),
        modified_at=row.moment("updated_at"),
        vendor=Ref(Kind.VENDOR, row.text("vendor_id"), row.text("vendor_external_id")),
        amount=row.money("amount", currency),
        currency=currency,
        method=method,
        phase=_phase(profile, status, method),
        status=status,
        date=row.day("payment_date"),
        reference=_reference(row, method),
        cleared_date=row.day("cleared_date"),
        batch=row.text("batch_id"),
        funding_account=Ref(Kind.FUNDING_ACCOUNT, funding) if funding else None,
        applications=tuple(_decode_application(part, currency) for part in row.rows("applications", "application")),
        reissue_of=row.text("reissue_of"),
        memo="; ".join(filter(None, remarks)),
        refunded=profile.payment_status(status).meaning == "refunded",
        returned=profile.payment_status(status).meaning in WITH_THEM or msgspec.UNSET,
        in_error=profile.payment_status(status).meaning == "error" or msgspec.UNSET,
    )


def _phase(profile: Profile, status: str, method: Method) -> Phase:
    phase = Phase(profile.payment_status(status).phase)
    # Money that left by a way we cannot name has no reference to post; what came back is shown as come back.
    return Phase.UNKNOWN if method is Method.UNKNOWN and phase in (Phase.PENDING, Phase.EXECUTED) else phase


def _reference(row: Row, method: Method) -> str:
    if method is Method.CARD:
        last_four = row.text("card_last4")
        return f"VC-{last_four}" if last_four else ""
    return row.text(NUMBERS[method]) if method in NUMBERS else ""


def _decode_application(row: Row, currency: str) -> Application:
    gross = row.money("gross_amount", currency)
    discount = Decimal(0) if row.value("discount_amount") is None else row.money("discount_amount", currency)
    kind = Kind.CREDIT if gross < 0 else Kind.BILL
    return Application(
        target=Ref(kind, row.required("invoice_id"), row.text("invoice_external_id")),
        number=row.text("invoice_number"),
        gross=gross,
        discount=discount,
        net=row.money("net_amount", currency),
    )


def version(row: Row) -> str:
    """What changes when the record does: their version, their time of change, or else its content."""
    return row.text("version") or row.text("updated_at") or row.digest()
