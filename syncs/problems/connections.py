"""A connection whose credentials died: it stops, and one problem says so until it works again.

`stopped` and `works` are what `connectors.attention` tells: also a person's check or sign-in opens and closes it. One
that ends soon has a problem, too: `ends_soon` and `ends_later` are what `connectors.expiries` tells.
"""

from datetime import datetime

from django.db import transaction

from connectors.attention import needs_attention
from connectors.errors import AuthError
from connectors.models import Connection
from syncs.models import Feed
from syncs.problems.catalogue import UNKNOWN, fault
from syncs.problems.causes import Cause, open_problem, resolve_problems

ENDS_SOON = "sign_in_ends"
SIGN_IN = "sign_in_again"  # what is not in the catalogue is told as this, with the provider's own words


def stop_for_sign_in(connection: Connection, error: AuthError, *, now: datetime) -> None:
    """Stop using the connection and open its problem."""
    with transaction.atomic():
        needs_attention(connection, error, now=now)
        stopped(connection, error, now=now)


def stopped(connection: Connection, error: AuthError, *, now: datetime) -> None:
    """Open its problem, in the caller's transaction."""
    known = fault(error.code, connection.provider) is not UNKNOWN
    cause = Cause(
        tenant_id=connection.tenant_id,
        connection_id=connection.pk,
        provider=connection.provider,
        code=error.code if known else SIGN_IN,
        cause_key=cause_key_of(connection.pk),
        detail=str(error),
    )
    open_problem(cause, now=now)


def works(connection: Connection, *, now: datetime) -> None:
    """Close its problem and have it read at once, in the caller's transaction."""
    feeds = Feed.objects.filter(connection_id=connection.pk)
    feeds.filter(due_at__gt=now, failures__gt=0).update(due_at=now)
    resolve_problems(connection.tenant_id, [cause_key_of(connection.pk)], now=now)


def ends_soon(connection: Connection, what: str, *, now: datetime) -> None:
    """Open the problem that its sign-in ends soon, in the caller's transaction."""
    cause = Cause(
        tenant_id=connection.tenant_id,
        connection_id=connection.pk,
        provider=connection.provider,
        code=ENDS_SOON,
        cause_key=expiry_key_of(connection.pk),
        detail=what,
    )
    open_problem(cause, now=now)


def ends_later(connection: Connection, *, now: datetime) -> None:
    """Close it, in the caller's transaction."""
    resolve_problems(connection.tenant_id, [expiry_key_of(connection.pk)], now=now)


def expiry_key_of(connection_id: int) -> str:
    """What makes it one problem, whatever of the sign-in ends first."""
    return f"expiry:{connection_id}"


def cause_key_of(connection_id: int) -> str:
    """What makes it one problem, whichever feed or stream met it first."""
    return f"connection:{connection_id}"
