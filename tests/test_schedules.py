"""When something is due by a schedule: the tenant's time, days without business, and clocks that are moved."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncs.schedules import BusinessDays, Cron, Cycle, Every, Schedule, check, coming, in_words, next_due

NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from(
    ["America/New_York", "America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
).map(ZoneInfo)
MOMENTS = st.integers(0, 15 * 365 * 86400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
TIMES = st.times().map(lambda one: f"{one:%H:%M}")
SOME_TIMES = st.lists(TIMES, min_size=1, max_size=4, unique=True).map(tuple)
SCHEDULES = st.one_of(
    st.builds(Every, seconds=st.integers(60, 86400), since=st.none() | MOMENTS),
    st.builds(BusinessDays, times=SOME_TIMES),
    st.builds(
        Cycle,
        times=SOME_TIMES,
        weekdays=st.sets(st.integers(0, 6), min_size=1).map(tuple),
        month_days=st.sets(st.integers(1, 31)).map(tuple),
    ),
    st.builds(
        "{} {} {} {} {}".format,
        st.sampled_from(["0", "*/15", "30", "7,37"]),
        st.sampled_from(["*", "2", "8-18/2", "0,23"]),
        st.sampled_from(["*", "1,15", "31", "*/10"]),
        st.sampled_from(["*", "2", "jan-mar", "*/2"]),
        st.sampled_from(["*", "mon-fri", "0", "7"]),
    )
    .map(lambda text: Cron(expression=text))
    .filter(lambda cron: not cron.expression.endswith("31 2 *")),
)
HOLIDAYS = st.frozensets(st.dates(date(2020, 1, 1), date(2035, 1, 1)), max_size=30)


def local(*parts: int, fold: int = 0, zone: ZoneInfo = NEW_YORK) -> datetime:
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, fold=fold, tzinfo=zone)


def runs(schedule: Schedule, after: datetime, count: int, holidays: tuple[date, ...] = ()) -> list[str]:
    """The next runs as somebody in New York reads them off a clock there."""
    moments = islice(coming(schedule, after, NEW_YORK, holidays), count)
    return [f"{moment.astimezone(NEW_YORK):%a %d %b %H:%M %Z}" for moment in moments]


@given(SCHEDULES, MOMENTS, ZONES, HOLIDAYS)
def test_what_is_due_next_is_later_and_nothing_is_due_in_between(
    schedule: Schedule, after: datetime, zone: ZoneInfo, holidays: frozenset[date]
) -> None:
    due = next_due(schedule, after, zone, holidays)
    assert due > after
    if not (isinstance(schedule, Every) and schedule.since is None):
        between = after + (due - after) / 2
        assert next_due(schedule, between, zone, holidays) == due
        assert next_due(schedule, due - timedelta(microseconds=1), zone, holidays) == due


@given(SOME_TIMES, MOMENTS, ZONES, HOLIDAYS)
def test_business_days_run_at_their_times_on_each_business_day_and_never_else(
    times: tuple[str, ...], after: datetime, zone: ZoneInfo, holidays: frozenset[date]
) -> None:
    schedule = BusinessDays(times=times)
    seen = list(islice(coming(schedule, after, zone, holidays), 40))
    days = {moment.astimezone(zone).date() for moment in seen}
    assert all(day.weekday() < 5 and day not in holidays for day in days)
    whole = sorted(days)[1:-1]
    for day in whole:
        assert sum(moment.astimezone(zone).date() == day for moment in seen) == len(times)
    expected = [whole[0] + timedelta(days=number) for number in range((whole[-1] - whole[0]).days + 1)]
    assert whole == [day for day in expected if day.weekday() < 5 and day not in holidays]


@given(st.integers(1, 28), MOMENTS, ZONES, HOLIDAYS)
def test_a_day_of_the_month_runs_once_for_each_month_on_the_first_business_day_from_it(
    number: int, after: datetime, zone: ZoneInfo, holidays: frozenset[date]
) -> None:
    schedule = Cycle(times=("14:00",), month_days=(number,))
    for moment in islice(coming(schedule, after, zone, holidays), 13):
        day = moment.astimezone(zone).date()
        assert day.weekday() < 5
        assert day not in holidays
        named = day
        while named.day != number:
            named -= timedelta(days=1)
            assert named.weekday() >= 5 or named in holidays


@given(st.sampled_from(range(2024, 2035)), st.times(time(2), time(2, 59)))
def test_a_time_that_the_clocks_skip_runs_once_on_that_day_and_one_that_they_repeat_once(year: int, at: time) -> None:
    schedule = Cron(expression=f"{at.minute} 2 * * *")
    repeated = Cron(expression=f"{at.minute} 1 * * *")
    for one in (schedule, repeated):
        seen = list(islice(coming(one, datetime(year, 1, 1, 12, tzinfo=UTC), NEW_YORK), 364))
        days = [moment.astimezone(NEW_YORK).date() for moment in seen]
        assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


def test_half_past_two_is_half_past_three_on_the_day_on_which_it_is_skipped() -> None:
    schedule = Cron(expression="30 2 * * *")
    assert runs(schedule, local(2026, 3, 7, 12, 0), 2) == ["Sun 08 Mar 03:30 EDT", "Mon 09 Mar 02:30 EDT"]


def test_half_past_one_runs_the_first_of_two_times() -> None:
    schedule = Cron(expression="30 1 * * *")
    assert runs(schedule, local(2026, 10, 31, 12, 0), 2) == ["Sun 01 Nov 01:30 EDT", "Mon 02 Nov 01:30 EST"]
    assert next_due(schedule, local(2026, 11, 1, 1, 30), NEW_YORK) > local(2026, 11, 1, 12, 0)


def test_what_runs_every_hour_runs_in_both_hours_that_have_the_same_name_and_not_in_the_one_that_is_not_there() -> None:
    schedule = Cron(expression="0 * * * *")
    assert runs(schedule, local(2026, 11, 1, 0, 30), 3) == [
        "Sun 01 Nov 01:00 EDT",
        "Sun 01 Nov 01:00 EST",
        "Sun 01 Nov 02:00 EST",
    ]
    assert runs(schedule, local(2026, 3, 8, 0, 30), 3) == [
        "Sun 08 Mar 01:00 EST",
        "Sun 08 Mar 03:00 EDT",
        "Sun 08 Mar 04:00 EDT",
    ]


def test_payments_on_tuesdays_and_fridays_move_past_a_holiday() -> None:
    schedule = Cycle(times=("14:00",), weekdays=(1, 4))
    assert in_words(schedule) == "Tuesdays and Fridays at 14:00"
    christmas = date(2026, 12, 25)  # a Friday
    assert runs(schedule, local(2026, 12, 21, 9, 0), 3, (christmas,)) == [
        "Tue 22 Dec 14:00 EST",
        "Mon 28 Dec 14:00 EST",
        "Tue 29 Dec 14:00 EST",
    ]


def test_the_last_day_of_a_month_and_a_weekend_in_a_cycle() -> None:
    schedule = Cycle(times=("9:30",), month_days=(15, 31))
    assert runs(schedule, local(2026, 2, 3, 0, 0), 3) == [
        "Mon 16 Feb 09:30 EST",  # the 15th is a Sunday
        "Mon 02 Mar 09:30 EST",  # the 28th is a Saturday
        "Mon 16 Mar 09:30 EDT",
    ]
    assert in_words(schedule) == "day 15 and 31 of the month at 9:30"


def test_a_saturday_that_somebody_chose_stays_a_saturday() -> None:
    assert runs(Cycle(times=("08:00",), weekdays=(5,)), local(2026, 11, 20, 9, 0), 1) == ["Sat 21 Nov 08:00 EST"]


def test_an_interval_is_counted_from_its_beginning_or_from_the_last_time() -> None:
    after = datetime(2026, 11, 22, 10, 7, tzinfo=UTC)
    assert next_due(Every(seconds=900), after, NEW_YORK) == after + timedelta(minutes=15)
    grid = Every(seconds=900, since=datetime(2026, 1, 1, tzinfo=UTC))
    assert next_due(grid, after, NEW_YORK) == datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    assert next_due(grid, datetime(2026, 11, 22, 10, 15, tzinfo=UTC), NEW_YORK).minute == 30


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 6 * * mon-fri", "Mon 23 Nov 06:00 EST"),
        ("0 6 * * 7", "Sun 29 Nov 06:00 EST"),
        ("0 6 * * sun", "Sun 29 Nov 06:00 EST"),
        ("15 10-16/3 * * *", "Sun 22 Nov 13:15 EST"),
        ("0 0 1 1 *", "Fri 01 Jan 00:00 EST"),
        ("0 6 13 * fri", "Fri 27 Nov 06:00 EST"),  # one of the two is enough
        ("0 0 29 2 *", "Tue 29 Feb 00:00 EST"),
    ],
)
def test_a_line_of_a_crontab_means_what_it_means_there(expression: str, expected: str) -> None:
    assert runs(Cron(expression=expression), local(2026, 11, 22, 12, 0), 1) == [expected]


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        (Every(seconds=5), "at least a minute"),
        (Every(seconds=10**7), "at most a week"),
        (BusinessDays(times=()), "at what time"),
        (BusinessDays(times=("25:00",)), "no time of the day"),
        (Cycle(times=("14:00",)), "Choose weekdays"),
        (Cycle(times=("14:00",), month_days=(32,)), "from 1 to 31"),
        (Cron(expression="0 6 * *"), "five fields"),
        (Cron(expression="60 6 * * *"), "no minute"),
        (Cron(expression="0 6 * * foo"), "no day of the week"),
        (Cron(expression="0 6 5-1 * *"), "no day of the month"),
        (Cron(expression="*/0 6 * * *"), "no minute"),
        (Cron(expression="0 6 30 2 *"), "never due"),
    ],
)
def test_a_schedule_by_which_nothing_could_run_is_refused_in_plain_words(schedule: Schedule, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check(schedule)


@given(st.text(max_size=30), MOMENTS)
def test_any_text_is_either_a_crontab_line_or_refused(text: str, after: datetime) -> None:
    try:
        check(Cron(expression=text))
    except ValueError:
        return
    assert next_due(Cron(expression=text), after, NEW_YORK) > after
