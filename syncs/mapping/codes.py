"""Accounts and dimensions that the AP network has already, under codes of its own: what a person says stands for which.

Whatever is not mapped is pushed, and stands for itself.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q

from connectors.records import AnyRecord, Kind, Ref, kind_of
from syncs.models import Integration, RemoteRecord
from syncs.models import Mapping as MappingRow

CODED = (Kind.ACCOUNT, Kind.DIMENSION)

Codes = Mapping[tuple[Kind, str], Ref]


def source_of(kind: Kind, id: str) -> str:
    """How a mapping names what it is for."""
    return f"{kind}:{id}"


def codes_in_force(integration: Integration, *, at: datetime) -> dict[tuple[Kind, str], Ref]:
    """By kind and id in the ERP, the code at the AP network that stands for it."""
    rows = MappingRow.objects.order_by("source", "-valid_from").filter(
        Q(valid_to=None) | Q(valid_to__gt=at),
        integration=integration,
        subject=MappingRow.Subject.CODE,
        valid_from__lte=at,
    )
    chosen = [(*row.source.split(":", 1), row.target) for row in rows]
    there = RemoteRecord.objects.filter(
        tenant_id=integration.tenant_id,
        connection_id=integration.ap_network_id,
        kind__in=CODED,
        remote_id__in=[target for _, _, target in chosen],
    )
    keys = {(row.kind, row.remote_id): row.key for row in there}
    return {
        (Kind(kind), id): Ref(Kind(kind), target, keys[kind, target])
        for kind, id, target in chosen
        if (kind, target) in keys
    }


def mapped_elsewhere(codes: Codes, records: Iterable[AnyRecord]) -> dict[str, str]:
    """Why these are not pushed, by id: a code of the AP network stands for them."""
    return {
        record.id: f"Code {codes[kind_of(record), record.id].id} of the AP network stands for it."
        for record in records
        if (kind_of(record), record.id) in codes
    }
