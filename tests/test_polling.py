"""How often is asked, and what a month costs: the rule of `syncs.mirror.polling`, figure by figure."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Limits
from connectors.quickbooks.connector import QuickBooksConnector
from connectors.quickbooks.mapping import OF_KIND
from connectors.records import Kind
from syncs.mirror.polling import (
    MOST_READS,
    are_healthy,
    kinds_to_compare,
    least_interval,
    poll_interval,
    reads_of_a_month,
)

NOW = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)
NORMAL = timedelta(minutes=5)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("webhook", "doubted", "healthy"),
    [
        (None, None, False),  # none ever came
        (timedelta(0), None, True),
        (35 * DAY, None, True),  # nothing happened for a month
        (36 * DAY, None, False),
        (2 * DAY, timedelta(hours=1), False),  # a change came untold since
        (timedelta(0), timedelta(hours=1), False),  # they may come for some kinds only
        (timedelta(0), DAY, False),
        (timedelta(0), DAY + timedelta(seconds=1), True),  # a night's comparison found nothing
        (5 * DAY, 10 * DAY, True),
    ],
)
def test_webhooks_are_healthy_until_a_change_comes_untold(
    webhook: timedelta | None, doubted: timedelta | None, healthy: bool
) -> None:
    def ago(span: timedelta | None) -> datetime | None:
        return None if span is None else NOW - span

    assert are_healthy(webhook_at=ago(webhook), doubted_at=ago(doubted), now=NOW) is healthy


def test_the_normal_interval_stretches_to_twelve_hours_and_never_shrinks() -> None:
    assert poll_interval(NORMAL, healthy=False) == NORMAL
    assert poll_interval(NORMAL, healthy=True) == timedelta(hours=12)
    assert poll_interval(DAY, healthy=True) == DAY


def test_companies_that_share_a_quota_are_asked_so_often_that_half_of_it_is_left() -> None:
    limits = Limits(per_minute=48, concurrency=2, shared_by_app=True, per_poll=2)
    assert least_interval(limits, 1) == timedelta(seconds=5)
    assert poll_interval(NORMAL, healthy=False, shared=least_interval(limits, 60)) == NORMAL
    assert poll_interval(NORMAL, healthy=False, shared=least_interval(limits, 600)) == timedelta(minutes=50)
    assert poll_interval(NORMAL, healthy=True, shared=least_interval(limits, 600)) == timedelta(hours=12)


def test_with_healthy_webhooks_each_kind_is_compared_in_its_turn() -> None:
    kinds = [Kind.ITEM, Kind.VENDOR, Kind.BILL]
    turns = [kinds_to_compare(kinds, {Kind.ITEM: 7}, healthy=True, sweep=night) for night in range(1, 9)]
    assert turns == [kinds] + [[Kind.VENDOR, Kind.BILL]] * 6 + [kinds]
    assert all(kinds_to_compare(kinds, {Kind.ITEM: 7}, healthy=False, sweep=night) == kinds for night in range(1, 9))


def test_a_month_is_its_polls_and_its_nights() -> None:
    requests = {Kind.ITEM: 1, Kind.VENDOR: 1, Kind.DIMENSION: 2}
    # 31 days: 62 polls; five nights with items; three requests each night
    assert reads_of_a_month(requests, {Kind.ITEM: 7}, healthy=True, normal=NORMAL) == 62 + 5 + 31 * 3
    # every five minutes: 8,928 polls; 31 nights with all
    assert reads_of_a_month(requests, {Kind.ITEM: 7}, healthy=False, normal=NORMAL) == 8928 + 31 * 4


def test_an_idle_company_costs_at_most_450_reads_in_the_longest_month() -> None:
    requests = {kind: len(sources) for kind, sources in OF_KIND.items()}
    days = QuickBooksConnector.compare_days
    assert sum(requests.values()) == 16
    # 62 polls, nine lists every night, three every second, four every seventh
    reads = reads_of_a_month(requests, days, healthy=True, normal=NORMAL)
    assert reads == 62 + 9 * 31 + 3 * 16 + 4 * 5 == 409
    assert reads <= MOST_READS
    assert reads_of_a_month(requests, {}, healthy=True, normal=NORMAL) > MOST_READS, "the turns are needed"
