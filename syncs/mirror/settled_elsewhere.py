"""What our own postings explain of a bill's balance, and which bills somebody else has settled.

A posting that stands counts until it is known to be voided. One that is being sent or in doubt may stand: on it alone
nobody can tell who has settled a bill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Bill, from_minor_units

EXPLAINED = """
SELECT bill.remote_id, coalesce(sum(a.gross_minor) FILTER (WHERE posting.target_id <> ''), 0), sum(a.gross_minor),
       min(a.currency)
FROM syncs_remoterecord bill
JOIN syncs_syncrecord sent ON sent.tenant_id = bill.tenant_id AND sent.remote_record_id = bill.id
    AND sent.target_id <> ''
JOIN syncs_stream stream ON stream.id = sent.stream_id AND stream.kind = 'bill'
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active
JOIN syncs_application a ON a.tenant_id = bill.tenant_id AND a.connection_id = i.ap_network_id
    AND a.target_kind = 'bill' AND a.target_id = sent.target_id
JOIN syncs_remoterecord payment ON payment.id = a.payment_id
JOIN syncs_stream payments ON payments.integration_id = i.id AND payments.kind = 'payment'
JOIN syncs_syncrecord posting ON posting.tenant_id = bill.tenant_id AND posting.stream_id = payments.id
    AND posting.remote_record_id = payment.id
WHERE bill.tenant_id = %s AND bill.connection_id = %s AND bill.kind = 'bill' AND bill.remote_id = ANY(%s)
  AND (posting.state IN ('sending', 'in_doubt')
       OR (posting.target_id <> '' AND (payment.status IN ('pending', 'executed') OR posting.settled < posting.wanted)))
GROUP BY bill.remote_id
"""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """How much of a bill our own postings settle for sure, and how much they may settle."""

    surely: Decimal = Decimal(0)
    perhaps: Decimal = Decimal(0)


NOTHING = Explained()


def explained(connection: Connection, bill_ids: Sequence[str]) -> dict[str, Explained]:
    """What our own postings explain of each bill of this ERP that they settle, or may settle."""
    with database.cursor() as cursor:
        cursor.execute(EXPLAINED, [connection.tenant_id, connection.pk, list(bill_ids)])
        return {
            remote_id: Explained(
                surely=from_minor_units(int(surely), currency), perhaps=from_minor_units(int(perhaps), currency)
            )
            for remote_id, surely, perhaps, currency in cursor.fetchall()
        }


def settled_elsewhere(connection: Connection, bills: Sequence[Bill]) -> dict[str, Decimal]:
    """How much of each of these bills somebody else has settled, as far as is sure; the others are left out."""
    fallen = [bill for bill in bills if bill.balance < bill.amount]
    ours = explained(connection, [bill.id for bill in fallen]) if fallen else {}
    unexplained = {bill.id: bill.amount - bill.balance - ours.get(bill.id, NOTHING).surely for bill in fallen}
    return {bill_id: amount for bill_id, amount in unexplained.items() if amount > 0}
