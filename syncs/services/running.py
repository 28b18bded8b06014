"""What runs and when: streams paused and resumed, feeds read at once or in full, integrations stopped."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import NewEvent, record
from syncs.mirror.hinted import doubt_webhooks
from syncs.models import Feed, Integration, Stream


def pause_stream(*, stream: Stream, by: str, why: str, now: datetime) -> None:
    """Deliver nothing of this kind until somebody resumes it; what is under way ends."""
    _refuse_without(why)
    with transaction.atomic():
        if not Stream.objects.filter(pk=stream.pk, paused=False).update(paused=True):
            raise ValidationError("It is paused already.")
        record([_event(stream.tenant_id, "stream_paused", "stream", stream.pk, by, why, now)])


def resume_stream(*, stream: Stream, by: str, now: datetime) -> None:
    """Go on delivering from where it stood."""
    with transaction.atomic():
        if not Stream.objects.filter(pk=stream.pk, paused=True).update(paused=False, due_at=now):
            raise ValidationError("It is not paused.")
        record([_event(stream.tenant_id, "stream_resumed", "stream", stream.pk, by, "", now)])


def read_now(*, feed: Feed, by: str, now: datetime) -> None:
    """Ask for changes at once instead of when the interval is over."""
    _ask(feed, by, now, in_full=False)


def read_in_full(*, feed: Feed, by: str, now: datetime) -> None:
    """Read everything again and compare, as every night; one that is under way goes on."""
    _ask(feed, by, now, in_full=True)


def deactivate(*, integration: Integration, by: str, why: str, now: datetime) -> None:
    """Stop delivering between the two companies; nothing is lost, and activating goes on from where it stood."""
    _refuse_without(why)
    with transaction.atomic():
        if not Integration.objects.filter(pk=integration.pk, active=True).update(active=False):
            raise ValidationError("It is not active.")
        record([_event(integration.tenant_id, "integration_paused", "integration", integration.pk, by, why, now)])


def _ask(feed: Feed, by: str, now: datetime, *, in_full: bool) -> None:
    changed: dict[str, datetime | None] = {"due_at": now, "woken_until": None}
    if in_full:
        changed["full_after"] = now
    with transaction.atomic():
        Feed.objects.filter(pk=feed.pk).update(**changed)
        if in_full:
            doubt_webhooks(feed.connection, now)  # so that it is everything
        event = _event(feed.tenant_id, "feed_read_asked", "feed", feed.pk, by, "", now, in_full=in_full)
        record([event])


def _refuse_without(why: str) -> None:
    if not why.strip():
        raise ValidationError({"why": "Say why: others will want to know."})


def _event(tenant_id: int, verb: str, kind: str, id: int, by: str, why: str, now: datetime, **data: object) -> NewEvent:
    return NewEvent(
        tenant_id=tenant_id, at=now, verb=verb, subject_kind=kind, subject_id=str(id), actor=by, why=why, data=data
    )
