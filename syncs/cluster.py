"""One django-q2 cluster as a child process, and how one can tell that it no longer works.

A cluster whose idle worker is killed waits for ever on a lock that died with it, says nothing and ignores a request to
end. So it is watched from outside: its workers leave a sign whenever they begin or end a task, and when none comes
although tasks lie before them and nobody is at work, the cluster is beyond help.
"""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db.models import Q
from django_q.cluster import Cluster
from django_q.signals import post_execute, post_execute_in_worker, pre_execute
from django_q.status import Stat

from connectors.clock import Clock
from syncs.models import Feed, Stream
from syncs.processes import Child, die_with_parent

PATIENCE = 5.0  # seconds without any sign
STARTING = 30.0  # seconds until the first sign, on a machine that has much else to do


class Signs:
    """Two files without a name, touched by the cluster and looked at from outside: a task was taken, a result kept."""

    def __init__(self) -> None:
        self._open = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115 (open as long as the cluster runs)
        self.files = tuple(file.fileno() for file in self._open)

    def last_taken(self) -> int:
        """When a worker last began or ended a task."""
        return os.stat(self.files[0]).st_mtime_ns

    def last_kept(self) -> int:
        """When a result was last written down."""
        return os.stat(self.files[1]).st_mtime_ns


def start(name: str, signs: Signs) -> Child:
    """A cluster of this name, which nobody else has, in a process group of its own."""
    taken, kept = map(str, signs.files)
    command = [sys.executable, sys.argv[0], "work", "--cluster", name, "--signs", taken, kept]
    return Child(command, files=signs.files)


def serve(name: str, taken: int, kept: int) -> None:
    """Be the cluster: what the child process runs."""
    die_with_parent()
    logging.getLogger("django-q").addFilter(_in_one_line)
    pre_execute.connect(lambda **_: os.utime(taken), weak=False)
    post_execute_in_worker.connect(lambda **_: os.utime(taken), weak=False)
    post_execute.connect(lambda **_: os.utime(kept), weak=False)
    cluster = Cluster()
    cluster.cluster_id = id_of(name)
    cluster.start()


def id_of(name: str) -> UUID:
    """The id that a cluster of this name has."""
    return uuid5(NAMESPACE_URL, name)


def _in_one_line(record: logging.LogRecord) -> bool:
    """django-q2 would print a stack for each look at a database that is away: one line of it is enough."""
    if record.exc_info and record.exc_info[1] is not None:
        why = str(record.exc_info[1]).partition("\n")[0]
        record.msg, record.args, record.exc_info = f"{record.getMessage()}: {why}", (), None
    return True


class WatchedCluster:
    """A running cluster, looked at again and again; `complaint` says what has been wrong with it for too long."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._id, self._clock, self._signs = id_of(name), clock, Signs()
        self.child = start(name, self._signs)
        self._has_lived = False
        self._since: dict[tuple[str, int], float] = {}

    def complaint(self, now: datetime) -> str:
        """Why it has to be replaced; empty while it does its work."""
        if (status := self.child.exit_status()) is not None:
            return f"it ended by itself with status {status}"
        present = self._clock.monotonic()
        wrong = dict(self._look(now))
        self._since = {what: self._since.get(what, present) for what in wrong}
        return next((what[0] for what, since in self._since.items() if present - since > wrong[what]), "")

    def _look(self, now: datetime) -> Iterator[tuple[tuple[str, int], float]]:
        """What looks wrong, with the last sign before it, and how long it may."""
        stat = Stat.get(pid=self.child.pid, cluster_id=self._id)
        if stat is None or stat.tob is None:
            yield ("it gives no sign of life", 0), PATIENCE if self._has_lived else STARTING
            return
        self._has_lived = True
        if stat.task_q_size and not self._is_busy(now):
            yield ("tasks lie before idle workers", self._signs.last_taken()), PATIENCE
        if stat.done_q_size:
            yield ("what is done is not written down", self._signs.last_kept()), PATIENCE

    def _is_busy(self, now: datetime) -> bool:
        """Whether a worker of this cluster is at a slice, as the leases say: it may wait for an answer for a minute."""
        since = now - timedelta(seconds=settings.TASK_TIMEOUT)
        here = Q(holder__startswith=f"{socket.gethostname()}:", lease_until__gt=since)
        holders = [
            holder for model in (Feed, Stream) for holder in model.objects.filter(here).values_list("holder", flat=True)
        ]
        return any(self.child.has_process(int(holder.rpartition(":")[2])) for holder in holders)
