"""Files of one bill depend on each other and on the network's check: which of them is looked at again, and when.

What comes, changes or goes has the others of its bill ruled on anew, so that the newest that is left is the one at the
network. What the network rejects after its check is held.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database

from connectors.models import Connection
from connectors.records import AnyRecord, Image, KeptImage, Kind, Payable, restore
from syncs.delivery.planned import Claim
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.models import RemoteRecord
from syncs.states import State
from syncs.streams import make_due

REJECTED = "image_rejected"
BESIDE = """
UPDATE syncs_syncrecord s SET state = 'pending', wanted = s.wanted + 1, attempts = 0, next_attempt_at = %(now)s
FROM syncs_remoterecord r
WHERE r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s AND r.kind = 'image' AND r.gone = ''
    AND r.party_id = ANY(%(bills)s) AND r.remote_id <> ALL(%(ids)s)
    AND s.tenant_id = r.tenant_id AND s.remote_record_id = r.id AND s.stream_id = %(stream)s
    AND s.state IN ('synced', 'held', 'out_of_scope')
"""
TURNED_DOWN = """
UPDATE syncs_syncrecord s SET state = 'pending', attempts = 0, next_attempt_at = %(now)s
FROM unnest(%(ids)s::text[], %(hashes)s::text[]) AS v (id, hash)
WHERE s.tenant_id = %(tenant)s AND s.stream_id = %(stream)s AND s.state = 'synced'
    AND s.target_id = v.id AND s.target_version = v.hash
"""


def look_at_files(
    connection: Connection, shown: Sequence[AnyRecord], out: Mapping[str, int], into: Mapping[str, int], now: datetime
) -> None:
    """Make due what these, which are news, mean for files, in the caller's transaction, which has locked the stream."""
    values = {"tenant": connection.tenant_id, "connection": connection.pk, "now": now}
    images = [one for one in shown if isinstance(one, Image)]
    if images and Kind.IMAGE in out:
        bills, ids = sorted({one.of.id for one in images}), [one.id for one in images]
        _wake(BESIDE, {**values, "stream": out[Kind.IMAGE], "bills": bills, "ids": ids}, now)
    rejected = _rejected(shown)
    if rejected and Kind.IMAGE in into:
        hashes = list(rejected.values())
        _wake(TURNED_DOWN, {**values, "stream": into[Kind.IMAGE], "ids": list(rejected), "hashes": hashes}, now)


def streams_of_files(shown: Sequence[AnyRecord], into: Mapping[str, int]) -> list[int]:
    """The streams that have to be locked for it beside those of the records themselves."""
    return [into[Kind.IMAGE]] if Kind.IMAGE in into and _rejected(shown) else []


def rejected_there(slice_: Slice, claims: Sequence[Claim], unsent: Container[str]) -> dict[int, Verdict]:
    """Those of these files that the network holds just as they are wanted and has rejected after its check, but for
    those that are not to be sent any more."""
    held = {one.target_id: one for one in claims if isinstance(one.record, Image) and one.target_id}
    if not held:
        return {}
    rows = RemoteRecord.objects.filter(
        tenant_id=slice_.tenant_id,
        connection=slice_.target,
        kind__in=(Kind.BILL, Kind.CREDIT),
        remote_id__in=list(held),
    )
    rejected = _rejected([restore(Kind(row.kind), row.body) for row in rows])
    return {
        one.id: _refused(one)
        for one in claims
        if one.target_id in rejected
        and one.target_version == rejected[one.target_id]
        and one.settled_fingerprint == one.wanted_fingerprint
        and not one.gone
        and one.remote_id not in unsent
    }


def _refused(one: Claim) -> Verdict:
    record = one.record
    assert isinstance(record, Image)
    # Nobody knows any more what it holds: whoever sends it again means it.
    return one.verdict(
        State.HELD,
        code=REJECTED,
        reason=f"{record.file_name} was sent, and rejected when it was checked there.",
        needs_somebody=True,
        unsettles=True,
    )


def _rejected(shown: Sequence[AnyRecord]) -> dict[str, str]:
    """The invoices among these whose image was rejected, each with the hash of that."""
    kept = {one.id: one.image for one in shown if isinstance(one, Payable)}
    return {id: one.sha256 for id, one in kept.items() if isinstance(one, KeptImage) and one.status == "rejected"}


def _wake(statement: str, values: dict[str, Any], now: datetime) -> None:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount:
            make_due([values["stream"]], now=now)
