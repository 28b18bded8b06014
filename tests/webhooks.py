"""Webhooks as tests send them: signed lists of what changed, posted to an app's address."""

import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connectors.base import Delivered, Hint
from connectors.errors import AuthError, UnexpectedResponse
from connectors.models import App
from connectors.quickbooks.connector import QuickBooksConnector
from connectors.records import Kind
from tests.simulation.world import REALM

KINDS = frozenset({Kind.VENDOR, Kind.ACCOUNT, Kind.BILL, Kind.PAYMENT})
SECRET = "a-verifier-of-the-tests"


def hints(delivered: Delivered, app: msgspec.Struct) -> list[Hint]:
    """A provider whose webhooks are lists of [company, kind, id, event]."""
    wanted = hmac.new(SECRET.encode(), delivered.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, delivered.headers.get("x-signed", "")):
        raise AuthError("It is not signed.")
    try:
        said = json.loads(delivered.body)
        return [Hint(account_id=account, kind=Kind(kind), id=id, event=event) for account, kind, id, event in said]
    except ValueError as error:
        raise UnexpectedResponse("It is no list.") from error


def let_announce(patch: pytest.MonkeyPatch) -> None:
    """QuickBooks' app sends such webhooks."""
    patch.setattr(QuickBooksConnector, "announces", KINDS)
    patch.setattr(QuickBooksConnector, "hints", staticmethod(hints))


def signed(body: bytes) -> str:
    """The signature of the app."""
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def post(body: bytes, *, signature: str | None = None, app: App | None = None) -> HttpResponse:
    """What is answered to this, posted by somebody without a login."""
    app = app or App.objects.get(provider="quickbooks")
    address = reverse("connectors:webhook", args=[app.public_id])
    headers = {"x-signed": signed(body) if signature is None else signature}
    client = Client(enforce_csrf_checks=True)
    return client.post(address, body, content_type="application/json", headers=headers)  # type: ignore[return-value]


def tell(*said: tuple[str, str] | tuple[str, str, str], realm: str = REALM) -> HttpResponse:
    """A webhook that names these (kind, id, event), all of one company."""
    body = json.dumps([[realm, *one, *([""] if len(one) == 2 else [])] for one in said]).encode()
    answer = post(body)
    assert answer.status_code == 200
    return answer


def told(kind: str, **fields: Any) -> bytes:
    """The body of a webhook of several companies."""
    return json.dumps([[realm, kind, id, ""] for realm, id in fields.items()]).encode()
