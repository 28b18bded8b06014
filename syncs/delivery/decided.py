"""What people decided about deliveries that are claimed: objections overruled, vendors and invoices linked."""

from collections.abc import Collection, Mapping, Sequence

from connectors.base import LINK_TO
from connectors.records import Kind, Ref
from syncs.delivery.planned import Claim
from syncs.delivery.slice import Slice
from syncs.models import Decision

Overruled = frozenset[tuple[str, str]]
NONE: Overruled = frozenset()


def overruled(slice_: Slice, claims: Sequence[Claim]) -> dict[int, Overruled]:
    """The objections, by code and reason, that two persons have overruled for exactly the revision that is claimed."""
    rows = Decision.objects.filter(
        tenant_id=slice_.tenant_id,
        sync_record_id__in=[one.id for one in claims],
        what=Decision.What.POST,
        ended_at=None,
        confirmed_at__isnull=False,
    )
    wanted = {one.id: one.wanted for one in claims}
    found: dict[int, Overruled] = {}
    for id, revision, code, reason in rows.values_list("sync_record_id", "revision", "code", "reason"):
        if revision == wanted[id]:
            found[id] = found.get(id, NONE) | {(code, reason)}
    return found


def vendors_there(slice_: Slice, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
    """Which vendor of the network each of these is, where a person said so: what a write has to know of it."""
    if slice_.kind is not Kind.VENDOR:
        return {}
    rows = Decision.objects.filter(sync_record_id__in=ids, what=Decision.What.VENDOR, ended_at=None)
    return {id: {LINK_TO: target_id} for id, target_id in rows.values_list("sync_record_id", "target_id")}


def bills_of_invoices(slice_: Slice, refs: Collection[Ref]) -> dict[Ref, str]:
    """The bills of the ERP that a person said these invoices and credits of the network are."""
    wanted = {ref.id: ref for ref in refs if ref.kind in (Kind.BILL, Kind.CREDIT) and ref.id}
    if not wanted:
        return {}
    rows = Decision.objects.filter(
        tenant_id=slice_.tenant_id,
        what=Decision.What.BILL,
        source_id__in=list(wanted),
        ended_at=None,
        sync_record__stream__integration=slice_.integration,
    )
    return {wanted[source_id]: target_id for source_id, target_id in rows.values_list("source_id", "target_id")}


def not_ours_but_linked(slice_: Slice, payment_ids: Collection[str]) -> set[str]:
    """Of these payments of the ERP, those that stand for one of the network because a person said so."""
    rows = Decision.objects.filter(
        tenant_id=slice_.tenant_id,
        what=Decision.What.LINK,
        target_id__in=list(payment_ids),
        ended_at=None,
        sync_record__stream__integration=slice_.integration,
    )
    return set(rows.values_list("target_id", flat=True))
