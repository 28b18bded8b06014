"""How changes are swept, in windows of time and pages of one window; pure.

A sweep ends a safe while before the server's present, known from its first answer, and the next one begins a little
before that end: a record is read twice rather than not at all. The whole of a sweep is its cursor. A window of which
records left while it was being paged (they changed, so a later sweep has them) is begun again: every page behind them
has moved up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.wire import write_moment
from connectors.base import Cursor
from connectors.records import Kind

DAY = timedelta(days=1)
SHORTEST = timedelta(minutes=1)
MOST_RESTARTS = 3  # so that a total which shrinks by itself (the rows still to come) stops nothing


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One page of theirs: rows, their present, how many rows its window has, and how to ask for the next page."""

    rows: Sequence[Any]
    server_time: datetime | None = None
    total: int | None = None
    following: dict[str, str] | None = None


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sweep stands: its bounds, and in them a kind, a window and a page."""

    since: datetime
    upper: datetime
    upper_is_theirs: bool = False
    kind: Kind
    start: datetime
    end: datetime
    following: dict[str, str] = {}
    total: int = 0
    restarts: int = 0


def begin(profile: Profile, checkpoint: datetime, kinds: Sequence[Kind], present: datetime) -> Sweep:
    """A sweep of what changed since a checkpoint; where it ends is a guess by our clock until they have answered."""
    feed = profile.change_feed
    since = checkpoint - timedelta(seconds=feed.overlap_seconds)
    if feed.granularity == "date":
        since = _midnight(since)
    upper = max(present - timedelta(seconds=feed.safety_lag_seconds), since + SHORTEST)
    return Sweep(since=since, upper=upper, kind=kinds[0], start=since, end=_window_end(profile, since, upper))


def resume(cursor: Cursor) -> Sweep | None:
    """The sweep that a cursor stands in; None between two."""
    return msgspec.convert(cursor["sweep"], Sweep) if "sweep" in cursor else None


def checkpoint(cursor: Cursor) -> datetime:
    """The time up to which a cursor between two sweeps has read."""
    return msgspec.convert(cursor["checkpoint"], datetime)


def rest_at(moment: datetime) -> Cursor:
    """A cursor between two sweeps."""
    return {"checkpoint": write_moment(moment)}


def bounds(profile: Profile, sweep: Sweep) -> dict[str, str]:
    """The window's arguments, by our names."""
    feed = profile.change_feed
    if feed.granularity == "none":
        return {}
    if feed.granularity == "timestamp":
        return {"updated_since": write_moment(sweep.start), "updated_before": write_moment(sweep.end)}
    last = sweep.end - DAY if feed.upper_bound_inclusive else sweep.end
    return {"updated_since": sweep.start.date().isoformat(), "updated_before": last.date().isoformat()}


def advance(profile: Profile, sweep: Sweep, kinds: Sequence[Kind], page: Listed) -> tuple[Cursor, bool]:
    """The cursor after a page, and whether the sweep goes on."""
    if page.server_time is not None and not sweep.upper_is_theirs:
        upper = page.server_time - timedelta(seconds=profile.change_feed.safety_lag_seconds)
        sweep = replace(sweep, upper=upper, upper_is_theirs=True)
    following = _following(profile, sweep, kinds, page)
    if following is None:
        return rest_at(sweep.upper), False
    return {"sweep": msgspec.to_builtins(following)}, True


def _following(profile: Profile, sweep: Sweep, kinds: Sequence[Kind], page: Listed) -> Sweep | None:
    def window(kind: Kind, start: datetime, restarts: int = 0) -> Sweep:
        end = _window_end(profile, start, sweep.upper)
        return replace(sweep, kind=kind, start=start, end=end, following={}, total=0, restarts=restarts)

    again = window(sweep.kind, sweep.start, sweep.restarts + 1)
    if page.total is not None and page.total < sweep.total and sweep.restarts < MOST_RESTARTS:
        return again
    if page.following and page.following != sweep.following:
        if again.end < sweep.end:  # our clock is ahead: the window was still open
            return again
        return replace(sweep, following=page.following, total=page.total or 0)
    if sweep.end < sweep.upper:
        return window(sweep.kind, sweep.end)
    later = kinds[kinds.index(sweep.kind) + 1 :]
    return window(later[0], sweep.since) if later and sweep.since < sweep.upper else None


def _window_end(profile: Profile, start: datetime, upper: datetime) -> datetime:
    feed = profile.change_feed
    if feed.granularity == "none":
        return upper
    if feed.granularity == "timestamp":
        return min(start + timedelta(days=feed.max_window_days), upper)
    # A window of dates is one day shorter than allowed, whichever way the other side counts its last day.
    return min(start + max(1, feed.max_window_days - 1) * DAY, _midnight(upper) + DAY)


def _midnight(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
