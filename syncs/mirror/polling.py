"""How often a connection is asked for changes, and what a night compares, while webhooks tell of changes first. Pure.

Webhooks are healthy from the first that came for the company, as long as one has come in five weeks and no reading has
found what none had told. After such a find they are healthy again with the first that comes a day later: by then a
night's comparison has found nothing. A company in which nothing happens gets no webhook, hence the long five weeks;
webhooks that have stopped are noticed by the first change that is read without one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connectors.base import Limits
from connectors.records import Kind

TRUSTED_FOR = timedelta(days=35)
PROVED_AFTER = timedelta(hours=24)
STRETCHED = timedelta(hours=12)
POLLING = 0.5  # of a shared budget; the other half is for what is sent
LONGEST_MONTH = 31
MOST_READS = 450  # a month, of a company in which nothing happens


def are_healthy(*, webhook_at: datetime | None, doubted_at: datetime | None, now: datetime) -> bool:
    """Whether webhooks tell of changes soon enough that asking for them may wait."""
    if webhook_at is None or now - webhook_at > TRUSTED_FOR:
        return False
    return doubted_at is None or webhook_at - doubted_at > PROVED_AFTER


def poll_interval(normal: timedelta, *, healthy: bool, shared: timedelta = timedelta(0)) -> timedelta:
    """How long after a reading of changes the next one is due; `shared` is the least that a shared budget allows."""
    return max(normal, shared, STRETCHED if healthy else normal)


def least_interval(limits: Limits, sharers: int) -> timedelta:
    """The shortest interval at which so many who share a budget can be asked for changes with a part of it."""
    return timedelta(minutes=sharers * limits.per_poll / (limits.per_minute * POLLING))


def kinds_to_compare(kinds: Sequence[Kind], days: Mapping[Kind, int], *, healthy: bool, sweep: int) -> list[Kind]:
    """The kinds that this full reading reads: with healthy webhooks each in its own turn, otherwise all of them.

    `days` is every how many nights a kind has its turn, 1 where none is said; the first reading has all.
    """
    return [kind for kind in kinds if not healthy or (sweep - 1) % days.get(kind, 1) == 0]


def reads_of_a_month(
    requests: Mapping[Kind, int], days: Mapping[Kind, int], *, healthy: bool, normal: timedelta
) -> int:
    """The most reads that a month takes in which nothing happens: one for each poll, and a comparison each night.

    `requests` is how many a full reading of each kind takes.
    """
    polls = timedelta(days=LONGEST_MONTH) / poll_interval(normal, healthy=healthy)
    compared = sum(
        requests[kind]
        for night in range(1, LONGEST_MONTH + 1)
        for kind in kinds_to_compare(sorted(requests), days, healthy=healthy, sweep=night)
    )
    return int(polls) + compared
