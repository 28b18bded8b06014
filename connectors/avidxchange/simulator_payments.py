"""Payments of the simulated network: how one comes to be, its way step by step, and every way back.

Public: the words of the steps, the reference per method, uncashed checks refunded after about 90 days, unprocessed
cards coming back after 10 to 35 days, a card turned into a check. Assumed: the transitions and every date's meaning.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.avidxchange.simulator_batches import can_be_mailed
from connectors.avidxchange.simulator_books import CENT, ZERO, ActRefused, Company, Record, RequestRefused
from connectors.avidxchange.simulator_invoices import derive_figures, live_payments
from connectors.avidxchange.simulator_shapes import ENVELOPES, SHAPES

# (status, method or None for all) -> the statuses that may follow; the first is the usual one.
_FLOW: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("pending_approval", None): ("processing", "held", "void"),
    ("held", None): ("pending_approval", "processing", "void"),
    ("processing", None): ("debit_requested", "error", "void"),
    ("debit_requested", None): ("funds_received", "error", "void"),
    ("funds_received", "check"): ("sent_to_printer", "void"),
    ("funds_received", "ach"): ("issued", "void"),
    ("funds_received", "virtual_card"): ("card_processing", "void"),
    ("sent_to_printer", None): ("issued", "error", "void"),
    ("issued", "check"): ("cleared", "stop_requested", "returned", "refunded", "reissued"),
    ("issued", "ach"): ("cleared", "returned"),
    ("issued", "virtual_card"): ("cleared", "expired", "void", "reissued"),
    ("card_processing", None): ("issued", "error", "void", "reissued"),
    ("cleared", None): ("returned",),
    ("stop_requested", None): ("stopped", "cleared"),
    ("stopped", None): ("refunded", "reissued", "void"),
    ("returned", None): ("refunded", "reissued", "void"),
    ("expired", None): ("refunded", "reissued", "void"),
    ("error", None): ("processing", "void"),
}
# The usual next step stops here: what comes after is somebody's decision.
_RESTS: Final = frozenset({"cleared", "stopped", "returned", "expired", "reissued", "refunded", "void"})
VOIDABLE: Final = frozenset({"pending_approval", "held", "processing", "debit_requested", "funds_received"})


def following(status: str, method: str) -> tuple[str, ...]:
    """The statuses that may follow this one."""
    return _FLOW.get((status, method)) or _FLOW.get((status, None)) or ()


def way_to(payment: Record, to: str) -> list[str]:
    """The usual steps, then the last one to this status; refuses where they do not lead there."""
    status, steps = payment["status"], []
    while to not in following(status, payment["method"]):
        if status in _RESTS or to == status:
            raise ActRefused(f"{payment['id']} is {payment['status']} and cannot become {to}")
        status = following(status, payment["method"])[0]
        steps.append(status)
    return [*steps, to]


def pay(
    company: Company,
    amounts: Mapping[str, str | None],
    method: str,
    now: datetime,
    discounts: Mapping[str, str] | None = None,
    status: str = "processing",
) -> Record:
    """A payment of invoices and credits by external id or id: gross amounts, or None for all that is open."""
    parts = []
    for key, amount in amounts.items():
        invoice = company.invoices.external(key) or company.invoice(key)
        parts.append((invoice, _gross(company, invoice, amount), read_amount((discounts or {}).get(key) or "0")))
    if len({invoice["vendor_external_id"] for invoice, _, _ in parts}) != 1:
        raise ActRefused("a payment pays invoices of one vendor")
    if len({invoice["id"] for invoice, _, _ in parts}) != len(parts):
        raise ActRefused("a payment names an invoice once")
    vendor = company.vendors.external(parts[0][0]["vendor_external_id"])
    if vendor is None or (method == "check" and not can_be_mailed(vendor)):
        raise ActRefused("the vendor has no complete address for a check")
    applications = [
        {
            "invoice_id": invoice["id"],
            "invoice_external_id": invoice["external_id"],
            "invoice_number": invoice["invoice_number"],
            "gross_amount": gross,
            "discount_amount": discount,
            "net_amount": gross - discount,
        }
        for invoice, gross, discount in parts
    ]
    total = sum((application["net_amount"] for application in applications), ZERO)
    if total <= 0:
        raise ActRefused("a payment is above zero")
    return _open(company, vendor, {"method": method, "amount": total, "applications": applications}, status, now)


def read_amount(text: str) -> Decimal:
    """An amount that a person typed."""
    try:
        amount = Decimal(text)
        if amount != amount.quantize(CENT):
            raise ActRefused(f"{text} is finer than a cent")
    except InvalidOperation as error:
        raise ActRefused(f"{text} is not an amount") from error
    return amount.quantize(CENT)


def _gross(company: Company, invoice: Record, amount: str | None) -> Decimal:
    """What of this invoice is paid; never more than no other live payment takes already."""
    if invoice["workflow_status"] != "approved":
        raise ActRefused(f"{invoice['id']} is {invoice['workflow_status']}, not approved")
    taken = sum(
        (
            application["gross_amount"]
            for payment in live_payments(company, invoice)
            for application in payment["applications"]
            if application["invoice_id"] == invoice["id"]
        ),
        ZERO,
    )
    left: Decimal = invoice["amount"] - invoice["amount_credited"] - taken
    gross = left if amount is None else read_amount(amount)
    if gross == 0 or (gross < 0) != (left < 0) or abs(gross) > abs(left):
        raise ActRefused(f"{invoice['id']} has {left} left to be paid, not {gross}")
    return gross


def _open(company: Company, vendor: Record, values: Record, status: str, now: datetime) -> Record:
    funding = next(iter(company.bank_accounts.values()))
    payment = company.payments.add(
        {
            **dict.fromkeys(
                SHAPES["payment"].keys() - {"id", "version", "updated_at", *(field for _, field in ENVELOPES)}
            ),
            "created_at": now,
            "batch_id": company.serial.id("pb"),
            "vendor_id": vendor["id"],
            "vendor_external_id": vendor["external_id"],
            "payee_name": vendor["name"],
            "funding_account_id": funding["id"],
            "funding_external_id": funding["external_id"],
            "funding_last4": funding["last4"],
            "currency": "USD",
            "status": status,
            "payment_date": now.date() + timedelta(days=1),
            "exceptions": [],
            "history": [],
            **values,
        },
        now,
    )
    for application in payment["applications"]:
        company.invoices[application["invoice_id"]]["payment_ids"].append(payment["id"])
    _settle(company, payment, now)
    return payment


def move_payment(company: Company, payment: Record, to: str, now: datetime, **values: object) -> None:
    """One transition; what a status brings with it (numbers, dates) is filled in, invoices follow."""
    if to not in following(payment["status"], payment["method"]):
        raise ActRefused(f"{payment['id']} is {payment['status']} and cannot become {to}")
    brought = _BROUGHT[to](company, payment, now) if to in _BROUGHT else {}
    company.payments.change(payment, {**brought, **values, "status": to}, now)
    _settle(company, payment, now)


def advance_payment(company: Company, payment: Record, now: datetime) -> bool:
    """The usual next step; nothing where a person would have to decide."""
    if payment["status"] in _RESTS:
        return False
    move_payment(company, payment, following(payment["status"], payment["method"])[0], now)
    return True


def reissue_payment(company: Company, payment: Record, method: str, now: datetime) -> Record:
    """The same invoices paid anew, maybe another way; both payments name each other."""
    if "reissued" not in following(payment["status"], payment["method"]):
        raise ActRefused(f"{payment['id']} is {payment['status']} and cannot be reissued")
    move_payment(company, payment, "reissued", now)
    values = {
        "method": method,
        "amount": payment["amount"],
        "reissue_of": payment["id"],
        "applications": [dict(application) for application in payment["applications"]],
    }
    new = _open(company, company.vendors[payment["vendor_id"]], values, "processing", now)
    company.payments.change(payment, {"replaced_by": new["id"]}, now)
    return new


def request_void(company: Company, payment: Record, external_id: str, reason: str | None, now: datetime) -> None:
    """The customer asks for the money back: voided while it has not left, stopped while a check is out."""
    if external_id in company.void_requests:
        if company.void_requests[external_id] != payment["id"]:
            raise RequestRefused(409, "conflict", "The request was made for another payment.")
        return
    to = "void" if payment["status"] in VOIDABLE else "stop_requested"
    if to not in following(payment["status"], payment["method"]):
        raise RequestRefused(409, "void_not_allowed", f"The payment is {payment['status']}.")
    company.void_requests[external_id] = payment["id"]
    move_payment(company, payment, to, now, status_reason=reason)


def _settle(company: Company, payment: Record, now: datetime) -> None:
    payment["history"].append({"id": company.serial.id("his"), "at": now, "status": payment["status"]})
    for application in payment["applications"]:
        derive_figures(company, company.invoices[application["invoice_id"]], now)


def _issue(company: Company, payment: Record, now: datetime) -> Record:
    today = now.date()
    if payment["method"] == "check":
        number = f"{4100230 + company.serial.number('check'):010d}"
        detail = {"check_number": number, "check_mailed_date": today, "check_delivery": "mail"}
    elif payment["method"] == "ach":
        detail = {"ach_trace": f"05300019{company.serial.number('trace'):07d}", "ach_effective_date": today}
    else:
        detail = {
            "card_last4": f"{company.serial.number('card') % 10_000:04d}",
            "card_network": "mastercard",
            "card_delivery": "email",
            "card_sent_date": today,
            "card_expires_date": today + timedelta(days=30),
        }
    return {"issued_date": today, **detail}


def _clear(company: Company, payment: Record, now: datetime) -> Record:
    card = {"card_charged_date": now.date(), "card_authorization": f"A{company.serial.number('authorization'):06d}"}
    return {"cleared_date": now.date(), **(card if payment["method"] == "virtual_card" else {})}


def _return(company: Company, payment: Record, now: datetime) -> Record:
    return {"ach_returned_date": now.date(), "ach_return_code": "R01"} if payment["method"] == "ach" else {}


_BROUGHT: Final[Mapping[str, Callable[[Company, Record, datetime], Record]]] = {
    "issued": _issue,
    "cleared": _clear,
    "returned": _return,
    "void": lambda company, payment, now: {"voided_date": now.date()},
    "refunded": lambda company, payment, now: {"refunded_date": now.date()},
}
