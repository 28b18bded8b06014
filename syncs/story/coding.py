"""What accounts, items, dimensions and purchase orders are called that a bill and its invoice name, in few queries."""

from collections.abc import Iterable, Mapping

from django.db.models import Q

from connectors.records import AnyRecord, Bill, Kind, Line, Ref, restore
from syncs.mapping.items import accounts_of_items
from syncs.models import RemoteRecord, SyncRecord

Named = Mapping[tuple[str, str], RemoteRecord]


def lines_of(*records: RemoteRecord | None) -> list[Line]:
    """The lines of these bills, of those that are."""
    bills = [restore(Kind.BILL, one.body) for one in records if one is not None]
    return [line for bill in bills if isinstance(bill, Bill) for line in bill.lines]


def accounts_by_item(bill: RemoteRecord) -> dict[str, Ref]:
    """On which account the bill's items are booked, where their lines name none."""
    return accounts_of_items(bill.connection, lines_of(bill))


def named_by(bill: RemoteRecord, items: Mapping[str, Ref]) -> dict[tuple[str, str], RemoteRecord]:
    """What the ERP has shown of everything that the bill's lines name, by kind and id."""
    named = [(line.account, line.item, line.order, *line.dimensions) for line in lines_of(bill)]
    refs = {ref for refs in named for ref in refs if ref is not None} | set(items.values())
    found = RemoteRecord.objects.filter(
        tenant_id=bill.tenant_id,
        connection_id=bill.connection_id,
        kind__in={ref.kind for ref in refs},
        remote_id__in={ref.id for ref in refs},
    )
    return {(one.kind, one.remote_id): one for one in found}


def codes_of(delivery: SyncRecord | None, invoice: RemoteRecord | None) -> dict[str, str]:
    """What the accounts and dimensions that the invoice is coded with are called, and those that we sent: in the ERP,
    or at the network where they are its own."""
    if delivery is None or invoice is None:
        return {}
    refs = [ref for ref in _coding(lines_of(invoice, delivery.remote_record)) if ref is not None]
    keys = {ref.key for ref in refs if ref.key}
    there = RemoteRecord.objects.filter(
        Q(key__in=keys) | Q(remote_id__in={ref.id for ref in refs if ref.id}),
        tenant_id=invoice.tenant_id,
        connection_id=invoice.connection_id,
        kind__in=(Kind.ACCOUNT, Kind.DIMENSION),
    )
    found = SyncRecord.objects.filter(
        Q(record_key__in=keys) | Q(remote_record__remote_id__in={ref.id for ref in refs if ref.id}),
        tenant_id=delivery.tenant_id,
        stream__integration_id=delivery.stream.integration_id,
        stream__kind__in=(Kind.ACCOUNT, Kind.DIMENSION),
    )
    ours = found.values_list("record_key", "remote_record__remote_id", "remote_record__number", "remote_record__name")
    own = [(one.key or one.remote_id, one.remote_id, one.number, one.name) for one in there]
    return {key: _spoken(*words) for key, *words in (*own, *ours)}


def name_of(ref: Ref, named: Named) -> str:
    """What people call it; its id where it was never seen."""
    record = named.get((ref.kind, ref.id))
    if record is None:
        return f"{ref.kind.replace('_', ' ')} {ref.id}, not seen yet"
    return _spoken(record.remote_id, record.number, record.name) or record.remote_id


def order_line(line: Line, named: Named) -> str:
    """The purchase order and its line that this one is for."""
    if line.order is None:
        return ""
    record = named.get((line.order.kind, line.order.id))
    ordered: AnyRecord | None = restore(Kind.PURCHASE_ORDER, record.body) if record else None
    lines: Iterable[Line] = getattr(ordered, "lines", ())
    number = next((one.number for one in lines if one.id and one.id == line.order_line), None)
    order = name_of(line.order, named)
    return f"{order}, line {number}" if number else order


def _spoken(id: str, number: str, name: str) -> str:
    """Its number and name; an ERP that has no number for it shows its id there, which says nothing to people."""
    return " ".join(filter(None, ("" if number in (id, id.rpartition("-")[2]) else number, name)))


def _coding(lines: Iterable[Line]) -> list[Ref | None]:
    return [ref for line in lines for ref in (line.account, *line.dimensions)]
