"""What runs on every worker machine: a tick four times a second, seals, tidying up, and a cluster that is kept alive.

Any number of machines may do this at once. Nothing here decides anything: it wakes what is due, and what it wakes looks
for itself. While the database is away, this says so once and waits.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, transaction
from django.db import connection as database
from django.db.models import Q
from django_q.models import Schedule, Task

from connectors import reality
from connectors.clock import Clock
from connectors.services import forget_old_hints
from syncs import runs, tasks
from syncs.cluster import WatchedCluster
from syncs.models import Feed, Stream

log = logging.getLogger(__name__)
END_WITHIN = 8.0  # seconds: a slice works for 5, and a service manager commonly kills after 10
AFTER_FAILURE = 5.0
SUCCESSES_KEPT = timedelta(minutes=10)
FAILURES_KEPT = timedelta(days=7)
SCHEDULES = {
    "wake what is due": "syncs.tasks.tick",
    "send again": "syncs.tasks.send_again",
    "seal the audit": "syncs.tasks.seal_audit",
}


@dataclass
class Duty:
    """Something to be done again and again."""

    every: float
    do: Callable[[], object]
    due: float = field(default=0.0)


class Supervisor:
    """Works until it is told to stop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopping = threading.Event()
        self._is_waiting = False
        self._cluster: WatchedCluster | None = None
        self._clusters = 0
        self._duties = [
            Duty(0.25, tasks.tick),
            Duty(1.0, self._look_after_cluster),
            Duty(0.5, tasks.send_again),
            Duty(2.0, tasks.seal_audit),
            # django-q2 goes by the machine's time, also while the demo moves ours
            Duty(60.0, lambda: forget_old_tasks(clock.now())),
            Duty(3600.0, extend_partitions),
            Duty(3600.0, lambda: forget_old_hints(clock.now())),
            Duty(3600.0, lambda: runs.prune(clock.now())),
            Duty(3600.0, lambda: ensure_schedules(clock.now())),
        ]

    def stop(self) -> None:
        """Begin to stop: in the middle of a duty too."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`; the cluster has ended when this returns."""
        try:
            while not self._stopping.is_set():
                self._do_what_is_due()
                self._stopping.wait(1.0 if self._is_waiting else self._until_next())
        finally:
            if self._cluster and not self._cluster.child.end(within=END_WITHIN):
                log.warning("The queue's cluster did not end within %.0f seconds and was killed.", END_WITHIN)
            with suppress(DatabaseError, InterfaceError):
                tasks.seal_audit()

    def _do_what_is_due(self) -> None:
        present = self._clock.monotonic()
        for duty in self._duties:
            if present < duty.due or self._stopping.is_set():
                continue
            duty.due = present + duty.every
            try:
                duty.do()
            except (DatabaseError, InterfaceError) as error:
                if self._database_is_away():
                    self._wait_for_database(error)
                    return
                log.warning("Something failed and is tried again in a while: %s", _in_one_line(error))
                duty.due = present + max(duty.every, AFTER_FAILURE)
        if self._is_waiting:
            log.warning("The database works again.")
            self._is_waiting = False

    def _until_next(self) -> float:
        return max(0.0, min(duty.due for duty in self._duties) - self._clock.monotonic())

    def _database_is_away(self) -> bool:
        """One connection may break; if a new one fails too, the database is away."""
        database.close()
        try:
            reality.present()
        except (DatabaseError, InterfaceError):
            return True
        return False

    def _wait_for_database(self, error: Exception) -> None:
        """All that workers do is lost with their connections, so the cluster ends and a new one starts afterwards."""
        if self._cluster:
            self._cluster.child.kill()
            self._cluster = None
        if not self._is_waiting:
            log.warning("The database does not work, trying again every second: %s", _in_one_line(error))
        self._is_waiting = True
        for duty in self._duties:
            duty.due = 0.0

    def _look_after_cluster(self) -> None:
        if self._cluster:
            complaint = self._cluster.complaint(reality.present().now())
            if not complaint:
                return
            log.warning("The queue's cluster is replaced: %s.", complaint)
            self._cluster.child.kill()
            wake_again(reality.present().now())
        self._clusters += 1
        self._cluster = WatchedCluster(f"{reality.holder()}:{self._clusters}", self._clock)


def _in_one_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def wake_again(now: datetime) -> None:
    """Forget wake-ups that nobody is following: their tasks may have gone down with a cluster."""
    idle = Q(lease_until=None) | Q(lease_until__lte=now)
    for model in (Feed, Stream):
        model.objects.filter(idle, woken_until__gt=now).update(woken_until=None)


def forget_old_tasks(now: datetime) -> None:
    """Delete django-q2's own notes of what was run; they say nothing that our rows do not say better."""
    Task.objects.filter(success=True, stopped__lt=now - SUCCESSES_KEPT).delete()
    Task.objects.filter(success=False, stopped__lt=now - FAILURES_KEPT).delete()


def extend_partitions() -> None:
    """Make the partitions that will be needed next."""
    with database.cursor() as cursor:
        cursor.execute("SELECT mlconnector_extend_partitions()")


def ensure_schedules(now: datetime) -> None:
    """See to it that each schedule of django-q2 is there once: names are not unique in its table, so that is locked."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("LOCK TABLE django_q_schedule IN SHARE ROW EXCLUSIVE MODE")
        for name, function in SCHEDULES.items():
            if not Schedule.objects.filter(name=name, func=function).exists():
                Schedule.objects.create(
                    name=name, func=function, schedule_type=Schedule.MINUTES, minutes=1, next_run=now
                )
