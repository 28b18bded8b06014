"""What runs and when: feeds and streams paused, resumed and run at once, integrations stopped.

Each is safe to do twice: the second time changes nothing and says so.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import NewEvent, record
from syncs.mirror.hinted import doubt_webhooks
from syncs.models import Feed, Integration, Stream, SyncRecord
from syncs.states import State


def pause(*, row: Feed | Stream, by: str, why: str, now: datetime) -> bool:
    """Read or deliver nothing more until somebody resumes it; what is under way ends. False if it was paused before."""
    refuse_without(why)
    with transaction.atomic():
        running = type(row).objects.filter(pk=row.pk, paused=False)
        changed = running.update(paused=True, paused_at=now, paused_by=by, paused_why=why)
        if changed:
            record([event_of(row, "paused", by, why, now)])
    return bool(changed)


def resume(*, row: Feed | Stream, by: str, why: str, now: datetime) -> bool:
    """Go on from where it stood, at once. False if it was not paused."""
    refuse_without(why)
    with transaction.atomic():
        paused = type(row).objects.filter(pk=row.pk, paused=True)
        changed = paused.update(paused=False, paused_at=None, paused_by="", paused_why="", due_at=now, woken_until=None)
        if changed:
            record([event_of(row, "resumed", by, why, now)])
    return bool(changed)


def deliver_now(*, stream: Stream, by: str, why: str, now: datetime) -> int:
    """Deliver at once what waits for its schedule or for its next try; how many deliveries that concerns."""
    refuse_without(why)
    with transaction.atomic():
        _refuse_paused(Stream.objects.select_for_update().get(pk=stream.pk))
        waits = SyncRecord.objects.filter(
            tenant_id=stream.tenant_id, stream=stream, state=State.PENDING, next_attempt_at__gt=now
        )
        hastened = waits.update(next_attempt_at=now, scheduled_for=now)
        Stream.objects.filter(pk=stream.pk).update(due_at=now, woken_until=None)
        record([event_of(stream, "run_asked", by, why, now, hastened=hastened)])
    return hastened


def read_now(*, feed: Feed, by: str, now: datetime, why: str = "") -> None:
    """Ask for changes at once instead of at the next time of its schedule."""
    _ask(feed, by, why, now, in_full=False)


def read_in_full(*, feed: Feed, by: str, now: datetime, why: str = "") -> None:
    """Read everything again and compare, as every night; one that is under way goes on."""
    _ask(feed, by, why, now, in_full=True)


def deactivate(*, integration: Integration, by: str, why: str, now: datetime) -> None:
    """Stop delivering between the two companies; nothing is lost, and activating goes on from where it stood."""
    refuse_without(why)
    with transaction.atomic():
        if not Integration.objects.filter(pk=integration.pk, active=True).update(active=False):
            raise ValidationError("It is not active.")
        record([event_of(integration, "paused", by, why, now)])


def _ask(feed: Feed, by: str, why: str, now: datetime, *, in_full: bool) -> None:
    changed: dict[str, datetime | None] = {"due_at": now, "woken_until": None}
    if in_full:
        changed["full_after"] = now
    with transaction.atomic():
        _refuse_paused(Feed.objects.select_for_update().get(pk=feed.pk))
        Feed.objects.filter(pk=feed.pk).update(**changed)
        if in_full:
            doubt_webhooks(feed.connection, now)  # so that it is everything
        record([event_of(feed, "read_asked", by, why, now, in_full=in_full)])


def _refuse_paused(row: Feed | Stream) -> None:
    if row.paused:
        raise ValidationError(f"{row.paused_by or 'Somebody'} has paused it: resume it first.")


def refuse_without(why: str) -> None:
    """ValidationError where nobody says why."""
    if not why.strip():
        raise ValidationError({"why": "Say why: others will want to know."})


def event_of(row: Feed | Stream | Integration, what: str, by: str, why: str, now: datetime, **data: object) -> NewEvent:
    """What a person did to this row, for the audit."""
    kind = type(row).__name__.lower()
    return NewEvent(
        tenant_id=row.tenant_id,
        at=now,
        verb=f"{kind}_{what}",
        subject_kind=kind,
        subject_id=str(row.pk),
        actor=by,
        why=why,
        data=data,
    )
