"""What the other side shows with our record key, otherwise than we left or thought it, is looked at again.

Ruled on as if it had nothing, a delivery is ruled on anew: a restored backup has forgotten what it sent. A posting is
looked at whenever its version is not the one that we left; so is an entry of ours beside it, by which it may have been
taken back. Of a bill or credit at the network only its amount and that it was cancelled matter, since approvers change
the rest every day; of what is on a list, what it is called and whether it is active.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection as database

from connectors.models import Connection
from syncs.keys import is_piece, version_of_piece
from syncs.streams import make_due

LEFT = version_of_piece("there.remote_id", "s.target_id", "s.target_version")
LOOK_AGAIN = f"""
UPDATE syncs_syncrecord s
SET state = 'pending', settled_fingerprint = '', attempts = 0, next_attempt_at = %(now)s
FROM (
    SELECT s.id FROM syncs_syncrecord s
    JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.id = ANY(%(streams)s)
    JOIN syncs_remoterecord ours ON ours.id = s.remote_record_id
    LEFT JOIN syncs_remoterecord there ON there.tenant_id = s.tenant_id AND there.connection_id = %(connection)s
        AND there.kind = ANY(ARRAY[stream.kind, CASE stream.kind WHEN 'payment' THEN 'ledger_entry' END])
        AND CASE stream.kind
            WHEN 'payment' THEN {is_piece("there.remote_id", "s.target_id")} ELSE there.remote_id = s.target_id END
    WHERE s.tenant_id = %(tenant)s AND s.record_key = ANY(%(keys)s) AND CASE
        WHEN s.target_id = '' THEN s.state IN ('out_of_scope', 'held', 'ignored')
        WHEN s.state <> 'synced' OR there.id IS NULL THEN false
        WHEN stream.kind = 'payment'
            THEN (ours.status <> 'reversed' OR there.kind = 'ledger_entry')
                AND (there.gone <> '' OR there.version IS DISTINCT FROM {LEFT})
        WHEN there.seen_at <= %(since)s::timestamptz THEN false
        WHEN stream.kind IN ('bill', 'credit')
            THEN ours.gone = '' AND (there.status = 'cancelled' OR there.amount_minor <> ours.amount_minor)
        ELSE ours.gone = ''
            AND (there.gone <> '' OR (there.number, there.name, there.status) <> (ours.number, ours.name, ours.status))
        END
) AS other WHERE s.id = other.id
RETURNING s.stream_id
"""


def look_again(
    connection: Connection, streams: Sequence[int], keys: Sequence[str], *, now: datetime, since: datetime | None = None
) -> None:
    """Make due what of these streams stands on this connection otherwise, in the caller's transaction, which has locked
    the streams.

    `since` is when they were sent, if it was just now: what was seen by then is what the sending has changed, and would
    be sent for ever.
    """
    if not keys or not streams:
        return
    with database.cursor() as cursor:
        cursor.execute(
            LOOK_AGAIN,
            {
                "connection": connection.pk,
                "tenant": connection.tenant_id,
                "streams": list(streams),
                "keys": [key.partition("/")[0] for key in keys],  # that of a piece names the piece behind it
                "since": since,
                "now": now,
            },
        )
        make_due({stream_id for (stream_id,) in cursor.fetchall()}, now=now)
