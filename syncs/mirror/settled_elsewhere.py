"""What our own postings explain of the balance of a bill or credit, and which of them somebody else has settled.

A posting counts as the ERP last showed it: one that somebody voided there explains nothing. So does a payment of
somebody else to which a person linked one of the network, for the bills that this one pays. One that is being sent or
in doubt may stand: on it alone nobody can tell who has settled a bill.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Kind, Payable, from_minor_units, kind_of
from syncs.keys import is_piece

STANDS = f"""
SELECT a.target_id, abs(sum(a.gross_minor)), min(a.currency)
FROM syncs_application a
JOIN syncs_remoterecord paid ON paid.id = a.payment_id AND paid.gone = '' AND paid.status <> 'reversed'
WHERE a.tenant_id = %(tenant)s AND a.connection_id = %(erp)s AND a.target_kind = %(kind)s AND a.target_id = ANY(%(ids)s)
  AND EXISTS (
    SELECT FROM syncs_syncrecord posting
    JOIN syncs_stream stream ON stream.id = posting.stream_id AND stream.kind = 'payment'
    JOIN syncs_integration i ON i.id = stream.integration_id AND i.active AND i.erp_id = %(erp)s
    WHERE posting.tenant_id = %(tenant)s AND {is_piece("paid.remote_id", "posting.target_id")} AND (
        posting.record_key = paid.key OR EXISTS (
            SELECT FROM syncs_decision link
            WHERE link.sync_record_id = posting.id AND link.what = 'link' AND link.ended_at IS NULL
              AND link.target_id = paid.remote_id AND link.bills @> to_jsonb(ARRAY[a.target_id])
        )
    )
  )
GROUP BY a.target_id
"""
UNDER_WAY = """
SELECT bill.remote_id, abs(sum(a.gross_minor)), min(a.currency)
FROM syncs_remoterecord bill
JOIN syncs_syncrecord sent ON sent.tenant_id = bill.tenant_id AND sent.remote_record_id = bill.id
    AND sent.target_id <> ''
JOIN syncs_stream stream ON stream.id = sent.stream_id AND stream.kind = %(kind)s
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active
JOIN syncs_application a ON a.tenant_id = bill.tenant_id AND a.connection_id = i.ap_network_id
    AND a.target_kind = %(kind)s AND a.target_id = sent.target_id
JOIN syncs_stream payments ON payments.integration_id = i.id AND payments.kind = 'payment'
JOIN syncs_syncrecord posting ON posting.tenant_id = bill.tenant_id AND posting.stream_id = payments.id
    AND posting.remote_record_id = a.payment_id AND posting.state IN ('sending', 'in_doubt')
WHERE bill.tenant_id = %(tenant)s AND bill.connection_id = %(erp)s AND bill.kind = %(kind)s
  AND bill.remote_id = ANY(%(ids)s)
GROUP BY bill.remote_id
"""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """How much of a bill or credit our own postings settle for sure, and how much they may settle."""

    surely: Decimal = Decimal(0)
    perhaps: Decimal = Decimal(0)


NOTHING = Explained()


def explained(connection: Connection, kind: Kind, ids: Sequence[str]) -> dict[str, Explained]:
    """What our own postings explain of each of these bills, or credits, of this ERP that they settle, or may settle."""
    concerned = {"tenant": connection.tenant_id, "erp": connection.pk, "kind": str(kind), "ids": list(ids)}
    stands, under_way = _sums(STANDS, concerned), _sums(UNDER_WAY, concerned)
    return {
        id: Explained(
            surely=stands.get(id, Decimal(0)),
            perhaps=stands.get(id, Decimal(0)) + under_way.get(id, Decimal(0)),
        )
        for id in stands.keys() | under_way.keys()
    }


def _sums(statement: str, concerned: Mapping[str, Any]) -> dict[str, Decimal]:
    with database.cursor() as cursor:
        cursor.execute(statement, concerned)
        return {bill_id: from_minor_units(int(sum), currency) for bill_id, sum, currency in cursor.fetchall()}


def settled_elsewhere(connection: Connection, shown: Iterable[Payable]) -> dict[tuple[Kind, str], Decimal]:
    """How much of each of these bills and credits somebody else has settled, as far as is sure; the others are left
    out."""
    fallen: dict[Kind, list[Payable]] = {}
    for one in shown:
        if one.balance < one.amount:
            fallen.setdefault(kind_of(one), []).append(one)
    unexplained: dict[tuple[Kind, str], Decimal] = {}
    for kind, some in fallen.items():
        ours = explained(connection, kind, [one.id for one in some])
        unexplained |= {(kind, one.id): one.amount - one.balance - ours.get(one.id, NOTHING).surely for one in some}
    return {which: amount for which, amount in unexplained.items() if amount > 0}
