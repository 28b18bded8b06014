"""A connection whose credentials died: it stops, and one problem says so until it works again."""

from datetime import datetime

from django.db import transaction

from connectors.attention import needs_attention
from connectors.errors import AuthError
from connectors.models import Connection
from syncs.problems.causes import Cause, open_problem


def stop_for_sign_in(connection: Connection, error: AuthError, *, now: datetime) -> None:
    """Stop using the connection and open its problem."""
    cause = Cause(
        tenant_id=connection.tenant_id,
        connection_id=connection.pk,
        provider=connection.provider,
        code=error.code or "sign_in_again",
        cause_key=cause_key_of(connection.pk),
        detail=str(error),
    )
    with transaction.atomic():
        needs_attention(connection, error, now=now)
        open_problem(cause, now=now)


def cause_key_of(connection_id: int) -> str:
    """What makes it one problem, whichever feed or stream met it first."""
    return f"connection:{connection_id}"
