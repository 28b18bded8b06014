"""The demo from its beginning to its end: whatever was done before is kept, and it goes on from there."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db import connection as database

from connectors import reality
from connectors.clock import machine_clock
from mlconnector import embedded_postgres
from mlconnector.demo import connecting, plan
from mlconnector.demo.company import TIME_ZONE
from mlconnector.demo.household import CannotStart, Household
from mlconnector.demo.pace import LAST_DAY, date_offset
from mlconnector.demo.people import People
from mlconnector.demo.plan import Act
from mlconnector.demo.premises import folder
from mlconnector.demo.progress import ProgressFile
from mlconnector.demo.simulated import Simulated
from mlconnector.demo.stillness import Motion, NeedsSomebody, motions, move_time
from mlconnector.demo.telling import Telling

LOOK_EVERY = 0.2
BREATH = timedelta(seconds=15)  # a budget of requests that is spent has filled up by then, not only by one request
A_WEEK = timedelta(days=7)
LONGEST_WAIT = 300.0
MANAGE = str(settings.CHECKOUT / "manage.py")


class Performance:
    """One run of the demo in its folder; `play` returns when the story is over and everything is at rest."""

    def __init__(self, telling: Telling) -> None:
        self._clock = machine_clock()
        self._telling = telling
        self._folder = folder()
        self.household = Household(self._folder, telling.say)
        self.simulated = Simulated(settings.SIMULATOR_URL)
        self._people = People(self.simulated)
        self._file = ProgressFile(self._folder / "progress.json")

    @property
    def is_over(self) -> bool:
        """Whether the story has been told to its end."""
        return self._file.progress.day > LAST_DAY

    def play(self, user: User) -> None:
        """Tell what has not been told yet."""
        self._open_simulators()
        connecting.prepare_providers(self.simulated)
        self._act()  # before anybody reads: a day's acts are seen all or none
        self.household.start("workers", MANAGE, "work")
        self._open_pages()
        self._telling.begin()
        while not self.is_over:
            self._finish_day(user)
            self._act()
        connecting.read_every(connecting.LIVELY)

    def look_after(self) -> None:
        """Keep everything running while people look around."""
        while True:
            self.household.look_after()
            self._clock.sleep(LOOK_EVERY)

    # A day.

    def _act(self) -> None:
        """Let people do what they have not done yet of this day."""
        progress = self._file.progress
        if self.is_over or progress.moved is not None:
            return
        acts = plan.acts_of(progress.day)
        self._people.begin_day()
        self._telling.acted(progress.day, reality.present().now(), acts)
        for act in acts:
            if act.key not in progress.done:
                self._do(act)
                progress.done.append(act.key)
                self._file.keep()

    def _do(self, act: Act) -> None:
        """One act; where the simulators die under it, they are started again and it is done if it has not been."""
        while True:
            try:
                return self._people.do(act)
            except httpx.TransportError:
                self._wait_for_simulators()
                self._people.begin_day()

    def _finish_day(self, user: User) -> None:
        """Move time on, and wait until all that follows from it has been done."""
        progress = self._file.progress
        if progress.day == 0:
            integration = connecting.connect(self.simulated, user)
            progress.started = progress.started or next_monday(reality.present().now())
        if progress.moved is None:
            assert progress.started is not None
            morning = progress.started + date_offset(progress.day + 1)
            weekend_is_over = morning.weekday() == progress.started.weekday()
            connecting.compare_in_full(morning if weekend_is_over else morning + A_WEEK)
            move_time(morning)
            progress.moved = reality.present().now()
            self._file.keep()
        self._come_to_rest(progress.moved)
        if progress.day == 0:
            connecting.map_accounts(self.simulated, integration, user.get_username())
        self._telling.delivered()
        progress.day, progress.done, progress.moved = progress.day + 1, [], None
        self._file.keep()

    def _come_to_rest(self, since: datetime) -> None:
        """Wait until nothing is due or in flight, moving time over what waits while nothing is."""
        started, moving = self._clock.monotonic(), motions(since)
        while moving:
            if self._clock.monotonic() - started > LONGEST_WAIT:
                raise NeedsSomebody(f"It does not come to rest: {', '.join(motion.what for motion in moving)}.")
            if all(motion.until for motion in moving):
                move_time(min(motion.until for motion in moving if motion.until) + BREATH)
            self.household.look_after()
            self._clock.sleep(LOOK_EVERY)
            moving = self._motions(since)

    def _motions(self, since: datetime) -> list[Motion]:
        try:
            return motions(since)
        except OperationalError as error:
            database.close()
            if settings.EMBEDDED_POSTGRES:
                embedded_postgres.ensure(settings.EMBEDDED_POSTGRES)
            return [Motion(what=f"the database: {error}")]

    # Processes.

    def _open_simulators(self) -> None:
        port = str(urlsplit(settings.SIMULATOR_URL).port)
        journal, shift = str(self._folder), str(settings.CLOCK_SHIFT_FILE)
        self.household.start(
            "simulators", MANAGE, "simulate", "--port", port, "--journal", journal, "--clock-shift", shift
        )
        self._wait_for_simulators()

    def _wait_for_simulators(self) -> None:
        deadline = self._clock.monotonic() + 60
        while not self.simulated.is_up():
            if self._clock.monotonic() > deadline:
                raise CannotStart(f"The simulators do not answer at {settings.SIMULATOR_URL}.")
            self.household.look_after()
            self._clock.sleep(0.1)

    def _open_pages(self) -> None:
        address = urlsplit(settings.PUBLIC_URL).netloc
        self.household.start(
            "pages", "-m", "gunicorn", "mlconnector.wsgi", "--chdir", str(settings.CHECKOUT),
            "--bind", address, "--workers", "1", "--threads", "4", "--log-level", "warning",
        )  # fmt: skip


def next_monday(now: datetime) -> datetime:
    """The morning of a Monday that has not begun, where the company is."""
    morning = now.astimezone(ZoneInfo(TIME_ZONE)).replace(hour=9, minute=0, second=0, microsecond=0)
    return (morning + timedelta(days=7 - morning.weekday())).astimezone(UTC)
