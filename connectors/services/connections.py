"""Connections: making them, changing what they are made of, pausing and resuming them."""

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import NewEvent, record
from connectors.models import App, Connection, Tenant
from connectors.services.answers import checked
from connectors.services.opening import provider_of, refuse_unusable_connection

COMPANY = "company_id"  # a credential of this name says for which company the app acts


def create_connection(
    *,
    tenant: Tenant,
    app: App,
    credentials: Mapping[str, object],
    settings: Mapping[str, object],
    by: str,
    now: datetime,
) -> Connection:
    """A new connection of a tenant through an app, not connected yet; provider and environment are the app's."""
    if app.tenant_id not in (None, tenant.pk):
        raise ValidationError({"app": "This app belongs to another tenant: choose one of this tenant or a shared one."})
    provider = provider_of(app.provider)
    connection = Connection(
        tenant=tenant,
        app=app,
        provider=app.provider,
        environment=app.environment,
        credentials=checked(provider.Credentials, credentials),
        settings=checked(provider.Settings, settings),
    )
    connection.full_clean()
    refuse_unusable_connection(connection)
    with transaction.atomic():
        connection.save()
        record([event_of(connection, "connection_created", by=by, now=now)])
    return connection


def change_connection_credentials(
    *, connection: Connection, values: Mapping[str, object], by: str, now: datetime
) -> None:
    """Other credentials for the same company; a secret that is left empty stays, and so does every setting."""
    provider = provider_of(connection.provider)
    credentials = checked(provider.Credentials, values, connection.credentials)
    known = connection.account_id if connection.status != Connection.Status.NEW else ""
    if known and (credentials.get(COMPANY) or known) != known:
        raise ValidationError(
            {
                COMPANY: f"This connection belongs to {connection.account_name or 'a company'} ({known}). "
                "Make a new connection for another company."
            }
        )
    connection.credentials = credentials
    refuse_unusable_connection(connection)
    with transaction.atomic():
        connection.save(update_fields=["credentials", *_unchecked(connection)])
        record([event_of(connection, "credentials_changed", by=by, now=now)])


def change_settings(*, connection: Connection, values: Mapping[str, object], by: str, now: datetime) -> None:
    """Other settings, used from the next slice on; what was found with the former ones no longer counts."""
    before = dict(connection.settings)
    connection.settings = checked(provider_of(connection.provider).Settings, values, connection.settings)
    refuse_unusable_connection(connection)
    stale = _unchecked(connection) if connection.settings != before else []
    with transaction.atomic():
        connection.save(update_fields=["settings", *stale])
        record(
            [event_of(connection, "settings_changed", by=by, now=now, before=before, after=dict(connection.settings))]
        )


def _unchecked(connection: Connection) -> list[str]:
    """Forget what the last check found; the names of the fields to save."""
    connection.findings, connection.checked_at = [], None
    return ["findings", "checked_at"]


def pause_connection(*, connection: Connection, by: str, why: str, now: datetime) -> None:
    """Stop reading and sending through it; everything waits where it stands."""
    if not why.strip():
        raise ValidationError({"why": "Say why it is paused: others will want to know."})
    with transaction.atomic():
        changed = Connection.objects.filter(
            pk=connection.pk, status__in=(Connection.Status.CONNECTED, Connection.Status.ATTENTION)
        ).update(status=Connection.Status.PAUSED)
        if not changed:
            raise ValidationError("Only a connection that was connected can be paused.")
        record([event_of(connection, "connection_paused", by=by, why=why, now=now)])


def resume_connection(*, connection: Connection, by: str, now: datetime) -> None:
    """Go on from where it stood; one that needed somebody to sign in before it was paused still does."""
    with transaction.atomic():
        locked = Connection.objects.select_for_update().get(pk=connection.pk)
        if locked.status != Connection.Status.PAUSED:
            raise ValidationError("It is not paused.")
        locked.status = Connection.Status.ATTENTION if locked.attention else Connection.Status.CONNECTED
        locked.save(update_fields=["status"])
        record([event_of(locked, "connection_resumed", by=by, now=now)])


def event_of(connection: Connection, verb: str, *, by: str, now: datetime, why: str = "", **data: object) -> NewEvent:
    """An audit event about a connection."""
    return NewEvent(
        tenant_id=connection.tenant_id,
        at=now,
        verb=verb,
        subject_kind="connection",
        subject_id=str(connection.pk),
        actor=by,
        why=why,
        data=data,
    )
