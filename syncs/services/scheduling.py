"""Schedules and holidays, as people decide them."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from audit.log import NewEvent, record
from connectors.models import Tenant
from syncs.models import Feed, Holiday, ScheduleRow, Stream, SyncRecord
from syncs.schedules import Every, Schedule, check
from syncs.services.running import refuse_without
from syncs.states import State
from syncs.timing import SCHEDULED, next_reading


def set_schedule(
    *, row: Feed | Stream, schedule: Schedule | None, by: str, why: str, now: datetime
) -> ScheduleRow | None:
    """From now on it goes by this, by the default without one; ValidationError says why nothing could."""
    refuse_without(why)
    if schedule is not None:
        try:
            check(schedule)
        except ValueError as error:
            raise ValidationError({"schedule": str(error)}) from error
        if isinstance(schedule, Every) and isinstance(row, Stream):
            schedule = Every(seconds=schedule.seconds, since=now)  # so that what is collected goes together
    of = {"feed": row} if isinstance(row, Feed) else {"stream": row}
    with transaction.atomic():
        type(row).objects.select_for_update().get(pk=row.pk)
        before = ScheduleRow.objects.filter(**of).first()
        kept = None
        if schedule is not None:
            rule = msgspec.to_builtins(schedule)
            chosen = {"tenant_id": row.tenant_id, "rule": rule, "since": now, "changed_by": by, "why": why}
            kept, _ = ScheduleRow.objects.update_or_create(**of, defaults=chosen)
        elif before is not None:
            before.delete()
        data = {"schedule": str(kept or "the default"), "before": str(before or "the default")}
        kind = type(row).__name__.lower()
        record([_event(row.tenant_id, "schedule_changed", kind, row.pk, by, why, now, data)])
        _time_anew(Feed.objects.filter(pk=row.pk) if isinstance(row, Feed) else Feed.objects.none(), now)
        _ask_anew(Stream.objects.filter(pk=row.pk) if isinstance(row, Stream) else Stream.objects.none(), now)
    return kept


def set_holidays(*, tenant: Tenant, days: Mapping[date, str], by: str, why: str, now: datetime) -> None:
    """The tenant's whole list; everything that goes by a schedule is timed anew."""
    refuse_without(why)
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        known = Holiday.objects.filter(tenant=tenant)
        before = {str(day): name for day, name in known.values_list("day", "name")}
        known.delete()
        Holiday.objects.bulk_create(Holiday(tenant=tenant, day=day, name=name) for day, name in days.items())
        data = {"days": {str(day): name for day, name in days.items()}, "before": before}
        record([_event(tenant.pk, "holidays_changed", "tenant", tenant.pk, by, why, now, data)])
        scheduled = Q(tenant=tenant, schedule__isnull=False)
        _time_anew(Feed.objects.filter(scheduled), now)
        _ask_anew(Stream.objects.filter(scheduled), now)


def _time_anew(feeds: QuerySet[Feed], now: datetime) -> None:
    """When each is read next; nothing is put off that was due before, failed, or is a full reading under way."""
    later = feeds.filter(stage="", full_after__gt=now, due_at__gte=now, failures=0)
    for feed in later.select_for_update(of=("self",)).order_by("pk"):
        Feed.objects.filter(pk=feed.pk).update(due_at=next_reading(feed, now))


def _ask_anew(streams: QuerySet[Stream], now: datetime) -> None:
    """What waits for a schedule asks again when that is."""
    for stream in streams.select_for_update(of=("self",)).order_by("pk"):
        waits = SyncRecord.objects.filter(tenant_id=stream.tenant_id, stream=stream, state=State.PENDING)
        waits.filter(code=SCHEDULED).update(scheduled_for=None, next_attempt_at=now)
        Stream.objects.filter(pk=stream.pk).update(due_at=now)


def _event(
    tenant_id: int, verb: str, kind: str, id: int, by: str, why: str, now: datetime, data: Mapping[str, object]
) -> NewEvent:
    return NewEvent(
        tenant_id=tenant_id,
        at=now,
        verb=verb,
        subject_kind=kind,
        subject_id=str(id),
        actor=by,
        why=why,
        data=dict(data),
    )
