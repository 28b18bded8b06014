"""Webhooks: whether Intuit has signed one, and what it says has changed. Nothing is taken from it but ids.

Intuit sends CloudEvents, an array of them, and sent another format before; one delivery may be about several companies.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from connectors.base import Delivered, Hint
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.mapping import SOURCES

SIGNATURE = "intuit-signature"
# Intuit: names are written without separators and in small letters, "currency" stands beside the entity's own name.
BY_NAME = {source.entity.lower(): source for source in SOURCES}
BY_NAME["currency"] = BY_NAME["companycurrency"]


class Event(msgspec.Struct, frozen=True):
    """A CloudEvent: `type` is qbo.<entity>.<operation>.v1."""

    type: str
    id: str = ""
    intuitaccountid: str = ""
    intuitentityid: str = ""
    data: Any = None


class Changed(msgspec.Struct, frozen=True):
    """The objects of one company in the older format."""

    entities: tuple[dict[str, Any], ...] = ()


class Notification(msgspec.Struct, frozen=True):
    """One company of a delivery in the older format."""

    realmId: str
    dataChangeEvent: Changed = Changed()


class Notifications(msgspec.Struct, frozen=True):
    """A delivery in the older format."""

    eventNotifications: tuple[Notification, ...]


def read_hints(delivered: Delivered, verifier: str) -> list[Hint]:
    """What has changed, each object once; both objects of a merge, of which one names the other that took it over. What
    we do not read is left out."""
    _verify(delivered, verifier)
    try:
        body = msgspec.json.decode(delivered.body, type=tuple[Event, ...] | Notifications)
    except msgspec.DecodeError as error:
        raise error_of("webhook_shape", str(error)) from error
    told: dict[Hint, Hint] = {}
    for hint in _of_older(body) if isinstance(body, Notifications) else _of_events(body):
        known = told.setdefault(replace(hint, merged_into=""), hint)
        if hint.merged_into and not known.merged_into:  # what happened to it beside is one thing less to know
            told[replace(hint, merged_into="")] = hint
    return list(told.values())


def _verify(delivered: Delivered, verifier: str) -> None:
    """Intuit: the signature is over the body's very bytes, by the app's verifier token."""
    if not verifier:
        raise error_of("webhook_verifier_missing")
    expected = base64.b64encode(hmac.new(verifier.encode(), delivered.body, hashlib.sha256).digest())
    if not hmac.compare_digest(expected, delivered.headers.get(SIGNATURE, "").encode("utf-8", "replace")):
        raise error_of("webhook_unsigned")


def _of_events(events: tuple[Event, ...]) -> Iterator[Hint]:
    for event in events:
        _, _, rest = event.type.partition("qbo.")
        name, id = rest.partition(".")[0], event.intuitentityid
        yield from _hints(event.intuitaccountid, name, id, _removed(event.data), event.id)


def _of_older(body: Notifications) -> Iterator[Hint]:
    for notification in body.eventNotifications:
        for one in notification.dataChangeEvent.entities:
            yield from _hints(notification.realmId, one.get("name"), one.get("id"), _removed(one), "")


def _removed(said: Any) -> list[Any]:
    """What was merged into the object; Intuit's page and its samples spell it differently."""
    return [said.get("deletedId"), said.get("deletedID")] if isinstance(said, dict) else []


def _hints(account_id: str, name: Any, id: Any, removed: list[Any], event: str) -> Iterator[Hint]:
    source = BY_NAME.get(str(name).lower())
    for one in (id, *removed):
        if source and account_id and one and isinstance(one, str):
            into = source.record_id(id) if one != id and id and isinstance(id, str) else ""
            yield Hint(
                account_id=account_id, kind=source.kind, id=source.record_id(one), event=event, merged_into=into
            )  # fmt: skip
