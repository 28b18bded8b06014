"""Reads that a provider charges for: counted per connection and month, in one statement for all made together.

Counted are reads that succeeded; test companies of a provider's own are free. It is done between two transactions, as
permits are, so that nobody waits for the row.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection as database

from connectors.base import Environment
from connectors.http import Exchanged
from connectors.models import Connection

ADD = """
INSERT INTO connectors_meteredreads AS counted (tenant_id, connection_id, month, reads, since, until)
VALUES (%(tenant)s, %(connection)s, %(month)s, %(reads)s, %(now)s, %(now)s)
ON CONFLICT (tenant_id, connection_id, month) DO UPDATE SET
    reads = counted.reads + excluded.reads, until = GREATEST(counted.until, excluded.until)
"""
SHORTEST = timedelta(days=1)  # a rate is not told from less


def count_reads(connection: Connection, exchanged: Iterable[Exchanged], *, now: datetime) -> None:
    """Add the metered reads among these to the month's count."""
    reads = sum(one.is_read and one.status is not None and one.status < 300 for one in exchanged)
    if not reads or connection.environment == Environment.SANDBOX:
        return
    values: dict[str, Any] = {
        "tenant": connection.tenant_id,
        "connection": connection.pk,
        "month": month_of(now),
        "reads": reads,
        "now": now,
    }
    with database.cursor() as cursor:
        cursor.execute(ADD, values)


def month_of(now: datetime) -> date:
    """The first day of the month that this counts for."""
    return now.date().replace(day=1)


def forecast(reads: int, *, since: datetime, now: datetime) -> int:
    """How many there will be by the end of the month if it goes on as it has since the first of them."""
    following = (month_of(now) + timedelta(days=31)).replace(day=1)
    end = now.replace(year=following.year, month=following.month, day=1, hour=0, minute=0, second=0, microsecond=0)
    return reads + round(reads * ((end - now) / max(now - since, SHORTEST)))
