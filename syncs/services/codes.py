"""Mapping an account or a dimension of the ERP to a code that the AP network has already."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from connectors.records import Kind
from syncs.mapping.codes import CODED, source_of
from syncs.models import Integration, Mapping, RemoteRecord, SyncRecord
from syncs.services.rules import Decided, begin_mapping, needed, release
from syncs.states import State


def map_code(*, integration: Integration, source: str, target: str, by: str, why: str, now: datetime) -> Decided:
    """From now on this code of the AP network stands for this account or dimension; an empty target ends that.

    `source` is a kind and an id in the ERP, as in account:64. ValidationError names what cannot be.
    """
    errors, (kind, _, id) = needed(why), source.partition(":")
    ours = _shown(integration, integration.erp_id, kind, id)
    there = _shown(integration, integration.ap_network_id, kind, target)
    if kind not in CODED or ours is None:
        errors["source"] = "Choose an account or a dimension that the ERP has shown us."
    elif target and (there is None or not there.key):
        errors["target"] = "Choose a code that the AP network shows with an external id: by that a line names it."
    elif _is_sent(integration, ours):
        errors["source"] = "It was sent there already and stands for itself."
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        row = begin_mapping(integration, Mapping.Subject.CODE, source_of(Kind(kind), id), target, by, why, now)
        waited = Q(remote_record=ours, state__in=(State.HELD, State.PENDING, State.OUT_OF_SCOPE))
        return Decided(row=row, released=release(integration, waited, by, now))


def _shown(integration: Integration, connection_id: int, kind: str, id: str) -> RemoteRecord | None:
    return RemoteRecord.objects.filter(
        tenant_id=integration.tenant_id, connection_id=connection_id, kind=kind, remote_id=id, gone=""
    ).first()


def _is_sent(integration: Integration, ours: RemoteRecord) -> bool:
    sent = SyncRecord.objects.filter(stream__integration=integration, remote_record=ours)
    return sent.exclude(target_id="").exists()
