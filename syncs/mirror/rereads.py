"""Payments of the AP network that are fetched again although no change of them was shown: "paid" is not final.

One that is live and has not cleared is fetched once a day, one issued or cleared in the last 120 days once a week. Each
has its place in the day, so that they never all come at once, and those of one connection come in four turns, in as few
calls as their number allows (`afterwards.py`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zlib import crc32

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Payment, Phase
from connectors.registry import connector_class
from syncs.mirror.observe import Seen

DAILY, WEEKLY = timedelta(days=1), timedelta(days=7)
TURN = timedelta(hours=6)
FINAL_AFTER = timedelta(days=120)
LIVE = (Phase.PENDING, Phase.EXECUTED)
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)

TIME = """
INSERT INTO syncs_reread AS t (tenant_id, connection_id, remote_record_id, due_at)
SELECT r.tenant_id, r.connection_id, r.id, v.due_at
FROM unnest(%(ids)s::text[], %(due)s::timestamptz[]) AS v (remote_id, due_at)
JOIN syncs_remoterecord r ON r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s AND r.kind = 'payment'
    AND r.remote_id = v.remote_id AND r.gone = ''
ON CONFLICT (remote_record_id) DO UPDATE SET due_at = LEAST(t.due_at, excluded.due_at) WHERE t.due_at > excluded.due_at
"""


def next_reread(payment: Payment, place: str, *, now: datetime) -> datetime | None:
    """When a payment is fetched again; None once it is final. `place` is that of its connection in the day."""
    if payment.phase in LIVE and payment.cleared_date is None:
        return _next(payment.id, place, DAILY, now)
    last = max((day for day in (payment.date, payment.cleared_date) if day), default=None)
    recent = last is not None and now.date() - last <= FINAL_AFTER
    return _next(payment.id, place, WEEKLY, now) if recent and payment.phase is not Phase.NONE else None


def _next(payment_id: str, place: str, every: timedelta, now: datetime) -> datetime:
    turn = crc32(payment_id.encode()) % (every // TURN)
    within = timedelta(seconds=crc32(place.encode()) % TURN.total_seconds())
    first = BEGINNING + turn * TURN + within
    return first + ((now - first) // every + 1) * every


def time_rereads(connection: Connection, seen: Iterable[Seen], *, now: datetime) -> None:
    """Give each of these payments its time, in the caller's transaction; a sooner one stays."""
    payments = [one.record for one in seen if isinstance(one.record, Payment)]
    if not payments or connector_class(connection.provider).role != "ap_network":
        return
    times = [(payment.id, next_reread(payment, connection.account_id, now=now)) for payment in payments]
    timed = [(id, due) for id, due in times if due is not None]
    with database.cursor() as cursor:
        cursor.execute(
            TIME,
            {
                "tenant": connection.tenant_id,
                "connection": connection.pk,
                "ids": [id for id, _ in timed],
                "due": [due for _, due in timed],
            },
        )
