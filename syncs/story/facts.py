"""The rows of one bill's story, on both sides, with a fixed number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from audit.models import Event
from connectors.base import ids_of_pieces
from connectors.models import Connection, Exchange
from connectors.records import Kind, Phase, Ref
from syncs.delivery.planned import NOT_CLEARED
from syncs.delivery.reposts import is_being_taken_back
from syncs.models import Application, Attempt, Feed, RemoteRecord, RemoteRevision, StoppedInvoice, SyncRecord
from syncs.story.coding import accounts_by_item, codes_of, named_by
from syncs.story.files import File, files_of

MOST_EVENTS = 1000
MOST_EXCHANGES = 12  # of one attempt


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One object of one side with its earlier states, oldest first."""

    record: RemoteRecord
    earlier: Sequence[RemoteRevision] = ()


def stands(payment: RemoteRecord) -> bool:
    """Whether a payment was neither deleted nor taken back."""
    return not payment.gone and payment.status != Phase.REVERSED


@dataclass(frozen=True, kw_only=True)
class Paid:
    """One payment of the network on this bill: what it settles of it, its delivery, and the posting that it became."""

    payment: Seen
    applied_minor: int
    delivery: SyncRecord | None
    posting: Seen | None

    @property
    def stands(self) -> bool:
        """Whether the network has not taken it back."""
        return stands(self.payment.record)

    @property
    def is_posted(self) -> bool:
        """Whether a posting of it stands in the ERP."""
        return self.posting is not None and stands(self.posting.record)

    @property
    def waits_to_clear(self) -> bool:
        """Whether its posting is pending by policy, although it is executed."""
        return self.stands and self.delivery is not None and self.delivery.code == NOT_CLEARED

    @property
    def is_to_be_posted_anew(self) -> bool:
        """Whether its posting is taken back, and the next one does not stand yet."""
        row = self.delivery
        if row is None or not row.taken_back or not self.stands or self.is_posted:
            return False
        return not row.target_id or is_being_taken_back(row.target_id, row.taken_back)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that is known of one bill; whoever tells the story needs nothing else."""

    bill: Seen
    vendor: str
    delivery: SyncRecord | None
    network: Connection | None
    invoice: Seen | None
    payments: Sequence[Paid]
    elsewhere: Sequence[tuple[Seen, int]]
    events: Sequence[Event]
    attempts: Mapping[int, Attempt]
    exchanges: Mapping[int, Sequence[Exchange]] = field(default_factory=dict)
    feeds: Mapping[int, Feed] = field(default_factory=dict)
    stopped: Sequence[StoppedInvoice] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, Ref] = field(default_factory=dict)
    named: Mapping[tuple[str, str], RemoteRecord] = field(default_factory=dict)
    files: Sequence[File] = ()

    @property
    def erp(self) -> Connection:
        return self.bill.record.connection


def facts_of(bill: RemoteRecord) -> Facts:
    """Everything about this bill of an ERP, its connection loaded with it."""
    delivery = _deliveries([bill.pk]).filter(stream__kind=Kind.BILL).order_by("-stream__integration__active").first()
    network = delivery.stream.integration.ap_network if delivery else None
    invoice = _invoice(network, delivery)
    applied = _applications(network, invoice.remote_id) if invoice is not None else {}
    deliveries = {one.remote_record_id: one for one in _deliveries(applied) if delivery and _together(one, delivery)}
    postings = _postings(bill, deliveries.values())
    own = {posting.pk for posting in postings.values()}
    elsewhere = {pk: one for pk, one in _applications(bill.connection, bill.remote_id).items() if pk not in own}
    records = [bill, *([invoice] if invoice else []), *(payment for payment, _ in applied.values())]
    records += [*postings.values(), *(payment for payment, _ in elsewhere.values())]
    seen = _with_earlier(bill.tenant_id, records)
    events = _events(bill.tenant_id, [one for one in (delivery, *deliveries.values()) if one])
    attempts = _attempts(bill.tenant_id, [one.pk for one in (delivery, *deliveries.values()) if one])
    connections = [bill.connection_id, *([network.pk] if network else [])]
    return Facts(
        bill=seen[bill.pk],
        vendor=_vendor(bill),
        delivery=delivery,
        network=network,
        invoice=seen[invoice.pk] if invoice else None,
        payments=[_paid(seen, pk, minor, deliveries.get(pk), postings) for pk, (_, minor) in applied.items()],
        elsewhere=[(seen[pk], minor) for pk, (_, minor) in elsewhere.items()],
        events=events,
        attempts=attempts,
        exchanges=_exchanges(bill.tenant_id, attempts.values()),
        stopped=_stopped([*([invoice] if invoice else []), *(payment for payment, _ in applied.values())]),
        codes=codes_of(delivery, invoice),
        items=(items := accounts_by_item(bill)),
        named=named_by(bill, items),
        files=files_of(bill, delivery, invoice),
        feeds={feed.connection_id: feed for feed in Feed.objects.filter(connection_id__in=connections)},
    )


def _paid(
    seen: Mapping[int, Seen], pk: int, minor: int, delivery: SyncRecord | None, postings: Mapping[str, RemoteRecord]
) -> Paid:
    posted = postings.get(delivery.target_id) if delivery else None
    return Paid(payment=seen[pk], applied_minor=minor, delivery=delivery, posting=seen[posted.pk] if posted else None)


def _deliveries(remote_record_ids: Iterable[int]) -> QuerySet[SyncRecord]:
    return (
        SyncRecord.objects.filter(remote_record_id__in=list(remote_record_ids))
        .select_related("problem", "remote_record", "stream__integration__ap_network__app")
        .defer("stream__integration__ap_network__credentials")
    )


def _together(one: SyncRecord, other: SyncRecord) -> bool:
    return one.stream.integration_id == other.stream.integration_id


def _invoice(network: Connection | None, delivery: SyncRecord | None) -> RemoteRecord | None:
    if network is None or delivery is None or not delivery.target_id:
        return None
    return RemoteRecord.objects.filter(
        tenant_id=delivery.tenant_id, connection=network, kind=Kind.BILL, remote_id=delivery.target_id
    ).first()


def _stopped(there: Sequence[RemoteRecord]) -> list[StoppedInvoice]:
    """Which of these, of the network, stand still there."""
    return list(StoppedInvoice.objects.filter(remote_record__in=there).select_related("problem"))


def _applications(connection: Connection | None, bill_id: str) -> dict[int, tuple[RemoteRecord, int]]:
    """The payments that settle a bill of this connection, and how much of it each does."""
    found: dict[int, tuple[RemoteRecord, int]] = {}
    rows = Application.objects.filter(connection=connection, target_kind=Kind.BILL, target_id=bill_id)
    for row in rows.select_related("payment").order_by("payment_id", "place"):
        found[row.payment_id] = (row.payment, found.get(row.payment_id, (row.payment, 0))[1] + row.gross_minor)
    return found


def _postings(bill: RemoteRecord, deliveries: Iterable[SyncRecord]) -> dict[str, RemoteRecord]:
    """The posting of each delivery, by its target id; of one that stands in several pieces, that on this bill."""
    whole = {piece: one.target_id for one in deliveries for piece in ids_of_pieces(one.target_id)}
    found = RemoteRecord.objects.filter(
        tenant_id=bill.tenant_id, connection_id=bill.connection_id, kind=Kind.PAYMENT, remote_id__in=list(whole)
    )
    on_bill = _applications(bill.connection, bill.remote_id)
    return {whole[one.remote_id]: one for one in sorted(found, key=lambda one: one.pk in on_bill)}


def _with_earlier(tenant_id: int, records: Sequence[RemoteRecord]) -> dict[int, Seen]:
    earlier: dict[int, list[RemoteRevision]] = {record.pk: [] for record in records}
    found = RemoteRevision.objects.filter(tenant_id=tenant_id, remote_record_id__in=list(earlier))
    for revision in found.order_by("revision", "id"):
        earlier[revision.remote_record_id].append(revision)
    return {record.pk: Seen(record=record, earlier=earlier[record.pk]) for record in records}


def _vendor(bill: RemoteRecord) -> str:
    known = RemoteRecord.objects.filter(
        tenant_id=bill.tenant_id, connection_id=bill.connection_id, kind=Kind.VENDOR, remote_id=bill.party_id
    )
    return known.values_list("name", flat=True).first() or f"vendor {bill.party_id}"


def _events(tenant_id: int, deliveries: Sequence[SyncRecord]) -> list[Event]:
    ids = [str(one.pk) for one in deliveries]
    found = Event.objects.filter(tenant_id=tenant_id, subject_kind="sync_record", subject_id__in=ids)
    return list(found.order_by("id")[:MOST_EVENTS])


def _attempts(tenant_id: int, delivery_ids: Sequence[int]) -> dict[int, Attempt]:
    found = Attempt.objects.filter(tenant_id=tenant_id, sync_record_id__in=delivery_ids).order_by("id")
    return {one.pk: one for one in found[:MOST_EVENTS]}


def _exchanges(tenant_id: int, attempts: Iterable[Attempt]) -> dict[int, list[Exchange]]:
    """Of each attempt: the exchange that brought its outcome, and what was said with it at the same time."""
    last = {one.pk: one.exchange_id for one in attempts if one.exchange_id is not None}
    traces = Exchange.objects.filter(pk__in=list(last.values())).values("trace_id")
    rows = Exchange.objects.filter(Q(trace_id__in=traces), tenant_id=tenant_id).order_by("id")
    by_id = {row.pk: row for row in rows}
    found: dict[int, list[Exchange]] = {}
    for attempt in attempts:
        outcome = by_id.get(last.get(attempt.pk, 0))
        if outcome is not None:
            same = [row for row in by_id.values() if row.trace_id == outcome.trace_id and row.pk <= outcome.pk]
            found[attempt.pk] = [row for row in same if row.at >= attempt.started_at][-MOST_EXCHANGES:] or [outcome]
    return found
