"""What we sent and no reading has ever shown: once a list was read completely, it is asked for by id.

What is not there any more is sent once more under its record key. Payments are left out: what is posted is looked at by
its bills, and nothing about money follows from a list.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction

from connectors.conversation import Conversation, Steps, fetching
from connectors.records import Kind
from syncs.delivery.flows import FLOWS
from syncs.leases import Lease
from syncs.mirror.observe import Seen, observe
from syncs.models import Feed
from syncs.streams import lock_streams, make_due

AT_ONCE = 100

UNSHOWN = """
SELECT s.id, s.target_id, s.stream_id FROM syncs_syncrecord s
JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.kind = %(kind)s
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active AND i.ap_network_id = %(connection)s
WHERE s.tenant_id = %(tenant)s AND s.state = 'synced' AND s.target_id <> '' AND s.id > %(after)s AND NOT EXISTS (
    SELECT FROM syncs_remoterecord there
    WHERE there.tenant_id = s.tenant_id AND there.connection_id = %(connection)s AND there.kind = %(kind)s
      AND there.remote_id = s.target_id
)
ORDER BY s.id LIMIT %(at_once)s
"""
SEND_ONCE_MORE = """
UPDATE syncs_syncrecord SET state = 'pending', settled_fingerprint = '', attempts = 0, next_attempt_at = %(now)s
WHERE id = ANY(%(ids)s) AND state = 'synced'
"""
Row = tuple[int, str, int]


def observe_unshown(feed: Feed, lease: Lease, conversation: Conversation) -> Steps[None]:
    """Settle what was sent of the kind that this sweep has just read completely, and is not among what was shown."""
    kind, clock, after = Kind(feed.stage), conversation.effects.clock, 0
    if kind not in FLOWS or FLOWS[kind].target != "ap_network":
        return
    while rows := _unshown(feed, kind, after):
        found = yield from conversation.call(fetching(kind, [target_id for _, target_id, _ in rows]))
        yield "unshown asked for"
        now = clock.now()
        with transaction.atomic():
            lease.check(now)
            there = [one for record in found.values() if (one := Seen(kind=kind, record=record)).fits]
            observe(feed.connection, there, now=now, sweep=feed.sweep)
            _send_once_more([row for row in rows if row[1] not in found], now)
            conversation.kept_exchanges()
        after = rows[-1][0]


def _unshown(feed: Feed, kind: Kind, after: int) -> list[Row]:
    concerned: dict[str, Any] = {"tenant": feed.tenant_id, "connection": feed.connection_id, "kind": str(kind)}
    with database.cursor() as cursor:
        cursor.execute(UNSHOWN, concerned | {"after": after, "at_once": AT_ONCE})
        return list(cursor.fetchall())


def _send_once_more(lost: Sequence[Row], now: datetime) -> None:
    streams = {stream_id for _, _, stream_id in lost}
    if streams:
        lock_streams(streams)
        with database.cursor() as cursor:
            cursor.execute(SEND_ONCE_MORE, {"ids": [id for id, _, _ in lost], "now": now})
        make_due(streams, now=now)
