"""How often a connection is asked for changes, and what a night compares, while webhooks tell of changes first. Pure.

Webhooks are healthy from the first that came for the company, as long as one has come in five weeks and no reading has
found what none had told. After such a find they are healthy again with the first webhook that comes a day later: by then
a night's comparison has found nothing. A company in which nothing happens gets no webhook, hence the long five weeks;
webhooks that have stopped are noticed by the first change that is read without one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from connectors.records import Kind
from syncs.delivery.flows import FLOWS

TRUSTED_FOR = timedelta(days=35)
PROVED_AFTER = timedelta(hours=24)
STRETCHED = timedelta(hours=12)
ALL_KINDS_EVERY = 7  # nights
LONGEST_MONTH = 31
MOST_READS = 450  # a month, of a company in which nothing happens


def are_healthy(*, webhook_at: datetime | None, doubted_at: datetime | None, now: datetime) -> bool:
    """Whether webhooks tell of changes soon enough that asking for them may wait."""
    if webhook_at is None or now - webhook_at > TRUSTED_FOR:
        return False
    return doubted_at is None or webhook_at - doubted_at > PROVED_AFTER


def poll_interval(normal: timedelta, *, healthy: bool) -> timedelta:
    """How long after a reading of changes the next one is due."""
    return max(normal, STRETCHED) if healthy else normal


def kinds_to_compare(kinds: Sequence[Kind], *, healthy: bool, sweep: int) -> list[Kind]:
    """The kinds that this full reading reads: what is only looked at waits for every seventh while webhooks are healthy."""
    if not healthy or sweep % ALL_KINDS_EVERY == 1:
        return list(kinds)
    return [kind for kind in kinds if kind in FLOWS]


def reads_of_a_month(kinds: Collection[Kind], *, healthy: bool, normal: timedelta, requests: int = 1) -> int:
    """The most reads that a month takes in which nothing happens: polls, and a comparison each night.

    `requests` is how many a kind takes that fits on one page of each of its lists.
    """
    polls = timedelta(days=LONGEST_MONTH) / poll_interval(normal, healthy=healthy)
    compared = sum(
        len(kinds_to_compare(sorted(kinds), healthy=healthy, sweep=night)) for night in range(1, LONGEST_MONTH + 1)
    )
    return int(polls) + compared * requests
