"""Purchase orders that were closed: they are closed at the network only after the bills that bill them have gone there.

An ERP closes an order with the bill that completes it, and the network takes no bill for an order that is closed.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection as database

from connectors.records import AnyRecord, Kind, PurchaseOrder
from syncs.delivery.slice import Slice

GONE_THERE = """
SELECT r.remote_id FROM syncs_remoterecord r
JOIN syncs_stream stream ON stream.integration_id = %(integration)s AND stream.kind = %(kind)s
LEFT JOIN syncs_syncrecord s ON s.tenant_id = r.tenant_id AND s.stream_id = stream.id AND s.remote_record_id = r.id
WHERE r.tenant_id = %(tenant)s AND r.connection_id = %(source)s AND r.kind = %(kind)s AND r.remote_id = ANY(%(ids)s)
  AND (r.gone <> '' OR s.state IN ('synced', 'out_of_scope', 'ignored'))
"""


def billed_before_closed(slice_: Slice, records: Sequence[AnyRecord]) -> dict[str, str]:
    """Why these orders are not closed yet, by id: a bill for them is still to be sent."""
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
        cursor.execute(GONE_THERE, concerned)
        done = {bill_id for (bill_id,) in cursor.fetchall()}
    waiting = {one.id: [bill_id for bill_id in one.bills if bill_id not in done] for one in closed}
    return {
        id: f"Bill {bills[0]} for it is still to be sent; then it is closed." for id, bills in waiting.items() if bills
    }
