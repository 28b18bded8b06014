"""Sending what is told of a sign-in's end: each notice once, outside any transaction, again where it failed.

A notice is claimed in a commit before it is sent and marked in one afterwards. Only who dies between the two, or cannot
reach the database then, leaves it to be sent a second time.
"""

from datetime import timedelta
from smtplib import SMTPException

import msgspec
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.urls import reverse

from connectors.clock import Clock
from connectors.conversation import Steps
from connectors.expiries import STOPPED
from connectors.models import Connection, ExpiryNotice
from connectors.registry import connector_class

CLAIM = timedelta(minutes=15)
AGAIN = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)


def send_notices(connection: Connection, clock: Clock) -> Steps[None]:
    """Send what has not been sent, to whoever is to know."""
    waiting = Q(sent_at=None, closed_at=None)
    for notice in ExpiryNotice.objects.filter(waiting, connection=connection).order_by("id"):
        now = clock.now()
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        row = ExpiryNotice.objects.filter(pk=notice.pk)
        if not row.filter(waiting, free).update(claimed_until=now + CLAIM, tries=F("tries") + 1):
            continue
        yield "notice claimed"
        to, copies = recipients(connection)
        try:
            if to:
                message(connection, notice, to, copies).send()
        except (SMTPException, OSError) as error:
            wait = min(AGAIN * 2 ** min(notice.tries, 10), LONGEST_WAIT)
            row.update(claimed_until=clock.now() + wait, failure=type(error).__name__)
        else:
            row.update(sent_at=clock.now(), sent_to=", ".join([*to, *copies]), failure="")
        yield "notice sent"


def recipients(connection: Connection) -> tuple[list[str], list[str]]:
    """To whom, and to whom besides: the tenant's own people, and those who run this installation."""
    if not settings.EMAIL_HOST:
        return [], []
    theirs = [address.strip() for address in connection.tenant.email.split(",") if address.strip()]
    ours = list(settings.OPERATIONS_EMAIL)
    return (theirs, ours) if theirs else (ours, [])


def message(connection: Connection, notice: ExpiryNotice, to: list[str], copies: list[str]) -> EmailMessage:
    """What is sent; its id is the notice's, so that a second copy can be told from a second notice."""
    company = connection.account_name or connection.account_id
    provider = connector_class(connection.provider)
    when = "has stopped" if notice.what == STOPPED else f"ends on {notice.expires_at:%Y-%m-%d}"
    lines = [
        f"{company} ({connection.tenant}, {provider.name}, {connection.environment})",
        "",
        notice.text,
        "Until somebody signs in again, nothing of this company is read or sent. Nothing is lost."
        if notice.what == STOPPED
        else "After that nothing of this company is read or sent until somebody signs in again. Nothing is lost.",
        "",
        f"Sign in again: {sign_in_page(connection)}",
    ]
    if theirs := reconnect_page(connection):
        lines.append(f"Or begin at {provider.name}: {theirs}")
    return EmailMessage(
        subject=f"The sign-in of {company} to {provider.name} {when}",
        body="\n".join([*lines, ""]),
        to=to,
        bcc=copies,
        headers={"Message-ID": f"<expiry-notice-{notice.pk}@{settings.ALLOWED_HOSTS[0]}>"},
    )


def sign_in_page(connection: Connection) -> str:
    """Our own page from which a person signs in again."""
    by_redirect = connector_class(connection.provider).sign_in == "redirect"
    page = "connectors:connect" if by_redirect else "admin:connectors_connection_credentials"
    return f"{settings.PUBLIC_URL}{reverse(page, args=[connection.pk])}"


def reconnect_page(connection: Connection) -> str:
    """The provider's own page for it; empty where there is none, or the app cannot be read."""
    provider = connector_class(connection.provider)
    try:
        app = msgspec.convert(connection.app.credentials, provider.App)
    except msgspec.ValidationError:
        return ""
    return provider.reconnect_url(connection.account_id, app)
