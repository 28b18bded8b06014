"""Whether a record is to be sent, stopped, left out by a rule, or held for a person. Pure.

Each rule names itself by a code of the catalogue and says why in a sentence that a customer understands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from connectors.records import (
    Account,
    AnyRecord,
    Bill,
    Dimension,
    Image,
    Kind,
    Payable,
    Payment,
    Phase,
    PurchaseOrder,
    Vendor,
)


class Wish(StrEnum):
    """What is to become of a record."""

    SEND = "send"
    STOP = "stop"
    OUT_OF_SCOPE = "out_of_scope"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What is to become of a record, by which rule, and why."""

    wish: Wish
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a ruling needs beyond the record: whether the other side has it and has refused a change, our postings,
    whether what was posted is taken back, and why something that is not there is none to send."""

    linked: bool
    gone: bool
    explained: Decimal
    policies: Mapping[str, object]
    locked: bool = False
    taken_back: bool = False
    unsent: str = ""


SEND = Ruling(wish=Wish.SEND)
NOT_PAID = "currency_not_paid"
CHANGED_AFTER_LOCK = "changed_after_lock"
SETTLED_ELSEWHERE = "settled_elsewhere"


def rule(record: AnyRecord, around: Circumstances) -> Ruling:
    """The ruling for one record."""
    if isinstance(record, Payable):
        return _rule_payable(record, around)
    if isinstance(record, Payment):
        return _rule_payment(record, around)
    if isinstance(record, PurchaseOrder):
        return _rule_order(record, around)
    if isinstance(record, Image):
        return _rule_image(around)
    assert isinstance(record, Vendor | Account | Dimension)
    return _rule_listed(record, around)


def _rule_listed(record: Vendor | Account | Dimension, around: Circumstances) -> Ruling:
    if around.gone and around.linked:
        return _out("gone", "It no longer exists in the ERP; what the AP network has of it stays there.")
    if around.linked:
        return SEND
    if around.gone:
        return _out("gone_before_sent", "It no longer existed in the ERP before it was sent.")
    if around.unsent:
        return _out("mapped", around.unsent)
    if not record.active:
        return _out("inactive", "It is inactive in the ERP and was never sent.")
    return SEND


def _rule_order(order: PurchaseOrder, around: Circumstances) -> Ruling:
    if around.gone:
        if around.linked:
            return Ruling(wish=Wish.STOP, code="order_gone", reason="The purchase order was deleted in the ERP.")
        return _out("gone_before_sent", "The purchase order was deleted in the ERP before it was sent.")
    if around.linked:
        return SEND
    if order.status != "open":
        return _out("order_closed", f"The purchase order was {order.status} before it was sent.")
    if order.currency not in _paid(around):
        return _out(NOT_PAID, _not_paid(order.amount, order.currency, around))
    return SEND


def _rule_image(around: Circumstances) -> Ruling:
    if around.gone:
        return _out("gone", "It no longer exists in the ERP; what the AP network has of it stays there.")
    if around.unsent:
        return _out("image_not_sent", around.unsent)
    return SEND


def _rule_payable(bill: Payable, around: Circumstances) -> Ruling:
    what = "bill" if isinstance(bill, Bill) else "credit"
    if bill.key and not around.linked:
        return _out("made_by_us", f"We have made this {what} in the ERP ourselves, for a discount.")
    if around.gone:
        if around.linked:
            return Ruling(wish=Wish.STOP, code="bill_gone", reason=f"The {what} was deleted in the ERP.")
        return _out("gone_before_sent", f"The {what} was deleted in the ERP before it was sent.")
    if bill.currency not in _paid(around):
        reason = _not_paid(bill.amount, bill.currency, around)
        if around.linked:
            return Ruling(wish=Wish.STOP, code=NOT_PAID, reason=reason)
        return _out(NOT_PAID, reason)
    total = sum((line.amount for line in bill.lines), Decimal(0))
    if total != bill.amount:
        return _hold("bill_does_not_tie", f"Its lines and tax sum to {total}, the {what} says {bill.amount}.")
    return _rule_sent(bill, what, around) if around.linked else _rule_unsent(bill, what)


def _rule_sent(bill: Payable, what: str, around: Circumstances) -> Ruling:
    if around.locked:
        reason = "It was changed in the ERP after the network had locked it, so it is withdrawn there."
        return Ruling(wish=Wish.STOP, code=CHANGED_AFTER_LOCK, reason=reason)
    settled = bill.amount - bill.balance
    if settled > around.explained:
        reason = f"{settled} of {bill.amount} is settled in the ERP, of which we posted {around.explained}."
        return Ruling(wish=Wish.STOP, code=SETTLED_ELSEWHERE, reason=reason)
    if bill.amount <= 0:
        return Ruling(wish=Wish.STOP, code="nothing_to_pay", reason=f"The {what} is over {bill.amount} now.")
    return SEND


def _rule_unsent(bill: Payable, what: str) -> Ruling:
    if bill.amount <= 0:
        return _out("nothing_to_pay", f"The {what} is over {bill.amount}: there is nothing to pay.")
    if bill.balance == 0:
        return _out("settled_before_sent", f"The {what} was settled in the ERP before it was sent.")
    if bill.balance != bill.amount:
        reason = f"Of {bill.amount}, {bill.balance} is still open: it was partly settled before it was sent."
        return _hold("partly_settled", reason)
    return SEND


def _paid(around: Circumstances) -> list[str]:
    currencies = around.policies["currencies"]
    assert isinstance(currencies, list)
    return currencies


def _not_paid(amount: Decimal, currency: str, around: Circumstances) -> str:
    return f"{amount} {currency}: only {', '.join(_paid(around))} is paid by the network."


def _rule_payment(payment: Payment, around: Circumstances) -> Ruling:
    if payment.phase is Phase.UNKNOWN:
        return _hold("payment_status_unknown", f'Its status is "{payment.status}", which we do not know.')
    if payment.phase is Phase.NONE:
        if around.linked:
            return _hold("payment_taken_back", f'It was posted, and its status is "{payment.status}" again.')
        return _out("payment_not_released", "It waits for the buyer's release.")
    if payment.phase is Phase.REVERSED:
        if around.linked:
            return Ruling(wish=Wish.STOP, code="payment_reversed", reason=f'Its status is "{payment.status}".')
        # As far as we know: a restored backup has forgotten what it posted, so it is looked for before it is left out.
        reason = "It was taken back before anything was posted."
        return Ruling(wish=Wish.STOP, code="payment_reversed_before_posting", reason=reason)
    if payment.phase is Phase.PENDING and not around.policies["pending_payments"] and not around.linked:
        until = "has cleared" if around.policies["post_on"] == "cleared" else "is executed"
        return _out("payment_not_executed", f"By policy nothing is posted before the payment {until}.")
    ruling = _shape(payment)
    if around.taken_back and ruling.wish is Wish.SEND:
        return Ruling(wish=Wish.STOP, code="posted_anew", reason="It is taken back, so that it is posted anew.")
    return ruling


def _shape(payment: Payment) -> Ruling:
    if not payment.applications:
        return _hold("payment_does_not_tie", "It names no bill.")
    total = sum((application.net for application in payment.applications), Decimal(0))
    if total != payment.amount:
        return _hold(
            "payment_does_not_tie", f"The bills that it pays sum to {total}, the payment says {payment.amount}."
        )
    for application in payment.applications:
        if application.net != application.gross - application.discount:
            return _hold(
                "payment_does_not_tie",
                f"Bill {application.number}: {application.gross} less {application.discount} is not {application.net}.",
            )
        if (application.gross < 0) != (application.target.kind is Kind.CREDIT):
            return _hold("payment_shape", f"{application.number}: a bill is paid, a credit is taken, nothing else.")
        if application.gross == 0 or application.discount and not 0 < application.discount < application.gross:
            return _hold("payment_shape", f"{application.number}: {application.discount} off {application.gross}.")
    return SEND


def _out(code: str, reason: str) -> Ruling:
    return Ruling(wish=Wish.OUT_OF_SCOPE, code=code, reason=reason)


def _hold(code: str, reason: str) -> Ruling:
    return Ruling(wish=Wish.HOLD, code=code, reason=reason)
