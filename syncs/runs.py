"""Runs: what a full reading, a reading of changes or a spell of delivery has done, how fast, and how much is left.

A run begins with its first commit and ends when nothing more is to be done; each commit adds its numbers to the row, so
that a killed worker loses none. Runs are kept for 90 days, and of each feed the last full reading for longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection as database
from django.db.models import Max

from connectors.base import Connector
from connectors.registry import connector_class
from syncs.models import Feed, Stream, SyncRecord, SyncRun
from syncs.states import State

KEPT = timedelta(days=90)
PRUNED_AT_ONCE = 5000
DONE = "dealt with"

ADD = """
INSERT INTO syncs_syncrun AS run (tenant_id, {of}, sweep, under_way, started_at, ended_at, counts, error)
VALUES (%(tenant)s, %(id)s, %(sweep)s, true, %(started)s, %(now)s, %(counts)s::jsonb, %(error)s)
ON CONFLICT ({one}) WHERE {of} IS NOT NULL AND under_way DO UPDATE SET
    ended_at = excluded.ended_at,
    error = coalesce(nullif(excluded.error, ''), run.error),
    counts = coalesce((
        SELECT jsonb_object_agg(key, total) FROM (
            SELECT key, sum(value::bigint) AS total
            FROM (
                SELECT * FROM jsonb_each_text(run.counts) UNION ALL SELECT * FROM jsonb_each_text(excluded.counts)
            ) AS either GROUP BY key
        ) AS added), '{{}}')
RETURNING counts
"""
ADD_TO_FEED = ADD.format(of="feed_id", one="tenant_id, feed_id, sweep")
ADD_TO_STREAM = ADD.format(of="stream_id", one="tenant_id, stream_id")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far something has come; `left` and `time_left` are None where nobody can tell, `uncounted` where the provider
    never says how many there are."""

    done: int
    per_second: float | None
    left: int | None
    of_kind: str = ""
    uncounted: bool = False

    @property
    def time_left(self) -> timedelta | None:
        """How long it takes at the speed so far."""
        if self.left is None or not self.per_second:
            return None
        return timedelta(seconds=round(self.left / self.per_second))


def note(
    row: Feed | Stream, counts: Mapping[str, int], *, started: datetime, now: datetime, sweep: int = 0, error: str = ""
) -> dict[str, int]:
    """Add to the run under way, or begin it, in the caller's transaction; the counts of the run so far."""
    values: dict[str, Any] = {
        "tenant": row.tenant_id,
        "id": row.pk,
        "sweep": sweep,
        "started": started,
        "now": now,
        "counts": msgspec.json.encode(dict(counts)).decode(),
        "error": error,
    }
    with database.cursor() as cursor:
        cursor.execute(ADD_TO_FEED if isinstance(row, Feed) else ADD_TO_STREAM, values)
        [so_far] = cursor.fetchone()
    return dict(so_far if isinstance(so_far, dict) else msgspec.json.decode(so_far))


def end(row: Feed | Stream) -> None:
    """The run under way is over, in the caller's transaction."""
    _of(row).filter(under_way=True).update(under_way=False)


def expect(feed: Feed, kind: str, count: int) -> None:
    """The provider says that there are so many of this kind."""
    _of(feed).filter(under_way=True, sweep=feed.sweep).update(expected={kind: count})


def reading_progress(feed: Feed) -> Progress | None:
    """How far the full reading under way has come; None where there is none."""
    run = _of(feed).filter(under_way=True, sweep__gt=0).order_by("-sweep").first()
    if run is None or not feed.stage:
        return None
    last = _of(feed).filter(under_way=False, sweep__gt=0).order_by("-sweep").first()
    if last is not None and last.done:
        return Progress(done=run.done, per_second=run.per_second, left=max(0, last.done - run.done))
    expected = run.expected.get(feed.stage)
    if expected is None:
        return Progress(done=run.done, per_second=run.per_second, left=None, uncounted=not _counts(feed))
    left = max(0, expected - run.counts.get(f"read {feed.stage}", 0))
    return Progress(done=run.done, per_second=run.per_second, left=left, of_kind=feed.stage)


def _counts(feed: Feed) -> bool:
    """Whether the provider can say how many there are of a kind."""
    return connector_class(feed.connection.provider).count is not Connector.count


def delivery_progress(stream: Stream, now: datetime) -> Progress | None:
    """How far the delivery under way has come with what is due; None where nothing is."""
    due = SyncRecord.objects.filter(
        tenant_id=stream.tenant_id, stream=stream, state=State.PENDING, next_attempt_at__lte=now
    )
    run, left = _of(stream).filter(under_way=True).first(), due.count()
    if run is None:
        return Progress(done=0, per_second=None, left=left) if left else None
    return Progress(done=run.done, per_second=run.per_second, left=left)


def prune(now: datetime) -> int:
    """Delete what is kept no longer, a set at a time; how many runs."""
    last = SyncRun.objects.filter(sweep__gt=0, under_way=False).values("feed").annotate(last=Max("id")).values("last")
    old = SyncRun.objects.filter(ended_at__lt=now - KEPT, under_way=False).exclude(pk__in=last)
    ids = list(old.order_by("ended_at").values_list("pk", flat=True)[:PRUNED_AT_ONCE])
    SyncRun.objects.filter(pk__in=ids).delete()
    return len(ids)


def _of(row: Feed | Stream) -> Any:
    of = {"feed": row} if isinstance(row, Feed) else {"stream": row}
    return SyncRun.objects.filter(tenant_id=row.tenant_id, **of)
