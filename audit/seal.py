"""Sealing: which order a tenant's events have, and when it is final.

Ids do not tell the order of commits: an earlier id may be committed later. So an event gets its number only once no
transaction that could bring an earlier one is still running. What is numbered is sealed in the same transaction.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from audit.chain import FIRST_HASH, EventFacts, SealFacts, digest_of, hash_of, root_of, written_time

EVERYTHING = 2**63 - 1  # as a horizon: also what is not committed yet, for a simulation that lives in one transaction
LEASE = timedelta(seconds=10)
MOST_EVENTS = 10_000  # under one seal, so that a backlog needs neither a long transaction nor much memory

UNNUMBERED_TENANTS = "SELECT DISTINCT tenant_id FROM audit_eventorder WHERE number IS NULL ORDER BY tenant_id"

# Looked for first, because a conflict with a lease that is being changed would wait for it.
MAKE_LEASE = """
INSERT INTO audit_sealing (tenant_id, holder, fence, until)
SELECT %(tenant_id)s, %(holder)s, 0, %(now)s
WHERE NOT EXISTS (SELECT FROM audit_sealing WHERE tenant_id = %(tenant_id)s)
ON CONFLICT DO NOTHING
"""

# The row stays locked until the seal is committed; another sealer skips it instead of waiting.
TAKE_LEASE = """
UPDATE audit_sealing SET holder = %(holder)s, fence = fence + 1, until = %(until)s
WHERE tenant_id = (
    SELECT tenant_id FROM audit_sealing
    WHERE tenant_id = %(tenant_id)s AND (until <= %(now)s OR holder = %(holder)s)
    FOR UPDATE SKIP LOCKED
)
"""

END_LEASE = "UPDATE audit_sealing SET until = %(now)s WHERE tenant_id = %(tenant_id)s"

# A row whose transaction, and every older one of this database, has ended. Transactions in other databases of the
# server cannot write here. A visible row from beyond the newest transaction was written before a backup was restored.
CERTAIN = """
o.transaction_id <> pg_current_xact_id()::text::bigint AND (
    o.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    OR o.transaction_id < (
        SELECT coalesce(min(running::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
        FROM pg_snapshot_xip(pg_current_snapshot()) AS running
        WHERE NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname <> current_database() AND backend_xid::text::bigint = running::text::bigint & 4294967295
        )
    )
)
"""

UNNUMBERED = """
SELECT e.id, coalesce(e.tenant_id, 0), e.at, e.verb, e.subject_kind, e.subject_id, e.actor, e.why, e.trace_id,
       e.data::text
FROM audit_eventorder o JOIN audit_event e ON e.id = o.event_id
WHERE o.tenant_id = %(tenant_id)s AND o.number IS NULL AND {certain}
ORDER BY o.event_id LIMIT %(most)s
"""

NEWEST_SEAL = "SELECT number, last, hash FROM audit_seal WHERE tenant_id = %s ORDER BY number DESC LIMIT 1"

NUMBER = """
UPDATE audit_eventorder o SET number = given.number, digest = given.digest
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS given (event_id, number, digest)
WHERE o.event_id = given.event_id
"""

APPEND = """
INSERT INTO audit_seal (tenant_id, number, first, last, count, at, root_hash, previous_hash, hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def tenants_to_seal() -> list[int]:
    """The tenants that have events without a number; 0 is the installation."""
    with connection.cursor() as cursor:
        cursor.execute(UNNUMBERED_TENANTS)
        return [tenant_id for (tenant_id,) in cursor.fetchall()]


def seal(
    tenant_ids: Iterable[int] | None = None, *, now: datetime, holder: str, horizon: int | None = None
) -> list[SealFacts]:
    """Number and seal what is certain, for these tenants or all that need it; a tenant that another holds is left out.

    The database knows what is certain; a `horizon` is a transaction id below which everything is taken for certain.
    """
    seals = []
    for tenant_id in tenants_to_seal() if tenant_ids is None else tenant_ids:
        while appended := seal_once(tenant_id, now=now, holder=holder, horizon=horizon):
            seals.append(appended)
            if appended.count < MOST_EVENTS:
                break
    return seals


def seal_once(tenant_id: int, *, now: datetime, holder: str, horizon: int | None) -> SealFacts | None:
    """Append one seal over at most MOST_EVENTS events; None if there is nothing to seal or another sealer is at it."""
    lease: dict[str, Any] = {"tenant_id": tenant_id, "holder": holder, "now": now, "until": now + LEASE}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MAKE_LEASE, lease)
        cursor.execute(TAKE_LEASE, lease)
        if cursor.rowcount == 0:
            return None
        certain = CERTAIN if horizon is None else "o.transaction_id < %(horizon)s"
        ask: dict[str, Any] = {"tenant_id": tenant_id, "horizon": horizon, "most": MOST_EVENTS}
        cursor.execute(UNNUMBERED.format(certain=certain), ask)
        events = [event_facts(*row) for row in cursor.fetchall()]
        if len(events) < MOST_EVENTS:
            cursor.execute(END_LEASE, lease)
        if not events:
            return None
        digests = [digest_of(event) for event in events]
        cursor.execute(NEWEST_SEAL, [tenant_id])
        number, last, previous_hash = cursor.fetchone() or (0, 0, FIRST_HASH)
        appended = next_seal(tenant_id, number + 1, last + 1, digests, previous_hash, now)
        numbers = list(range(appended.first, appended.last + 1))
        cursor.execute(NUMBER, [[event.id for event in events], numbers, digests])
        cursor.execute(APPEND, seal_row(appended, now))
    return appended


def next_seal(
    tenant_id: int, number: int, first: int, digests: list[bytes], previous_hash: str, now: datetime
) -> SealFacts:
    unhashed = SealFacts(
        tenant_id=tenant_id,
        number=number,
        first=first,
        last=first + len(digests) - 1,
        count=len(digests),
        at=written_time(now),
        root_hash=root_of(digests),
        previous_hash=previous_hash,
        hash="",
    )
    return replace(unhashed, hash=hash_of(unhashed))


def event_facts(
    event_id: int,
    tenant_id: int,
    at: datetime,
    verb: str,
    subject_kind: str,
    subject_id: str,
    actor: str,
    why: str,
    trace_id: str,
    data: str,
) -> EventFacts:
    return EventFacts(
        id=event_id,
        tenant_id=tenant_id,
        at=written_time(at),
        verb=verb,
        subject_kind=subject_kind,
        subject_id=subject_id,
        actor=actor,
        why=why,
        trace_id=trace_id,
        data=data,
    )


def seal_row(seal: SealFacts, now: datetime) -> list[Any]:
    return [getattr(seal, item.name) if item.name != "at" else now for item in fields(seal)]
