"""Running what is measured: each job in a worker process of its own, all begun at once."""

import multiprocessing
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Barrier
from pathlib import Path

from django.db import connection

from connectors.conversation import Effects
from tests.bench.company import effects
from tests.bench.meter import Meter, MeteredTransport
from tests.bench.providers import Providers

Job = Callable[[Effects], None]
TICKS_A_SECOND = 100
MEGABYTE = 1024 * (1024 if sys.platform == "darwin" else 1)  # of what the system counts the largest size in


@dataclass(kw_only=True)
class Run:
    """What came of a run or of one worker of it.

    `seconds` by the clock, of it `parts` summed over the workers; `processor` seconds of the workers by part; and those
    of the database's server and of the simulators.
    """

    began: float
    ended: float
    parts: Mapping[str, float]
    processor: Mapping[str, float]
    server: float
    simulators: float
    megabytes: float
    megabytes_before: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def spent(self) -> float:
        """Processor seconds of the workers and of the database's server."""
        return sum(self.processor.values()) + self.server


def race(providers: Providers, jobs: Sequence[Job], parts: Mapping[str, str]) -> Run:
    """Do the jobs at the same time, a worker for each, and wait for all."""
    fork = multiprocessing.get_context("fork")
    barrier, pipes, workers = fork.Barrier(len(jobs)), [], []
    connection.close()
    before = providers.do("processor_seconds")
    for job in jobs:
        ours, theirs = fork.Pipe()
        workers.append(fork.Process(target=_work, args=(theirs, barrier, providers, job, parts)))
        workers[-1].start()
        theirs.close()
        pipes.append(ours)
    try:
        runs: list[Run] = [pipe.recv() for pipe in pipes]
    except EOFError:
        raise RuntimeError("A worker of the measurement has ended before its work was done.") from None
    for worker in workers:
        worker.join()
    return Run(
        began=min(run.began for run in runs),
        ended=max(run.ended for run in runs),
        parts=_sum(run.parts for run in runs),
        processor=_sum(run.processor for run in runs),
        server=sum(run.server for run in runs),
        simulators=providers.do("processor_seconds") - before,
        megabytes=max(run.megabytes for run in runs),
        megabytes_before=max(run.megabytes_before for run in runs),
    )


def _sum(several: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for one in several:
        for name, value in one.items():
            total[name] += value
    return dict(total)


def _work(pipe: Pipe, barrier: Barrier, providers: Providers, job: Job, parts: Mapping[str, str]) -> None:
    meter = Meter()
    meter.install(parts)
    ours = effects(providers, MeteredTransport(meter))
    backend, largest = _backend(), _largest()
    barrier.wait()
    began, server = time.monotonic(), _processor_of(backend)
    meter.begin()
    job(ours)
    meter.end()
    run = Run(
        began=began,
        ended=time.monotonic(),
        parts=meter.seconds,
        processor=meter.processor,
        server=_processor_of(backend) - server,
        simulators=0.0,
        megabytes=_largest(),
        megabytes_before=largest,
    )
    pipe.send(run)
    connection.close()


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def _backend() -> int:
    """The process that serves us in the database's server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _processor_of(process: int) -> float:
    """Its processor seconds so far; 0 where this cannot be seen, as with a server on another machine."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
