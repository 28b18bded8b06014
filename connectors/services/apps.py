"""Apps: registrations of this installation with providers."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from audit.log import NewEvent, record
from connectors.models import App, Connection, Tenant
from connectors.services.answers import checked
from connectors.services.opening import environment_of, provider_of, refuse_unusable_app


def create_app(
    *,
    provider: str,
    environment: str,
    name: str,
    tenant: Tenant | None,
    values: Mapping[str, object],
    by: str,
    now: datetime,
) -> App:
    """A new registration with its credentials; ValidationError names the fields that cannot be kept."""
    kind, world = provider_of(provider), environment_of(environment)
    credentials = checked(kind.App, values)
    refuse_unusable_app(kind, world, credentials)
    app = App(tenant=tenant, provider=kind.key, environment=world, name=name.strip(), credentials=credentials)
    app.full_clean()
    with transaction.atomic():
        app.save()
        record([_event(app, "app_created", by, now)])
    return app


def change_app_credentials(*, app: App, values: Mapping[str, object], by: str, now: datetime) -> None:
    """Other credentials; a secret that is left empty stays. Connections use them from their next sign-in on."""
    kind = provider_of(app.provider)
    credentials = checked(kind.App, values, app.credentials)
    refuse_unusable_app(kind, environment_of(app.environment), credentials)
    app.credentials = credentials
    with transaction.atomic():
        app.save(update_fields=["credentials"])
        Connection.objects.filter(app=app).update(findings=[], checked_at=None)  # of the former ones
        record([_event(app, "credentials_changed", by, now)])


def change_allowance(*, app: App, monthly_reads: int | None, by: str, now: datetime) -> None:
    """Another number of metered reads a month that the provider allows this registration, or none known."""
    app.monthly_reads = monthly_reads
    with transaction.atomic():
        app.save(update_fields=["monthly_reads"])
        record([_event(app, "settings_changed", by, now)])


def _event(app: App, verb: str, by: str, now: datetime) -> NewEvent:
    return NewEvent(
        tenant_id=app.tenant_id,
        at=now,
        verb=verb,
        subject_kind="app",
        subject_id=str(app.pk),
        actor=by,
        data={"provider": app.provider, "environment": app.environment, "name": app.name},
    )
