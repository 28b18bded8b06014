"""Tenants: adding and changing a customer company."""

from datetime import datetime
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from audit.log import NewEvent, record
from connectors.models import Tenant


def create_tenant(*, name: str, time_zone: str, email: str = "", by: str, now: datetime) -> Tenant:
    """A new tenant; ValidationError names the fields that cannot be kept."""
    tenant = Tenant(name=name.strip(), time_zone=time_zone.strip(), email=email.strip())
    _refuse(tenant)
    with transaction.atomic():
        tenant.save()
        record([_event(tenant, "tenant_created", by, "", now)])
    return tenant


def change_tenant(
    *,
    tenant: Tenant,
    name: str,
    time_zone: str,
    email: str | None = None,
    active: bool,
    by: str,
    why: str,
    now: datetime,
) -> None:
    """Another name, time zone or e-mail address, or the end or a new beginning of all reading and sending."""
    if active != tenant.active and not why.strip():
        raise ValidationError({"why": "Say why: everything of this tenant stops or starts with it."})
    before = _values(tenant)
    tenant.name, tenant.time_zone, tenant.active = name.strip(), time_zone.strip(), active
    tenant.email = tenant.email if email is None else email.strip()
    _refuse(tenant)
    with transaction.atomic():
        tenant.save()
        record([_event(tenant, "tenant_changed", by, why, now, before=before)])


def _refuse(tenant: Tenant) -> None:
    if tenant.time_zone not in available_timezones():
        raise ValidationError({"time_zone": "There is no such time zone: write it as in America/Chicago."})
    for address in filter(None, (word.strip() for word in tenant.email.split(","))):
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError({"email": f"{address} is no e-mail address."}) from None
    tenant.full_clean()


def _values(tenant: Tenant) -> dict[str, object]:
    return {"name": tenant.name, "time_zone": tenant.time_zone, "email": tenant.email, "active": tenant.active}


def _event(tenant: Tenant, verb: str, by: str, why: str, now: datetime, **data: object) -> NewEvent:
    return NewEvent(
        tenant_id=tenant.pk,
        at=now,
        verb=verb,
        subject_kind="tenant",
        subject_id=str(tenant.pk),
        actor=by,
        why=why,
        data={**_values(tenant), **data},
    )
