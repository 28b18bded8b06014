"""Real processes for a test: forks that share its committed database and nothing else."""

import multiprocessing
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import TypeVar

from django.db import connection as database

T = TypeVar("T")
PATIENCE = 30.0


def in_processes(count: int, work: Callable[[int], T]) -> list[T]:
    """What each of so many processes came to; all begin at the same moment, with a database connection each."""
    database.close()  # it must not cross a fork
    context = multiprocessing.get_context("fork")
    start = context.Barrier(count)
    children = []
    for number in range(count):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_be_child, args=(start, work, number, theirs), daemon=True)
        with warnings.catch_warnings():  # a thread that serves a simulator does nothing at this moment
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
        theirs.close()
        children.append((child, ours))
    results: list[T] = []
    for _, ours in children:
        assert ours.poll(PATIENCE), "a process said nothing"
        results.append(ours.recv())
    for child, ours in children:
        child.join(PATIENCE)
        ours.close()
    assert not [result for result in results if isinstance(result, BaseException)], results
    return results


def _be_child(start: Barrier, work: Callable[[int], T], number: int, theirs: Connection) -> None:
    try:
        database.ensure_connection()
        start.wait(PATIENCE)
        theirs.send(work(number))
    except BaseException as error:
        theirs.send(RuntimeError(f"{type(error).__name__}: {error}"))
    finally:
        database.close()
