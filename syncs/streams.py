"""Streams are locked in one order, and made due, in one place.

Whoever holds one of these and wants another could otherwise wait for somebody who does it the other way round: a feed,
then streams in the order of kinds, then remote records, then deliveries.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection as database

from syncs.delivery.flows import FLOWS

LOCK = """
SELECT id FROM syncs_stream WHERE id = ANY(%s) ORDER BY array_position(%s::text[], kind::text), id FOR UPDATE
"""
MAKE_DUE = "UPDATE syncs_stream SET due_at = LEAST(coalesce(due_at, %(now)s), %(now)s) WHERE id = ANY(%(ids)s)"


def lock_streams(ids: Iterable[int]) -> None:
    """Lock these in the caller's transaction."""
    kinds = [str(flow.kind) for flow in sorted(FLOWS.values(), key=lambda flow: flow.rank)]
    with database.cursor() as cursor:
        cursor.execute(LOCK, [sorted(ids), kinds])


def make_due(ids: Collection[int], *, now: datetime) -> None:
    """Have these worked on as soon as somebody is free; the caller's transaction has locked them."""
    if ids:
        with database.cursor() as cursor:
            cursor.execute(MAKE_DUE, {"ids": list(ids), "now": now})
