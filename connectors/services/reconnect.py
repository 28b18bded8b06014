"""Signing in again to a company that is connected: its new tokens are kept unless they are for another company.

A provider may end a company's old tokens when it gives new ones for it, so these may be the only living ones. Those for
another company replace nothing: nobody could give back what a worker is refreshing meanwhile.
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
from connectors.models import Connection
from connectors.services.connections import event_of
from connectors.services.opening import in_plain_words, opened
from connectors.tokens import StoredTokens

LONGEST_NAME = 200  # what the column holds
AGAIN = "Start again from the connection's page."
# What says of a token that somebody has just signed in for that it is not for the company that it is used with.
FOR_ANOTHER_COMPANY = frozenset({"other_company", "not_connected"})


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A way back that succeeded; the first time the company still has to be confirmed.

    `unchecked` says why the provider could not be asked, where a reconnected company's sign-in was kept without that.
    """

    connection: Connection
    needs_confirmation: bool
    unchecked: str = ""


def reconnect(conversation: Conversation, tokens: Tokens, by: str) -> SignedIn:
    """Ask who we are with new tokens; they are kept, whatever comes of it, unless they are for another company."""
    connection, clock = conversation.connection, conversation.effects.clock
    company, unchecked, ours = AccountInfo(id=connection.account_id, name=connection.account_name), "", True
    try:
        company = _our_company(conversation, tokens)
    except ConnectorError as error:
        said, ours = in_plain_words(conversation.provider, error), error.code not in FOR_ANOTHER_COMPANY
        if not ours:
            raise ValidationError(
                f"{conversation.provider.name} did not accept this sign-in: {said} {as_it_was(connection)} {AGAIN}"
            ) from error
        if isinstance(error, AuthError) and not isinstance(error, TokenExpired):
            raise ValidationError(f"Your sign-in is kept, but cannot be used yet: {said}") from error
        unchecked = said
    finally:
        if ours:
            StoredTokens.of(connection).replace(tokens, now=clock.now())
    return _connected_again(connection, company, unchecked, by, clock.now())


def _our_company(conversation: Conversation, tokens: Tokens) -> AccountInfo:
    connection, answered = conversation.connection, asked_twice(conversation, tokens.access_token)
    if answered.id != connection.account_id:
        said = f"You signed in to {answered.name} ({answered.id}), not to {connection.account_name}."
        raise AuthError(said, code="other_company")
    return answered


def asked_twice(conversation: Conversation, access_token: str) -> AccountInfo:
    """Who the provider says we are with this token; asked once more when it could not answer for a moment."""
    connector = opened(conversation, access_token)
    try:
        return connector.account()
    except RateLimited:
        raise
    except TransientError:
        return connector.account()


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
