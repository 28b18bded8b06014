"""Before money moves in the ERP: everything that a posting rests on is fetched in the same slice, the first time too.

What already carries our mark is linked, not created. A bill that somebody else has settled, or that carries a payment
that looks like this one, is never paid a second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import msgspec

from connectors.base import JOINT, PAID_ON, Action, Link, Receipt, ids_of_pieces
from connectors.conversation import Conversation, Job, Steps
from connectors.records import AnyRecord, Kind, LedgerEntry, Payable, Payment, Phase
from syncs.delivery.decide import TRIES_BEFORE_A_PROBLEM
from syncs.delivery.decided import NONE, Overruled, not_ours_but_linked, overruled
from syncs.delivery.objections import Objection, as_bill, discounts, is_same_posting, objection, settles, takes
from syncs.delivery.planned import Planned
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.models import Feed
from syncs.states import State

ASK_AGAIN = timedelta(minutes=1)
POSTING_GONE = "posting_gone"
NEVER_READ = timedelta(days=45)  # where no reading of the ERP has ever come to its end


@dataclass(kw_only=True)
class Checked:
    """What may be sent, and what came out otherwise."""

    cleared: list[Planned] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(kw_only=True)
class Open:
    """The bills and credits that a set settles, as the ERP shows them less what is cleared already; what they carry."""

    bills: dict[str, AnyRecord]
    carried: dict[str, AnyRecord]
    being_posted: set[str] = field(default_factory=set)
    overruled: Mapping[int, Overruled] = field(default_factory=dict)


def check_payments(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that clear payments for posting."""
    creates = [one for one in planned if one.write.link is None]
    others = [one for one in planned if one.write.link is not None]
    checked, found, postings = Checked(), {}, {}
    if others:
        postings = yield from fetched(slice_.talk, Kind.PAYMENT, sorted({_link(one).id for one in others}))
        yield "postings fetched"
    if creates:
        since = _not_mirrored_since(slice_)
        posted = [replace(one.write, action=Action.CREATE, sent_at=min(since, soon(one))) for one in creates]
        found = yield from slice_.talk.call(lambda connector: connector.find(posted))
        yield "looked for our marks"
    settling = [*(one for one in others if _is_moved(one, postings)), *creates]
    open_ = (yield from _fetch_open(slice_, settling)) if settling else Open(bills={}, carried={})
    for one in others:
        _judge_posting(checked, one, postings.get(_link(one).id), open_)
    for one in creates:
        _judge(checked, one, found, open_)
    return checked


def _not_mirrored_since(slice_: Slice) -> datetime:
    """From when on the ERP may hold postings of ours that our mirror does not show, as after a restored backup."""
    feed = Feed.objects.get(tenant_id=slice_.tenant_id, connection=slice_.target)
    return feed.complete_until or slice_.now() - NEVER_READ


def _fetch_open(slice_: Slice, settling: Sequence[Planned]) -> Steps[Open]:
    wanted = {application.target for one in settling for application in _payment(one).applications}
    bills: dict[str, AnyRecord] = {}
    for kind in (Kind.BILL, Kind.CREDIT, Kind.LEDGER_ENTRY):
        ids = sorted({target.id for target in wanted if target.kind is kind})
        bills |= yield from fetched(slice_.talk, kind, ids)
    yield "bills fetched"
    carried = yield from fetched(slice_.talk, Kind.PAYMENT, settlements(bills))
    yield "payments on the bills fetched"
    bills |= {id: as_bill(one, carried) for id, one in bills.items() if isinstance(one, LedgerEntry)}
    linked = not_ours_but_linked(slice_, carried)
    carried |= {id: _as_ours(one) for id, one in carried.items() if id in linked}
    return Open(bills=bills, carried=carried, overruled=overruled(slice_, [one.claim for one in settling]))


def _as_ours(payment: AnyRecord) -> AnyRecord:
    """A payment of the ERP that a person linked: it objects to no other, as ours do not."""
    return msgspec.structs.replace(payment, mark="linked") if isinstance(payment, Payment) else payment


def _judge(checked: Checked, one: Planned, found: dict[str, Receipt | None], open_: Open) -> None:
    """One payment that has not been posted as far as we know; what it takes of its bills, the next one cannot."""
    if one.write.record_key not in found:
        checked.verdicts.append(one.put_back(reason="Whether it is there already cannot be told now."))
        return
    receipt = found[one.write.record_key]
    if receipt is not None and not _is_posted_anew(one, receipt, open_):
        checked.verdicts.append(_linked(one, receipt))
        return
    if one.write.action is Action.VOID:
        if discounts(_payment(one)):  # what was made for a discount before the payment itself is still to be undone
            checked.cleared.append(one)
        else:
            checked.verdicts.append(one.left_out())
        return
    _clear(checked, one, open_)


def _clear(checked: Checked, one: Planned, open_: Open) -> None:
    """It may be posted, if nothing objects: what it takes of its bills, the next payment of this set does not see."""
    bills = open_.bills
    allowed = open_.overruled.get(one.claim.id, NONE)
    objected = objection(_as_paid(one), bills, open_.carried, open_.being_posted, allowed)
    if objected is not None:
        checked.verdicts.append(_put_off(one, objected))
        return
    ap_accounts = {
        bill.ap_account.id
        for application in _payment(one).applications
        if isinstance(bill := bills[application.target.id], Payable) and bill.ap_account is not None
    }
    for bill_id, gross in settles(_payment(one)).items():
        bill = bills[bill_id]
        assert isinstance(bill, Payable)
        bills[bill_id] = msgspec.structs.replace(bill, balance=bill.balance - abs(gross))
        open_.being_posted.add(bill_id)
    context = {**one.write.context, **({"ap_account": JOINT.join(sorted(ap_accounts))} if ap_accounts else {})}
    checked.cleared.append(replace(one, write=replace(one.write, context=context)))


def _is_posted_anew(one: Planned, receipt: Receipt, open_: Open) -> bool:
    """Whether what was found is only the voided posting that two persons want to be made again."""
    gone = isinstance(receipt.record, Payment) and receipt.record.phase is Phase.REVERSED
    return gone and any(code == POSTING_GONE for code, _ in open_.overruled.get(one.claim.id, NONE))


def _put_off(one: Planned, objected: Objection) -> Verdict:
    if objected.clears and one.claim.attempts < TRIES_BEFORE_A_PROBLEM:
        return one.put_back(soon(one) + ASK_AGAIN, uncount=False, code=objected.code, reason=objected.reason)
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
    return one.put_back(outcome="found", verb="delivery_found", target_id=receipt.id, target_version=receipt.version)


def _judge_posting(checked: Checked, one: Planned, posting: AnyRecord | None, open_: Open) -> None:
    """One payment that we have posted and now change, void, or only look at."""
    verdict = _on_posting(one, posting)
    if isinstance(posting, Payment):  # what people wrote into its memo stays
        one = replace(one, write=replace(one.write, context={**one.write.context, "memo": posting.memo}))
    if verdict is not None:
        checked.verdicts.append(verdict)
    elif isinstance(posting, Payment) and _is_moved(one, {posting.id: posting}):
        _give_back(open_, posting)
        _clear(checked, one, open_)
    else:
        checked.cleared.append(one)


def _on_posting(one: Planned, posting: AnyRecord | None) -> Verdict | None:
    """Where it stands without anything being sent; None where something is to be sent."""
    if not isinstance(posting, Payment) or posting.phase is Phase.REVERSED:
        if one.write.action is not Action.VOID:
            return _not_ours(one, "posting_gone", "is no longer what we posted")
        # What stands beside it may still have to be undone.
        is_more = discounts(_payment(one)) or posting is not None and JOINT in _link(one).id
        return None if is_more else one.stands(outcome="found", verb="delivery_found")
    if posting.mark != one.write.record_key:
        return _not_ours(one, "posting_gone", "is no longer what we posted")
    if one.write.action is Action.UPDATE and _executed_otherwise(_payment(one), posting):
        return _not_ours(one, "applications_changed", "settles other bills or amounts than the payment does now")
    if _only_looked_at(one):
        return _as_it_was_left(one, posting)
    if posting.version == _link(one).version:
        return None
    # Its request key names the version that it changes: the next try names the one that stands.
    return one.put_back(target_version=posting.version)


def _not_ours(one: Planned, code: str, what: str) -> Verdict:
    reason = f"Payment {_link(one).id} in the ERP {what}."
    return one.verdict(State.HELD, outcome="not sent", code=code, needs_somebody=True, reason=reason)


def _is_moved(one: Planned, postings: dict[str, AnyRecord]) -> bool:
    """Whether a posting is to settle other bills, or other amounts of them, than it does."""
    posting = postings.get(_link(one).id)
    return (
        one.write.action is Action.UPDATE
        and isinstance(posting, Payment)
        and settles(posting) != settles(_payment(one))
    )


def _give_back(open_: Open, posting: Payment) -> None:
    """What a posting settles now is open again for where it goes, and it is no other payment to itself."""
    for id in ids_of_pieces(posting.id):
        open_.carried.pop(id, None)
    for bill_id, gross in settles(posting).items():
        bill = open_.bills.get(bill_id)
        if isinstance(bill, Payable):
            open_.bills[bill_id] = msgspec.structs.replace(bill, balance=bill.balance + abs(gross))


def _only_looked_at(one: Planned) -> bool:
    """Whether nothing new is wanted of it: somebody has changed it in the ERP."""
    return one.write.action is Action.UPDATE and one.claim.settled == one.claim.wanted


def _as_it_was_left(one: Planned, posting: Payment) -> Verdict:
    if not is_same_posting(_payment(one), posting):
        return _not_ours(one, "posting_gone", "was changed by somebody: it is no longer what we posted")
    return one.stands(target_version=posting.version, outcome="not needed", verb="delivery_skipped")


def _executed_otherwise(payment: Payment, posting: Payment) -> bool:
    """Whether what stands as executed settles something else; amount and bills of a pending one follow the payment, its
    discounts do not."""
    if posting.phase is not Phase.EXECUTED:
        return discounts(posting) != discounts(payment)
    return (posting.amount, takes(posting)) != (payment.amount, takes(payment))


def settlements(bills: dict[str, AnyRecord]) -> list[str]:
    """The payments that these bills carry."""
    settled = [bill for bill in bills.values() if isinstance(bill, Payable | LedgerEntry)]
    return sorted({one for bill in settled for one in bill.settlements})


def fetched(talk: Conversation, kind: Kind, ids: Sequence[str]) -> Steps[dict[str, AnyRecord]]:
    """The steps to these records as the other side shows them now, by id; what is not there is left out."""
    return (yield from talk.call(fetching(kind, ids))) if ids else {}


def fetching(kind: Kind, ids: Sequence[str]) -> Job[dict[str, AnyRecord]]:
    """Asking for these records."""
    return lambda connector: dict(connector.fetch(kind, ids))


def _payment(one: Planned) -> Payment:
    assert isinstance(one.write.record, Payment)
    return one.write.record


def _as_paid(one: Planned) -> Payment:
    """The payment with the day on which it was paid, as somebody who entered it by hand would have it."""
    day = one.write.context.get(PAID_ON)
    return msgspec.structs.replace(_payment(one), date=date.fromisoformat(day)) if day else _payment(one)


def _link(one: Planned) -> Link:
    assert one.write.link is not None
    return one.write.link


def soon(one: Planned) -> datetime:
    """When it is due again after a try that sent nothing."""
    assert one.write.sent_at is not None
    return one.write.sent_at
