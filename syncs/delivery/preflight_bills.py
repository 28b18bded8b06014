"""Before a bill is sent: one that stands there as it is wanted is not sent again, and none is stopped for nothing.

A bill is stopped only on what the ERP says of it at this moment.
"""

from collections.abc import Sequence
from decimal import Decimal

from connectors.conversation import Steps, fetching
from connectors.records import AnyRecord, Kind, Payment
from syncs.delivery.flows import delivery_fingerprint
from syncs.delivery.objections import settles
from syncs.delivery.open_bills import settlements
from syncs.delivery.planned import SETTLED_BY_US, Planned
from syncs.delivery.preflight import ASK_AGAIN, Checked, soon
from syncs.delivery.scope import Circumstances, Wish, rule
from syncs.delivery.slice import Slice
from syncs.delivery.source import ask_source
from syncs.delivery.verdict import Verdict
from syncs.mirror.settled_elsewhere import NOTHING, explained


def check_bills(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that clear bills: one that stands as it is to be sent is not sent, and none is stopped for nothing."""
    found = yield from _found(slice_, planned)
    checked = Checked(verdicts=found)
    done = {verdict.id for verdict in found}
    left = [one for one in planned if one.claim.id not in done]
    checked.cleared = [one for one in left if one.ruling.code != "settled_elsewhere"]
    doubted = [one for one in left if one.ruling.code == "settled_elsewhere"]
    if doubted:
        yield from _check_stops(slice_, doubted, checked)
    return checked


def _found(slice_: Slice, planned: Sequence[Planned]) -> Steps[list[Verdict]]:
    """Of those of which nobody knows what the network holds, what stands there just as it is wanted.

    A backup was restored, an answer lost, or somebody changed it there.
    """
    unknown = [one for one in planned if one.write.link is not None and not one.claim.settled_fingerprint]
    if not unknown:
        return []
    found = yield from slice_.talk.call(lambda connector: connector.find([one.write for one in unknown]))
    yield "looked for our keys"
    return [
        one.stands(target_id=receipt.id, target_version=receipt.version, outcome="found", verb="delivery_found")
        for one in unknown
        if (receipt := found.get(one.write.record_key))
    ]


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
            checked.verdicts.append(_go_on(one))
        elif not _is_stopped(slice_, one, bill, max(known.perhaps, posted)):
            checked.verdicts.append(_look_again(one))
        else:
            checked.cleared.append(one)


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
    return one.stands(fingerprint=settled, outcome="not needed", verb="delivery_skipped")


def _marked_on(bill_id: str, payments: dict[str, AnyRecord]) -> Decimal:
    """How much of a bill or credit the payments settle that carry our mark."""
    ours = [one for one in payments.values() if isinstance(one, Payment) and one.mark]
    return abs(sum((settles(one).get(bill_id, Decimal(0)) for one in ours), Decimal(0)))
