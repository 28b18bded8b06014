"""Signing in by redirect (OAuth 2.0, authorization code): there, back, and a person's word that the company is right.

The `state` that goes along is random, kept as its hash only, bound to the user and the connection, short-lived and good
for one way back. No transaction is open while the provider is asked.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from audit.log import record
from connectors.base import AccountInfo, Tokens
from connectors.clock import unguessable
from connectors.conversation import Conversation, Effects
from connectors.errors import AuthError, ConnectorError, OutcomeUnknown
from connectors.models import Connection, SignIn
from connectors.services.connections import event_of
from connectors.services.opening import as_company, in_plain_words, opened, provider_of
from connectors.services.reconnect import AGAIN, LONGEST_NAME, SignedIn, as_it_was, asked_twice, company_of, reconnect
from connectors.tokens import StoredTokens

LIFE = timedelta(minutes=10)
LONGEST_ID = 100  # what the column holds


def redirect_uri() -> str:
    """Where every provider sends people back to; to be registered with each exactly like this."""
    return settings.PUBLIC_URL + reverse("connectors:callback")


def begin_sign_in(*, connection: Connection, user: AbstractBaseUser, effects: Effects) -> str:
    """Where to send this person to sign in; good for ten minutes."""
    state, now = unguessable(), effects.clock.now()
    url = _authorize_url(connection, effects, state)
    with transaction.atomic():
        SignIn.objects.create(
            tenant_id=connection.tenant_id,
            connection=connection,
            user_id=user.pk,
            state_hash=_hashed(state),
            expires_at=now + LIFE,
        )
        record([event_of(connection, "sign_in_begun", by=user.get_username(), now=now)])
    return url


def sign_in_address(*, connection: Connection, effects: Effects) -> str:
    """Where people are sent for this connection, to be shown before; it is good for no sign-in."""
    return _authorize_url(connection, effects, "none")


def complete_sign_in(*, answer: Mapping[str, str], user: AbstractBaseUser, effects: Effects) -> SignedIn:
    """Keep the tokens that this way back brings, if it is ours and for the right company; ValidationError otherwise."""
    connection = _take(answer.get("state", ""), user, effects.clock.now())
    try:
        return _complete(connection, answer, user.get_username(), effects)
    except ValidationError as refused:
        record(
            [
                event_of(
                    connection,
                    "sign_in_refused",
                    by=user.get_username(),
                    now=effects.clock.now(),
                    reason=" ".join(refused.messages),
                )
            ]
        )
        raise


def confirm_company(*, connection: Connection, company_id: str, by: str, now: datetime) -> None:
    """A person says that the company found is the right one: from now on the connection is used."""
    with transaction.atomic():
        locked = _unconfirmed(connection)
        if locked.account_id != company_id:
            raise ValidationError(
                f"Meanwhile somebody signed in to {locked.account_name}: look again before confirming."
            )
        locked.status, locked.attention = Connection.Status.CONNECTED, ""
        locked.save(update_fields=["status", "attention"])
        record([event_of(locked, "connection_connected", by=by, now=now, company=company_of(locked))])


def decline_company(*, connection: Connection, by: str, now: datetime) -> None:
    """A person says that it is the wrong company: its tokens are forgotten and nothing was read."""
    with transaction.atomic():
        locked = _unconfirmed(connection)
        wrong = company_of(locked)
        StoredTokens.of(locked).forget()
        locked.account_id, locked.account_name = "", ""
        locked.save(update_fields=["account_id", "account_name"])
        record([event_of(locked, "sign_in_refused", by=by, now=now, reason="declined by the person", company=wrong)])


def _authorize_url(connection: Connection, effects: Effects, state: str) -> str:
    provider = provider_of(connection.provider)
    if provider.sign_in != "redirect":
        raise ValidationError(f"{provider.name} is not signed in to: enter its credentials and check the connection.")
    return opened(_conversation(connection, effects)).authorize_url(state=state, redirect_uri=redirect_uri())


def _take(state: str, user: AbstractBaseUser, now: datetime) -> Connection:
    """The connection that this state stands for; used up with this call, whatever comes of it."""
    found = SignIn.objects.select_related("connection__app").filter(state_hash=_hashed(state)).first()
    if not state or found is None:
        raise ValidationError(f"This sign-in was not begun here. {AGAIN}")
    if found.user_id != user.pk:
        raise ValidationError(f"This sign-in was begun by another user. {AGAIN}")
    if not SignIn.objects.filter(pk=found.pk, used_at=None).update(used_at=now):
        raise ValidationError(f"This sign-in has been used already. {AGAIN}")
    if now >= found.expires_at:
        raise ValidationError(f"This sign-in took longer than ten minutes. {AGAIN}")
    return found.connection


def _complete(connection: Connection, answer: Mapping[str, str], by: str, effects: Effects) -> SignedIn:
    provider = provider_of(connection.provider)
    if "error" in answer:
        raise ValidationError(_refusal(provider.name, answer["error"]))
    code, company_id = answer.get("code", ""), answer.get(provider.company_parameter, "")
    if not code or not company_id or not company_id.isprintable() or len(company_id) > LONGEST_ID:
        raise ValidationError(f"{provider.name} sent you back without saying for which company. {AGAIN}")
    first = connection.status == Connection.Status.NEW
    if not first and connection.account_id != company_id:
        raise ValidationError(
            f"This connection belongs to {connection.account_name} ({connection.account_id}), but you signed in to "
            f"another company ({company_id}). Nothing has changed. Sign in to {connection.account_name}, or make a new "
            "connection for the other company."
        )
    _refuse_taken(connection, company_id)
    conversation = _conversation(as_company(connection, company_id), effects)
    try:
        tokens = _exchange(conversation, code)
        if first:
            return _keep(connection, tokens, _found(conversation, tokens), effects.clock.now())
        return reconnect(conversation, tokens, by)
    finally:
        conversation.kept_exchanges()


def _exchange(conversation: Conversation, code: str) -> Tokens:
    """Tokens for the code; whatever goes wrong with it is about this attempt and not about the connection."""
    provider, stays = conversation.provider, as_it_was(conversation.connection)
    try:
        return opened(conversation).exchange(code=code, redirect_uri=redirect_uri())
    except AuthError as error:
        said = in_plain_words(provider, error)
        raise ValidationError(f"{provider.name} did not accept this sign-in attempt: {said} {stays} {AGAIN}") from error
    except OutcomeUnknown as error:
        raise ValidationError(
            f"The answer of {provider.name} to this sign-in attempt was lost, and with it the new sign-in. The old one "
            f"may have ended: if so, the connection says that it needs somebody. {AGAIN}"
        ) from error
    except ConnectorError as error:
        said = in_plain_words(provider, error)
        raise ValidationError(f"This sign-in attempt failed: {said} {stays} {AGAIN}") from error


def _found(conversation: Conversation, tokens: Tokens) -> AccountInfo:
    """Who the provider says we are with these tokens."""
    provider = conversation.provider
    try:
        return asked_twice(conversation, tokens.access_token)
    except AuthError as error:
        raise ValidationError(f"{provider.name} did not accept this sign-in: {error} {AGAIN}") from error
    except ConnectorError as error:
        raise ValidationError(f"{in_plain_words(provider, error)} {AGAIN}") from error


def _keep(connection: Connection, tokens: Tokens, company: AccountInfo, now: datetime) -> SignedIn:
    """Keep a first sign-in until a person has confirmed its company."""
    with transaction.atomic():
        locked = Connection.objects.select_for_update(of=("self",)).select_related("app").get(pk=connection.pk)
        if locked.status != Connection.Status.NEW:
            raise ValidationError(f"Meanwhile this connection was made for {locked.account_name}. {AGAIN}")
        _refuse_taken(locked, company.id)
        StoredTokens.of(locked).replace(tokens, now=now)
        locked.account_id, locked.account_name = company.id, company.name[:LONGEST_NAME]
        locked.save(update_fields=["account_id", "account_name"])
    return SignedIn(connection=locked, needs_confirmation=True)


def _refuse_taken(connection: Connection, company_id: str) -> None:
    """Before anything is exchanged: another connection's tokens would die with a second sign-in."""
    other = (
        Connection.objects.select_related("tenant")
        .filter(provider=connection.provider, environment=connection.environment, account_id=company_id)
        .exclude(pk=connection.pk)
        .first()
    )
    if other is not None:
        raise ValidationError(
            f"{other.account_name} ({company_id}) is already connected for {other.tenant}. Sign in to another company."
        )


def _unconfirmed(connection: Connection) -> Connection:
    locked = Connection.objects.select_for_update(of=("self",)).select_related("app").get(pk=connection.pk)
    if locked.status != Connection.Status.NEW or not locked.account_id:
        raise ValidationError("There is no company to confirm here.")
    return locked


def _refusal(name: str, error: str) -> str:
    if error == "access_denied":
        return f"You did not give {name} your consent, so nothing has changed. {AGAIN}"
    return f"{name} did not go through with it ({error[:100]}). Check the app's client ID and scopes. {AGAIN}"


def _conversation(connection: Connection, effects: Effects) -> Conversation:
    return Conversation(connection=connection, effects=effects, trace_id=f"sign-in-{connection.pk}")


def _hashed(state: str) -> str:
    return sha256(state.encode()).hexdigest()
