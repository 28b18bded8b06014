"""What the terms of payment of a vendor are called, where the ERP's vendor names them only by their id."""

from collections.abc import Iterable

from connectors.models import Connection
from connectors.records import AnyRecord, Kind, Vendor
from syncs.models import RemoteRecord


def names_of_terms(source: Connection, records: Iterable[AnyRecord]) -> dict[str, str]:
    """The names of the terms that these vendors have, by id, as far as the ERP has shown them."""
    ids = {record.term.id for record in records if isinstance(record, Vendor) and record.term is not None}
    if not ids:
        return {}
    rows = RemoteRecord.objects.filter(
        tenant_id=source.tenant_id, connection=source, kind=Kind.TERM, remote_id__in=sorted(ids)
    )
    return dict(rows.values_list("remote_id", "name"))
