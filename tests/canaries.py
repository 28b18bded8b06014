"""Secrets that can be recognised, providers that say them back to us, and a search wherever they might be."""

import base64
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection as database
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from connectors import services
from connectors.base import Connector
from connectors.conversation import Conversation, Effects, finish
from connectors.errors import ConnectorError
from connectors.models import App, Connection, Token
from connectors.simulator_server import SimulatorServer
from connectors.simulators import Request, Response, Simulator, SimulatorTransport
from connectors.threads import in_threads
from tests.owner import as_owner
from tests.simulation.world import REALM, World, begin

CANARY = "canary-9b1d44e7"
QUICKBOOKS_APP = {
    "client_id": "qb-app",
    "client_secret": f'{CANARY}/"quickbooks"+secret',  # every way of writing it down differs
    "webhook_verifier": f"{CANARY}-verifier",
}
PARTNER_APP = {"client_id": "partner-app", "client_secret": f"{CANARY}/partner&secret"}
GIVEN_OUT = re.compile(rb'"(?:access|refresh)_token":\s*"([^"]+)"')
TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
Texts = Iterable[tuple[str, str]]


@dataclass
class Overheard(httpx.BaseTransport):
    """The wire to the served simulators, and every secret that went over it."""

    hidden: set[str] = field(repr=False)
    inner: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        signed = request.headers.get("authorization", "").partition(" ")[2]
        self.hidden |= {signed} if signed else set()
        answer = self.inner.handle_request(request)
        body = answer.read()
        self.hidden |= {token.decode() for token in GIVEN_OUT.findall(body)}
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


@dataclass(kw_only=True)
class Planted(World):
    """A world with a canary in every credential, reached over real connections; `said` is what errors said."""

    address: str
    hidden: set[str] = field(repr=False)
    said: list[str] = field(default_factory=list)

    def effects(self, holder: str = "worker") -> Effects:
        return replace(
            super().effects(holder), simulator_url=self.address, concurrently=in_threads, budgets=self.address != ""
        )

    def erp(self) -> Connection:
        return Connection.objects.select_related("app", "tenant").get(pk=self.integration.erp_id)

    def network_connection(self) -> Connection:
        return Connection.objects.select_related("app", "tenant").get(pk=self.integration.ap_network_id)

    def connect(self, user: User) -> None:
        """A person signs in to QuickBooks, by the real flow."""
        url = services.begin_sign_in(connection=self.erp(), user=user, effects=self.effects())
        browser = SimulatorTransport({"quickbooks": self.quickbooks})
        consent = {"decision": "connect", "realm_id": REALM}
        answer = browser.handle_request(httpx.Request("POST", url, data=consent))
        back = {name: value for name, [value] in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        self.hidden |= {back["code"], back["state"]}
        services.complete_sign_in(answer=back, user=user, effects=self.effects())

    def fail(self, connection: Connection, job: Callable[[Connector], object]) -> None:
        """A call that must not succeed; all that its error says is noted."""
        talk = Conversation(connection=connection, effects=self.effects(), trace_id="fails")
        try:
            finish(talk.call(job))
        except ConnectorError as error:
            self.said += [str(error), repr(error), str(vars(error)), *traceback.format_exception(error)]
        else:
            raise AssertionError("it succeeded")
        self.said += [repr(talk), *(repr(http) for http, _ in talk._sent)]
        talk.kept_exchanges()

    def live_for(self, **length: float) -> None:
        until = self.clock.now() + timedelta(**length)
        while self.clock.now() < until:
            if not self.work():
                self.wait_for_what_is_due()


@contextmanager
def planted() -> Iterator[Planted]:
    """Both providers served on loopback, apps with canaries for secrets, and nobody signed in by them yet."""
    world = begin()
    hidden = {CANARY, *(value for value in (*QUICKBOOKS_APP.values(), *PARTNER_APP.values()) if CANARY in value)}
    hidden |= {value for token in Token.objects.all() for value in token.secrets.values()}
    client = {name: QUICKBOOKS_APP[name] for name in ("client_id", "client_secret")}
    world.quickbooks.person("register_app", **client, redirect_uris=[services.redirect_uri()])
    world.avidxchange.person("register_app", **PARTNER_APP)
    for app in App.objects.all():
        app.credentials = QUICKBOOKS_APP if app.provider == "quickbooks" else PARTNER_APP
        app.save()
    wire = Overheard(hidden)
    with SimulatorServer({"quickbooks": world.quickbooks, "avidxchange": world.avidxchange}) as server, wire.inner:
        yield Planted(**{**vars(world), "wire": wire}, address=server.address, hidden=hidden)


# What a provider may do with our secrets: say them back to us.


def everything_in(request: Request) -> str:
    """All that a careless provider could quote of a request, and the secret that it knows besides."""
    signed = request.headers.get("authorization", "")
    basic = base64.b64decode(signed.partition(" ")[2]).decode() if signed.startswith("Basic") else ""
    known = PARTNER_APP if request.base_url.endswith("/avidxchange") else QUICKBOOKS_APP
    return f"{signed} {basic} {request.body.decode()} {known['client_secret']} {quote(known['client_secret'], safe='')}"


def quickbooks_fault(request: Request, code: str) -> Any:
    return {"Fault": {"Error": [{"Message": "No", "Detail": everything_in(request), "code": code}], "type": "Fault"}}


def avidxchange_fault(request: Request) -> Any:
    return {"error": {"code": "FIELD_INVALID", "message": everything_in(request), "correlationId": "c-1"}}


def echo(body: Callable[[Request], Any], status: int) -> Callable[[Request, Callable[[], Response]], Response]:
    """Instead of an answer, this: as JSON, or as it is where it is a text."""

    def act(request: Request, proceed: Callable[[], Response]) -> Response:
        said = body(request)
        return Response(status=status, body=said.encode()) if isinstance(said, str) else Response.json(said, status)

    return act


def with_a_row_that_cannot_be_read(request: Request, proceed: Callable[[], Response]) -> Response:
    """An answer about changes in which one bill has no version and a note that quotes the request."""
    answer = proceed()
    body = json.loads(answer.body)
    body["CDCResponse"][0]["QueryResponse"].append({"Bill": [{"Id": "777", "PrivateNote": everything_in(request)}]})
    return replace(answer, body=json.dumps(body).encode())


@contextmanager
def failing(simulator: Simulator, match: str, act: Callable[..., Response], times: int = 99) -> Iterator[None]:
    simulator.fault(match, act, times)
    yield
    simulator.clear_faults()


# Where to look.


def spellings(secret: str) -> set[str]:
    """How a secret may be written down."""
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
    }


def places(hidden: Iterable[str], texts: Texts) -> set[str]:
    """Where one of these secrets can be read."""
    written = {spelling for secret in hidden for spelling in spellings(secret)}
    by_place: dict[str, list[str]] = {}
    for place, text in texts:
        by_place.setdefault(place, []).append(text)
    return {
        place
        for place, found in by_place.items()
        for whole in ["\n".join(found)]
        if any(one in whole for one in written)
    }


def stored() -> Iterator[tuple[str, str]]:
    """Every row of every table as text, bytes in hexadecimal; and the queue's and the sessions' decoded."""
    with as_owner(), database.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield from ((table, row) for (row,) in cursor.fetchall())
    yield from (("queue", str(SignedPackage.loads(queued.payload))) for queued in OrmQ.objects.all())
    yield from (("results", str([task.func, task.args, task.kwargs, task.result])) for task in Task.objects.all())
    yield from (("sessions", str(session.get_decoded())) for session in Session.objects.all())


def logged(records: Iterable[logging.LogRecord]) -> Iterator[tuple[str, str]]:
    """Everything that was logged, with the tracebacks."""
    for record in records:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        yield f"log of {record.name.partition('.')[0]}", f"{record.getMessage()} {record.args} {trace}"
