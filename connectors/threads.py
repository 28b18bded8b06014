"""Doing several things at the same time, or one after the other."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_threads(jobs: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """Do these at the same time, so many at once; they speak HTTP and never touch the database."""
    if len(jobs) < 2:
        return [job() for job in jobs]
    with ThreadPoolExecutor(max_workers=min(at_once, len(jobs))) as pool:
        return list(pool.map(lambda job: job(), jobs))


def one_by_one(jobs: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """Do these one after the other, for what must come out the same each time."""
    return [job() for job in jobs]
