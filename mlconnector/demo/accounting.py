"""Reading both sides' books, and our reasons for what did not go across, for the figures."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.records import Kind
from mlconnector.demo.company import COMPANY, NETWORK_COMPANY, REALM
from mlconnector.demo.figures import Books, ErpBill, ErpPayment, Explained, NetworkBill, NetworkPayment
from mlconnector.demo.simulated import ERP, NETWORK, Simulated
from syncs.keys import record_key
from syncs.models import Attempt, SyncRecord
from syncs.states import State

OUR_MARK = re.compile(r"ml-connector:([0-9A-Za-z_-]{32})")
WITH_IMAGE = ("pending", "stored")  # while the network checks it, and then
STANDS_FOR_A_PERSON = (State.HELD, State.WAITING)


def read_books(simulated: Simulated) -> Books:
    """Everything that the figures are made of."""
    simulated.look_anew()
    erp, network = simulated.books(ERP)[REALM], simulated.books(NETWORK)[NETWORK_COMPANY]
    return Books(
        vendors_in_network=len(network["vendors"]),
        erp_bills=_entered(Kind.BILL, erp.get("Bill", [])),
        erp_credits=_entered(Kind.CREDIT, erp.get("VendorCredit", [])),
        network_bills=_arrived("invoice", network["invoices"]),
        network_credits=_arrived("credit", network["invoices"]),
        orders_in_network=len(network["purchase_orders"]),
        images_in_network=sum(_stands(row) and row["image_status"] in WITH_IMAGE for row in network["invoices"]),
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


def _entered(kind: Kind, rows: Iterable[Mapping[str, Any]]) -> list[ErpBill]:
    return [
        ErpBill(
            id=_id(kind, row["Id"]),
            mark=record_key(ERP, REALM, kind, row["Id"]),
            amount=Decimal(row["TotalAmt"]),
            number=row.get("DocNumber") or "",
            currency=row["CurrencyRef"]["value"],
        )
        for row in rows
    ]


def _arrived(document_type: str, rows: Iterable[Mapping[str, Any]]) -> list[NetworkBill]:
    """What stands at the network; a credit there is below zero, and in the ERP it is above."""
    return [
        NetworkBill(
            mark=row["external_id"],
            amount=abs(Decimal(row["amount"])),
            approved=row["workflow_status"] == "approved",
            number=row["invoice_number"],
        )
        for row in rows
        if _stands(row) and row["document_type"] == document_type
    ]


def _stands(row: Mapping[str, Any]) -> bool:
    return bool(row["workflow_status"] != "cancelled")


def _id(kind: Kind, id: str) -> str:
    return id if kind is Kind.BILL else f"{kind} {id}"


def read_explained() -> Explained:
    """What our own records say of what did not go across; what somebody ignores, in their words."""
    kinds = (Kind.BILL, Kind.CREDIT, Kind.PAYMENT)
    held: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    left_out: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    records = SyncRecord.objects.filter(tenant__name=COMPANY, stream__kind__in=kinds).select_related("stream")
    for record in records:
        kind = record.stream.kind
        if record.state in STANDS_FOR_A_PERSON:
            held[kind][record.record_key] = record.code
        elif record.state == State.IGNORED:
            left_out[kind][record.record_key] = record.reason
        elif record.state == State.OUT_OF_SCOPE and kind != Kind.PAYMENT:
            left_out[kind][record.record_key] = record.code
        elif record.state == State.SYNCED and kind != Kind.PAYMENT and _was_withdrawn(record):
            left_out[kind][record.record_key] = "withdrawn"
    return Explained(
        bills_held=held[Kind.BILL] | held[Kind.CREDIT],
        bills_out_of_scope=left_out[Kind.BILL] | left_out[Kind.CREDIT],
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
            linked = line["LinkedTxn"][0]
            kind = Kind.CREDIT if linked["TxnType"] == "VendorCredit" else Kind.BILL
            settled, amount = _id(kind, linked["TxnId"]), Decimal(line["Amount"])
            parts[settled] = parts.get(settled, Decimal(0)) + (-amount if kind is Kind.CREDIT else amount)
        yield ErpPayment(id=row["Id"], mark=mark[1], parts=parts)
