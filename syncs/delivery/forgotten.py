"""Bills that a restored backup has forgotten: the other side shows them with our record key, and we know nothing of it.

They are linked before they are claimed, so that what is due is an update, a stop, or nothing, and never as if the
other side had no such bill. What was ruled on one before the other side showed it is ruled on again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database

from connectors.models import Connection
from syncs.delivery.slice import Slice

LINK = """
UPDATE syncs_syncrecord s SET target_id = r.remote_id FROM syncs_remoterecord r
WHERE s.tenant_id = %(tenant)s AND s.stream_id = %(stream)s AND s.state IN ('pending', 'waiting')
  AND s.next_attempt_at <= %(now)s AND s.target_id = ''
  AND r.tenant_id = %(tenant)s AND r.connection_id = %(target)s AND r.kind = 'bill' AND r.gone = ''
  AND r.key = s.record_key AND r.key <> ''
"""
RULED_WITHOUT_LINK = """
SELECT s.id, s.stream_id FROM syncs_syncrecord s
JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.kind = 'bill'
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active AND i.ap_network_id = %s
WHERE s.tenant_id = %s AND s.record_key = ANY(%s) AND s.target_id = ''
  AND s.state IN ('out_of_scope', 'held', 'ignored')
"""
DUE_AGAIN = """
UPDATE syncs_syncrecord SET state = 'pending', attempts = 0, next_attempt_at = %s
WHERE id = ANY(%s) AND target_id = '' AND state IN ('out_of_scope', 'held', 'ignored')
"""
WAKE = "UPDATE syncs_stream SET due_at = LEAST(coalesce(due_at, %s), %s) WHERE id = ANY(%s)"


def link_forgotten(slice_: Slice) -> None:
    """Link what is due to the bill that stands at the network with its key, in the caller's transaction."""
    values: dict[str, Any] = {
        "tenant": slice_.tenant_id,
        "stream": slice_.stream.pk,
        "now": slice_.now(),
        "target": slice_.target.pk,
    }
    with database.cursor() as cursor:
        cursor.execute(LINK, values)


def rule_again(connection: Connection, keys: Sequence[str], *, now: datetime) -> None:
    """What was left out or held as if this network had no such bill is due again, in the caller's transaction."""
    if not keys:
        return
    with database.cursor() as cursor:
        cursor.execute(RULED_WITHOUT_LINK, [connection.pk, connection.tenant_id, list(keys)])
        found = cursor.fetchall()
        if found:
            streams = sorted({stream_id for _, stream_id in found})
            cursor.execute(WAKE, [now, now, streams])  # first: it locks the streams before their deliveries
            cursor.execute(DUE_AGAIN, [now, [id for id, _ in found]])
