"""Integrations: pairing two connections, and starting them.

The rules of pairing are here and, where the database can hold them, in its constraints as well.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from audit.log import NewEvent, record
from connectors.base import Environment
from connectors.models import Connection
from connectors.records import Kind, restore
from connectors.registry import connector_class
from syncs.delivery.flows import FLOWS
from syncs.mirror.observe import Seen, observe
from syncs.models import Feed, Integration, RemoteRecord, Stream, SyncRecord
from syncs.states import State


def pair(*, erp: Connection, ap_network: Connection, by: str, now: datetime) -> Integration:
    """A new integration of two connections, not yet active; ValidationError says what does not fit."""
    for connection, role, words in ((erp, "erp", "an ERP"), (ap_network, "ap_network", "an AP network")):
        if connector_class(connection.provider).role != role:
            raise ValidationError(f"{connection} is not {words}: choose a connection to {words}.")
    if erp.tenant_id != ap_network.tenant_id:
        raise ValidationError("Both connections have to belong to the same tenant.")
    if (erp.environment == Environment.PRODUCTION) != (ap_network.environment == Environment.PRODUCTION):
        raise ValidationError("Pair production with production only: one of these connections is not production.")
    if Integration.objects.filter(erp=erp, ap_network=ap_network).exists():
        raise ValidationError("These two are paired already: activate that integration, which knows what was sent.")
    with transaction.atomic():
        integration = Integration.objects.create(tenant_id=erp.tenant_id, erp=erp, ap_network=ap_network)
        for kind in FLOWS:
            Stream.objects.create(tenant_id=erp.tenant_id, integration=integration, kind=kind)
        for connection in (erp, ap_network):
            Feed.objects.get_or_create(tenant_id=erp.tenant_id, connection=connection)
        record(
            [
                NewEvent(
                    tenant_id=erp.tenant_id,
                    at=now,
                    verb="integration_created",
                    subject_kind="integration",
                    subject_id=str(integration.pk),
                    actor=by,
                )
            ]
        )
    return integration


def activate(integration: Integration, *, by: str, why: str, now: datetime) -> None:
    """Start reading and delivering; ValidationError if a connection does not work or belongs to another one."""
    for connection in (integration.erp, integration.ap_network):
        if connection.status != Connection.Status.CONNECTED:
            raise ValidationError(f"Connect {connection} first: it is {connection.get_status_display()}.")
    others = Integration.objects.filter(active=True).exclude(pk=integration.pk)
    if others.filter(erp=integration.erp).exists() or others.filter(ap_network=integration.ap_network).exists():
        raise ValidationError(
            "One of these companies already belongs to another active integration: stop that one first."
        )
    if _is_under_way_elsewhere(integration):
        raise ValidationError(
            "Another integration of these companies still waits for answers: try again in a few minutes."
        )
    with transaction.atomic():
        integration.active, integration.activated_at = True, now
        integration.save()
        # A slice that is reading now would write its place back: the fence stops it.
        Feed.objects.filter(connection__in=(integration.erp, integration.ap_network)).update(
            due_at=now, full_after=None, stage="", cursor={}, fence=F("fence") + 1, lease_until=None
        )
        Stream.objects.filter(integration=integration).update(due_at=now)
        _want_what_is_gone(integration, now)
        record(
            [
                NewEvent(
                    tenant_id=integration.tenant_id,
                    at=now,
                    verb="integration_activated",
                    subject_kind="integration",
                    subject_id=str(integration.pk),
                    actor=by,
                    why=why,
                )
            ]
        )


def _is_under_way_elsewhere(integration: Integration) -> bool:
    """Whether something was sent, or may have been, by another integration of one of these companies."""
    others = Integration.objects.filter(Q(erp=integration.erp) | Q(ap_network=integration.ap_network))
    return SyncRecord.objects.filter(
        stream__integration__in=others.exclude(pk=integration.pk), state__in=(State.SENDING, State.IN_DOUBT)
    ).exists()


def _want_what_is_gone(integration: Integration, now: datetime) -> None:
    """What was deleted while nothing was delivered is shown by no reading any more: it is told from what we know."""
    for connection in (integration.erp, integration.ap_network):
        known = RemoteRecord.objects.filter(connection=connection, deliveries__stream__integration=integration)
        gone = [
            Seen(
                kind=Kind(remote.kind),
                record=restore(Kind(remote.kind), remote.body),
                gone=remote.gone,
                merged_into=remote.merged_into,
            )
            for remote in known.exclude(gone="")
        ]
        observe(connection, gone, now=now)
