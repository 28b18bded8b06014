"""Examining a tenant's events in the database: the chain, and what stands outside it."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from audit.chain import Numbered, SealFacts, written_time
from audit.examine import Examination, Finding, examine_chain
from audit.seal import CERTAIN, NEWEST_SEAL, event_facts

PATIENCE = timedelta(minutes=1)  # an event is sealed within seconds; one older than this is forgotten, not late
PAGE = 1_000

SEALED_TENANTS = """
SELECT tenant_id FROM audit_seal WHERE number = 1
UNION SELECT tenant_id FROM audit_eventorder WHERE number IS NULL
ORDER BY tenant_id
"""

SEALS = """
SELECT tenant_id, number, first, last, count, at, root_hash, previous_hash, hash
FROM audit_seal WHERE tenant_id = %s AND number > %s AND number <= %s ORDER BY number LIMIT %s
"""

EVENTS = """
SELECT o.number, o.event_id, o.digest, e.id, coalesce(e.tenant_id, 0), e.at,
       e.verb, e.subject_kind, e.subject_id, e.actor, e.why, e.trace_id, e.data::text
FROM audit_eventorder o LEFT JOIN audit_event e ON e.id = o.event_id
WHERE o.tenant_id = %s AND o.number > %s AND o.number <= %s ORDER BY o.number LIMIT %s
"""

# The ids below the oldest partition are those of partitions that were dropped.
OLDEST_KEPT = """
SELECT min(substring(pg_get_expr(part.relpartbound, part.oid) FROM 'FROM \\(''?(-?\\d+)')::bigint)
FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid WHERE inhparent = 'audit_event'::regclass
"""

BEYOND_SEALS = """
SELECT min(number), max(number) FROM audit_eventorder
WHERE tenant_id = %(tenant_id)s
  AND number > (SELECT coalesce(max(last), 0) FROM audit_seal WHERE tenant_id = %(tenant_id)s)
"""

UNSEALED = """
SELECT count(*) FILTER (WHERE e.id IS NULL),
       count(*) FILTER (WHERE e.at < %(since)s AND NOT awaited),
       count(*) FILTER (WHERE e.at < %(since)s AND awaited)
FROM (
    SELECT event_id, NOT ({certain}) AS awaited FROM audit_eventorder o
    WHERE tenant_id = %(tenant_id)s AND number IS NULL
) o LEFT JOIN audit_event e ON e.id = o.event_id
"""

WITHOUT_ORDER = """
SELECT count(*), min(id) FROM audit_event e
WHERE {tenant} AND NOT EXISTS (SELECT FROM audit_eventorder o WHERE o.event_id = e.id AND o.tenant_id = %(tenant_id)s)
"""


def verify(tenant_id: int, *, now: datetime, patience: timedelta = PATIENCE) -> list[Finding]:
    """Everything that is wrong with a tenant's events; nothing means that they are whole."""
    return examine(tenant_id, now=now, patience=patience).findings


def examine(tenant_id: int, *, now: datetime, patience: timedelta = PATIENCE) -> Examination:
    """Recompute a tenant's seals from its events and look for what no seal covers; memory stays flat."""
    examination = examine_chain(tenant_id, read_chain(tenant_id))
    ask = {"tenant_id": tenant_id, "since": now - patience}
    tenant = "e.tenant_id = %(tenant_id)s" if tenant_id else "e.tenant_id IS NULL"
    first, last = fetch(BEYOND_SEALS, ask)[0]
    if first is not None:
        examination.find(f"events number {first} to {last} are numbered but outside every seal")
    gone, late, awaited = fetch(UNSEALED.format(certain=CERTAIN), ask)[0]
    if gone:
        examination.find(f"{gone} events are gone that were not sealed yet")
    if late:
        examination.find(f"{late} events are older than {patience} and not sealed: no sealer is at work")
    if awaited:
        examination.find(
            f"{awaited} events are older than {patience} and cannot be sealed yet:"
            " a transaction as old as theirs is still open in the database"
        )
    unordered, first = fetch(WITHOUT_ORDER.format(tenant=tenant), ask)[0]
    if unordered:
        examination.find(
            f"{unordered} events, from id {first} on, have no place in the order: somebody else wrote them"
        )
    return examination


def tenants_to_verify() -> list[int]:
    """The tenants that have events; 0 is the installation."""
    return [tenant_id for (tenant_id,) in fetch(SEALED_TENANTS)]


def read_chain(tenant_id: int) -> Iterator[Numbered | SealFacts]:
    """A tenant's sealed events in their order, each seal after its events; read by pages, no transaction stays open."""
    newest = fetch(NEWEST_SEAL, [tenant_id])
    if not newest:
        return iter(())
    number, last, _ = newest[0]
    return heapq.merge(read_events(tenant_id, last), read_seals(tenant_id, number), key=place)


def place(link: Numbered | SealFacts) -> tuple[int, int]:
    return (link.number, 0) if isinstance(link, Numbered) else (link.last, 1)


def read_seals(tenant_id: int, newest: int) -> Iterator[SealFacts]:
    number = 0
    while rows := fetch(SEALS, [tenant_id, number, newest, PAGE]):
        for of_tenant, number, first, last, count, at, root_hash, previous_hash, own_hash in rows:
            yield SealFacts(
                tenant_id=of_tenant,
                number=number,
                first=first,
                last=last,
                count=count,
                at=written_time(at),
                root_hash=root_hash,
                previous_hash=previous_hash,
                hash=own_hash,
            )


def read_events(tenant_id: int, last: int) -> Iterator[Numbered]:
    oldest_kept = fetch(OLDEST_KEPT)[0][0] or 0
    number = 0
    while rows := fetch(EVENTS, [tenant_id, number, last, PAGE]):
        for number, event_id, digest, found, *facts in rows:
            yield Numbered(
                number=number,
                event_id=event_id,
                digest=bytes(digest or b"").hex(),
                event=None if found is None else event_facts(found, *facts),
                archived=found is None and event_id < oldest_kept,
            )


def fetch(sql: str, values: Any = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
    return rows
