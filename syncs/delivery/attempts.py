"""Attempts: the rows that stand, committed, before anything is sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from django.db import connection as database

from audit.log import NewEvent, record
from connectors.records import canonical
from syncs.delivery.planned import Planned
from syncs.delivery.slice import ATTEMPT, Slice
from syncs.keys import fingerprint
from syncs.models import Attempt

SENDING = """
UPDATE syncs_syncrecord s SET state = 'sending', attempt_id = v.attempt_id, sent = s.wanted, attempts = s.attempts + 1,
    next_attempt_at = %s, code = '', reason = '', waiting_kind = '', waiting_id = ''
FROM unnest(%s::bigint[], %s::bigint[]) AS v (id, attempt_id) WHERE s.id = v.id
"""


def begin_attempts(slice_: Slice, planned: Sequence[Planned]) -> list[Planned]:
    """An attempt for each, in the caller's transaction; its delivery is being sent from here on."""
    if not planned:
        return []
    now = slice_.now()
    attempts = Attempt.objects.bulk_create(_attempt(slice_, one, place, now) for place, one in enumerate(planned))
    with database.cursor() as cursor:
        cursor.execute(
            SENDING,
            [now + ATTEMPT + slice_.doubt, [one.claim.id for one in planned], [attempt.pk for attempt in attempts]],
        )
    record([_event(slice_, one, attempt, now) for one, attempt in zip(planned, attempts, strict=True)])
    return [
        replace(one, attempt_id=attempt.pk, write=replace(one.write, place=place, sent_at=now))
        for place, (one, attempt) in enumerate(zip(planned, attempts, strict=True))
    ]


def _attempt(slice_: Slice, one: Planned, place: int, now: datetime) -> Attempt:
    body = canonical(one.write.record)
    return Attempt(
        tenant_id=slice_.tenant_id,
        sync_record_id=one.claim.id,
        revision=one.claim.wanted,
        action=one.write.action,
        record_key=one.write.record_key,
        request_key=one.write.request_key,
        batch=slice_.talk.trace_id,
        place=place,
        delivery_fingerprint=one.claim.wanted_fingerprint,
        body_hash=fingerprint(body),
        body=body.decode(),
        context=msgspec.json.encode(one.write.context).decode(),
        link_id=one.claim.target_id,
        link_version=one.claim.target_version,
        fence=slice_.lease.fence,
        trace_id=one.claim.trace_id,
        started_at=now,
        deadline=now + ATTEMPT,
        outcome="",
        code="",
        message="",
    )


def _event(slice_: Slice, one: Planned, attempt: Attempt, now: datetime) -> NewEvent:
    return NewEvent(
        tenant_id=slice_.tenant_id,
        at=now,
        verb="attempt_started",
        subject_kind="sync_record",
        subject_id=str(one.claim.id),
        trace_id=one.claim.trace_id,
        data={"attempt": attempt.pk, "action": one.write.action, "revision": one.claim.wanted},
    )
