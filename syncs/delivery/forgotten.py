"""What a restored backup has forgotten: the other side shows it with our record key.

It is linked before it is claimed, so that what is due is an update, a stop, or nothing, and never as if the other side
had nothing. What was ruled on it before the other side showed it, `recheck` has ruled on again.
"""

from collections.abc import Sequence

from django.db import connection as database

from audit.log import NewEvent, record
from syncs.delivery.slice import Slice
from syncs.keys import is_piece

# A key that stands twice is left to the look-up for marks, which holds it for a person.
LINK = f"""
UPDATE syncs_syncrecord s SET target_id = r.remote_id, target_version = r.version
FROM syncs_remoterecord r
WHERE s.id = ANY(%(ids)s) AND s.state IN ('pending', 'waiting') AND s.target_id = ''
  AND r.tenant_id = s.tenant_id AND r.connection_id = %(target)s AND r.kind = %(kind)s AND r.gone = ''
  AND r.status <> 'reversed' AND r.key = s.record_key AND r.key <> ''
  AND NOT {is_piece("r.remote_id", "s.taken_back")}
  AND NOT EXISTS (
    SELECT FROM syncs_remoterecord other
    WHERE other.tenant_id = r.tenant_id AND other.connection_id = r.connection_id AND other.key = r.key
      AND other.key <> '' AND other.id <> r.id AND other.gone = '' AND other.status <> 'reversed'
  )
RETURNING s.id, s.trace_id, s.target_id
"""


def link_forgotten(slice_: Slice, ids: Sequence[int]) -> None:
    """Link those of these that are due to what stands on the other side with its key, in the caller's transaction."""
    now = slice_.now()
    with database.cursor() as cursor:
        cursor.execute(
            LINK,
            {"ids": list(ids), "target": slice_.target.pk, "kind": str(slice_.kind)},
        )
        linked = cursor.fetchall()
    record(
        [
            NewEvent(
                tenant_id=slice_.tenant_id,
                at=now,
                verb="delivery_found",
                subject_kind="sync_record",
                subject_id=str(id),
                trace_id=trace_id,
                data={"target": target_id},
            )
            for id, trace_id, target_id in linked
        ]
    )
