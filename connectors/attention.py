"""A connection that needs somebody, and one that works again."""

from datetime import datetime

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


def works_again(connection: Connection, *, now: datetime) -> None:
    """Use a connection again after somebody signed in; everything goes on from where it stood."""
    with transaction.atomic():
        changed = (
            Connection.objects.filter(pk=connection.pk)
            .exclude(status=Connection.Status.CONNECTED)
            .update(status=Connection.Status.CONNECTED, attention="")
        )
        if changed:
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
