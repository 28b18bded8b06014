"""A stand-in for QuickBooks Online: signing in and the accounting API, at Intuit's own paths below one address.

Documented or seen in recorded answers of a real company: the paths, envelopes, fault shapes and strings (but for those
marked assumed in `simulator_faults`), token lifetimes and rotation, the query grammar with its paging and the rule for
inactive objects, CDC with tombstones and its two limits, batches, the replay of a requestid, SyncToken, full and sparse
updates, names with " (deleted)", document numbers, closed books, which void works where, the limits.

Assumed: what `Switches` lists; that a code lives 10 minutes; that a new sign-in ends the older tokens of the same app
and company; the sign of CurrentBalance; that balances of vendors and accounts move without a new SyncToken; that names
in references follow a renaming; code 800 for deleting a bill with payments, 6000 and 620 for paying too much or the
wrong thing, 610 for an inactive and 2500 for an unknown reference; that a company whose subscription ended is refused
everything with 6190 under status 200; that times are compared in whole seconds; 406 for a caller who wants no JSON.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from connectors.clock import Clock
from connectors.quickbooks.simulator_api import answer_company, is_known
from connectors.quickbooks.simulator_attachments import serve_file
from connectors.quickbooks.simulator_clerks import ClerksInQuickBooks
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_faults import (
    Body,
    GatewayRefusal,
    Refusal,
    as_xml,
    forbidden,
    not_acceptable,
    throttled,
    unauthorized,
)
from connectors.quickbooks.simulator_oauth import AUTHORIZE, SignIn
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_tables import write_json
from connectors.quickbooks.simulator_throttle import Throttle
from connectors.quickbooks.simulator_tokens import Grant, Tokens
from connectors.simulators import Request, Response

API = re.compile(r"/v3/company/(?P<realm>[^/]+)/(?P<resource>[^/]+)(?:/(?P<identity>[^/]+))?")
WITHOUT_JSON = ("download",)
BEARER = re.compile(r"eyJ[\w-]{20,}(\.[\w-]{20,}){4}")


class QuickBooksSimulator(ClerksInQuickBooks):
    """QuickBooks Online with any number of companies and apps."""

    key = "quickbooks"
    first_acts: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "register_app": {"client_id": "app", "client_secret": "secret", "redirect_uris": ["http://localhost/callback"]},
        "create_company": {"realm_id": "9130350000000001", "name": "Blue Ridge Wholesale"},
    }

    def __init__(self, clock: Clock, journal: Path | None = None, switches: Switches | None = None) -> None:
        self.switches = switches or Switches()
        self._answers = 0
        super().__init__(clock, journal)

    def reset(self) -> None:
        self.tokens = Tokens()
        self.sign_in = SignIn(self.tokens)
        self.companies = {}
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
        return super()._answer_and_keep(request)

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
        if "json" not in request.headers.get("accept", "") and asked["resource"] not in WITHOUT_JSON:
            return self._refused(request, not_acceptable())
        company = self.companies[asked["realm"]]
        act = Act(company=company, now=self.now(), switches=self.switches, base_url=request.base_url)
        status, body = answer_company(act, request, asked["resource"], asked["identity"] or "")
        if asked["resource"] in WITHOUT_JSON and not body.startswith(b"{"):
            return Response(status=status, headers={"content-type": "text/plain"}, body=body)
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

    def _refused(self, request: Request, refusal: Refusal | GatewayRefusal) -> Response:
        now = self.now()
        if "json" not in request.headers.get("accept", ""):
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


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _json(status: int, body: bytes) -> Response:
    return Response(status=status, headers={"content-type": "application/json;charset=UTF-8"}, body=body)
