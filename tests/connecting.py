"""Builders for tests of what people do: simulated providers; tenants, apps and connections made by services."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
from django.contrib.auth.models import User

from connectors import services
from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.clock import VirtualClock
from connectors.conversation import Effects
from connectors.models import App, Connection, Tenant
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulators import SimulatorTransport
from connectors.threads import one_by_one

START = datetime(2026, 3, 2, 14, tzinfo=UTC)
URL = "http://simulator"
REALM, OTHER_REALM = "9130350000000001", "9130350000000002"
COMPANY = "company-1"
CANARY = "canary-7f3a9c"
QUICKBOOKS_APP = {"client_id": "qb-app", "client_secret": f"{CANARY}-qb-secret"}
PARTNER_APP = {"client_id": "partner", "client_secret": f"{CANARY}-partner-secret"}


@dataclass(kw_only=True)
class Providers:
    """Both simulators in process, and a clock that moves when told."""

    clock: VirtualClock
    quickbooks: QuickBooksSimulator
    avidxchange: AvidXchangeSimulator

    @property
    def effects(self) -> Effects:
        transport = SimulatorTransport({"quickbooks": self.quickbooks, "avidxchange": self.avidxchange})
        return Effects(clock=self.clock, transport=transport, holder="test", simulator_url=URL, concurrently=one_by_one)

    def consent(self, url: str, realm: str | None = REALM) -> dict[str, str]:
        """A person answers the consent page, without a company by No; what the browser is sent back with."""
        form = {"decision": "connect", "realm_id": realm} if realm else {"decision": "deny"}
        with httpx.Client(transport=self.effects.transport) as browser:
            answer = browser.post(url, data=form)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return {name: values[0] for name, values in parse_qs(back.query).items()}


def open_providers() -> Providers:
    """Two companies in QuickBooks, one at AvidXchange, and our apps registered with both."""
    clock = VirtualClock(START)
    quickbooks, avidxchange = QuickBooksSimulator(clock), AvidXchangeSimulator(clock, throttle=False)
    quickbooks.throttled = False
    quickbooks.person("register_app", **QUICKBOOKS_APP, redirect_uris=[services.redirect_uri()])
    quickbooks.create_company(REALM, "Blue Ridge Wholesale")
    quickbooks.create_company(OTHER_REALM, "Harbor Foods")
    avidxchange.person("register_app", **PARTNER_APP)
    avidxchange.person(
        "link_company", company_id=COMPANY, name="Blue Ridge Wholesale", client_id=PARTNER_APP["client_id"]
    )
    return Providers(clock=clock, quickbooks=quickbooks, avidxchange=avidxchange)


def staff(name: str = "olivia") -> User:
    return User.objects.create_user(name, password="a long pass phrase", is_staff=True)


def tenant(name: str = "Blue Ridge Wholesale") -> Tenant:
    return services.create_tenant(name=name, time_zone="America/New_York", by="olivia", now=START)


def app(provider: str = "quickbooks", **more: object) -> App:
    values = QUICKBOOKS_APP if provider == "quickbooks" else PARTNER_APP
    known = {"provider": provider, "environment": "simulated", "name": "Demo", "tenant": None, "values": values}
    return services.create_app(**{**known, **more}, by="olivia", now=START)  # type: ignore[arg-type]


def connection(of: Tenant | None = None, provider: str = "quickbooks", **credentials: object) -> Connection:
    """A connection that nobody has signed in to."""
    if provider != "quickbooks":
        credentials = {"company_id": COMPANY, **credentials}
    through = App.objects.filter(provider=provider).first() or app(provider)
    return services.create_connection(
        tenant=of or tenant(), app=through, credentials=credentials, settings={}, by="olivia", now=START
    )


def connected(providers: Providers, user: User, realm: str = REALM, of: Tenant | None = None) -> Connection:
    """A QuickBooks connection, signed in to and confirmed."""
    made = connection(of)
    url = services.begin_sign_in(connection=made, user=user, effects=providers.effects)
    services.complete_sign_in(answer=providers.consent(url, realm), user=user, effects=providers.effects)
    services.confirm_company(connection=made, company_id=realm, by=user.username, now=providers.clock.now())
    made.refresh_from_db()
    return made
