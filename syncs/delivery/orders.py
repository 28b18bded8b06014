"""Purchase orders that were closed: they are closed at the network only after the bills that bill them have gone there.

An ERP closes an order with the bill that completes it, and the network takes no bill for an order that is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from connectors.records import AnyRecord, Kind, PurchaseOrder
from syncs.delivery.slice import Slice

TO_COME = """
SELECT wanted.id, s.problem_id FROM unnest(%(ids)s::text[]) AS wanted (id)
JOIN syncs_stream stream ON stream.integration_id = %(integration)s AND stream.kind = %(kind)s
LEFT JOIN syncs_remoterecord r ON r.tenant_id = %(tenant)s AND r.connection_id = %(source)s AND r.kind = %(kind)s
    AND r.remote_id = wanted.id
LEFT JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.stream_id = stream.id AND s.remote_record_id = r.id
WHERE coalesce(r.gone, '') = '' AND coalesce(s.state, '') NOT IN ('synced', 'out_of_scope', 'ignored')
"""


@dataclass(frozen=True, kw_only=True)
class ToCome:
    """A bill that is still to be sent, and the problem that holds it, if one does."""

    bill_id: str
    problem_id: int | None


def billed_before_closed(slice_: Slice, records: Sequence[AnyRecord]) -> dict[str, ToCome]:
    """By the id of an order that was closed, a bill for it that is still to be sent."""
    closed = [one for one in records if isinstance(one, PurchaseOrder) and one.status != "open" and one.bills]
    if not closed:
        return {}
    concerned: dict[str, Any] = {
        "integration": slice_.integration.pk,
        "tenant": slice_.tenant_id,
        "source": slice_.source.pk,
        "kind": str(Kind.BILL),
        "ids": sorted({bill_id for one in closed for bill_id in one.bills}),
    }
    with database.cursor() as cursor:
        cursor.execute(TO_COME, concerned)
        to_come = {id: ToCome(bill_id=id, problem_id=problem_id) for id, problem_id in cursor.fetchall()}
    return {one.id: to_come[bill_id] for one in closed for bill_id in one.bills if bill_id in to_come}
