"""*Check connection*: asking the provider who we are there, what we may do and what is missing."""

from dataclasses import asdict
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import record
from connectors.attention import needs_attention, works_again
from connectors.base import AccountInfo, Connector, Finding
from connectors.conversation import Conversation, Effects, finish
from connectors.errors import AuthError, ConnectorError, TokenExpired, TransientError
from connectors.models import Connection
from connectors.services.connections import COMPANY, event_of
from connectors.services.opening import in_plain_words, opened, provider_of, remedy

A_PERSON_WAITS = 10.0  # seconds for a permit, rather than being sent away

Answer = tuple[AccountInfo | AuthError, list[Finding]]


def check_connection(*, connection: Connection, by: str, effects: Effects) -> list[Finding]:
    """Ask, keep the findings, and let a connection by credentials work once it finds its company.

    ValidationError when the provider could not be asked at all: then nothing is kept.
    """
    conversation = Conversation(connection=connection, effects=effects, trace_id=f"check-{connection.pk}")
    opened(conversation)
    try:
        many = 2 * conversation.provider.limits.per_second or 1  # a check is about so many requests
        account, findings = finish(conversation.call(_examine, A_PERSON_WAITS, each=many))
    except TransientError as error:
        raise ValidationError(
            f"{conversation.provider.name} could not be asked just now: {error} Try again in a minute."
        ) from error
    except AuthError as error:
        account, findings = error, [_finding(conversation.provider, error)]
    except ConnectorError as error:
        raise ValidationError(in_plain_words(conversation.provider, error)) from error
    finally:
        conversation.kept_exchanges()
    if isinstance(account, AuthError):
        refusal: AuthError | None = account
    else:
        refusal = _other_company(connection, account)
    if isinstance(account, AccountInfo) and refusal is not None:
        findings = [_finding(conversation.provider, refusal), *findings]
    company = account if isinstance(account, AccountInfo) and refusal is None else None
    _keep(connection, company, refusal, findings, by, effects.clock.now())
    return findings


def forget_check(*, connection: Connection) -> None:
    """What was found with a sign-in that has been replaced says nothing about the new one."""
    Connection.objects.filter(pk=connection.pk).update(findings=[], checked_at=None)
    connection.refresh_from_db()


def _examine(connector: Connector) -> Answer:
    account: AccountInfo | AuthError
    try:
        account = connector.account()
    except TokenExpired:
        raise
    except AuthError as error:
        account = error
    return account, connector.check()


def _other_company(connection: Connection, account: AccountInfo) -> AuthError | None:
    """What is wrong if the provider answers for another company than the one that this connection is for."""
    wanted = connection.account_id or connection.credentials.get(COMPANY, "") or account.id
    if account.id != wanted:
        return AuthError(
            f"This connection is for {connection.account_name or 'company'} ({wanted}), but "
            f"{provider_of(connection.provider).name} answers for {account.name} ({account.id}).",
            code="other_company",
        )
    taken = (
        Connection.objects.filter(
            provider=connection.provider, environment=connection.environment, account_id=account.id
        )
        .exclude(pk=connection.pk)
        .select_related("tenant")
        .first()
    )
    if taken is not None:
        return AuthError(
            f"{account.name} ({account.id}) is already connected for {taken.tenant}.", code="other_company"
        )
    return None


def _keep(
    connection: Connection,
    company: AccountInfo | None,
    refusal: AuthError | None,
    findings: list[Finding],
    by: str,
    now: datetime,
) -> None:
    missing = sum(finding.level == "missing" for finding in findings)
    with transaction.atomic():
        locked = Connection.objects.select_for_update(of=("self",)).get(pk=connection.pk)
        locked.findings, locked.checked_at = [asdict(finding) for finding in findings], now
        if company is not None:
            locked.account_name = company.name[:200] or locked.account_name
        locked.save(update_fields=["findings", "checked_at", "account_name"])
        record([event_of(locked, "connection_checked", by=by, now=now, findings=len(findings), missing=missing)])
        if refusal is not None:
            needs_attention(locked, refusal, now=now)
        elif company is not None:
            _let_it_work(locked, company, by, now)
    connection.refresh_from_db()


def _let_it_work(connection: Connection, company: AccountInfo, by: str, now: datetime) -> None:
    """A connection that a person paused stays paused; a new one by redirect waits for the person's confirmation."""
    by_credentials = provider_of(connection.provider).sign_in == "credentials"
    if connection.status == Connection.Status.NEW and by_credentials:
        connection.account_id, connection.status = company.id, Connection.Status.CONNECTED
        connection.save(update_fields=["account_id", "status"])
        found = {"id": company.id, "name": company.name}
        record([event_of(connection, "connection_connected", by=by, now=now, company=found)])
    else:
        works_again(connection, now=now)


def _finding(provider: type[Connector], error: ConnectorError) -> Finding:
    advice = "Correct the credentials of this connection." if error.code == "other_company" else ""
    return Finding(level="missing", text=str(error), remedy=advice or remedy(provider, error.code))
