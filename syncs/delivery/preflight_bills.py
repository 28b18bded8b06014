"""Before a bill is sent: one that stands there as it is wanted is not sent again, and none is stopped for nothing.

A bill is stopped only on what the ERP says of it at this moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from connectors.base import Action, Write
from connectors.conversation import Steps, fetching
from connectors.records import AnyRecord, Kind, Payable, Payment, Ref
from syncs.delivery.flows import delivery_fingerprint
from syncs.delivery.merged import NOBODY, Document, Former, exchanged, fetch_former, last_sent
from syncs.delivery.open_bills import settlements
from syncs.delivery.planned import SETTLED_BY_US, Planned
from syncs.delivery.preflight import ASK_AGAIN, Checked, soon
from syncs.delivery.scope import CHANGED_AFTER_LOCK, SETTLED_ELSEWHERE, Circumstances, Wish, rule
from syncs.delivery.slice import Slice
from syncs.delivery.source import ask_source
from syncs.delivery.verdict import Verdict
from syncs.mirror.settled_elsewhere import NOTHING, explained
from syncs.states import State


def check_bills(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that clear bills: one that stands as it is to be sent is not sent, and none is stopped for nothing."""
    found = yield from _found(slice_, planned)
    checked = Checked(verdicts=found)
    done = {verdict.id for verdict in found}
    left = [one for one in planned if one.claim.id not in done]
    locked = [one for one in left if one.ruling.code == CHANGED_AFTER_LOCK]
    doubted = [one for one in left if one.ruling.code == SETTLED_ELSEWHERE]
    checked.cleared = [one for one in left if one.ruling.code not in (CHANGED_AFTER_LOCK, SETTLED_ELSEWHERE)]
    doubted += [one for one in locked if not _may_be_unchanged(slice_, one)]
    if doubted:
        yield from _check_stops(slice_, doubted, checked)
    done = {one.claim.id for one in checked.cleared} | {verdict.id for verdict in checked.verdicts}
    if locked := [one for one in locked if one.claim.id not in done]:
        yield from _check_merges(slice_, locked, checked)
    return checked


def _found(slice_: Slice, planned: Sequence[Planned]) -> Steps[list[Verdict]]:
    """Of those of which nobody knows what the network holds, what stands there just as it is wanted.

    A backup was restored, an answer lost, or somebody changed it there.
    """
    unknown = [one for one in planned if one.write.link is not None and not one.claim.settled_fingerprint]
    if not unknown:
        return []
    locked = {one.claim.id for one in unknown if _may_be_unchanged(slice_, one)}
    writes = [_without_orders(one) if one.claim.id in locked else one.write for one in unknown]
    found = yield from slice_.talk.call(lambda connector: connector.find(writes))
    yield "looked for our keys"
    verdicts = []
    for one in unknown:
        if receipt := found.get(one.write.record_key):
            there = {"target_id": receipt.id, "target_version": receipt.version}
            as_is = {"fingerprint": delivery_fingerprint(one.claim.record)}  # whoever has settled it
            stands = one.goes_on(**as_is, **there) if one.claim.id in locked else one.stands(**there)
            verdicts.append(replace(stands, outcome="found", verb="delivery_found"))
    return verdicts


def _may_be_unchanged(slice_: Slice, one: Planned) -> bool:
    """Whether this is to be stopped for nothing but that the network took no change of it."""
    bill = one.claim.record
    return one.ruling.code == CHANGED_AFTER_LOCK and not _is_stopped(slice_, one, bill, one.explained)


def _without_orders(one: Planned) -> Write:
    """The write of a locked bill as it may have been sent before an order of it was there: that decides no money."""
    bill = one.write.record
    assert isinstance(bill, Payable)
    lines = tuple(structs.replace(line, order=None, order_line="") for line in bill.lines)
    return replace(one.write, action=Action.UPDATE, record=structs.replace(bill, lines=lines))


def _check_stops(slice_: Slice, doubted: Sequence[Planned], checked: Checked) -> Steps[None]:
    """Whether somebody else has really settled these, as the ERP shows them now."""
    ids = [one.claim.remote_id for one in doubted]
    bills = yield from ask_source(slice_, fetching(slice_.kind, ids))
    posted_on = settlements(bills)
    on_bills = (yield from ask_source(slice_, fetching(Kind.PAYMENT, posted_on))) if posted_on else {}
    yield "bills to be stopped fetched"
    ours = explained(slice_.source, slice_.kind, ids)
    for one in doubted:
        bill = bills.get(one.claim.remote_id)
        carried = _marked_on(one.claim.remote_id, on_bills)  # also what a restored backup has forgotten
        known = ours.get(one.claim.remote_id, NOTHING)
        posted = max(known.surely, one.explained, carried)
        if not _is_stopped(slice_, one, bill, posted):
            checked.verdicts += [] if one.ruling.code == CHANGED_AFTER_LOCK else [_go_on(one)]
        elif not _is_stopped(slice_, one, bill, max(known.perhaps, posted)):
            checked.verdicts.append(_look_again(one))
        else:
            checked.cleared.append(one)


def _check_merges(slice_: Slice, locked: Sequence[Planned], checked: Checked) -> Steps[None]:
    """Whether these were changed at all, but that people merged whom or what they name: the network, which has locked
    them, goes on with those that it knows."""
    sent = {one.claim.id: _sent(slice_, one) for one in locked}
    changes = {id: exchanged(before, after) if before else {} for id, (before, after) in sent.items()}
    former = NOBODY
    if olds := {old for changed in changes.values() for old in changed}:
        news = {new for changed in changes.values() for new in changed.values()}
        former = yield from fetch_former(slice_.source, olds, news, lambda job: ask_source(slice_, job))
    for one in locked:
        (before, after), pairs = sent[one.claim.id], changes[one.claim.id].items()
        if before is None or not pairs or not all(former.may_be_merged(*pair) for pair in pairs):
            checked.cleared.append(one)
        elif one.explained >= after.amount or all(former.is_merged(*pair, before, after) for pair in pairs):
            checked.verdicts.append(one.goes_on(fingerprint=delivery_fingerprint(after)))
        else:
            checked.verdicts.append(_perhaps_merged(one, former, dict(pairs)))


def _sent(slice_: Slice, one: Planned) -> tuple[Document | None, Document]:
    """The document as the network took it last, and as it is now."""
    now = one.claim.record
    assert isinstance(now, Document)
    return last_sent(slice_.source, now, one.claim.settled_fingerprint), now


def _perhaps_merged(one: Planned, former: Former, pairs: Mapping[Ref, Ref]) -> Verdict:
    changed = "; ".join(
        f"{former.name(old)}, which is not active, and now {former.name(new)}" for old, new in pairs.items()
    )
    reason = f"When the network locked it, it named {changed}. If they were merged, the network may go on."
    return one.verdict(State.HELD, outcome="not sent", code="perhaps_merged", reason=reason, needs_somebody=True)


def _is_stopped(slice_: Slice, one: Planned, bill: AnyRecord | None, posted: Decimal) -> bool:
    """Whether the bill is to be stopped, as it is now, if so much of it is settled by us."""
    around = Circumstances(linked=True, gone=bill is None, explained=posted, policies=slice_.policies)
    return rule(bill or one.claim.record, around).wish is Wish.STOP


def _look_again(one: Planned) -> Verdict:
    return one.put_back(
        soon(one) + ASK_AGAIN,
        code="posting_under_way",
        reason="A payment of ours on it is under way: when that has ended, it shows who has settled the bill.",
    )


def _go_on(one: Planned) -> Verdict:
    """A bill that is not to be stopped after all; whatever else has changed of it is still to be sent."""
    settled = one.claim.settled_fingerprint
    if delivery_fingerprint(one.claim.record) != settled:
        return one.put_back(outcome="not needed", code=SETTLED_BY_US)
    return one.goes_on(fingerprint=settled)


def _marked_on(bill_id: str, payments: dict[str, AnyRecord]) -> Decimal:
    """How much of a bill or credit the payments settle that carry our mark."""
    ours = [one for one in payments.values() if isinstance(one, Payment) and one.mark]
    parts = [gross for one in ours for target, gross in one.settles.items() if target.id == bill_id]
    return abs(sum(parts, Decimal(0)))
