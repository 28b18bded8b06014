"""A simulated company in QuickBooks with our connector signed in to it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.base import Environment, Session
from connectors.clock import VirtualClock
from connectors.http import Http
from connectors.quickbooks.connector import App, Credentials, QuickBooksConnector, Settings
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.records import Payment
from connectors.simulators import SimulatorTransport

NOW = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
REALM = "9130347000000000001"
REDIRECT = "https://connector.example/callback"
URL = "http://simulator"
CHECKING = "35"


class Office:
    """One company with two vendors and three open bills, and our connector signed in to it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.simulator = QuickBooksSimulator(self.clock)
        self.simulator.throttled = False
        self.simulator.register_app("client", "secret", [REDIRECT])
        self.company = self.simulator.create_company(REALM, "Fern & Co")
        self.simulator.person("consent_automatically", realm_id=REALM)
        self.vendor = self.simulator.person("create_vendor", realm_id=REALM, name="Acme Paper")["Id"]
        self.other = self.simulator.person("create_vendor", realm_id=REALM, name="Bolt Tools")["Id"]
        self.bills = [
            self.bill(self.vendor, "100.25", DocNumber="INV-1"),
            self.bill(self.vendor, "50.00", DocNumber="INV-2"),
            self.bill(self.other, "75.00", DocNumber="B-9"),
        ]
        self.transport: httpx.BaseTransport = SimulatorTransport({"quickbooks": self.simulator})
        self.connector = self.connect()

    def bill(self, vendor: str, amount: str, **fields: Any) -> str:
        lines = [("7", amount)]
        created = self.simulator.person("create_bill", realm_id=REALM, vendor_id=vendor, lines=lines, **fields)
        return str(created["Id"])

    def connect(self, token: str | None = None) -> QuickBooksConnector:
        signed_out = self.session("")
        return QuickBooksConnector(self.session(self.sign_in(signed_out).access_token if token is None else token))

    def session(self, token: str, **changes: Any) -> Session:
        app = App(client_id="client", client_secret="secret")
        http = Http(
            transport=self.transport,
            clock=self.clock,
            hosts=QuickBooksConnector.hosts(Environment.SIMULATED, app, URL),
            private_hosts_allowed=True,
        )
        known: dict[str, Any] = {
            "environment": Environment.SIMULATED,
            "account_id": REALM,
            "app": app,
            "credentials": Credentials(),
            "settings": Settings(),
            "http": http,
            "simulator_url": URL,
            "access_token": token,
        }
        return Session(**known | changes)

    def sign_in(self, session: Session) -> Any:
        connector = QuickBooksConnector(session)
        address = connector.authorize_url(state="s-1", redirect_uri=REDIRECT)
        with httpx.Client(transport=self.transport) as browser:
            back = parse_qs(urlsplit(browser.get(address).headers["location"]).query)
        assert back["state"] == ["s-1"]
        assert back["realmId"] == [REALM]
        return connector.exchange(code=back["code"][0], redirect_uri=REDIRECT)

    def payments(self) -> list[Mapping[str, Any]]:
        return list(self.company.bill_payments.values())

    def live_payments(self) -> list[Mapping[str, Any]]:
        return [payment for payment in self.payments() if payment["TotalAmt"]]


def shown(record: object) -> Payment:
    """The record of a receipt or page, which is a payment."""
    assert isinstance(record, Payment)
    return record
