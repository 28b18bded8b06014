"""The one place that reads time and chance.

A slice of work reads the database's time once and carries it on by the monotonic clock, so that two machines whose own
clocks differ agree on leases and schedules. Everything else is handed a `Clock`; a simulation hands it a virtual one.
"""

import json
import random
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

# The time since the machine started, its sleep included: a machine that slept past a deadline has to know it.
STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
DATABASE_TIME = "SELECT clock_timestamp()"


class Clock(Protocol):
    """Time and chance as the product sees them."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for deadlines within one process."""

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""

    def chance(self) -> float:
        """A random number from 0 up to, not including, 1."""


class SystemClock:
    """A clock anchored once at a given present and carried on by the monotonic clock."""

    def __init__(self, present: datetime, shift: timedelta = timedelta(0)) -> None:
        self._anchor = present.astimezone(UTC) + shift
        self._started = self.monotonic()

    def now(self) -> datetime:
        return self._anchor + timedelta(seconds=self.monotonic() - self._started)

    def monotonic(self) -> float:
        return time.clock_gettime(STEADY)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def chance(self) -> float:
        return random.random()


def anchored(read_database_time: Callable[[str], datetime], shift_file: Path | None = None) -> SystemClock:
    """A clock for one slice, anchored at the database's time; `shift_file` holds the demo's step forward."""
    return SystemClock(read_database_time(DATABASE_TIME), read_shift(shift_file))


def unguessable() -> str:
    """A text that no stranger can guess: chance for secrets, never from a seed."""
    return secrets.token_urlsafe(32)


def machine_clock(shift_file: Path | None = None) -> SystemClock:
    """A clock on this machine's own time, for processes that have no database: the simulators."""
    return SystemClock(datetime.now(UTC), read_shift(shift_file))


def read_shift(shift_file: Path | None) -> timedelta:
    """How far the demo has moved time forward; nothing where no such file exists."""
    if shift_file is None or not shift_file.exists():
        return timedelta(0)
    return timedelta(seconds=int(json.loads(shift_file.read_text())["seconds"]))


def write_shift(shift_file: Path, shift: timedelta) -> None:
    """Move the demo's time; the file is replaced whole, so a reader never sees half of it."""
    half = shift_file.with_suffix(".new")
    half.write_text(json.dumps({"seconds": int(shift.total_seconds())}))
    half.replace(shift_file)


class VirtualClock:
    """A clock that moves only when told, with chance from a seed; sleeping moves it."""

    def __init__(self, present: datetime, seed: int = 0) -> None:
        self._start = self._now = present.astimezone(UTC)
        self._random = random.Random(seed)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def chance(self) -> float:
        return self._random.random()

    def advance(self, by: timedelta) -> None:
        """Move time forward."""
        self._now += by
