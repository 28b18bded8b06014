"""Before money moves in the ERP: everything that a posting rests on is fetched in the same slice, the first time too.

What already carries our mark is linked, not created. A bill that somebody else has settled, or that carries a payment
that looks like this one, is never paid a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from connectors.base import Action, Connector, Link, Receipt
from connectors.conversation import Conversation, Steps
from connectors.records import AnyRecord, Bill, Kind, Payment, Phase
from syncs.delivery.decide import TRIES_BEFORE_A_PROBLEM
from syncs.delivery.objections import Objection, objection, settles
from syncs.delivery.planned import Planned
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.states import State

ASK_AGAIN = timedelta(minutes=1)


@dataclass(kw_only=True)
class Checked:
    """What may be sent, and what came out otherwise."""

    cleared: list[Planned] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


def check_payments(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that clear payments for posting."""
    creates = [one for one in planned if one.write.link is None]
    others = [one for one in planned if one.write.link is not None]
    checked = Checked()
    if creates:
        posted = [replace(one.write, action=Action.CREATE) for one in creates]
        found = yield from slice_.talk.call(lambda connector: connector.find(posted))
        yield "looked for our marks"
        bills = yield from fetched(
            slice_.talk,
            Kind.BILL,
            sorted({application.target.id for one in creates for application in _payment(one).applications}),
        )
        yield "bills fetched"
        on_bills = yield from fetched(slice_.talk, Kind.PAYMENT, settlements(bills))
        yield "payments on the bills fetched"
        being_posted: set[str] = set()
        for one in creates:
            _judge(checked, one, found, bills, on_bills, being_posted)
    if others:
        postings = yield from fetched(slice_.talk, Kind.PAYMENT, sorted({_link(one).id for one in others}))
        yield "postings fetched"
        for one in others:
            _judge_posting(checked, one, postings.get(_link(one).id))
    return checked


def _judge(
    checked: Checked,
    one: Planned,
    found: dict[str, Receipt | None],
    bills: dict[str, AnyRecord],
    on_bills: dict[str, AnyRecord],
    being_posted: set[str],
) -> None:
    """One payment that has not been posted as far as we know; what it takes of its bills, the next one cannot."""
    if one.write.record_key not in found:
        checked.verdicts.append(
            one.verdict(
                State.PENDING,
                outcome="not sent",
                uncount=True,
                reason="Whether it is there already cannot be told now.",
                next_attempt_at=soon(one),
            )
        )
        return
    receipt = found[one.write.record_key]
    if receipt is not None:
        checked.verdicts.append(_linked(one, receipt))
        return
    if one.write.action is Action.VOID:
        left_out = {"code": one.ruling.code, "reason": one.ruling.reason}
        checked.verdicts.append(one.verdict(State.OUT_OF_SCOPE, outcome="not needed", **left_out))
        return
    objected = objection(_payment(one), bills, on_bills, being_posted)
    if objected is not None:
        checked.verdicts.append(_put_off(one, objected))
        return
    _clear(checked, one, bills, being_posted)


def _clear(checked: Checked, one: Planned, bills: dict[str, AnyRecord], being_posted: set[str]) -> None:
    """It may be posted: what it takes of its bills is taken from what the next payment of this set sees."""
    ap_accounts = [
        bill.ap_account.id
        for application in _payment(one).applications
        if isinstance(bill := bills[application.target.id], Bill) and bill.ap_account is not None
    ]
    for bill_id, gross in settles(_payment(one)).items():
        bill = bills[bill_id]
        assert isinstance(bill, Bill)
        bills[bill_id] = msgspec.structs.replace(bill, balance=bill.balance - gross)
        being_posted.add(bill_id)
    context = {**one.write.context, **({"ap_account": ap_accounts[0]} if ap_accounts else {})}
    checked.cleared.append(replace(one, write=replace(one.write, context=context)))


def _put_off(one: Planned, objected: Objection) -> Verdict:
    if objected.clears and one.claim.attempts < TRIES_BEFORE_A_PROBLEM:
        return one.verdict(
            State.PENDING,
            outcome="not sent",
            code=objected.code,
            reason=objected.reason,
            next_attempt_at=soon(one) + ASK_AGAIN,
        )
    return one.verdict(State.HELD, outcome="not sent", code=objected.code, reason=objected.reason, needs_somebody=True)


def _linked(one: Planned, receipt: Receipt) -> Verdict:
    if receipt.duplicate_of:
        return one.verdict(
            State.HELD,
            outcome="found",
            code="posted_twice",
            needs_somebody=True,
            target_id=receipt.id,
            reason=f"{receipt.id} and {', '.join(receipt.duplicate_of)} carry the same mark.",
        )
    # Linked only: what it holds may be older than what is wanted now, so the next try updates it.
    return one.verdict(
        State.PENDING,
        outcome="found",
        verb="delivery_found",
        uncount=True,
        target_id=receipt.id,
        target_version=receipt.version,
        next_attempt_at=soon(one),
    )


def _judge_posting(checked: Checked, one: Planned, posting: AnyRecord | None) -> None:
    """One payment that we have posted and now change or void."""
    gone = not isinstance(posting, Payment) or posting.phase is Phase.REVERSED
    if gone and one.write.action is Action.VOID:
        checked.verdicts.append(
            one.verdict(
                State.SYNCED,
                settles=True,
                fingerprint=one.claim.wanted_fingerprint,
                outcome="found",
                verb="delivery_found",
            )
        )
    elif gone or (isinstance(posting, Payment) and posting.mark != one.write.record_key):
        checked.verdicts.append(
            one.verdict(
                State.HELD,
                outcome="not sent",
                code="posting_gone",
                needs_somebody=True,
                reason=f"Payment {_link(one).id} in the ERP is no longer what we posted.",
            )
        )
    elif one.write.action is Action.UPDATE and _executed_otherwise(_payment(one), posting):
        checked.verdicts.append(
            one.verdict(
                State.HELD,
                outcome="not sent",
                code="applications_changed",
                needs_somebody=True,
                reason=f"Payment {_link(one).id} in the ERP settles other bills or amounts than the payment does now.",
            )
        )
    elif isinstance(posting, Payment) and posting.version != _link(one).version:
        # Its request key names the version that it changes: the next try names the one that stands.
        checked.verdicts.append(
            one.verdict(
                State.PENDING,
                outcome="not sent",
                uncount=True,
                target_version=posting.version,
                next_attempt_at=soon(one),
            )
        )
    else:
        checked.cleared.append(one)


def _executed_otherwise(payment: Payment, posting: AnyRecord | None) -> bool:
    """Whether what stands as executed settles something else; amount and bills of a pending one follow the payment."""
    if not isinstance(posting, Payment) or posting.phase is not Phase.EXECUTED:
        return False
    return (posting.amount, settles(posting)) != (payment.amount, settles(payment))


def settlements(bills: dict[str, AnyRecord]) -> list[str]:
    """The payments that these bills carry."""
    return sorted({one for bill in bills.values() if isinstance(bill, Bill) for one in bill.settlements})


def fetched(talk: Conversation, kind: Kind, ids: Sequence[str]) -> Steps[dict[str, AnyRecord]]:
    """The steps to these records as the other side shows them now, by id; what is not there is left out."""
    if not ids:
        return {}

    def fetch(connector: Connector) -> dict[str, AnyRecord]:
        return dict(connector.fetch(kind, ids))

    return (yield from talk.call(fetch))


def _payment(one: Planned) -> Payment:
    assert isinstance(one.write.record, Payment)
    return one.write.record


def _link(one: Planned) -> Link:
    assert one.write.link is not None
    return one.write.link


def soon(one: Planned) -> datetime:
    """When it is due again after a try that sent nothing."""
    assert one.write.sent_at is not None
    return one.write.sent_at
