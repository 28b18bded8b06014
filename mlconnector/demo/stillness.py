"""Whether anything is in flight, and moving time while nothing is.

Nothing is in flight when no slice holds a lease, nothing is due, and no attempt could still be sent. What then waits
for a later moment, such as an answer that was lost to a killed worker, is waited for by moving time there: an attempt
that is past its deadline cannot be sent any more, and the simulators have answered everything that they were asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection as database

from connectors import reality
from connectors.clock import read_shift, write_shift

# Feeds that have not read to the end since a moment: a reading that ends well is due again an interval later.
FEEDS = """
SELECT f.due_at, f.lease_until, c.status, coalesce(nullif(c.account_name, ''), c.provider) || ' (' || c.provider || ')',
       f.due_at >= %(since)s + make_interval(secs => f.interval_seconds)
FROM syncs_feed f JOIN connectors_connection c ON c.id = f.connection_id
JOIN syncs_integration i ON f.connection_id IN (i.erp_id, i.ap_network_id) AND i.active ORDER BY f.id
"""
STREAMS = """
SELECT s.kind, s.due_at, s.lease_until FROM syncs_stream s
JOIN syncs_integration i ON i.id = s.integration_id AND i.active
WHERE NOT s.paused ORDER BY s.id
"""
UNSETTLED = """
SELECT s.state, min(greatest(s.next_attempt_at, t.due_at)), max(a.deadline), count(*)
FROM syncs_syncrecord s JOIN syncs_stream t ON t.id = s.stream_id
LEFT JOIN syncs_attempt a ON a.id = s.attempt_id AND a.tenant_id = s.tenant_id
WHERE s.state IN ('pending', 'sending', 'in_doubt') GROUP BY s.state ORDER BY s.state
"""


class NeedsSomebody(Exception):
    """The demo cannot go on by itself."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """One thing that is not at rest: until when it waits, or None if it is under way at this moment."""

    what: str
    until: datetime | None = None


def motions(since: datetime) -> list[Motion]:
    """Everything that is not at rest, `since` being the moment that all has to be read after."""
    now = reality.present().now()
    return [*_reading(since, now), *_delivering(now), *_unsettled(now)]


def move_time(to: datetime) -> None:
    """Move time forward to this moment; it never goes back."""
    assert settings.CLOCK_SHIFT_FILE is not None
    by = to - reality.present().now()
    if by > timedelta(0):
        shift = read_shift(settings.CLOCK_SHIFT_FILE) + by
        write_shift(settings.CLOCK_SHIFT_FILE, timedelta(seconds=int(shift.total_seconds()) + 1))


def _reading(since: datetime, now: datetime) -> Iterator[Motion]:
    for due_at, lease_until, status, name, has_read in _rows(FEEDS, since=since):
        if status != "connected":
            raise NeedsSomebody(f"The connection {name} needs somebody: look at it in the admin, then start again.")
        if _is_later(lease_until, now) or due_at is None or due_at <= now:
            yield Motion(what=f"reading {name}")
        elif not has_read:
            yield Motion(what=f"reading {name} again", until=due_at)


def _delivering(now: datetime) -> Iterator[Motion]:
    for kind, due_at, lease_until in _rows(STREAMS):
        if _is_later(lease_until, now) or (due_at is not None and due_at <= now):
            yield Motion(what=f"delivering {kind}s")


def _unsettled(now: datetime) -> Iterator[Motion]:
    for state, next_attempt_at, deadline, count in _rows(UNSETTLED):
        what = f"{count} {state.replace('_', ' ')}"
        sent_now = _is_later(deadline, now) and state != "pending"
        yield Motion(what=what, until=None if sent_now or not _is_later(next_attempt_at, now) else next_attempt_at)


def _is_later(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now


def _rows(statement: str, **values: datetime) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
