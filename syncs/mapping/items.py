"""Which account a line for an item is booked on, where the line itself names none: the item's."""

from collections.abc import Iterable

from connectors.models import Connection
from connectors.records import Item, Kind, Line, Ref, restore
from syncs.models import RemoteRecord


def accounts_of_items(source: Connection, lines: Iterable[Line]) -> dict[str, Ref]:
    """The account of each item that a line without an account names, as far as the ERP has shown one."""
    ids = {line.item.id for line in lines if line.account is None and line.item is not None}
    if not ids:
        return {}
    rows = RemoteRecord.objects.filter(
        tenant_id=source.tenant_id, connection=source, kind=Kind.ITEM, remote_id__in=sorted(ids)
    )
    items = [restore(Kind.ITEM, row.body) for row in rows]
    return {item.id: item.account for item in items if isinstance(item, Item) and item.account is not None}
