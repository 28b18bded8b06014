"""A connection that needs somebody, and one that works again.

Whoever else has to know is told in the same transaction: the module that the settings name has `stopped` and `works`.
"""

from datetime import datetime

from django.db import transaction

from audit.log import NewEvent, record
from connectors.errors import AuthError
from connectors.expiries import note_stop, note_works, watcher
from connectors.models import Connection


def needs_attention(connection: Connection, error: AuthError, *, now: datetime) -> None:
    """Stop using a connection whose credentials are no longer accepted; everything of it waits where it stands.

    One that a person has paused stays paused, and needs somebody when it is resumed.
    """
    rows, told = Connection.objects.filter(pk=connection.pk), {"attention": str(error), "upkeep_at": now}
    with transaction.atomic():
        changed = rows.filter(status=Connection.Status.CONNECTED).update(status=Connection.Status.ATTENTION, **told)
        if changed or rows.filter(status=Connection.Status.PAUSED, attention="").update(**told):
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
            note_stop(connection, str(error), now)
            watcher().stopped(connection, error, now=now)


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
        rows.update(upkeep_at=now)
        note_works(connection, now)
        watcher().works(connection, now=now)
