"""What our own postings explain of a bill's balance, and which bills somebody else has settled.

A posting counts from the moment when it may have happened (being sent, in doubt) until it is known to be voided.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Bill, from_minor_units

EXPLAINED = """
SELECT bill.remote_id, sum(a.gross_minor), min(a.currency)
FROM syncs_remoterecord bill
JOIN syncs_syncrecord sent ON sent.tenant_id = bill.tenant_id AND sent.remote_record_id = bill.id
    AND sent.target_id <> ''
JOIN syncs_stream stream ON stream.id = sent.stream_id AND stream.kind = 'bill'
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active
JOIN syncs_application a ON a.tenant_id = bill.tenant_id AND a.connection_id = i.ap_network_id
    AND a.target_kind = 'bill' AND a.target_id = sent.target_id
JOIN syncs_remoterecord payment ON payment.id = a.payment_id
WHERE bill.tenant_id = %s AND bill.connection_id = %s AND bill.kind = 'bill' AND bill.remote_id = ANY(%s)
  AND EXISTS (
    SELECT FROM syncs_syncrecord posting
    JOIN syncs_stream payments ON payments.id = posting.stream_id AND payments.integration_id = i.id
    WHERE posting.tenant_id = bill.tenant_id AND posting.remote_record_id = payment.id
      AND (posting.state IN ('sending', 'in_doubt')
           OR (posting.target_id <> ''
               AND (payment.status IN ('pending', 'executed') OR posting.settled < posting.wanted)))
  )
GROUP BY bill.remote_id
"""


def explained(connection: Connection, bill_ids: Sequence[str]) -> dict[str, Decimal]:
    """How much of each bill of this ERP our own postings settle, or may settle."""
    with database.cursor() as cursor:
        cursor.execute(EXPLAINED, [connection.tenant_id, connection.pk, list(bill_ids)])
        return {remote_id: from_minor_units(int(gross), currency) for remote_id, gross, currency in cursor.fetchall()}


def settled_elsewhere(connection: Connection, bills: Sequence[Bill]) -> dict[str, Decimal]:
    """How much of each of these bills somebody else has settled; bills of which nobody has are left out."""
    fallen = [bill for bill in bills if bill.balance < bill.amount]
    ours = explained(connection, [bill.id for bill in fallen]) if fallen else {}
    unexplained = {bill.id: bill.amount - bill.balance - ours.get(bill.id, Decimal(0)) for bill in fallen}
    return {bill_id: amount for bill_id, amount in unexplained.items() if amount > 0}
