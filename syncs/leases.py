"""Leases: one slice works on a feed or a stream at a time, and every commit of it proves that it still does.

A lease is two columns of the row and a fence that rises each time it is taken. A slice that was paused too long finds
another fence and commits nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database

from syncs.models import Feed, Stream

LEASE = timedelta(seconds=10)


class LeaseLost(Exception):
    """Somebody else works on this now: whatever this slice has not committed, it must not commit."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one row for a while."""

    model: type[Feed] | type[Stream]
    id: int
    fence: int

    def check(self, now: datetime) -> None:
        """Prove inside the caller's transaction that the lease is still ours, and carry it on; LeaseLost otherwise."""
        held = self.model.objects.filter(pk=self.id, fence=self.fence).update(lease_until=now + LEASE)
        if not held:
            raise LeaseLost(f"{self.model.__name__} {self.id} was taken by another worker.")

    def give_back(self, *, due_at: datetime | None) -> None:
        """Let others have it; `due_at` is when there is something to do again, None for when something new arrives."""
        self.model.objects.filter(pk=self.id, fence=self.fence).update(
            lease_until=None, holder="", woken_until=None, due_at=due_at
        )


def take(model: type[Feed] | type[Stream], id: int, *, holder: str, now: datetime) -> Lease | None:
    """Take the lease, unless somebody has it or a person has paused the row."""
    with database.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET holder = %s, fence = fence + 1, lease_until = %s "
            "WHERE id = %s AND NOT paused AND (lease_until IS NULL OR lease_until <= %s) RETURNING fence",
            [holder, now + LEASE, id, now],
        )
        taken = cursor.fetchone()
    return Lease(model=model, id=id, fence=taken[0]) if taken else None
