"""What pages show about connections, with a fixed number of queries."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.base import Connector
from connectors.conversation import Conversation, Effects
from connectors.errors import ConnectorError
from connectors.models import Connection
from connectors.records import Kind
from connectors.registry import connector_class, connectors
from connectors.tokens import token_of


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Something that ends, and when."""

    what: str
    at: datetime
    renews_itself: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a connection stands and what a person can do with it."""

    provider: str
    by_redirect: bool
    tone: str
    awaits_confirmation: bool
    can_pause: bool
    can_resume: bool
    expiries: Sequence[Expiry]


TONES = {"connected": "good", "attention": "bad", "paused": "warn", "new": "warn"}


def standing_of(connection: Connection) -> Standing:
    """What the page of a connection shows beside its fields."""
    provider = connector_class(connection.provider)
    status = connection.status
    return Standing(
        provider=provider.name,
        by_redirect=provider.sign_in == "redirect",
        tone=TONES[status],
        awaits_confirmation=status == Connection.Status.NEW and bool(connection.account_id),
        can_pause=status in (Connection.Status.CONNECTED, Connection.Status.ATTENTION),
        can_resume=status == Connection.Status.PAUSED,
        expiries=_expiries(provider, connection),
    )


def provider_name(key: str) -> str:
    """What people call a provider."""
    return connectors()[key].name if key in connectors() else key


def pages_of(connections: Sequence[Connection], effects: Effects) -> Callable[[int, str, str], str]:
    """A function from a connection's id, a kind and an id to the record's page in the provider's own product.

    Empty where there is no such page, or where the connection's credentials cannot be read.
    """
    opened: dict[int, Connector] = {}
    for connection in connections:
        talk = Conversation(connection=connection, effects=effects, trace_id="")
        with suppress(ConnectorError, msgspec.ValidationError):
            opened[connection.pk] = talk.connector("")
    return lambda connection_id, kind, id: opened[connection_id].url(Kind(kind), id) if connection_id in opened else ""


def _expiries(provider: type[Connector], connection: Connection) -> list[Expiry]:
    token = token_of(connection)
    if token is None:
        return []
    known = (
        ("access token", token.expires_at, True),
        ("sign-in, unless it is used", token.refresh_expires_at, True),
        ("sign-in, at the latest", token.hard_expires_at, False),
    )
    return [Expiry(what=what, at=at, renews_itself=renews) for what, at, renews in known if at is not None]
