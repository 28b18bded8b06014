"""Before money moves in the ERP: everything that a posting rests on is fetched in the same slice, the first time too.

What already carries our mark is linked, not created. A bill that somebody else has settled, or that carries a payment
that looks like this one, is never paid a second time. A bill is stopped at the AP network only on what the ERP says of
it at this moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from django.db import transaction

from connectors.base import Action, Connector, Link, Receipt
from connectors.conversation import Conversation, Steps
from connectors.errors import AuthError, TransientError
from connectors.records import AnyRecord, Bill, Kind, Payment, Phase
from syncs.delivery.decide import TRIES_BEFORE_A_PROBLEM
from syncs.delivery.flows import delivery_fingerprint
from syncs.delivery.objections import Objection, objection, settles
from syncs.delivery.planned import SETTLED_BY_US, Planned
from syncs.delivery.scope import Circumstances, Wish, rule
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.mirror.settled_elsewhere import explained
from syncs.problems.connections import stop_for_sign_in
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
        bills = yield from _fetch(
            slice_.talk,
            Kind.BILL,
            sorted({application.target.id for one in creates for application in _payment(one).applications}),
        )
        yield "bills fetched"
        on_bills = yield from _fetch(slice_.talk, Kind.PAYMENT, _settlements(bills))
        yield "payments on the bills fetched"
        being_posted: set[str] = set()
        for one in creates:
            _judge(checked, one, found, bills, on_bills, being_posted)
    if others:
        postings = yield from _fetch(slice_.talk, Kind.PAYMENT, sorted({_link(one).id for one in others}))
        yield "postings fetched"
        for one in others:
            _judge_posting(checked, one, postings.get(_link(one).id))
    return checked


def check_stops(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that confirm, on the bills as they are now, that they are to be stopped."""
    checked = Checked(cleared=[one for one in planned if one.ruling.code != "settled_elsewhere"])
    doubted = [one for one in planned if one.ruling.code == "settled_elsewhere"]
    if not doubted:
        return checked
    ids = [one.claim.remote_id for one in doubted]
    bills = yield from _at_the_source(slice_, Kind.BILL, ids)
    on_bills = yield from _at_the_source(slice_, Kind.PAYMENT, _settlements(bills))
    yield "bills to be stopped fetched"
    ours = explained(slice_.source, ids)
    for one in doubted:
        bill = bills.get(one.claim.remote_id)
        carried = _marked_on(one.claim.remote_id, on_bills)  # also what a restored backup has forgotten
        posted = max(ours.get(one.claim.remote_id, Decimal(0)), one.explained, carried)
        around = Circumstances(linked=True, gone=bill is None, explained=posted, policies=slice_.policies)
        if rule(bill or one.claim.record, around).wish is Wish.STOP:
            checked.cleared.append(one)
        else:
            checked.verdicts.append(_go_on(one))
    return checked


def _go_on(one: Planned) -> Verdict:
    """A bill that is not to be stopped after all; whatever else has changed of it is still to be sent."""
    if delivery_fingerprint(one.claim.record) != one.claim.settled_fingerprint:
        return one.verdict(
            State.PENDING, outcome="not needed", uncount=True, code=SETTLED_BY_US, next_attempt_at=_soon(one)
        )
    return one.verdict(
        State.SYNCED,
        settles=True,
        fingerprint=one.claim.wanted_fingerprint,
        outcome="not needed",
        verb="delivery_skipped",
    )


def _settlements(bills: dict[str, AnyRecord]) -> list[str]:
    """The payments that these bills carry."""
    return sorted({one for bill in bills.values() if isinstance(bill, Bill) for one in bill.settlements})


def _marked_on(bill_id: str, payments: dict[str, AnyRecord]) -> Decimal:
    """How much of a bill the payments settle that carry our mark."""
    ours = [one for one in payments.values() if isinstance(one, Payment) and one.mark]
    return sum((settles(one).get(bill_id, Decimal(0)) for one in ours), Decimal(0))


def _at_the_source(slice_: Slice, kind: Kind, ids: Sequence[str]) -> Steps[dict[str, AnyRecord]]:
    """Records as the ERP shows them now; when it refuses our sign-in, that is its connection's matter, not ours."""
    talk = Conversation(connection=slice_.source, effects=slice_.effects, trace_id=slice_.talk.trace_id)
    try:
        shown = yield from _fetch(talk, kind, ids)
    except AuthError as error:
        stop_for_sign_in(slice_.source, error, now=slice_.now())
        raise TransientError("The ERP has to be signed in to again first.", detail=error.message) from error
    with transaction.atomic():
        talk.kept_exchanges()
    return shown


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
                next_attempt_at=_soon(one),
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
            next_attempt_at=_soon(one) + ASK_AGAIN,
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
        next_attempt_at=_soon(one),
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
    else:
        assert isinstance(posting, Payment)
        link = Link(id=posting.id, version=posting.version)
        checked.cleared.append(replace(one, write=replace(one.write, link=link)))


def _executed_otherwise(payment: Payment, posting: AnyRecord | None) -> bool:
    """Whether what stands as executed settles something else; amount and bills of a pending one follow the payment."""
    if not isinstance(posting, Payment) or posting.phase is not Phase.EXECUTED:
        return False
    return (posting.amount, settles(posting)) != (payment.amount, settles(payment))


def _fetch(talk: Conversation, kind: Kind, ids: Sequence[str]) -> Steps[dict[str, AnyRecord]]:
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


def _soon(one: Planned) -> datetime:
    assert one.write.sent_at is not None
    return one.write.sent_at
