"""The list of bills: the newest, or those that a search finds by equality, and how far each has come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import Q, QuerySet

from connectors.models import Connection, Tenant
from connectors.records import Kind, minor_units
from connectors.registry import connectors
from syncs.models import Application, RemoteRecord, SyncRecord
from syncs.states import LABELS, State
from syncs.story.tell import money

PAGE = 50
MOST_FOUND = 200
TONES = {State.SYNCED: "good", State.HELD: "bad", State.OUT_OF_SCOPE: "none", State.IGNORED: "none"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody looks for; `before` is the last row of the page before."""

    text: str = ""
    state: str = ""
    tenant_id: int | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One bill in the list."""

    bill: RemoteRecord
    vendor: str
    amount: str
    balance: str
    state: str
    tone: str
    reason: str
    at_the_network: str
    payment_held: str
    gone: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """One page of the list; `more` is what the next one begins before."""

    rows: Sequence[Row]
    more: int | None


def find_bills(wanted: Wanted) -> Found:
    """The bills of all ERP connections, newest first, at most a page of them."""
    bills = _bills(wanted)
    if wanted.text:
        bills = bills.filter(pk__in=_matching(wanted))
    if wanted.state:
        bills = bills.filter(deliveries__state=wanted.state, deliveries__stream__kind=Kind.BILL)
    if wanted.before is not None:
        bills = bills.filter(pk__lt=wanted.before)
    page = list(bills.select_related("tenant").defer("body").order_by("-pk")[: PAGE + 1])
    return Found(rows=_rows(page[:PAGE]), more=page[PAGE - 1].pk if len(page) > PAGE else None)


def _erps() -> QuerySet[Connection]:
    keys = [key for key, connector in connectors().items() if connector.role == "erp"]
    return Connection.objects.filter(provider__in=keys)


def _bills(wanted: Wanted) -> QuerySet[RemoteRecord]:
    bills = RemoteRecord.objects.filter(kind=Kind.BILL, connection__in=_erps().values("pk"))
    return bills.filter(tenant_id=wanted.tenant_id) if wanted.tenant_id else bills


def _matching(wanted: Wanted) -> set[int]:
    """Ids of bills whose number, vendor, amount or payment's reference is this text."""
    text, bills = wanted.text.strip(), _bills(wanted)
    tenants = Tenant.objects.filter(pk=wanted.tenant_id) if wanted.tenant_id else Tenant.objects.all()
    tenant_ids = list(tenants.values_list("pk", flat=True))
    found: set[int] = set()

    def add(some: QuerySet[RemoteRecord]) -> None:
        found.update(some.order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND])

    add(bills.filter(tenant_id__in=tenant_ids, number=text))
    for connection_id, vendor_id in _vendors(tenant_ids, text):
        add(bills.filter(connection_id=connection_id, party_id=vendor_id))
    for amount in _amounts(text):
        add(bills.filter(tenant_id__in=tenant_ids, amount_minor=amount))
    for connection_id, bill_ids in _paid_under(tenant_ids, text).items():
        add(bills.filter(connection_id=connection_id, remote_id__in=bill_ids))
        sent = SyncRecord.objects.filter(
            stream__integration__ap_network_id=connection_id, stream__kind=Kind.BILL, target_id__in=bill_ids
        )
        add(bills.filter(pk__in=sent.values("remote_record_id")))
    return found


def _vendors(tenant_ids: Sequence[int], text: str) -> list[tuple[int, str]]:
    known = RemoteRecord.objects.filter(tenant_id__in=tenant_ids, kind=Kind.VENDOR, name__iexact=text)
    return list(known.values_list("connection_id", "remote_id")[:MOST_FOUND])


def _amounts(text: str) -> list[int]:
    """The text as an amount in the smallest units of a currency with cents."""
    try:
        return [minor_units(Decimal(text.replace(",", "").replace("$", "")), "USD")]
    except (InvalidOperation, ValueError, OverflowError):
        return []


def _paid_under(tenant_ids: Sequence[int], text: str) -> dict[int, list[str]]:
    """The bills that payments of this reference settle, on the side of each payment."""
    payments = RemoteRecord.objects.filter(tenant_id__in=tenant_ids, kind=Kind.PAYMENT, number=text)
    found: dict[int, list[str]] = {}
    rows = Application.objects.filter(
        tenant_id__in=tenant_ids, payment_id__in=payments.values("pk"), target_kind=Kind.BILL
    )
    for connection_id, bill_id in rows.values_list("connection_id", "target_id")[:MOST_FOUND]:
        found.setdefault(connection_id, []).append(bill_id)
    return found


def _rows(bills: Sequence[RemoteRecord]) -> list[Row]:
    vendors = _names(bills)
    deliveries = {
        one.remote_record_id: one
        for one in SyncRecord.objects.filter(
            remote_record_id__in=[bill.pk for bill in bills], stream__kind=Kind.BILL
        ).select_related("stream__integration")
    }
    invoices, held = _invoices(deliveries.values()), _held_payments(deliveries.values())
    rows = []
    for bill in bills:
        delivery = deliveries.get(bill.pk)
        state = State(delivery.state) if delivery else None
        invoice = (delivery.stream.integration.ap_network_id, delivery.target_id) if delivery else (0, "")
        rows.append(
            Row(
                bill=bill,
                vendor=vendors.get((bill.connection_id, bill.party_id), bill.party_id),
                amount=money(bill.amount_minor, bill.currency),
                balance="" if bill.gone else money(bill.balance_minor, bill.currency),
                state=LABELS[state] if state else "not delivered anywhere",
                tone=TONES.get(state, "warn") if state else "none",
                reason=delivery.reason if delivery else "",
                at_the_network=invoices.get(invoice, "").replace("_", " "),
                payment_held=held.get(invoice, ""),
                gone=bill.gone,
            )
        )
    return rows


def _names(bills: Sequence[RemoteRecord]) -> dict[tuple[int, str], str]:
    known = RemoteRecord.objects.filter(
        tenant_id__in={bill.tenant_id for bill in bills},
        connection_id__in={bill.connection_id for bill in bills},
        kind=Kind.VENDOR,
        remote_id__in={bill.party_id for bill in bills},
    )
    return {(connection, id): name for connection, id, name in known.values_list("connection_id", "remote_id", "name")}


def _invoices(deliveries: Iterable[SyncRecord]) -> dict[tuple[int, str], str]:
    """What the network says about each invoice, by its connection and id."""
    sent = [one for one in deliveries if one.target_id]
    known = RemoteRecord.objects.filter(
        Q(connection_id__in={one.stream.integration.ap_network_id for one in sent}),
        tenant_id__in={one.tenant_id for one in sent},
        kind=Kind.BILL,
        remote_id__in={one.target_id for one in sent},
    )
    return {
        (connection, id): status for connection, id, status in known.values_list("connection_id", "remote_id", "status")
    }


def _held_payments(deliveries: Iterable[SyncRecord]) -> dict[tuple[int, str], str]:
    """Why a payment of each invoice is held, by the invoice's connection and id."""
    sent = [one for one in deliveries if one.target_id]
    held = Application.objects.filter(
        connection_id__in={one.stream.integration.ap_network_id for one in sent},
        target_kind=Kind.BILL,
        target_id__in={one.target_id for one in sent},
        payment__deliveries__state=State.HELD,
    )
    found = held.values_list("connection_id", "target_id", "payment__deliveries__reason")
    return {(connection, id): reason for connection, id, reason in found}
