"""Budgets: how much may still be asked of an app or an account, kept in rows that all processes share.

A budget is a token bucket filled at the provider's rate a minute; it holds what the provider takes in one second, or
ten seconds' worth where it does not say. What was sent beyond what was asked for is owed, and filled first. A provider
that says "wait" blocks its whole budget until then. All times are passed in.

Where several connections share a budget each has a part of its own in it, filled at the rate divided by those that have
asked within a minute. Who has used up its part may go on as long as half a bucketful stays for the others: nothing is
wasted while they are idle, and whoever comes finds permits however busy another is.

How many requests are under way at once is kept within a process only. No provider that we have counts them apart from
their rate, and over all processes the bucket bounds them: who has no permit does not begin, so that with answers within
a second at most one bucketful and one second's rate are under way.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

BURST_SECONDS = 10
ASKING_FOR = timedelta(minutes=1)  # since when who asked counts as one that wants a part

ELAPSED = "GREATEST(0, EXTRACT(EPOCH FROM %(now)s - budget.filled_at))"
OWE = f"""
INSERT INTO connectors_budget AS budget (tenant_id, owner, part_of, level, filled_at)
VALUES (%(tenant)s, %(owner)s, %(part_of)s, %(capacity)s - %(count)s, %(now)s)
ON CONFLICT (tenant_id, owner) DO UPDATE SET
    level = LEAST(%(capacity)s, budget.level + %(rate)s * {ELAPSED}) - %(count)s,
    filled_at = GREATEST(budget.filled_at, %(now)s)
"""
TAKE = f"""
{OWE}
WHERE (budget.blocked_until IS NULL OR budget.blocked_until <= %(now)s)
  AND LEAST(%(capacity)s, budget.level + %(rate)s * {ELAPSED}) >= %(needed)s
RETURNING level
"""
OTHERS = """
SELECT count(*) FROM connectors_budget
WHERE tenant_id IS NOT DISTINCT FROM %(tenant)s AND part_of = %(part_of)s AND owner <> %(owner)s
  AND filled_at > %(since)s
"""


@dataclass(frozen=True, kw_only=True)
class BudgetOwner:
    """Whose budget: `owner` is `app:<id>` or `connection:<id>`; the tenant is None where tenants share it.

    `sharer` says which of those who share it asks; empty where nobody shares it.
    """

    tenant_id: int | None
    owner: str
    per_minute: int
    per_second: int = 0
    sharer: str = ""

    @property
    def rate(self) -> Decimal:
        """Permits a second."""
        return Decimal(self.per_minute) / 60

    @property
    def part_owner(self) -> str:
        """Whose the part of it is that `sharer` has."""
        return f"{self.sharer} of {self.owner}"

    @property
    def burst(self) -> int:
        """The most permits that can be there at once."""
        return self.per_second or max(1, int(self.rate * BURST_SECONDS))


def wait_for_one(budget: BudgetOwner, *, now: datetime) -> float:
    """The seconds until one request may be sent, 0 if it may be now; takes nothing."""
    return take(budget, 0, now=now, needed=1)


def take(budget: BudgetOwner, count: int, *, now: datetime, needed: int | None = None) -> float:
    """Take permits for so many requests; 0 when they are granted, otherwise the seconds to wait before asking again.

    They are granted when `needed` are there, which is as many as are taken unless it is said otherwise.
    """
    enough = min(Decimal(count if needed is None else needed), Decimal(budget.burst))
    with transaction.atomic(), connection.cursor() as cursor:
        part = _part(budget, 0, now)
        until_its_part = (min(enough, part.capacity) - part.level) / part.rate if part else Decimal(0)
        for_others = budget.burst // 2 if until_its_part > 0 else 0
        cursor.execute(TAKE, {**_values(budget, count, now), "needed": enough + for_others})
        if cursor.fetchone():
            _part(budget, count, now)
            return 0
        cursor.execute(
            "SELECT level, filled_at, blocked_until FROM connectors_budget "
            "WHERE owner = %s AND tenant_id IS NOT DISTINCT FROM %s",
            [budget.owner, budget.tenant_id],
        )
        level, filled_at, blocked_until = cursor.fetchone()
    if blocked_until is not None and blocked_until > now:
        return float((blocked_until - now).total_seconds())
    filled = level + budget.rate * Decimal(str(max(0, (now - filled_at).total_seconds())))
    in_turn = max(until_its_part, (enough - filled) / budget.rate)
    left_over = (enough + for_others - filled) / budget.rate
    return float(max(Decimal("0.05"), min(in_turn, left_over)))


def owe(budget: BudgetOwner, count: int, *, now: datetime) -> None:
    """So many requests were sent without a permit: they are filled before anything else is granted."""
    with transaction.atomic(), connection.cursor() as cursor:
        _part(budget, count, now)
        cursor.execute(OWE, _values(budget, count, now))


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one of those who share a budget has of it."""

    level: Decimal
    capacity: Decimal
    rate: Decimal


def _part(budget: BudgetOwner, count: int, now: datetime) -> Part | None:
    """The part of whoever asks once so many permits are taken from it; None where nobody shares the budget."""
    if not budget.sharer:
        return None
    values = _values(budget, count, now)
    values |= {"owner": budget.part_owner, "part_of": budget.owner, "since": now - ASKING_FOR}
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, values)
        sharers = cursor.fetchone()[0] + 1
        values |= {"capacity": values["capacity"] / sharers, "rate": budget.rate / sharers}
        cursor.execute(f"{OWE} RETURNING level", values)
        return Part(level=cursor.fetchone()[0], capacity=values["capacity"], rate=values["rate"])


def sharers(budget: BudgetOwner, *, since: datetime) -> int:
    """How many have asked of this budget since then, whoever `sharer` is among them; 0 where it has not asked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_or(owner = %s) FROM connectors_budget "
            "WHERE tenant_id IS NOT DISTINCT FROM %s AND part_of = %s AND filled_at > %s",
            [budget.part_owner, budget.tenant_id, budget.owner, since],
        )
        count, is_one = cursor.fetchone()
    return count if is_one else 0


def block(budget: BudgetOwner, seconds: float, *, now: datetime) -> None:
    """Nothing more on this budget for so many seconds; a longer block that stands already is kept."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connectors_budget AS budget (tenant_id, owner, level, filled_at, blocked_until)
            VALUES (%(tenant)s, %(owner)s, 0, %(now)s, %(until)s)
            ON CONFLICT (tenant_id, owner) DO UPDATE SET
                blocked_until = GREATEST(coalesce(budget.blocked_until, excluded.blocked_until), excluded.blocked_until)
            """,
            {"tenant": budget.tenant_id, "owner": budget.owner, "now": now, "until": now + timedelta(seconds=seconds)},
        )


def _values(budget: BudgetOwner, count: int, now: datetime) -> dict[str, Any]:
    return {
        "tenant": budget.tenant_id,
        "owner": budget.owner,
        "part_of": "",
        "capacity": Decimal(budget.burst),
        "rate": budget.rate,
        "count": Decimal(count),
        "now": now,
    }
