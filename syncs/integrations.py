"""Integrations: pairing two connections, and starting them.

The rules of pairing are here and, where the database can hold them, in its constraints as well.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import NewEvent, record
from connectors.base import Environment
from connectors.models import Connection
from connectors.registry import connector_class
from syncs.delivery.flows import FLOWS
from syncs.models import Feed, Integration, Stream


def pair(*, erp: Connection, ap_network: Connection, by: str, now: datetime) -> Integration:
    """A new integration of two connections, not yet active; ValidationError says what does not fit."""
    for connection, role, words in ((erp, "erp", "an ERP"), (ap_network, "ap_network", "an AP network")):
        if connector_class(connection.provider).role != role:
            raise ValidationError(f"{connection} is not {words}: choose a connection to {words}.")
    if erp.tenant_id != ap_network.tenant_id:
        raise ValidationError("Both connections have to belong to the same tenant.")
    if (erp.environment == Environment.PRODUCTION) != (ap_network.environment == Environment.PRODUCTION):
        raise ValidationError("Pair production with production only: one of these connections is not production.")
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
    """Start reading and delivering; ValidationError while a connection does not work or belongs to another integration."""
    for connection in (integration.erp, integration.ap_network):
        if connection.status != Connection.Status.CONNECTED:
            raise ValidationError(f"Connect {connection} first: it is {connection.get_status_display()}.")
    others = Integration.objects.filter(active=True).exclude(pk=integration.pk)
    if others.filter(erp=integration.erp).exists() or others.filter(ap_network=integration.ap_network).exists():
        raise ValidationError(
            "One of these companies already belongs to another active integration: stop that one first."
        )
    with transaction.atomic():
        integration.active, integration.activated_at = True, now
        integration.save()
        Feed.objects.filter(connection__in=(integration.erp, integration.ap_network)).update(
            due_at=now, full_after=None, stage="", cursor={}
        )
        Stream.objects.filter(integration=integration).update(due_at=now)
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
