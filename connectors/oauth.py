"""Access tokens that do not die: reused for their life, refreshed early, one refresh at a time anywhere.

`access_token` is a row of steps over a `TokenStore` whose every method commits before it returns. The lease on a
refresh is a conditional update of one row, so it holds across threads, processes and machines; who does not get it
goes on with the token in hand or comes back in a moment. A new refresh token is committed before it is used. When the
answer to a refresh is lost, the same refresh token is tried once more at once: it is either still good or gone.
"""

import base64
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from connectors.base import Tokens
from connectors.clock import Clock
from connectors.errors import AuthError, ConnectorError, OutcomeUnknown, TransientError, UnexpectedResponse
from connectors.http import Classify, Http

LEASE = timedelta(seconds=75)
EARLIEST = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class HeldTokens:
    """What the store has; `generation` rises with every save."""

    access_token: str = field(default="", repr=False)
    expires_at: datetime | None = None
    lifetime: timedelta = timedelta(0)
    refresh_token: str = field(default="", repr=False)
    generation: int = 0


class TokenStore(Protocol):
    """Where one owner's tokens are kept; each method is a transaction of its own."""

    def load(self) -> HeldTokens:
        """What is held now."""

    def begin_refresh(self, generation: int, *, now: datetime, until: datetime) -> bool:
        """Take the right to refresh this generation; False if it is no longer held or somebody else is at it."""

    def save(self, tokens: Tokens, *, now: datetime) -> None:
        """Keep new tokens and give the right back."""

    def give_up(self) -> None:
        """Give the right back without new tokens."""


def access_token(
    store: TokenStore, obtain: Callable[[str], Tokens], clock: Clock, *, rejected: str = ""
) -> Generator[str, None, str]:
    """The steps to an access token that is good now; `rejected` is one that was just refused with 401.

    Raises TransientError while somebody else is refreshing a dead token, AuthError when a person has to sign in.
    """
    held = store.load()
    usable = bool(held.access_token) and held.access_token != rejected and not _is_over(held, clock.now())
    if usable and not _is_ageing(held, clock.now()):
        return held.access_token
    now = clock.now()
    if not store.begin_refresh(held.generation, now=now, until=now + LEASE):
        if usable:
            return held.access_token
        raise TransientError("Another worker is fetching a new access token.", code="token_in_flight")
    yield "refresh begun"
    try:
        tokens = yield from _obtain_twice(obtain, held.refresh_token)
    except TransientError:
        store.give_up()
        if usable:
            return held.access_token
        raise
    except ConnectorError as error:
        store.give_up()
        if isinstance(error, AuthError) and store.load().generation != held.generation:
            raise TransientError("Somebody has signed in meanwhile.", code="token_in_flight") from error
        raise
    yield "refresh answered"
    store.save(tokens, now=clock.now())
    yield "refresh kept"
    return tokens.access_token


def _obtain_twice(obtain: Callable[[str], Tokens], refresh_token: str) -> Generator[str, None, Tokens]:
    try:
        return obtain(refresh_token)
    except OutcomeUnknown:
        yield "refresh answer lost"
    try:
        return obtain(refresh_token)
    except OutcomeUnknown as error:
        raise TransientError("The sign-in service does not answer.", detail=error.detail) from error


def _is_over(held: HeldTokens, now: datetime) -> bool:
    return held.expires_at is None or held.expires_at <= now + timedelta(seconds=10)


def _is_ageing(held: HeldTokens, now: datetime) -> bool:
    assert held.expires_at is not None
    return held.expires_at - min(EARLIEST, held.lifetime / 10) <= now


def authorize_url(endpoint: str, *, client_id: str, scope: str, redirect_uri: str, state: str) -> str:
    """Where a person signs in and consents (OAuth 2.0, authorization code)."""
    asked = {
        "client_id": client_id,
        "response_type": "code",
        "scope": scope,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{endpoint}?{urlencode(asked)}"


def request_tokens(
    http: Http,
    url: str,
    form: Mapping[str, str],
    *,
    client_id: str,
    client_secret: str,
    classify: Classify,
    headers: Mapping[str, str] | None = None,
) -> Tokens:
    """Ask a token endpoint, signed in with HTTP Basic; raises what `classify` makes of a refusal."""
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    http.hide(client_secret, basic, form.get("refresh_token", ""), form.get("code", ""))
    answer = http.sign_in(
        url,
        classify=classify,
        body=urlencode(form).encode(),
        headers={
            "Authorization": f"Basic {basic}",
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            **(headers or {}),
        },
    )
    given = answer.json()
    if not isinstance(given, dict) or not isinstance(given.get("access_token"), str):
        raise UnexpectedResponse("The sign-in service answered without an access token.", status=answer.status)
    return Tokens(
        access_token=given["access_token"],
        expires_in=_seconds(given.get("expires_in")) or 0,
        refresh_token=str(given.get("refresh_token") or ""),
        refresh_expires_in=_seconds(given.get("x_refresh_token_expires_in")),
        hard_expires_in=_seconds(given.get("x_refresh_token_hard_expires_in")),
    )


def _seconds(given: object) -> int | None:
    """A lifetime; None for one that is missing or no number, since tokens that came are kept whatever else came."""
    return int(str(given)) if str(given).isdecimal() else None
