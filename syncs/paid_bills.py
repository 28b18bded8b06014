"""What a payment of the network is about in the ERP, as the mirror knows it: its bills, and the payments they carry."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from connectors.records import Application, Kind, Payment, Phase, restore
from syncs.models import Application as ApplicationRow
from syncs.models import Decision, RemoteRecord, SyncRecord

PAYABLES = (Kind.BILL, Kind.CREDIT)


def payment_of(sync_record: SyncRecord) -> Payment:
    """The payment that is delivered."""
    payment = restore(Kind.PAYMENT, sync_record.remote_record.body)
    assert isinstance(payment, Payment)
    return payment


def bills_paid(sync_record: SyncRecord) -> Mapping[str, RemoteRecord]:
    """The bills and credits of the ERP that a payment settles, by the id of the network's invoice; unknown ones are
    left out."""
    integration, applications = sync_record.stream.integration_id, payment_of(sync_record).applications
    wanted = {one.target.id: one for one in applications}
    sent = SyncRecord.objects.filter(
        Q(target_id__in=list(wanted)) | Q(record_key__in=[one.target.key for one in applications if one.target.key]),
        tenant_id=sync_record.tenant_id,
        stream__integration_id=integration,
        stream__kind__in=PAYABLES,
    ).select_related("remote_record", "stream")
    said = Decision.objects.filter(
        tenant_id=sync_record.tenant_id,
        what=Decision.What.BILL,
        source_id__in=list(wanted),
        ended_at=None,
        sync_record__stream__integration_id=integration,
    )
    bills = {id: bill for id, one in wanted.items() if (bill := _sent_as(one, sent))}
    bill_ids = dict(said.exclude(source_id__in=list(bills)).values_list("source_id", "target_id"))
    erp = sync_record.stream.integration.erp_id
    rows = RemoteRecord.objects.filter(
        tenant_id=sync_record.tenant_id, connection_id=erp, kind__in=PAYABLES, remote_id__in=list(bill_ids.values())
    )
    by_id = {(row.kind, row.remote_id): row for row in rows}
    kinds = {id: wanted[id].target.kind for id in bill_ids}
    return bills | {id: by_id[kinds[id], of] for id, of in bill_ids.items() if (kinds[id], of) in by_id}


def _sent_as(application: Application, sent: Iterable[SyncRecord]) -> RemoteRecord | None:
    target = application.target
    for one in sent:
        if one.stream.kind == target.kind and (one.target_id == target.id or one.record_key == target.key != ""):
            return one.remote_record
    return None


def payments_on(sync_record: SyncRecord, bills: Sequence[RemoteRecord]) -> list[RemoteRecord]:
    """The payments of somebody else that stand in the ERP and settle each of these bills, and that no payment of the
    network is linked to."""
    erp = sync_record.stream.integration.erp_id
    settled: dict[int, set[tuple[str, str]]] = {}
    rows = ApplicationRow.objects.filter(
        tenant_id=sync_record.tenant_id, connection_id=erp, target_id__in=[bill.remote_id for bill in bills]
    )
    for payment_id, kind, bill_id in rows.values_list("payment_id", "target_kind", "target_id"):
        settled.setdefault(payment_id, set()).add((kind, bill_id))
    every = {(bill.kind, bill.remote_id) for bill in bills}
    linked = Decision.objects.filter(
        tenant_id=sync_record.tenant_id, what=Decision.What.LINK, ended_at=None,
        sync_record__stream__integration_id=sync_record.stream.integration_id,
    ).exclude(sync_record=sync_record)  # fmt: skip
    standing = RemoteRecord.objects.filter(
        pk__in=[id for id, of in settled.items() if every and every <= of], gone="", key=""
    ).exclude(status=Phase.REVERSED)
    return list(standing.exclude(remote_id__in=linked.values("target_id")).order_by("-date", "-pk"))
