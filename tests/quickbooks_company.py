"""A simulated QuickBooks company and a caller who is signed in to it, for tests of the simulator itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.clock import VirtualClock
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.quickbooks.simulator_switches import Switches
from connectors.simulators import SimulatorTransport

REALM = "9130347000000001"
START = datetime(2026, 11, 2, 18, tzinfo=UTC)
CALLBACK = "https://ours.example/callback"
CREDENTIALS = ("app-1", "secret-1")
ACCOUNTING = "com.intuit.quickbooks.accounting"


@dataclass
class Caller:
    """One app, signed in to one company; answers are parsed with decimals."""

    simulator: QuickBooksSimulator
    clock: VirtualClock
    realm: str = REALM
    tokens: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        transport = SimulatorTransport({"quickbooks": self.simulator})
        self.http = httpx.Client(transport=transport, base_url="http://intuit.test/quickbooks")

    def code(self, scope: str = ACCOUNTING) -> str:
        """An authorization code, consented to at once."""
        answer = self.http.get(
            "/connect/oauth2",
            params={
                "client_id": CREDENTIALS[0],
                "redirect_uri": CALLBACK,
                "response_type": "code",
                "scope": scope,
                "state": "s",
            },
        )
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    def token(self, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Response:
        """What the token endpoint says."""
        return self.http.post("/oauth2/v1/tokens/bearer", data=form, auth=CREDENTIALS, headers=headers)

    def sign_in(self, scope: str = ACCOUNTING) -> "Caller":
        """Fresh tokens by a new authorization."""
        self.tokens = self.exchange(self.code(scope)).json()
        return self

    def exchange(self, code: str) -> httpx.Response:
        """Exchange a code for tokens."""
        return self.token({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK})

    def refresh(self, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Refresh with the refresh token that is remembered."""
        return self.token({"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}, headers)

    def wait(self, **time: float) -> None:
        """Let time pass and keep the tokens alive."""
        self.clock.advance(timedelta(**time))
        self.tokens = self.refresh().json()

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A signed request to the company."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}", "Accept": "application/json"}
        headers |= options.pop("headers", {})
        return self.http.request(method, f"/v3/company/{self.realm}/{path}", headers=headers, **options)

    def post(self, path: str, body: Any, **query: str) -> Any:
        """The parsed answer to a POST."""
        return parsed(self.send("POST", path, json=body, params=query))

    def get(self, path: str, **query: str) -> Any:
        """The parsed answer to a GET."""
        return parsed(self.send("GET", path, params=query))

    def query(self, statement: str) -> Any:
        """The value of QueryResponse, or of Fault."""
        answer = self.get("query", query=statement)
        return answer.get("QueryResponse", answer.get("Fault"))

    def vendor(self, name: str = "Acme Paper", **fields: Any) -> dict[str, Any]:
        """A new vendor."""
        created: dict[str, Any] = self.post("vendor", {"DisplayName": name, **fields})["Vendor"]
        return created

    def bill(self, vendor: Mapping[str, Any], *amounts: str, **fields: Any) -> dict[str, Any]:
        """A new bill with a line for each amount."""
        created: dict[str, Any] = self.post("bill", bill_body(vendor, *amounts, **fields))["Bill"]
        return created

    def pay(self, amount: str, *bills: tuple[Mapping[str, Any], str], **fields: Any) -> Any:
        """The answer to a payment by check of these bills with these amounts."""
        query = fields.pop("query", {})
        return self.post("billpayment", payment_body(amount, *bills, **fields), **query)


def parsed(answer: httpx.Response) -> Any:
    """JSON with decimals for numbers."""
    return json.loads(answer.text, parse_float=Decimal)


def code_of(answer: Mapping[str, Any]) -> str:
    """The code of the fault in an answer."""
    return str(answer["Fault"]["Error"][0]["code"])


def line(amount: str, account: str = "7", **fields: Any) -> dict[str, Any]:
    """A line on an account."""
    return {
        "Amount": amount,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}},
        **fields,
    }


def bill_body(vendor: Mapping[str, Any], *amounts: str, **fields: Any) -> dict[str, Any]:
    """A bill as a request has it."""
    return {"VendorRef": {"value": vendor["Id"]}, "Line": [line(amount) for amount in amounts], **fields}


def payment_body(amount: str, *bills: tuple[Mapping[str, Any], str], **fields: Any) -> dict[str, Any]:
    """A payment by check as a request has it."""
    return {
        "VendorRef": {"value": bills[0][0]["VendorRef"]["value"]},
        "PayType": "Check",
        "TotalAmt": amount,
        "CheckPayment": {"BankAccountRef": {"value": "35"}},
        "Line": [{"Amount": part, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]} for bill, part in bills],
        **fields,
    }


def open_books(switches: Switches | None = None, journal: Path | None = None, **settings: Any) -> Caller:
    """A company with nothing in it, and a caller who is signed in."""
    clock = VirtualClock(START)
    simulator = QuickBooksSimulator(clock, journal, switches)
    simulator.throttled = False
    simulator.register_app(*CREDENTIALS, [CALLBACK])
    simulator.create_company(REALM, "Sandbox Company", **settings)
    simulator.person("consent_automatically", realm_id=REALM)
    return Caller(simulator, clock).sign_in()
