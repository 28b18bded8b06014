"""Signing in again to a company that is connected: its new tokens are kept before anything is asked with them.

A provider may end a company's old tokens when it gives new ones, so these may be the only living ones.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import record
from connectors.attention import works_again
from connectors.base import AccountInfo, Tokens
from connectors.conversation import Conversation
from connectors.errors import AuthError, ConnectorError, RateLimited, TokenExpired, TransientError
from connectors.models import Connection, Token
from connectors.services.connections import event_of
from connectors.services.opening import in_plain_words, opened
from connectors.tokens import StoredTokens
from connectors.vault import Undecryptable

LONGEST_NAME = 200  # what the column holds
AGAIN = "Start again from the connection's page."


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A way back that succeeded; the first time the company still has to be confirmed.

    `unchecked` says why the provider could not be asked, where a reconnected company's sign-in was kept without that.
    """

    connection: Connection
    needs_confirmation: bool
    unchecked: str = ""


def reconnect(conversation: Conversation, tokens: Tokens, by: str) -> SignedIn:
    """Keep new tokens of the connection's own company, and ask with them who we are."""
    connection, clock = conversation.connection, conversation.effects.clock
    store = StoredTokens.of(connection)
    before, unchecked = store.replace(tokens, now=clock.now()), ""
    company = AccountInfo(id=connection.account_id, name=connection.account_name)
    try:
        answered = asked_twice(conversation, tokens.access_token)
        if answered.id != company.id:
            raise AuthError(f"You signed in to {answered.name} ({answered.id}), not to {company.name}.")
        company = answered
    except ConnectorError as error:
        said = in_plain_words(conversation.provider, error)
        if isinstance(error, AuthError) and not isinstance(error, TokenExpired):
            if _works(conversation, before, clock.now()):
                store.put_back(before)
                raise ValidationError(
                    f"{conversation.provider.name} did not accept this sign-in: {said} {as_it_was(connection)} {AGAIN}"
                ) from error
            raise ValidationError(f"Your sign-in is kept, but cannot be used yet: {said}") from error
        unchecked = said
    return _connected_again(connection, company, unchecked, by, clock.now())


def asked_twice(conversation: Conversation, access_token: str) -> AccountInfo:
    """Who the provider says we are with this token; asked once more when it could not answer for a moment."""
    connector = opened(conversation, access_token)
    try:
        return connector.account()
    except RateLimited:
        raise
    except TransientError:
        return connector.account()


def _works(conversation: Conversation, before: Token, now: datetime) -> bool:
    """Whether what a sign-in replaced is still accepted, as it is where that was for another company."""
    if before.expires_at is None or before.expires_at <= now or isinstance(before.secrets, Undecryptable):
        return False
    try:
        return opened(conversation, before.secrets.get("access", "")).account().id == conversation.connection.account_id
    except ConnectorError:
        return False


def _connected_again(connection: Connection, company: AccountInfo, unchecked: str, by: str, now: datetime) -> SignedIn:
    with transaction.atomic():
        locked = Connection.objects.select_for_update(of=("self",)).select_related("app").get(pk=connection.pk)
        locked.account_name = company.name[:LONGEST_NAME]
        locked.save(update_fields=["account_name"])
        works_again(locked, now=now)
        event = event_of(locked, "connection_reconnected", by=by, now=now, company=company_of(locked))
        record([event])
    return SignedIn(connection=locked, needs_confirmation=False, unchecked=unchecked)


def as_it_was(connection: Connection) -> str:
    """What a sign-in that failed leaves behind."""
    if connection.status == Connection.Status.NEW:
        return "Nothing is connected yet."
    goes_on = connection.status == Connection.Status.CONNECTED
    return "The connection goes on as before." if goes_on else "The connection is as it was before."


def company_of(connection: Connection) -> dict[str, str]:
    """The company, as events name it."""
    return {"id": connection.account_id, "name": connection.account_name}
