"""Many histories: a database of their own, several processes, and figures of what happened in them."""

import multiprocessing
import multiprocessing.util
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction

from syncs.models import Problem
from tests.simulation.history import History
from tests.simulation.postings import has_discount, standing_payments
from tests.simulation.world import COMPANY

AT_ONCE = 20


@dataclass
class Figures:
    """What happened in the histories so far, and the promises that did not hold, by seed."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    broken: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: "Figures") -> None:
        """Take in the figures of others."""
        self.seeds += other.seeds
        self.counts += other.counts
        self.broken |= other.broken

    def lines(self) -> Iterator[str]:
        """The figures, for people."""
        histories = "history" if self.seeds == 1 else "histories"
        yield f"{self.seeds} {histories}, {len(self.broken)} of them with a broken promise"
        yield ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        for seed, broken in sorted(self.broken.items()):
            yield f"seed {seed} (run it alone with --seed {seed}):"
            yield from (f"    {sentence}" for sentence in broken)


@contextmanager
def own_database() -> Iterator[None]:
    """A migrated database that nobody else uses and that is gone afterwards."""
    connection.settings_dict["TEST"]["NAME"] = f"test_{os.getpid()}_faults"
    role = connection.settings_dict["OPTIONS"].pop("assume_role", None)
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        _let_no_statistics_mislead()
        connection.close()
        connection.settings_dict["OPTIONS"]["assume_role"] = role
        yield
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"].pop("assume_role", None)
        connection.creation.destroy_test_db(before, verbosity=0)


def _let_no_statistics_mislead() -> None:
    """Every history is undone: whoever counted its rows would tell the planner that all tables are empty."""
    ours = "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relname ~ '^(audit|connectors|syncs)_'"
    with connection.cursor() as cursor:
        cursor.execute(ours)
        for [table] in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")


def live(seed: int, told: Callable[[str], None] | None = None) -> Figures:
    """One history, undone afterwards."""
    history = History(seed, told=told)
    with transaction.atomic():
        broken = history.run()
        counts = history.faults.happened + _seen(history)
        counts["steps"] = len(history.story)
        transaction.set_rollback(True)
    return Figures(seeds=1, counts=counts, broken={seed: broken} if broken else {})


def _seen(history: History) -> Counter[str]:
    """What came to be in the books, which says whether the histories are about anything."""
    world = history.world
    payments, posted = world.avidxchange.books()[COMPANY]["payments"], standing_payments(world).values()
    seen = Counter(f"payments {payment['phase']}" for payment in payments)
    seen["bills"] = len(world.company.bills)
    seen["payments with discounts posted"] = sum(has_discount(world, parts) for parts in posted)
    seen["payments in parts posted"] = sum(len(parts) > 1 for parts in posted)
    seen += Counter(f"problem {problem.code}" for problem in Problem.objects.filter(resolved_at=None))
    return seen


def live_all(seeds: range, *, processes: int, within: float, told: Callable[[str], None]) -> Figures:
    """All these histories over several processes; begins no more after so many seconds, or once ten have broken a
    promise."""
    started, figures = time.monotonic(), Figures()
    connection.close()
    chunks = [seeds[first : first + AT_ONCE] for first in range(0, len(seeds), AT_ONCE)]
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=fork, initializer=_begin_process) as pool:
        for part in as_completed([pool.submit(_live_some, chunk) for chunk in chunks]):
            figures.add(part.result())
            passed = time.monotonic() - started
            broken = ", ".join(map(str, sorted(figures.broken))) or "none"
            told(f"{figures.seeds} of {len(seeds)}, {figures.seeds / passed:.1f} a second, broken: {broken}")
            if passed > within or len(figures.broken) >= 10:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    if figures.seeds < len(seeds) and not figures.broken:
        told(f"There was time for no more than {figures.seeds} of {len(seeds)}.")
    return figures


def _begin_process() -> None:
    database = own_database()
    database.__enter__()
    multiprocessing.util.Finalize(None, database.__exit__, args=(None, None, None), exitpriority=1)


def _live_some(seeds: range) -> Figures:
    figures = Figures()
    for seed in seeds:
        figures.add(live(seed))
    return figures
