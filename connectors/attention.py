"""A connection that needs somebody, and one that works again.

Whoever else has to know is told in the same transaction: the module that the settings name has `stopped` and `works`.
"""

from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction

from audit.log import NewEvent, record
from connectors.errors import AuthError
from connectors.models import Connection


def needs_attention(connection: Connection, error: AuthError, *, now: datetime) -> None:
    """Stop using a connection whose credentials are no longer accepted; everything of it waits where it stands."""
    with transaction.atomic():
        changed = Connection.objects.filter(pk=connection.pk, status=Connection.Status.CONNECTED).update(
            status=Connection.Status.ATTENTION, attention=str(error)
        )
        if changed:
            record(
                [
                    NewEvent(
                        tenant_id=connection.tenant_id,
                        at=now,
                        verb="connection_paused",
                        subject_kind="connection",
                        subject_id=str(connection.pk),
                        data={"code": error.code, "message": error.message},
                    )
                ]
            )
            _who_has_to_know().stopped(connection, error, now=now)


def works_again(connection: Connection, *, now: datetime) -> None:
    """Its credentials are accepted: everything goes on from where it stood, unless a person has paused it.

    One that nobody has confirmed yet stays new.
    """
    rows = Connection.objects.filter(pk=connection.pk)
    with transaction.atomic():
        rows.filter(status=Connection.Status.PAUSED).update(attention="")
        resumed = rows.filter(status=Connection.Status.ATTENTION).update(
            status=Connection.Status.CONNECTED, attention=""
        )
        if resumed:
            record(
                [
                    NewEvent(
                        tenant_id=connection.tenant_id,
                        at=now,
                        verb="connection_resumed",
                        subject_kind="connection",
                        subject_id=str(connection.pk),
                    )
                ]
            )
        _who_has_to_know().works(connection, now=now)


def _who_has_to_know() -> Any:
    return import_module(settings.CONNECTION_WATCHER)
