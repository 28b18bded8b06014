"""One history: workers, two schedulers, people and faults interleaved in virtual time, until all comes to rest.

Everything follows from the seed. Workers are slices made step by step over one connection, all their commits inside one
transaction that the caller rolls back.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from audit.seal import EVERYTHING, seal
from connectors.conversation import Steps
from syncs import scheduler
from syncs.leases import LeaseLost
from syncs.services import go_on
from tests.simulation import invariants
from tests.simulation.courier import Courier
from tests.simulation.faults import Faults, FaultyTransport, WorkerKilled, dying_in_statements
from tests.simulation.features import assumed, chosen, profile
from tests.simulation.people import People
from tests.simulation.world import begin, go_back

WORKERS = 3


@dataclass
class History:
    """What happens in one seed."""

    seed: int
    story: list[str] = field(default_factory=list)
    told: Callable[[str], None] | None = None
    _slices: list[tuple[str, Steps[None]]] = field(default_factory=list)
    _woken: list[tuple[str, int]] = field(default_factory=list)

    def run(self) -> list[str]:
        """Live it inside a transaction of the caller, who undoes it; the promises that did not hold."""
        chance = random.Random(self.seed)
        self.faults = Faults(
            chance,
            wire=chance.choice([0.02, 0.08, 0.2]),
            statement=chance.choice([0, 0.001, 0.004]),
            step=chance.choice([0.01, 0.05]),
            wake=chance.choice([0.05, 0.3]),
        )
        features = chosen(self.seed)
        self.world = begin(seed=self.seed, profile=profile(self.seed))
        self.world.quickbooks.switches = assumed(self.seed)
        if features.webhooks:
            self.courier = Courier(self.world, self.faults, features.webhooks)
            self.world.announce = self.courier.deliver
        self.people = People(self.world, random.Random(self.seed + 1), features, chance.randint(4, 8))
        self.people.begin(vendors=chance.randint(2, 3))
        if features.older:
            self._be_older()
        self.world.wire = self.wire = FaultyTransport(self.world.wire, self.faults, self.world.clock)
        self._chance = chance
        chapters, lost_in = chance.randint(1, 4), chance.choice([0, 1, 2, 9, 9, 9])
        for chapter in range(chapters):
            self._chapter() if chapter != lost_in else self._lost_chapter()
        self._come_to_rest()
        return invariants.broken(self.world)

    def _be_older(self) -> None:
        """All bills are at the network already, since its older interface takes none."""
        while self.people.bills_left:
            self.people.enter_a_bill()
        self.world.settle(days=1)
        go_back(self.world)

    def _chapter(self) -> None:
        """Sometimes a quiet spell in which all is worked off, then people act, then everything goes wrong at once."""
        if self._chance.random() < 0.7:
            self.faults.calm = True
            self._slices.clear()
            self.people.sign_in_again()
            self.world.settle(days=1)
            self.faults.calm = False
        for _ in range(self._chance.randint(2, 6)):
            self._act()
        with dying_in_statements(self.faults):
            for _ in range(self._chance.randint(50, 110)):
                self._round()

    def _lost_chapter(self) -> None:
        """After it our database is restored from a backup made before it; the books of both companies go on."""
        backup = transaction.savepoint()
        self.people.may_delete = False
        self._chapter()
        self.people.may_delete = True
        self._slices.clear()
        self._woken.clear()
        transaction.savepoint_rollback(backup)
        self.wire.forget()
        self.people.forget()
        self._tell("the database is restored from a backup")

    def _act(self) -> None:
        self._guarded("somebody", self._do_something)

    def _do_something(self) -> None:
        if act := self.people.act():
            self._tell(f"somebody: {act}")

    def _round(self) -> None:
        move = self._chance.random()
        if move < 0.06:
            self._act()
        elif move < 0.08:
            self._guarded("operations", self.people.sign_in_again)
        elif move < 0.20:
            self._schedule()
        elif move < 0.23:
            self._guarded("sealer", lambda: self._seal())
        elif move < 0.26:
            self._guarded("courier", self.world.announce)
        elif move < 0.38:
            self._pass_time()
        elif self._slices:
            self._step()
        elif self._woken:
            self._start()
        else:
            self._schedule()
            self._pass_time()
        if self._woken and len(self._slices) < WORKERS:
            self._start()

    def _schedule(self) -> None:
        """One scheduler looks, or two at the same time; a wake-up may be lost or come twice."""

        def wake(what: str, row_id: int) -> None:
            if not self.faults.strikes(self.faults.wake, "wake-up lost"):
                self._woken.append((what, row_id))
            if self.faults.strikes(self.faults.wake, "wake-up doubled"):
                self._woken.append((what, row_id))

        for name in ("scheduler 1", "scheduler 2")[: self._chance.randint(1, 2)]:
            self._guarded(name, lambda: scheduler.tick(self.world.clock.now(), wake=wake))
        self._guarded("replays", lambda: go_on(self.world.clock.now()))

    def _start(self) -> None:
        what, row_id = self._woken.pop(0)
        self._slices.append((f"{what} {row_id}", self.world.steps(what, row_id, holder=f"worker {len(self.story)}")))

    def _step(self) -> None:
        place = self._chance.randrange(len(self._slices))
        name, steps = self._slices[place]
        if self.faults.strikes(self.faults.step, "killed between steps"):
            self._tell(f"{name}: killed")
            del self._slices[place]
            return
        ended = self._guarded(name, lambda: self._tell(f"{name}: {next(steps)}"))
        if ended:
            del self._slices[place]

    def _guarded(self, name: str, work: Callable[[], object]) -> bool:
        """Do one step as a process would; whether it came to its end, or to the process's."""
        try:
            work()
        except StopIteration:
            return True
        except WorkerKilled:
            transaction.set_rollback(False)  # a block without a savepoint of its own takes ours for its
            self._tell(f"{name}: died")
            return True
        except LeaseLost:
            self._tell(f"{name}: lost its lease")
            return True
        return False

    def _seal(self) -> None:
        seal(now=self.world.clock.now(), holder="sealer", horizon=EVERYTHING)

    def _pass_time(self) -> None:
        """Mostly a moment, sometimes so long that a stopped worker wakes up after its deadline, or a token has died."""
        self.world.clock.advance(timedelta(seconds=self._chance.choice([0.25, 1, 1, 5, 5, 20, 60, 60, 200, 900, 4000])))

    def _come_to_rest(self) -> None:
        """Nothing goes wrong any more; operations signs in where it has to, everything is worked off and compared."""
        self.faults.calm = True
        self._slices.clear()
        self.people.go_home()
        dead = self.people.dead_sign_in()
        self.world.clock.advance(timedelta(minutes=20))
        self._work_off(again=True)
        nobody_knows = dead != "" and self.people.dead_sign_in() == dead
        self.world.clock.advance(timedelta(hours=25))  # a night, in which everything is compared
        self._work_off(again=nobody_knows)

    def _work_off(self, *, again: bool) -> None:
        """Everything is worked off, `again` where it may show only then that a sign-in had died before; with healthy
        webhooks nothing is asked for half a day."""
        self.people.sign_in_again()
        self.world.settle(days=3)
        if again and self.people.sign_in_again():
            self.world.settle(days=3)

    def _tell(self, line: str) -> None:
        entry = f"{self.world.clock.now():%d %H:%M:%S} {line}"
        self.story.append(entry)
        if self.told is not None:
            self.told(entry)
