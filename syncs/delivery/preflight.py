"""Before money moves in the ERP: everything that a posting rests on is fetched in the same slice, the first time too.

What already carries our mark is linked, not created. A bill that somebody else has settled, or that carries a payment
that looks like this one, is never paid a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from connectors.base import JOINT, Action, Link, Receipt, ids_of_pieces
from connectors.conversation import Steps
from connectors.errors import MappingError
from connectors.records import AnyRecord, Kind, Payable, Payment
from syncs.delivery.as_left import as_left, is_changed
from syncs.delivery.closed import on_an_open_day
from syncs.delivery.decide import TRIES_BEFORE_A_PROBLEM
from syncs.delivery.objections import Objection, is_same_posting, takes
from syncs.delivery.open_bills import (
    Open,
    accounts_of,
    as_it_stands,
    fetch_open,
    fetched,
    give_back,
    objection_to,
    payment_of,
    to_present_payee,
)
from syncs.delivery.planned import Planned
from syncs.delivery.post_on import waiting_to_clear
from syncs.delivery.reposts import POLICY, POST_ANEW, POSTED_ANEW, added, is_alive, is_first_half, is_to_be_posted_anew
from syncs.delivery.scope import Circumstances, Wish, rule
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.mapping.accounts import closed_accounts
from syncs.models import Feed
from syncs.states import State

ASK_AGAIN = timedelta(minutes=1)
SETTLES_OTHERWISE = "settles other bills or amounts than the payment does now"
NEVER_READ = timedelta(days=45)  # where no reading of the ERP has ever come to its end


@dataclass(kw_only=True)
class Checked:
    """What may be sent, and what came out otherwise."""

    cleared: list[Planned] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


def check_payments(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that clear payments for posting."""
    creates = [one for one in planned if one.write.link is None]
    others = [one for one in planned if one.write.link is not None]
    checked, found, postings = Checked(), {}, {}
    if others:
        postings = yield from fetched(slice_.talk, Kind.PAYMENT, sorted({_link(one).id for one in others}))
        closed = {one.remote_id for one in closed_accounts(slice_.target, accounts_of(others))}
        others = [as_it_stands(one, postings.get(_link(one).id), closed) for one in others]
        yield "postings fetched"
    lost = [one for one in others if not is_alive(postings.get(_link(one).id))]
    if creates or lost:
        since = min(_not_mirrored_since(slice_), *(soon(one) for one in (*creates, *lost)))
        posted = [replace(one.write, action=Action.CREATE, link=None, sent_at=since) for one in (*creates, *lost)]
        found = yield from slice_.talk.call(lambda connector: connector.find(posted))
        yield "looked for our marks"
    settling = [*(one for one in others if _is_moved(one, postings)), *creates]
    open_ = (yield from fetch_open(slice_, settling)) if settling else Open(bills={}, carried={})
    left = as_left(slice_, others, postings)
    for one in others:
        posting = postings.get(_link(one).id)
        if (elsewhere := None if is_alive(posting) else _stands_elsewhere(one, found)) is not None:
            checked.verdicts.append(elsewhere)
        else:
            _judge_posting(slice_, checked, one, posting, open_, left.get(one.claim.id))
    for one in creates:
        _judge(checked, one, found, open_)
    return checked


def _not_mirrored_since(slice_: Slice) -> datetime:
    """From when on the ERP may hold postings of ours that our mirror does not show, as after a restored backup."""
    feed = Feed.objects.get(tenant_id=slice_.tenant_id, connection=slice_.target)
    return feed.complete_until or slice_.now() - NEVER_READ


def _judge(checked: Checked, one: Planned, found: dict[str, Receipt | None], open_: Open) -> None:
    """One payment that has not been posted as far as we know; what it takes of its bills, the next one cannot."""
    if one.write.record_key not in found:
        checked.verdicts.append(
            one.put_back(soon(one) + ASK_AGAIN, reason="Whether it is there already cannot be told now.")
        )
        return
    receipt = found[one.write.record_key]
    if receipt is not None:
        checked.verdicts.append(_linked(one, receipt))
        return
    if one.write.action is Action.VOID:
        if payment_of(one).discounts:  # what was made for a discount before the payment itself is still to be undone
            checked.cleared.append(one)
        else:
            checked.verdicts.append(one.left_out())
        return
    _clear(checked, to_present_payee(one, open_), open_)


def _clear(checked: Checked, one: Planned, open_: Open) -> None:
    """It may be posted, if nothing objects: what it takes of its bills, the next payment of this set does not see."""
    bills = open_.bills
    if (objection := objection_to(one, open_)) is not None:
        checked.verdicts.append(_put_off(one, objection))
        return
    ap_accounts = {
        bill.ap_account.id
        for application in payment_of(one).applications
        if isinstance(bill := bills[application.target.id], Payable) and bill.ap_account is not None
    }
    for target, gross in payment_of(one).settles.items():
        bill = bills[target.id]
        assert isinstance(bill, Payable)
        bills[target.id] = msgspec.structs.replace(bill, balance=bill.balance - abs(gross))
        open_.being_posted.add(target.id)
    context = {**one.write.context, **({"ap_account": JOINT.join(sorted(ap_accounts))} if ap_accounts else {})}
    checked.cleared.append(replace(one, write=replace(one.write, context=context)))


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


def _stands_elsewhere(one: Planned, found: dict[str, Receipt | None]) -> Verdict | None:
    """Where its posting is gone and another of ours took its place, which a restored backup has forgotten."""
    if one.write.record_key not in found:
        return one.put_back(soon(one) + ASK_AGAIN, reason="Whether another posting of it stands cannot be told now.")
    receipt = found[one.write.record_key]
    if (
        receipt is None
        or not is_alive(receipt.record)
        or set(ids_of_pieces(receipt.id)) <= set(ids_of_pieces(_link(one).id))
    ):
        return None
    return replace(_linked(one, receipt), unsettles=True, taken_back=added(one.claim.taken_back, _link(one).id))


def _judge_posting(
    slice_: Slice, checked: Checked, one: Planned, posting: AnyRecord | None, open_: Open, left: Payment | None
) -> None:
    """One payment that we have posted and now change, void, or only look at; `left` is how, where it has changed."""
    if isinstance(posting, Payment):  # what people wrote into its memo stays
        write = replace(one.write, context={**one.write.context, "memo": posting.memo})
        told = write.action is Action.UPDATE and is_alive(posting) and is_same_posting(payment_of(one), posting)
        one = replace(one, write=write, only_told=told)
    verdict = _on_posting(slice_, one, posting, open_, left)
    if verdict is not None:
        checked.verdicts.append(verdict)
    elif isinstance(posting, Payment) and _is_moved(one, {posting.id: posting}):
        give_back(open_, posting)
        _clear(checked, one, open_)
    else:
        checked.cleared.append(one)


def _on_posting(
    slice_: Slice, one: Planned, posting: AnyRecord | None, open_: Open, left: Payment | None
) -> Verdict | None:
    """Where it stands without anything being sent; None where something is to be sent."""
    if not isinstance(posting, Payment) or not is_alive(posting):
        if one.write.action is not Action.VOID:
            return _not_ours(one, "posting_gone", "is no longer what we posted")
        # What stands beside it may still have to be undone.
        if JOINT in _link(one).id or payment_of(one).discounts or is_first_half(one.write):
            return None
        return one.stands(outcome="found", verb="delivery_found")
    if posting.mark != one.write.record_key:
        return _not_ours(one, "posting_gone", "is no longer what we posted")
    if one.write.action is Action.UPDATE and is_to_be_posted_anew(payment_of(one), posting):
        return _settles_otherwise(slice_, one, posting, open_)
    if _only_looked_at(one):
        return _as_it_was_left(one, posting)
    if one.only_told and _is_closed(slice_, posting):
        return one.left_as_it_stands(target_version=posting.version, outcome="not needed")
    if posting.version == _link(one).version:
        return None
    if is_changed(one, left, posting):
        return _changed_by_somebody(one, posting)
    # Its request key names the version that it changes: the next try names the one that stands.
    return one.put_back(target_version=posting.version)


def _settles_otherwise(slice_: Slice, one: Planned, posting: Payment, open_: Open) -> Verdict:
    """Held; or by policy taken back, if nobody has changed it since and nothing will object to the second posting."""
    if slice_.policies[POLICY] != POST_ANEW or posting.version != _link(one).version:
        return _not_ours(one, "applications_changed", SETTLES_OTHERWISE)
    if why := _not_posted_again(slice_, one):
        return _not_ours(
            one, "applications_changed", f"{SETTLES_OTHERWISE}. Once taken back, it would wait: {why.rstrip('.')}"
        )
    if (objection := objection_to(one, open_.without(posting)) or _closed_for(slice_, one)) is not None:
        return _put_off(one, objection)
    reason = f"Payment {posting.id} in the ERP is taken back, so that it is posted anew with what it settles now."
    taken_back = added(one.claim.taken_back, posting.id)
    return one.put_back(code=POSTED_ANEW, reason=reason, taken_back=taken_back, unsettles=True)


def _not_posted_again(slice_: Slice, one: Planned) -> str:
    """Why what is taken back would not be posted again at once; empty if it would."""
    second = waiting_to_clear(replace(one.claim, target_id="", target_status=""), slice_.policies).record
    around = Circumstances(linked=False, gone=False, explained=one.explained, policies=slice_.policies)
    ruling = rule(second, around)
    try:
        if isinstance(second, Payment):
            slice_.accounts.account_for(second)
    except MappingError as error:
        return error.message
    return "" if ruling.wish is Wish.SEND else ruling.reason


def _closed_for(slice_: Slice, one: Planned) -> Objection | None:
    """The books are closed for the day on which it would be posted anew, and by policy it is held then."""
    closed, policy = slice_.closed_through, slice_.policies["closed_period"]
    second, _ = on_an_open_day(one.claim.record, closed=closed, policy=policy, stands_on=None)
    day = second.date if isinstance(second, Payment) else None
    if closed is None or day is None or day > closed:
        return None
    return Objection(code="period_closed", reason=f"It was paid on {day}, and the books are closed through {closed}.")


def _not_ours(one: Planned, code: str, what: str) -> Verdict:
    reason = f"Payment {_link(one).id} in the ERP {what}."
    return one.verdict(State.HELD, outcome="not sent", code=code, needs_somebody=True, reason=reason)


def _is_moved(one: Planned, postings: dict[str, AnyRecord]) -> bool:
    """Whether a posting is to settle other bills, or other amounts of them, than it does."""
    posting = postings.get(_link(one).id)
    return (
        one.write.action is Action.UPDATE and isinstance(posting, Payment) and takes(posting) != takes(payment_of(one))
    )


def _only_looked_at(one: Planned) -> bool:
    """Whether nothing new is wanted of it: somebody has changed it in the ERP."""
    return one.write.action is Action.UPDATE and one.claim.settled == one.claim.wanted


def _as_it_was_left(one: Planned, posting: Payment) -> Verdict:
    if not one.only_told:
        return _changed_by_somebody(one, posting)
    return one.stands(target_version=posting.version, outcome="not needed", verb="delivery_skipped")


def _changed_by_somebody(one: Planned, posting: Payment) -> Verdict:
    """Held; whoever sends it again has seen what stands there now, and has that changed."""
    held = _not_ours(one, "posting_gone", "was changed by somebody: it is no longer what we posted")
    return replace(held, target_version=posting.version)


def _is_closed(slice_: Slice, posting: Payment) -> bool:
    closed = slice_.closed_through
    return closed is not None and posting.date is not None and posting.date <= closed


def _link(one: Planned) -> Link:
    assert one.write.link is not None
    return one.write.link


def soon(one: Planned) -> datetime:
    """When it is due again after a try that sent nothing."""
    assert one.write.sent_at is not None
    return one.write.sent_at
