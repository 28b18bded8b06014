"""When a sign-in ends, and warning of it in time: once for each end and threshold, in rows that nobody makes twice.

A sign-in that is used renews itself long before it lapses; that is worth a warning only once nobody has renewed it for
days. Its last end, where a provider has one, comes whatever we do.
"""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction

from connectors.base import Expiry
from connectors.models import Connection, ExpiryNotice
from connectors.registry import connector_class
from connectors.tokens import token_of

THRESHOLDS = (30, 14, 7, 1)  # days before the end
RENEWED_WITHIN = timedelta(days=2)
LAPSES, ENDS, STOPPED = "lapses", "ends", "stopped"
AGAIN = "Sign in again before: nothing is lost, and everything goes on from where it stands."


def threshold(at: datetime, now: datetime) -> int | None:
    """The nearest threshold that has been reached before this end; None while it is further away than any."""
    return min((days for days in THRESHOLDS if at - now <= timedelta(days=days)), default=None)


def expiries(connection: Connection, now: datetime) -> list[Expiry]:
    """What of its sign-in ends by itself, if nobody does anything."""
    token, name = token_of(connection), connector_class(connection.provider).name
    found = []
    if token is not None and token.hard_expires_at is not None:
        text = f"The sign-in to {name} ends for good on {_spelled(token.hard_expires_at)}."
        found.append(Expiry(what=ENDS, text=text, at=token.hard_expires_at, remedy=AGAIN))
    is_renewed = token is not None and token.obtained_at is not None and now - token.obtained_at <= RENEWED_WITHIN
    if token is not None and token.refresh_expires_at is not None and not is_renewed:
        text = (
            f"The sign-in to {name} has not been renewed for days and lapses on {_spelled(token.refresh_expires_at)}."
        )
        found.append(Expiry(what=LAPSES, text=text, at=token.refresh_expires_at, remedy=AGAIN))
    return found


def warn(connection: Connection, now: datetime) -> None:
    """Make the notices that are due, and open or close the problem that says so."""
    if connection.status == Connection.Status.ATTENTION:
        return  # it has ended: that was told
    soon = {expiry: days for expiry in expiries(connection, now) if (days := threshold(expiry.at, now)) is not None}
    with transaction.atomic():
        _keep(connection, [_notice(connection, expiry, days, now) for expiry, days in soon.items()])
        told = ExpiryNotice.objects.filter(connection=connection, closed_at=None).exclude(what=STOPPED)
        for expiry, days in soon.items():
            nearer = {"what": expiry.what, "expires_at": expiry.at}
            told.filter(**nearer, days__gt=days, sent_at=None).update(closed_at=now)
            told = told.exclude(**nearer)
        told.update(closed_at=now)
        if soon:
            first = min(soon, key=lambda expiry: expiry.at)
            watcher().ends_soon(connection, f"{first.text} {first.remedy}", now=now)
        else:
            watcher().ends_later(connection, now=now)


def note_stop(connection: Connection, why: str, now: datetime) -> None:
    """Tell at once that a sign-in is no longer accepted, in the caller's transaction."""
    text = f"{connector_class(connection.provider).name} no longer accepts our sign-in. {why}"
    _keep(connection, [_notice(connection, Expiry(what=STOPPED, text=text, at=now, remedy=AGAIN), 0, now)])


def note_works(connection: Connection, now: datetime) -> None:
    """What was told of its stop is over, in the caller's transaction."""
    ExpiryNotice.objects.filter(connection=connection, what=STOPPED, closed_at=None).update(closed_at=now)


def watcher() -> Any:
    """Who else has to know, by the settings."""
    return import_module(settings.CONNECTION_WATCHER)


def _notice(connection: Connection, expiry: Expiry, days: int, now: datetime) -> ExpiryNotice:
    return ExpiryNotice(
        tenant_id=connection.tenant_id,
        connection=connection,
        what=expiry.what,
        expires_at=expiry.at,
        days=days,
        text=expiry.text,
        made_at=now,
    )


def _keep(connection: Connection, notices: list[ExpiryNotice]) -> None:
    """Keep those that nobody has made; they are sent at once."""
    ExpiryNotice.objects.bulk_create(notices, ignore_conflicts=True)


def _spelled(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
