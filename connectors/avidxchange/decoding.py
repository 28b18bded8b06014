"""Theirs into ours, by the names of a profile; pure. A row that cannot be read is a `BadRow`, whatever stands in it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.wire import BadRow, Row, as_list
from connectors.records import AnyRecord, Application, Bill, Kind, Line, Method, Payment, Phase, Ref

METHODS = {"check": Method.CHECK, "ach": Method.ACH, "virtual_card": Method.CARD}
NUMBERS = {Method.CHECK: "check_number", Method.ACH: "ach_trace"}


def decode_invoice(profile: Profile, raw: Any) -> Bill:
    """An invoice as their record stands; its key is the external id when it came in through the API, which is by us."""
    row = Row(profile, "invoice", raw)
    currency = row.text("currency") or profile.limits.currencies[0]
    moment = row.moment("updated_at")
    day = row.day("invoice_date") or (moment and moment.date())
    if day is None:
        raise BadRow("invoice_date is missing")
    origin = row.text("origin")
    return Bill(
        id=row.required("id"),
        version=_version(row),
        modified_at=moment,
        number=row.text("invoice_number"),
        vendor=Ref(Kind.VENDOR, row.text("vendor_id"), row.text("vendor_external_id")),
        date=day,
        due_date=row.day("due_date"),
        currency=currency,
        amount=row.money("amount", currency),
        balance=row.money("balance", currency),
        lines=tuple(
            _decode_line(line, number, currency) for number, line in enumerate(row.rows("lines", "invoice_line"), 1)
        ),
        memo=row.text("rejection_reason") or row.text("description"),
        settlements=tuple(map(str, as_list(row.value("payment_ids")))),
        status=profile.meaning("workflow_status", row.required("workflow_status")),
        payment_status=profile.meaning("invoice_payment_status", row.text("payment_status")),
        key=row.text("external_id") if not origin or profile.meaning("origin", origin) == "api" else "",
    )


def _decode_line(row: Row, number: int, currency: str) -> Line:
    account = row.text("gl_account_external_id")
    return Line(
        number=number,
        amount=row.money("amount", currency),
        description=row.text("description"),
        account=Ref(Kind.ACCOUNT, "", account) if account else None,
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
        version=_version(row),
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
    discount = Decimal(0) if row.value("discount_amount") is None else row.money("discount_amount", currency)
    return Application(
        target=Ref(Kind.BILL, row.required("invoice_id"), row.text("invoice_external_id")),
        number=row.text("invoice_number"),
        gross=row.money("gross_amount", currency),
        discount=discount,
        net=row.money("net_amount", currency),
    )


def _version(row: Row) -> str:
    return row.text("version") or row.text("updated_at")


DECODERS: Mapping[Kind, Callable[[Profile, Any], AnyRecord]] = {Kind.BILL: decode_invoice, Kind.PAYMENT: decode_payment}
