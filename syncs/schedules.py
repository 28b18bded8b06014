"""Pure: when something is due, by a schedule in a tenant's own time.

Times of the day are the tenant's. A time that the clocks skip in spring comes that much later on that day, once; one
that they repeat in autumn counts the first time only. What runs in every hour of the day runs in both.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

SHORTEST, LONGEST = 60, 7 * 24 * 3600  # seconds between two runs
DAY = timedelta(days=1)
LOOK_AHEAD = 366 * 8 + 2  # days: the 29th of February may be eight years away
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
SATURDAY = 5
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SHORT_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
CRON_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("", *MONTHS)),
    ("day of the week", 0, 7, SHORT_WEEKDAYS),
)


class Every(msgspec.Struct, frozen=True, kw_only=True, tag="every"):
    """Again after so many seconds, counted from `since`; without it from the last time."""

    seconds: int
    since: datetime | None = None


class BusinessDays(msgspec.Struct, frozen=True, kw_only=True, tag="business_days"):
    """Mondays to Fridays that are no holidays, at these times."""

    times: tuple[str, ...]


class Cycle(msgspec.Struct, frozen=True, kw_only=True, tag="cycle"):
    """The days on which accounts payable works: weekdays (Monday is 0), days of the month, or both, at these times.

    A day that a month does not have is its last one. A holiday, or a day of the month on a weekend, moves to the next
    business day.
    """

    times: tuple[str, ...]
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()


class Cron(msgspec.Struct, frozen=True, kw_only=True, tag="cron"):
    """The five fields of a crontab's line: minute, hour, day of the month, month, day of the week."""

    expression: str


Schedule = Every | BusinessDays | Cycle | Cron
Falls = Callable[[date], bool]


def next_due(schedule: Schedule, after: datetime, zone: ZoneInfo, holidays: Collection[date] = ()) -> datetime:
    """The first moment after `after`, in UTC; ValueError where there is none."""
    if isinstance(schedule, Every):
        step = timedelta(seconds=schedule.seconds)
        if schedule.since is None:
            return after.astimezone(UTC) + step
        return (schedule.since + ((after - schedule.since) // step + 1) * step).astimezone(UTC)
    falls, times = _days_and_times(schedule, holidays)
    first = after.astimezone(zone).date() - DAY
    for day in (first + DAY * number for number in range(LOOK_AHEAD)):
        # The next day too: a skipped time before midnight may come after that day's first.
        days = [one for one in (day, day + DAY) if falls(one)]
        due = [moment for one in days for moment in _moments(one, times, zone) if moment > after]
        if due:
            return min(due)
    raise ValueError("This is never due: no such day comes within eight years.")


def coming(schedule: Schedule, after: datetime, zone: ZoneInfo, holidays: Collection[date] = ()) -> Iterator[datetime]:
    """All moments after `after`, one after the other."""
    while True:
        after = next_due(schedule, after, zone, holidays)
        yield after


def check(schedule: Schedule) -> None:
    """ValueError says in plain words why nothing could run by this."""
    if isinstance(schedule, Every):
        if not SHORTEST <= schedule.seconds <= LONGEST:
            raise ValueError("Choose at least a minute and at most a week.")
        return
    if isinstance(schedule, Cycle):
        _check_cycle(schedule)
    list(islice(coming(schedule, datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC")), 1))


def in_words(schedule: Schedule) -> str:
    """The schedule as people say it."""
    if isinstance(schedule, Every):
        return f"every {_length(schedule.seconds)}"
    if isinstance(schedule, Cron):
        return f"by cron, {schedule.expression}"
    at = f"at {_listed(schedule.times)}"
    if isinstance(schedule, BusinessDays):
        return f"business days {at}"
    days = [WEEKDAYS[number] for number in schedule.weekdays]
    if schedule.month_days:
        days.append(f"day {_listed(map(str, schedule.month_days))} of the month")
    return f"{_listed(days)} {at}"


def _days_and_times(schedule: BusinessDays | Cycle | Cron, holidays: Collection[date]) -> tuple[Falls, list[time]]:
    if isinstance(schedule, Cron):
        return _cron(schedule.expression)

    def works(day: date) -> bool:
        return day.weekday() < SATURDAY and day not in holidays

    times = sorted(_clock(text) for text in schedule.times)
    if not times:
        raise ValueError("Say at what time, as in 14:00.")
    if isinstance(schedule, BusinessDays):
        return works, times
    cycle = schedule
    return lambda day: _is_in_cycle(cycle, day, works, holidays), times


def _is_in_cycle(cycle: Cycle, day: date, works: Falls, holidays: Collection[date]) -> bool:
    def stays(one: date) -> bool:
        return one not in holidays and (one.weekday() in cycle.weekdays or works(one))

    if _is_named(cycle, day) and stays(day):
        return True
    before = day - DAY
    while works(day) and not works(before):  # what fell on the days off before moves to this one
        if _is_named(cycle, before) and not stays(before):
            return True
        before -= DAY
    return False


def _is_named(cycle: Cycle, day: date) -> bool:
    is_last = (day + DAY).month != day.month
    of_the_month = day.day in cycle.month_days or (is_last and any(number > day.day for number in cycle.month_days))
    return day.weekday() in cycle.weekdays or of_the_month


def _moments(day: date, times: Iterable[time], zone: ZoneInfo) -> set[datetime]:
    times = list(times)
    moments = {datetime.combine(day, one, zone).astimezone(UTC) for one in times}
    if len({one.hour for one in times}) == 24:  # in every hour: in the one that is there twice, too
        moments |= {
            second.astimezone(UTC)
            for one in times
            if (second := datetime.combine(day, one.replace(fold=1), zone)).astimezone(UTC).astimezone(zone) == second
        }
    return moments


def _check_cycle(cycle: Cycle) -> None:
    if not cycle.weekdays and not cycle.month_days:
        raise ValueError("Choose weekdays, or days of the month.")
    if any(not 0 <= number <= 6 for number in cycle.weekdays) or any(not 1 <= day <= 31 for day in cycle.month_days):
        raise ValueError("Days of the month are the numbers from 1 to 31.")


def _clock(text: str) -> time:
    found = CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"“{text}” is no time of the day: write it as in 14:00.")
    return time(int(found[1]), int(found[2]))


def _cron(expression: str) -> tuple[Falls, list[time]]:
    words = expression.lower().split()
    if len(words) != len(CRON_FIELDS):
        raise ValueError("Write five fields: minute, hour, day of the month, month, day of the week.")
    minutes, hours, month_days, months, weekdays = (
        _cron_field(word, *field) for word, field in zip(words, CRON_FIELDS, strict=True)
    )
    either = not words[2].startswith("*") and not words[4].startswith("*")  # crontab(5): then one of them is enough

    def falls(day: date) -> bool:
        by_month, by_week = day.day in month_days, bool({day.isoweekday(), day.isoweekday() % 7} & weekdays)
        return day.month in months and (by_month or by_week if either else by_month and by_week)

    return falls, [time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)]


def _cron_field(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        span, with_step, step = part.partition("/")
        first, is_span, last = ("0" if low == 0 else "1", "-", str(high)) if span == "*" else span.partition("-")
        ends = [_cron_number(first, names), _cron_number(last, names) if is_span else high if with_step else None]
        start, end = ends[0], ends[0] if ends[1] is None else ends[1]
        if start is None or end is None or not low <= start <= end <= high or (with_step and not _is_step(step)):
            raise ValueError(f"“{part}” is no {name}: write numbers from {low} to {high}, as in 1,15 or 8-18/2 or *.")
        numbers.update(range(start, end + 1, int(step) if with_step else 1))
    return numbers


def _cron_number(text: str, names: tuple[str, ...]) -> int | None:
    if text and text in names:
        return names.index(text)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else None


def _is_step(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 4 and int(text) > 0


def _length(seconds: int) -> str:
    for unit, words in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % unit == 0:
            count = seconds // unit
            return words if count == 1 else f"{count} {words}s"
    raise AssertionError(seconds)


def _listed(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
