"""Workers, and the whole demo, killed at twenty moments of one run: it goes on and comes to the same figures.

One run is killed again and again, so that each kill falls on what the ones before have left. The order and the distance
of the kills come from a seed; every second waits for an attempt to be under way, so that answers are really lost. What
else happens at these moments is up to the machine: this shows twenty different places, not every one.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.demo_figures_expected import FIGURES
from tests.installation import Installation, Running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]

MOMENTS = 20
SEED = 20261121
WORKERS, CLUSTER, ONE_WORKER, SIMULATORS, EVERYTHING = "workers", "cluster", "one worker", "simulators", "everything"
KINDS = [WORKERS, ONE_WORKER, CLUSTER, WORKERS, EVERYTHING, ONE_WORKER, SIMULATORS]
UNDER_WAY = "SELECT 1 FROM syncs_syncrecord WHERE state = 'sending' LIMIT 1"


@pytest.fixture
def installation() -> Iterator[Installation]:
    made = Installation()
    try:
        yield made
    finally:
        made.remove()


class Demo:
    """A run of the demo that is started again whenever it was killed."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.start()

    def start(self) -> None:
        self.process = self._installation.start("demo", "--once")

    def kill(self, what: str, chance: random.Random) -> None:
        """Kill these processes, all at the same moment; without the demo itself, that has to see to it."""
        for process in self._processes(what, chance):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        if what == EVERYTHING:
            self.process.wait()
            self.start()

    def _processes(self, what: str, chance: random.Random) -> list[Running]:
        ours = self._installation.processes()
        of_cluster = sorted((one for one in ours if "--cluster" in one.words), key=lambda one: one.pid)
        if what == ONE_WORKER:
            return [chance.choice(of_cluster[2:4])] if len(of_cluster) > 3 else []
        if what == CLUSTER:
            return of_cluster
        if what == SIMULATORS:
            return [one for one in ours if "simulate" in one.words]
        return [one for one in ours if "work" in one.words] if what == WORKERS else ours

    def is_sending(self) -> bool:
        """Whether an attempt is under way; not while there are no tables yet."""
        try:
            return bool(self._installation.query(UNDER_WAY))
        except psycopg.Error:
            return False

    def figures(self, within: float) -> object:
        """What it prints in the end."""
        self.process.wait(within)
        printed = self._installation.log.read_text()
        assert self.process.returncode == 0, printed[-3000:]
        return json.loads(printed.splitlines()[-1])


def test_a_demo_that_is_killed_at_twenty_moments_comes_to_the_same_figures(installation: Installation) -> None:
    chance = random.Random(SEED)
    demo = Demo(installation)
    killed = 0
    for moment in range(MOMENTS):
        time.sleep(chance.uniform(1, 5))
        if moment % 2 == 0:
            wait_until_sending(demo, within=20)
        if demo.process.poll() is not None:
            break
        demo.kill(KINDS[moment % len(KINDS)], chance)
        killed += 1
    assert demo.figures(within=420) == FIGURES
    assert killed == MOMENTS, f"the story was over after {killed} kills"
    assert "the audit is whole" in installation.run("verify_audit")
    looked_up = "SELECT count(*) FROM syncs_attempt WHERE outcome IN ('found', 'absent')"
    assert installation.query(looked_up)[0][0] > 0, "no kill fell on an attempt under way"


def wait_until_sending(demo: Demo, within: float) -> None:
    deadline = time.monotonic() + within
    while not demo.is_sending() and time.monotonic() < deadline and demo.process.poll() is None:
        time.sleep(0.005)
