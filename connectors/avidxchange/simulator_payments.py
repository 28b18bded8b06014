"""Payments of the simulated network: how one comes to be, its way step by step, and every way back.

Public: the words of the steps, the reference per method, uncashed checks refunded after about 90 days, unprocessed
cards coming back after 10 to 35 days, a card turned into a check. Assumed: the transitions and every date's meaning.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.avidxchange.simulator_batches import can_be_mailed
from connectors.avidxchange.simulator_books import ActRefused, Company, Record, RequestRefused
from connectors.avidxchange.simulator_invoices import LIVE, derive_figures
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
REFERENCE: Final[Mapping[str, str]] = {"check": "check_number", "ach": "ach_trace", "virtual_card": "card_last4"}
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


def find_funding(company: Company, vendor: Record, method: str) -> Record:
    """The bank account to draw on; refuses where there is none or the vendor cannot be paid this way."""
    if vendor["network_status"] == "blocked":
        raise ActRefused("the vendor is blocked")
    if method == "check" and not can_be_mailed(vendor):
        raise ActRefused("the vendor has no complete address for a check")
    for account in company.bank_accounts.values():
        if account["status"] == "synced":
            return account
    raise ActRefused("no bank account is ready to be drawn on")


def open_payment(company: Company, vendor: Record, values: Record, now: datetime) -> Record:
    """A new payment; its invoices follow."""
    funding = find_funding(company, vendor, str(values["method"]))
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
            "status": "processing",
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


def reissue_payment(
    company: Company, payment: Record, method: str, now: datetime, *, tell_later: bool = False
) -> Record:
    """The same invoices paid anew, maybe another way; both payments name each other, the old one later if told so."""
    if "reissued" not in following(payment["status"], payment["method"]):
        raise ActRefused(f"{payment['id']} is {payment['status']} and cannot be reissued")
    if tell_later and payment["status"] in LIVE:
        raise ActRefused(f"{payment['id']} is {payment['status']}: its invoices would be paid twice")
    vendor = company.vendors[payment["vendor_id"]]
    find_funding(company, vendor, method)
    if not tell_later:
        move_payment(company, payment, "reissued", now)
    values = {
        "method": method,
        "amount": payment["amount"],
        "reissue_of": payment["id"],
        "applications": [dict(application) for application in payment["applications"]],
    }
    new = open_payment(company, vendor, values, now)
    if not tell_later:
        company.payments.change(payment, {"replaced_by": new["id"]}, now)
    return new


def change_method(company: Company, payment: Record, method: str, now: datetime) -> Record:
    """Another method: in place while nothing is sent out, by a new payment afterwards; answers the one that goes on."""
    if payment["status"] not in VOIDABLE:
        return reissue_payment(company, payment, method, now)
    find_funding(company, company.vendors[payment["vendor_id"]], method)
    company.payments.change(payment, {"method": method}, now)
    return payment


def give_reference(company: Company, payment: Record, now: datetime) -> None:
    """The reference of an issued payment that went without one so far."""
    field = REFERENCE[payment["method"]]
    if payment["issued_date"] is None or payment[field] is not None:
        raise ActRefused(f"{payment['id']} waits for no reference")
    company.payments.change(payment, {field: _issue(company, payment, now)[field]}, now)


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


def _fail(company: Company, payment: Record, now: datetime) -> Record:
    """Public: reason codes of the older API; 6, an inactive bank account, is one that can be fixed."""
    return {"exceptions": [{"code": "6", "message": "The bank account is inactive.", "fixable": True}]}


def _replace(company: Company, payment: Record, now: datetime) -> Record:
    new = (other["id"] for other in company.payments.values() if other["reissue_of"] == payment["id"])
    return {"replaced_by": next(new, None)}


_BROUGHT: Final[Mapping[str, Callable[[Company, Record, datetime], Record]]] = {
    "processing": lambda company, payment, now: {"exceptions": []},
    "error": _fail,
    "reissued": _replace,
    "issued": _issue,
    "cleared": _clear,
    "returned": _return,
    "void": lambda company, payment, now: {"voided_date": now.date()},
    "refunded": lambda company, payment, now: {"refunded_date": now.date()},
}
