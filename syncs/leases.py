"""Leases: one slice works on a feed or a stream at a time, and every commit of it proves that it still does.

A lease is two columns of the row and a fence that rises each time it is taken. A slice that was paused too long finds
another fence and commits nothing. A lease is short, so that what a killed worker held is soon worked on again; where
one was lost because an answer took longer, the next is twice as long, until slices are quick again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.db.models import F
from django.db.models.functions import Greatest

from syncs.models import Feed, Stream

LEASE = timedelta(seconds=10)
LONGEST = timedelta(seconds=160)  # beyond any time-out of ours


class LeaseLost(Exception):
    """Somebody else works on this now: whatever this slice has not committed, it must not commit."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one row for a while."""

    model: type[Feed] | type[Stream]
    id: int
    fence: int
    taken_at: datetime
    length: timedelta

    def check(self, now: datetime) -> None:
        """Prove inside the caller's transaction that the lease is still ours, and carry it on; LeaseLost otherwise."""
        with database.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.model._meta.db_table} SET lease_until = %s WHERE id = %s AND fence = %s",
                [now + self.length, self.id, self.fence],
            )
            held = cursor.rowcount
        if not held:
            raise LeaseLost(f"{self.model.__name__} {self.id} was taken by another worker.")

    def give_back(self, *, due_at: datetime | F | None, now: datetime) -> None:
        """Let others have it; `due_at` is when there is something to do again, None for when something new arrives.

        The column itself leaves that as it is, also if somebody has changed it meanwhile.
        """
        quick = int(now - self.taken_at < LEASE / 2)
        self.model.objects.filter(pk=self.id, fence=self.fence).update(
            lease_until=None,
            holder="",
            woken_until=None,
            due_at=due_at,
            leases_lost=Greatest(F("leases_lost") - quick, 0),
        )


def take(model: type[Feed] | type[Stream], id: int, *, holder: str, now: datetime) -> Lease | None:
    """Take the lease, unless somebody has it or a person has paused the row."""
    with database.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET holder = %s, fence = fence + 1, "
            "lease_until = %s + make_interval(secs => LEAST(%s, %s * 2 ^ LEAST(leases_lost, 10))) "
            "WHERE id = %s AND NOT paused AND (lease_until IS NULL OR lease_until <= %s) RETURNING fence, lease_until",
            [holder, now, LONGEST.total_seconds(), LEASE.total_seconds(), id, now],
        )
        taken = cursor.fetchone()
    return Lease(model=model, id=id, fence=taken[0], taken_at=now, length=taken[1] - now) if taken else None


def lost(model: type[Feed] | type[Stream], id: int) -> None:
    """Note that a slice lost its lease: what it asks takes longer than the lease."""
    model.objects.filter(pk=id).update(leases_lost=F("leases_lost") + 1)
