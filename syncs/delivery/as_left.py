"""What we left of a posting in the ERP, and what somebody has made of it since."""

from collections.abc import Sequence

from django.db.models import QuerySet

from connectors.base import JOINT, Action
from connectors.records import AnyRecord, Kind, Payment, Phase, Ref, restore
from syncs.delivery.objections import is_same_posting
from syncs.delivery.open_bills import payment_of
from syncs.delivery.planned import Planned
from syncs.delivery.slice import Slice
from syncs.models import Attempt, SyncRecord

WENT_OVER = ("accepted", "found")


def as_left(slice_: Slice, planned: Sequence[Planned], postings: dict[str, AnyRecord]) -> dict[int, Payment]:
    """What we posted last of these, by delivery: of those that have another version than we left them with."""
    moved = [one.claim.id for one in planned if _has_moved(one, postings)]
    return _posted_last(Attempt.objects.filter(tenant_id=slice_.tenant_id, sync_record_id__in=moved)) if moved else {}


def accounts_left(slice_: Slice, records: Sequence[AnyRecord]) -> dict[str, Ref]:
    """The account that we posted these payments on, by their ids, of those that we left as executed."""
    ids = [one.id for one in records if isinstance(one, Payment) and one.phase is Phase.EXECUTED]
    linked = SyncRecord.objects.filter(
        tenant_id=slice_.tenant_id,
        stream=slice_.stream,
        remote_record__tenant_id=slice_.tenant_id,
        remote_record__connection=slice_.source,
        remote_record__kind=Kind.PAYMENT,
        remote_record__remote_id__in=ids,
    ).exclude(target_id="")
    tried = Attempt.objects.filter(tenant_id=slice_.tenant_id, sync_record_id__in=linked.values("id"))
    left = _posted_last(tried).values() if ids else ()
    executed = [one for one in left if one.phase is Phase.EXECUTED]
    return {one.id: one.funding_account for one in executed if one.funding_account is not None}


def _posted_last(tried: QuerySet[Attempt]) -> dict[int, Payment]:
    went_over = tried.filter(action__in=(Action.CREATE, Action.UPDATE), outcome__in=WENT_OVER)
    last = went_over.order_by("sync_record_id", "-id").distinct("sync_record_id")
    left = {one.sync_record_id: restore(Kind.PAYMENT, one.body) for one in last}
    return {id: payment for id, payment in left.items() if isinstance(payment, Payment)}


def is_changed(one: Planned, left: Payment | None, posting: Payment) -> bool:
    """Whether somebody has moved an executed posting to another account or day, which nobody has decided on yet.

    What is as it is wanted now was changed by ourselves, and a restored backup has forgotten it.
    """
    if left is None or left.phase is not Phase.EXECUTED or posting.phase is not Phase.EXECUTED:
        return False
    whole = all(posting.id.split(JOINT))
    return whole and not is_same_posting(left, posting) and not is_same_posting(payment_of(one), posting)


def _has_moved(one: Planned, postings: dict[str, AnyRecord]) -> bool:
    link = one.write.link
    posting = postings.get(link.id) if link and one.write.action is Action.UPDATE else None
    return posting is not None and link is not None and posting.version != link.version
