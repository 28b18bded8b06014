"""Writing to the audit: the one way in.

`record` joins the transaction of its caller, so an act and its event are there together or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db import connection

from audit.verbs import VERBS

SYSTEM = "system"

# One statement, so that no event is ever without its order, whatever the caller's transaction does.
# The rows are inserted in the order of the set, hence their ids rise in that order.
INSERT = """
WITH events AS (
    INSERT INTO audit_event (tenant_id, at, verb, subject_kind, subject_id, actor, why, trace_id, data)
    SELECT tenant_id, at, verb, subject_kind, subject_id, actor, why, trace_id, data::json
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[])
         WITH ORDINALITY AS given (tenant_id, at, verb, subject_kind, subject_id, actor, why, trace_id, data, place)
    ORDER BY place
    RETURNING id, tenant_id
)
INSERT INTO audit_eventorder (event_id, tenant_id, transaction_id)
SELECT id, coalesce(tenant_id, 0), pg_current_xact_id()::text::bigint FROM events
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """What happened to which subject; without a tenant it concerns the whole installation."""

    tenant_id: int | None
    at: datetime
    verb: str
    subject_kind: str
    subject_id: str
    actor: str = SYSTEM
    why: str = ""
    trace_id: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


def record(events: Sequence[NewEvent]) -> None:
    """Insert a set of events in the caller's transaction, all or none; a ValueError says what is wrong with one."""
    if not events:
        return
    for event in events:
        refuse(event)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, columns(events))


def refuse(event: NewEvent) -> None:
    """Say by a ValueError why an event must not be written."""
    verb = VERBS.get(event.verb)
    if verb is None:
        raise ValueError(f"{event.verb!r} is no verb of the audit: add a line to audit/verbs.py or use one of it")
    if event.at.tzinfo is None:
        raise ValueError(f"the time of {event.verb!r} has no time zone")
    if event.tenant_id is not None and event.tenant_id < 1:
        raise ValueError(f"{event.tenant_id} is no tenant; leave it out for what concerns the whole installation")
    if not event.actor.strip():
        raise ValueError(f"{event.verb!r} does not say who did it: name the person, or leave out the actor")
    if verb.reason and event.actor != SYSTEM and not event.why.strip():
        raise ValueError(f"{event.verb!r} by {event.actor} needs a reason: pass why")


def columns(events: Sequence[NewEvent]) -> list[list[object]]:
    return [
        [event.tenant_id for event in events],
        [event.at for event in events],
        [event.verb for event in events],
        [event.subject_kind for event in events],
        [event.subject_id for event in events],
        [event.actor for event in events],
        [event.why for event in events],
        [event.trace_id for event in events],
        [msgspec.json.encode(dict(event.data), order="sorted").decode() for event in events],
    ]
