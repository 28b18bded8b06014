"""What a person can choose from when linking: nothing else is taken, and nobody guesses by name."""

from django.db.models import QuerySet

from connectors.base import ids_of_pieces
from connectors.records import Application, Kind, Phase
from syncs.models import RemoteRecord, SyncRecord
from syncs.paid_bills import bills_paid, payment_of, payments_on
from syncs.states import State

MOST = 200
STOPPED = ("cancelled", "rejected")


def payments_to_link(sync_record: SyncRecord) -> list[RemoteRecord]:
    """The payments that somebody entered in the ERP for every bill that this payment of the network settles."""
    bills = bills_paid(sync_record)
    every = {one.target.id for one in payment_of(sync_record).applications}
    return payments_on(sync_record, list(bills.values())) if bills and every == bills.keys() else []


def own_posting(sync_record: SyncRecord) -> RemoteRecord | None:
    """What we posted of a payment and still stands in the ERP, whatever somebody made of it; or an entry beside it."""
    standing = own_postings(sync_record).filter(gone="").exclude(status=Phase.REVERSED).first()
    beside = RemoteRecord.objects.filter(
        tenant_id=sync_record.tenant_id,
        connection_id=sync_record.stream.integration.erp_id,
        kind=Kind.LEDGER_ENTRY,
        remote_id__in=ids_of_pieces(sync_record.target_id),
        gone="",
    )
    return standing or beside.first()


def own_postings(sync_record: SyncRecord) -> QuerySet[RemoteRecord]:
    """Everything that we ever posted of a payment in the ERP."""
    erp = sync_record.stream.integration.erp_id
    return RemoteRecord.objects.filter(
        tenant_id=sync_record.tenant_id, connection_id=erp, kind=Kind.PAYMENT, key=sync_record.record_key
    )


def unknown_invoices(sync_record: SyncRecord) -> list[Application]:
    """The parts of a payment that settle an invoice of which nobody knows the bill."""
    known = bills_paid(sync_record)
    return [one for one in payment_of(sync_record).applications if one.target.id not in known]


def unsent_bills(sync_record: SyncRecord, invoice_id: str) -> list[RemoteRecord]:
    """The open bills that such an invoice can be: of its vendor, if that is known, and not at the network themselves.

    A bill that is there under an invoice of its own could be paid a second time by that one.
    """
    integration, payment = sync_record.stream.integration, payment_of(sync_record)
    kinds = {one.target.kind for one in payment.applications if one.target.id == invoice_id}
    bills = RemoteRecord.objects.filter(
        tenant_id=sync_record.tenant_id, connection_id=integration.erp_id, kind__in=kinds, gone="", balance_minor__gt=0
    )
    vendor = SyncRecord.objects.filter(
        tenant_id=sync_record.tenant_id,
        stream__integration=integration,
        stream__kind=Kind.VENDOR,
        target_id=payment.vendor.id,
    ).first()
    if vendor is not None:
        bills = bills.filter(party_id=vendor.remote_record.remote_id)
    sent = SyncRecord.objects.filter(stream__integration=integration, stream__kind__in=kinds)
    under_way = sent.filter(state__in=(State.SENDING, State.IN_DOUBT)) | sent.exclude(target_id="")
    stopped = RemoteRecord.objects.filter(
        tenant_id=sync_record.tenant_id, connection_id=integration.ap_network_id, kind__in=kinds, status__in=STOPPED
    )
    at_the_network = under_way.exclude(target_id__in=stopped.values("remote_id"))
    return list(bills.exclude(pk__in=at_the_network.values("remote_record_id")).order_by("-date", "-pk")[:MOST])


def vendors_to_link(sync_record: SyncRecord) -> list[RemoteRecord]:
    """The vendors at the network that are nobody's yet, those of the same name first."""
    integration = sync_record.stream.integration
    taken = SyncRecord.objects.filter(stream__integration=integration, stream__kind=Kind.VENDOR).exclude(target_id="")
    there = RemoteRecord.objects.filter(
        tenant_id=sync_record.tenant_id, connection_id=integration.ap_network_id, kind=Kind.VENDOR, gone="", key=""
    ).exclude(remote_id__in=taken.values("target_id"))
    name = sync_record.remote_record.name.casefold()
    return sorted(there.order_by("name", "pk")[:MOST], key=lambda one: one.name.casefold() != name)
