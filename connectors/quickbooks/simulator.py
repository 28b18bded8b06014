"""A stand-in for QuickBooks Online: signing in, the accounting API, webhooks, at Intuit's paths below one address.

Documented or seen in recorded answers of a real company: the paths, envelopes, fault shapes and strings (but for those
marked assumed in `simulator_faults`), token lifetimes and rotation, the query grammar with its paging and the rule for
inactive objects, CDC with tombstones and its two limits, batches, the replay of a requestid, SyncToken, full and sparse
updates, names with " (deleted)", document numbers, closed books, which void works where, attachments and their ways to
be uploaded, links between orders and bills, exchange rates by day, the formats, signature and retries of webhooks, the
limits. Not here: what a company bills its own customers (invoices, payments, estimates and the like).

Assumed: what `Switches` lists, and what the other modules say of themselves; that a code lives 10 minutes; that a new
sign-in ends the older tokens of the same app and company; the sign of CurrentBalance; that balances of vendors and
accounts move without a new SyncToken; that names in references follow a renaming; code 800 for deleting a bill with
payments or orders, 6000 and 620 for paying too much or the wrong thing, 610 for an inactive and 2500 for an unknown
reference; that a company whose subscription ended is refused everything with 6190 under status 200; that times are
compared in whole seconds; 406 for a caller who wants no JSON.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from connectors.clock import Clock
from connectors.quickbooks.simulator_api import answer_company, is_known
from connectors.quickbooks.simulator_attachments import serve_file
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_faults import (
    Body,
    GatewayRefusal,
    Refusal,
    as_xml,
    forbidden,
    not_acceptable,
    system_failure,
    throttled,
    unauthorized,
)
from connectors.quickbooks.simulator_furnished import FurnishedQuickBooks
from connectors.quickbooks.simulator_oauth import AUTHORIZE, SignIn
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_tables import write_json
from connectors.quickbooks.simulator_throttle import Throttle
from connectors.quickbooks.simulator_tokens import Grant, Tokens
from connectors.quickbooks.simulator_webhooks import Endpoint, Post, Webhooks
from connectors.simulators import Request, Response, Send

API = re.compile(r"/v3/company/(?P<realm>[^/]+)/(?P<resource>[^/]+)(?:/(?P<identity>[^/]+))?(?:/(?P<action>pdf|send))?")
BEARER = re.compile(r"eyJ[\w-]{20,}(\.[\w-]{20,}){4}")


class QuickBooksSimulator(FurnishedQuickBooks):
    """QuickBooks Online with any number of companies and apps."""

    key = "quickbooks"
    first_acts: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "register_app": {"client_id": "app", "client_secret": "secret", "redirect_uris": ["http://localhost/callback"]},
        "create_company": {"realm_id": "9130350000000001", "name": "Blue Ridge Wholesale"},
    }
    signs_in: ClassVar[Mapping[str, Any]] = {
        "account_id": "9130350000000001",
        "app": {"client_id": "app", "client_secret": "secret"},
        "redirect_uri": "http://localhost/callback",
    }

    def __init__(self, clock: Clock, journal: Path | None = None, switches: Switches | None = None) -> None:
        self.switches = switches or Switches()
        self._answers = 0
        super().__init__(clock, journal)
        self._forget_events()

    def reset(self) -> None:
        self.tokens = Tokens()
        self.sign_in = SignIn(self.tokens)
        self.companies = {}
        self.webhooks = Webhooks()
        self._throttle = Throttle()

    # For tests and the demo.

    def register_app(self, client_id: str, client_secret: str, redirect_uris: list[str]) -> None:
        """A developer registers an app."""
        self.person("register_app", client_id=client_id, client_secret=client_secret, redirect_uris=redirect_uris)

    def create_company(self, realm_id: str, name: str, **settings: Any) -> Company:
        """An owner opens a company; the settings are those of `person_create_company`."""
        self.person("create_company", realm_id=realm_id, name=name, **settings)
        return self.companies[realm_id]

    def seed_many(self, realm_id: str, vendors: int, bills: int, lines_per_bill: int = 2) -> None:
        """Fill a company for a measurement."""
        self.person("seed_many", realm_id=realm_id, vendors=vendors, bills=bills, lines_per_bill=lines_per_bill)

    def company(self, realm_id: str) -> Company:
        return self.companies[realm_id]

    def payments_of_bill(self, realm_id: str, bill_id: str) -> list[Body]:
        """The bill payments that pay this bill, read from the payments themselves."""
        return self.companies[realm_id].payments_of_bill(bill_id)

    def books(self) -> dict[str, dict[str, list[Body]]]:
        return {
            realm_id: {name: list(table.rows.values()) for name, table in company.tables.items() if table.rows}
            for realm_id, company in self.companies.items()
        }

    def refusal(self, kind: str) -> Response:
        """An answer for `refuse`: throttled, expired, forbidden or system_failure, the last under status 200."""
        kinds: dict[str, Refusal | GatewayRefusal] = {
            "throttled": throttled(),
            "expired": unauthorized("Token expired"),
            "forbidden": forbidden(),
            "system_failure": system_failure(),
        }
        return self._refused(None, kinds[kind])

    # Telling of what happens.

    def person(self, act: str, **arguments: Any) -> Any:
        with self._at(None):
            result = super().person(act, **arguments)
            self._tell("")
            return result

    def _tell(self, writer: str) -> None:
        for realm_id, company in self.companies.items():
            if company.events:
                self.webhooks.tell(realm_id, company.events, writer, self.tokens, self.switches)
        self._forget_events()

    def _forget_events(self) -> None:
        for company in self.companies.values():
            company.events.clear()

    def deliver(self, send: Send) -> int:
        sent = 0
        while (due := self._due()) is not None:
            endpoint, post, headers = due
            status = send(endpoint.url, headers, post.body)
            with self._at(None):
                self.webhooks.settle(endpoint, post, status, self.switches, self.now())
            sent += 1
        return sent

    def _due(self) -> tuple[Endpoint, Post, Mapping[str, str]] | None:
        with self._at(None):
            due = self.webhooks.due(self.now())
            return (*due, due[0].headers(due[1], self.now())) if due else None

    # Answering.

    def changes_books(self, request: Request) -> bool:
        if request.path.rstrip("/") == AUTHORIZE:
            return True
        return request.method == "POST" and not request.path.endswith("/query")

    def _answer_and_keep(self, request: Request) -> Response:
        """A request over the limits never happened: the journal must not bring it back."""
        if self.throttled and (asked := API.fullmatch(request.path)):
            access = self.tokens.access(_bearer(request))
            is_batch = asked["resource"] == "batch"
            if access and not self._throttle.allows(access.grant.client_id, asked["realm"], is_batch, self.now()):
                return self._traced(self._refused(request, throttled()))
        response = super()._answer_and_keep(request)
        access = self.tokens.access(_bearer(request))
        self._tell(access.grant.client_id if access else "")
        return response

    def answer(self, request: Request) -> Response:
        names = {realm_id: company.info["CompanyName"] for realm_id, company in self.companies.items()}
        response = self.sign_in.answer(request, names, self.switches, self.now())
        response = response or serve_file(self.companies, request, self.now())
        return self._traced(response or self._api(request))

    def _api(self, request: Request) -> Response:
        asked = API.fullmatch(request.path)
        if asked is None or request.method not in ("GET", "POST") or not is_known(asked["resource"]):
            return Response(status=404)
        try:
            self._authorize(request, asked["realm"])
        except GatewayRefusal as refusal:
            return self._refused(request, refusal)
        if "json" not in request.headers.get("accept", "") and not _is_plain(asked):
            return self._refused(request, not_acceptable())
        company = self.companies[asked["realm"]]
        act = Act(company=company, now=self.now(), switches=self.switches, base_url=request.base_url)
        status, body = answer_company(act, request, asked["resource"], asked["identity"] or "", asked["action"] or "")
        if _is_plain(asked) and not body.startswith(b"{"):
            kind = "application/pdf" if asked["action"] else "text/plain"
            return Response(status=status, headers={"content-type": kind}, body=body)
        return _json(status, body)

    def _authorize(self, request: Request, realm_id: str) -> Grant:
        """The grant behind a living token for this company, or the gateway's refusal."""
        value = _bearer(request)
        if not BEARER.fullmatch(value):
            raise unauthorized("Malformed bearer token: too short or too long")
        access = self.tokens.access(value)
        if access is None or not access.grant.alive:
            raise unauthorized("Token revoked")
        if self.now() >= access.expires_at:
            raise unauthorized("Token expired")
        if access.grant.realm_id != realm_id or not any("accounting" in scope for scope in access.grant.scopes):
            raise forbidden()
        return access.grant

    def _refused(self, request: Request | None, refusal: Refusal | GatewayRefusal) -> Response:
        now = self.now()
        if request and "json" not in request.headers.get("accept", ""):
            headers = {"content-type": "application/xml"}
            return Response(status=refusal.status, headers=headers, body=as_xml(refusal, now))
        if isinstance(refusal, GatewayRefusal):
            return _json(refusal.status, write_json(refusal.body(now)))
        envelope = {"Fault": refusal.body(), "time": now.isoformat(timespec="milliseconds")}
        return _json(refusal.status, write_json(envelope))

    def _traced(self, response: Response) -> Response:
        """Every answer has an intuit_tid, which support asks for."""
        self._answers += 1
        digest = hashlib.sha256(f"{self._answers} {self.now().isoformat()}".encode()).hexdigest()
        trace = f"1-{digest[:8]}-{digest[8:32]}"
        headers = {**response.headers, "intuit_tid": trace, "qbo-version": "simulated"}
        return Response(status=response.status, headers=headers, body=response.body)


def _is_plain(asked: re.Match[str]) -> bool:
    """Whether what is asked for is an address or a document, and no JSON."""
    return asked["resource"] == "download" or asked["action"] == "pdf"


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _json(status: int, body: bytes) -> Response:
    return Response(status=status, headers={"content-type": "application/json;charset=UTF-8"}, body=body)
