"""What pages show about connections, with a fixed number of queries."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from connectors.base import Connector
from connectors.conversation import Conversation, Effects
from connectors.errors import ConnectorError
from connectors.expiry_mail import reconnect_page
from connectors.metering import forecast, month_of
from connectors.models import App, Connection, ExpiryNotice, MeteredReads, Token
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
class Metered:
    """Reads of this month that the provider charges for, so far and by its end; how many it allows, if known."""

    reads: int
    forecast: int
    allowed: int | None = None

    @property
    def words(self) -> str:
        """As pages say it."""
        return f"{self.reads:,}, about {self.forecast:,} by its end"

    @property
    def allowed_words(self) -> str:
        """What the provider allows, as pages say it."""
        return f"{self.allowed:,} allowed"

    @property
    def tone(self) -> str:
        """How it looks."""
        return "bad" if self.allowed is not None and self.forecast > self.allowed else "good"


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
    notices: Sequence[ExpiryNotice]
    reconnect: str
    announces: bool
    metered: Metered | None


TONES = {"connected": "good", "attention": "bad", "paused": "warn", "new": "warn"}


def standing_of(connection: Connection, now: datetime) -> Standing:
    """What the page of a connection shows beside its fields."""
    provider = connector_class(connection.provider)
    status = connection.status
    notices = list(ExpiryNotice.objects.filter(connection=connection, closed_at=None)[:5])
    return Standing(
        provider=provider.name,
        by_redirect=provider.sign_in == "redirect",
        tone=TONES[status],
        awaits_confirmation=status == Connection.Status.NEW and bool(connection.account_id),
        can_pause=status in (Connection.Status.CONNECTED, Connection.Status.ATTENTION),
        can_resume=status == Connection.Status.PAUSED,
        expiries=_expiries(provider, connection),
        notices=notices,
        reconnect=reconnect_page(connection) if notices or status == Connection.Status.ATTENTION else "",
        announces=bool(provider.announces),
        metered=metered(MeteredReads.objects.filter(connection=connection), now)
        if provider.limits.metered_reads
        else None,
    )


def metered_of_app(app: App, now: datetime) -> Metered | None:
    """What all connections of an app have read this month; None where its provider charges for none."""
    if not connector_class(app.provider).limits.metered_reads:
        return None
    return metered(MeteredReads.objects.filter(connection__app=app), now, app.monthly_reads)


def metered(counted: QuerySet[MeteredReads], now: datetime, allowed: int | None = None) -> Metered:
    """The month's reads among these."""
    rows = counted.filter(month=month_of(now)).values_list("reads", "since")
    reads, expected = 0, 0
    for count, since in rows:
        reads, expected = reads + count, expected + forecast(count, since=since, now=now)
    return Metered(reads=reads, forecast=expected, allowed=allowed)


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


def with_ends(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """These, each with when its sign-in lapses unless it is renewed, and when it ends for good."""
    owner = Concat(Value("connection:"), Cast(OuterRef("pk"), CharField()))
    token = Token.objects.filter(tenant=OuterRef("tenant"), owner=owner)
    return connections.annotate(
        lapses_at=Subquery(token.values("refresh_expires_at")), ends_at=Subquery(token.values("hard_expires_at"))
    )
