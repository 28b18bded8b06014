"""Reading both sides' books, and our reasons for what did not go across, for the figures."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.records import Kind
from mlconnector.demo.figures import Books, ErpBill, ErpPayment, Explained, NetworkBill, NetworkPayment
from mlconnector.demo.simulated import ERP, NETWORK, Simulated
from mlconnector.demo.company import COMPANY, NETWORK_COMPANY, REALM
from syncs.keys import record_key
from syncs.models import Attempt, SyncRecord
from syncs.states import State

OUR_MARK = re.compile(r"ml-connector:([0-9A-Za-z_-]{32})")
STANDS_FOR_A_PERSON = (State.HELD, State.WAITING)


def read_books(simulated: Simulated) -> Books:
    """Everything that the figures are made of."""
    simulated.look_anew()
    erp, network = simulated.books(ERP)[REALM], simulated.books(NETWORK)[NETWORK_COMPANY]
    return Books(
        vendors_in_network=len(network["vendors"]),
        erp_bills=[
            ErpBill(
                id=row["Id"],
                mark=record_key(ERP, REALM, Kind.BILL, row["Id"]),
                amount=Decimal(row["TotalAmt"]),
                number=row.get("DocNumber") or "",
            )
            for row in erp.get("Bill", [])
        ],
        network_bills=[
            NetworkBill(
                mark=row["external_id"],
                amount=Decimal(row["amount"]),
                approved=row["workflow_status"] == "approved",
                number=row["invoice_number"],
            )
            for row in network["invoices"]
            if row["workflow_status"] != "cancelled"
        ],
        network_payments=[
            NetworkPayment(
                id=row["id"],
                mark=record_key(NETWORK, NETWORK_COMPANY, Kind.PAYMENT, row["id"]),
                phase=row["phase"],
                parts={part["invoice_external_id"]: Decimal(part["gross_amount"]) for part in row["applications"]},
            )
            for row in network["payments"]
        ],
        erp_payments=list(_postings(erp.get("BillPayment", []))),
        explained=read_explained(),
    )


def read_explained() -> Explained:
    """What our own records say of bills and payments that did not go across; what somebody ignores, in their words."""
    held: dict[str, dict[str, str]] = {Kind.BILL: {}, Kind.PAYMENT: {}}
    left_out: dict[str, dict[str, str]] = {Kind.BILL: {}, Kind.PAYMENT: {}}
    records = SyncRecord.objects.filter(tenant__name=COMPANY, stream__kind__in=held).select_related("stream")
    for record in records:
        kind = record.stream.kind
        if record.state in STANDS_FOR_A_PERSON:
            held[kind][record.record_key] = record.code
        elif record.state == State.IGNORED:
            left_out[kind][record.record_key] = record.reason
        elif record.state == State.OUT_OF_SCOPE and kind == Kind.BILL:
            left_out[kind][record.record_key] = record.code
        elif record.state == State.SYNCED and kind == Kind.BILL and _was_withdrawn(record):
            left_out[kind][record.record_key] = "withdrawn"
    return Explained(
        bills_held=held[Kind.BILL],
        bills_out_of_scope=left_out[Kind.BILL],
        payments_held=held[Kind.PAYMENT],
        payments_ignored=left_out[Kind.PAYMENT],
    )


def _was_withdrawn(record: SyncRecord) -> bool:
    """Whether the last thing that was done with it was to take it back."""
    last = Attempt.objects.filter(tenant_id=record.tenant_id, sync_record_id=record.pk).order_by("-id").first()
    return last is not None and last.action == "withdraw"


def _postings(rows: list[Mapping[str, Any]]) -> Iterator[ErpPayment]:
    """The payments with our mark that have not been voided."""
    for row in rows:
        note = row.get("PrivateNote") or ""
        mark = OUR_MARK.search(note)
        if mark is None or note.startswith("Voided"):
            continue
        parts: dict[str, Decimal] = {}
        for line in row["Line"]:
            bill = line["LinkedTxn"][0]["TxnId"]
            parts[bill] = parts.get(bill, Decimal(0)) + Decimal(line["Amount"])
        yield ErpPayment(id=row["Id"], mark=mark[1], parts=parts)
