"""Opening a connector without a network: whether what was entered is enough to talk at all, and plain words if not."""

import copy
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError

from connectors.base import Connector, Environment
from connectors.clock import machine_clock
from connectors.conversation import Conversation, Effects
from connectors.errors import ConnectorError
from connectors.models import Connection
from connectors.registry import connector_class
from connectors.vault import UNREADABLE


def provider_of(key: str) -> type[Connector]:
    """The connector of a provider that a person named."""
    try:
        return connector_class(key)
    except LookupError as unknown:
        raise ValidationError({"provider": str(unknown)}) from unknown


def environment_of(word: str) -> Environment:
    """The environment that a person named."""
    try:
        return Environment(word)
    except ValueError:
        raise ValidationError({"environment": f"Choose one of: {', '.join(Environment)}."}) from None


def opened(conversation: Conversation, token: str = "") -> Connector:
    """A connector for this conversation; ValidationError says why there can be none."""
    try:
        return conversation.connector(token)
    except msgspec.ValidationError:
        raise ValidationError(UNREADABLE) from None
    except ConnectorError as error:
        raise ValidationError(in_plain_words(conversation.provider, error)) from error


def refuse_unusable_app(provider: type[Connector], environment: Environment, credentials: Mapping[str, Any]) -> None:
    """ValidationError if no request could be made with this registration."""
    try:
        hosts = provider.hosts(environment, msgspec.convert(credentials, provider.App), settings.SIMULATOR_URL)
    except ConnectorError as error:
        raise ValidationError(in_plain_words(provider, error)) from error
    if not hosts:
        raise ValidationError(f"No address of {provider.name} is known for {environment}: enter its addresses here.")


def refuse_unusable_connection(connection: Connection) -> None:
    """ValidationError if no connector can be made with these credentials and settings."""
    nowhere = Effects(
        clock=machine_clock(), transport=httpx.BaseTransport(), holder="", simulator_url=settings.SIMULATOR_URL
    )
    opened(Conversation(connection=connection, effects=nowhere, trace_id=""))


def as_company(connection: Connection, account_id: str) -> Connection:
    """The same connection in memory, speaking to this company."""
    other = copy.copy(connection)
    other.account_id = account_id
    return other


def in_plain_words(provider: type[Connector], error: ConnectorError) -> str:
    """What the provider said, and what to do about it."""
    advice = remedy(provider, error.code)
    return f"{error} {advice}".strip() if advice not in str(error) else str(error)


def remedy(provider: type[Connector], code: str) -> str:
    """What the provider's own table of faults advises for this code."""
    return next((fault.remedy for fault in provider.faults if fault.code == code), "")
