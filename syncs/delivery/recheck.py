"""What the other side shows of our copies: where somebody else has changed one, its delivery is looked at again.

A posting is looked at whenever its version is not the one that we left. Of a bill at the network only its amount and
that it was cancelled matter: approvers change the rest every day.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection as database

from connectors.models import Connection

CHANGED = """
SELECT s.id, s.stream_id FROM syncs_syncrecord s
JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.kind IN ('bill', 'payment')
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active
    AND (CASE stream.kind WHEN 'bill' THEN i.ap_network_id ELSE i.erp_id END) = %(connection)s
JOIN syncs_remoterecord ours ON ours.id = s.remote_record_id
JOIN syncs_remoterecord there ON there.tenant_id = s.tenant_id AND there.connection_id = %(connection)s
    AND there.kind = stream.kind AND there.remote_id = s.target_id
WHERE s.tenant_id = %(tenant)s AND s.record_key = ANY(%(keys)s) AND s.state = 'synced'
  AND CASE stream.kind
      WHEN 'payment' THEN ours.status <> 'reversed' AND (there.gone <> '' OR there.version <> s.target_version)
      ELSE ours.gone = '' AND (there.status = 'cancelled' OR there.amount_minor <> ours.amount_minor)
      END
"""
LOOK_AGAIN = """
UPDATE syncs_syncrecord SET state = 'pending', settled_fingerprint = '', attempts = 0, next_attempt_at = %s
WHERE id = ANY(%s) AND state = 'synced'
"""
WAKE = "UPDATE syncs_stream SET due_at = LEAST(coalesce(due_at, %s), %s) WHERE id = ANY(%s)"


def look_at_changed(connection: Connection, keys: Sequence[str], *, now: datetime) -> None:
    """Make due what stands here under these keys otherwise than it was left, in the caller's transaction."""
    if not keys:
        return
    with database.cursor() as cursor:
        cursor.execute(CHANGED, {"connection": connection.pk, "tenant": connection.tenant_id, "keys": list(keys)})
        found = cursor.fetchall()
        if found:
            streams = sorted({stream_id for _, stream_id in found})
            cursor.execute(WAKE, [now, now, streams])  # first: it locks the streams before their deliveries
            cursor.execute(LOOK_AGAIN, [now, [id for id, _ in found]])
