"""Budgets: how much may still be asked of an app or an account, kept in rows that all processes share.

A budget is a token bucket filled at the provider's rate a minute; it holds what the provider takes in one second, or
ten seconds' worth where it does not say. What was sent beyond what was asked for is owed, and filled first. A provider
that says "wait" blocks its whole budget until then. All times are passed in.

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

ELAPSED = "GREATEST(0, EXTRACT(EPOCH FROM %(now)s - budget.filled_at))"
OWE = f"""
INSERT INTO connectors_budget AS budget (tenant_id, owner, level, filled_at)
VALUES (%(tenant)s, %(owner)s, %(capacity)s - %(count)s, %(now)s)
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


@dataclass(frozen=True, kw_only=True)
class BudgetOwner:
    """Whose budget: `owner` is `app:<id>` or `connection:<id>`; the tenant is None where tenants share it."""

    tenant_id: int | None
    owner: str
    per_minute: int
    per_second: int = 0

    @property
    def rate(self) -> Decimal:
        """Permits a second."""
        return Decimal(self.per_minute) / 60

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
        cursor.execute(TAKE, {**_values(budget, count, now), "needed": enough})
        if cursor.fetchone():
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
    return float(max(Decimal("0.05"), (enough - filled) / budget.rate))


def owe(budget: BudgetOwner, count: int, *, now: datetime) -> None:
    """So many requests were sent without a permit: they are filled before anything else is granted."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OWE, _values(budget, count, now))


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
        "capacity": Decimal(budget.burst),
        "rate": budget.rate,
        "count": Decimal(count),
        "now": now,
    }
