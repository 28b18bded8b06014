"""When a feed is read next, and when a stream makes what is new on the other side.

A schedule of a stream holds back what is to be made new, nothing else: a change or a stop of what stands on the other
side is never put off, since it may be about money. A schedule of a feed never puts off the nightly comparison.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

from connectors.base import Action
from connectors.conversation import budget_of
from connectors.governor import sharers
from connectors.models import Connection
from connectors.registry import connector_class
from syncs.delivery.planned import Planned
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.mirror.hinted import webhooks_are_healthy
from syncs.mirror.polling import least_interval, poll_interval
from syncs.models import Feed, ScheduleRow, Stream, SyncRecord
from syncs.schedules import coming, next_due
from syncs.states import State

SCHEDULED = "scheduled"


def next_reading(feed: Feed, now: datetime) -> datetime:
    """When the feed is read again after a reading that has just ended."""
    row = schedule_of(feed)
    due = next_due(row.schedule, now, row.zone, row.holidays) if row else now + interval_of(feed, now)
    return min(due, feed.full_after) if feed.full_after is not None and feed.full_after > now else due


def interval_of(feed: Feed, now: datetime) -> timedelta:
    """How long a feed without a schedule waits from one reading to the next: longer while webhooks are healthy, and
    where so many share its budget that it would not hold."""
    healthy, shared = webhooks_are_healthy(feed.connection, now), least_interval_of(feed.connection, now)
    return poll_interval(timedelta(seconds=feed.interval_seconds), healthy=healthy, shared=shared)


def least_interval_of(connection: Connection, now: datetime) -> timedelta:
    """The shortest interval that the connection's budget allows with all who have asked of it within a day."""
    limits = connector_class(connection.provider).limits
    if not limits.shared_by_app:
        return timedelta(0)
    budget = budget_of(connection, shared=True)
    return least_interval(limits, sharers(budget, since=now - timedelta(days=1)))


def hold_back(slice_: Slice, planned: Sequence[Planned]) -> tuple[list[Planned], list[Verdict]]:
    """What may be sent now, and what waits for the stream's schedule, in the caller's transaction.

    A record is held back once: from the moment that it was given on, it is tried like any other. What is posted anew
    is none that is new.
    """
    row = schedule_of(slice_.stream)
    made = [one for one in planned if one.write.action is Action.CREATE and not one.claim.taken_back]
    new = [one.claim.id for one in made] if row is not None else []
    if row is None or not new:
        return list(planned), []
    given = dict(SyncRecord.objects.filter(pk__in=new).values_list("pk", "scheduled_for"))
    now = slice_.now()
    due = next_due(row.schedule, now, row.zone, row.holidays)
    held_back = {id: moment or due for id, moment in given.items() if moment is None or moment > now}
    SyncRecord.objects.filter(pk__in=held_back, scheduled_for=None).update(scheduled_for=due)
    verdicts = [
        one.claim.verdict(
            State.PENDING,
            code=SCHEDULED,
            reason=f"Waits for its schedule: {row}.",
            verb="delivery_scheduled",
            next_attempt_at=held_back[one.claim.id],
            problem_id=one.claim.waits_for[2],
        )
        for one in planned
        if one.claim.id in held_back
    ]
    return [one for one in planned if one.claim.id not in held_back], verdicts


def schedule_of(row: Feed | Stream) -> ScheduleRow | None:
    """What a person chose for it; None where the default holds."""
    of = {"feed": row} if isinstance(row, Feed) else {"stream": row}
    return ScheduleRow.objects.select_related("tenant").filter(tenant_id=row.tenant_id, **of).first()


def next_times(row: ScheduleRow, now: datetime, count: int = 5) -> list[datetime]:
    """The next moments of a schedule, for pages."""
    return list(islice(coming(row.schedule, now, row.zone, row.holidays), count))
