"""Bills and payments that a restored backup has forgotten: the other side shows them with our record key.

They are linked before they are claimed, so that what is due is an update, a stop, or nothing, and never as if the
other side had nothing. What was ruled on one before the other side showed it is ruled on again.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection as database

from audit.log import NewEvent, record
from connectors.models import Connection
from syncs.delivery.slice import Slice

# A key that stands twice is left to the look-up for marks, which holds it for a person.
LINK = """
UPDATE syncs_syncrecord s SET target_id = r.remote_id, target_version = r.version
FROM syncs_remoterecord r
WHERE s.id = ANY(%(ids)s) AND s.state IN ('pending', 'waiting') AND s.target_id = ''
  AND r.tenant_id = s.tenant_id AND r.connection_id = %(target)s AND r.kind = %(kind)s AND r.gone = ''
  AND r.status <> 'reversed' AND r.key = s.record_key AND r.key <> ''
  AND NOT EXISTS (
    SELECT FROM syncs_remoterecord other
    WHERE other.tenant_id = r.tenant_id AND other.connection_id = r.connection_id AND other.key = r.key
      AND other.key <> '' AND other.id <> r.id AND other.gone = '' AND other.status <> 'reversed'
  )
RETURNING s.id, s.trace_id, s.target_id
"""
RULED_WITHOUT_LINK = """
SELECT s.id, s.stream_id FROM syncs_syncrecord s
JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.kind IN ('bill', 'payment')
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active
    AND (CASE stream.kind WHEN 'bill' THEN i.ap_network_id ELSE i.erp_id END) = %s
WHERE s.tenant_id = %s AND s.record_key = ANY(%s) AND s.target_id = ''
  AND s.state IN ('out_of_scope', 'held', 'ignored')
"""
DUE_AGAIN = """
UPDATE syncs_syncrecord SET state = 'pending', attempts = 0, next_attempt_at = %s
WHERE id = ANY(%s) AND target_id = '' AND state IN ('out_of_scope', 'held', 'ignored')
"""
WAKE = "UPDATE syncs_stream SET due_at = LEAST(coalesce(due_at, %s), %s) WHERE id = ANY(%s)"


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


def rule_again(connection: Connection, keys: Sequence[str], *, now: datetime) -> None:
    """What was left out or held as if this target had nothing is due again, in the caller's transaction."""
    if not keys:
        return
    with database.cursor() as cursor:
        cursor.execute(RULED_WITHOUT_LINK, [connection.pk, connection.tenant_id, list(keys)])
        found = cursor.fetchall()
        if found:
            streams = sorted({stream_id for _, stream_id in found})
            cursor.execute(WAKE, [now, now, streams])  # first: it locks the streams before their deliveries
            cursor.execute(DUE_AGAIN, [now, [id for id, _ in found]])
