"""A whole world in one process: a tenant, both providers, the engine, and time that moves when told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.clock import VirtualClock
from connectors.conversation import Conversation, Effects, Steps, finish, one_by_one
from connectors.models import App, Connection, Tenant
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulators import SimulatorTransport
from connectors.tokens import StoredTokens
from syncs import scheduler
from syncs.delivery.deliver import deliver_stream
from syncs.integrations import activate, pair
from syncs.mirror.pull import read_feed
from syncs.models import Feed, Integration, Stream, SyncRecord
from syncs.models import Mapping as AccountMapping
from syncs.states import State

BEGINNING = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
URL = "http://simulator"
REALM, COMPANY = "9130350000000001", "company-1"
CALLBACK = "http://127.0.0.1:8000/connect/callback/"
ADDRESS = {
    "Line1": "100 Main St",
    "City": "Charlotte",
    "CountrySubDivisionCode": "NC",
    "PostalCode": "28202",
    "Country": "US",
}
WORK = {"feed": read_feed, "stream": deliver_stream}
POLL_SECONDS = 240
QUIET = timedelta(minutes=10)  # beyond the interval of reading and the time a change takes to be shown
UNSETTLED = (State.PENDING, State.SENDING, State.IN_DOUBT)


@dataclass(kw_only=True)
class World:
    """Both providers' books and our rows; `effects` is what the engine is given, `wire` what it is connected by."""

    clock: VirtualClock
    quickbooks: QuickBooksSimulator
    avidxchange: AvidXchangeSimulator
    integration: Integration
    wire: httpx.BaseTransport
    deleted_bills: list[str] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        return self.integration.tenant

    @property
    def company(self) -> Any:
        """QuickBooks' books."""
        return self.quickbooks.company(REALM)

    @property
    def network(self) -> Any:
        """AvidXchange's books."""
        return self.avidxchange.company(COMPANY)

    def effects(self, holder: str = "worker") -> Effects:
        """What a worker is given here."""
        return Effects(
            clock=self.clock,
            transport=self.wire,
            holder=holder,
            simulator_url=URL,
            concurrently=one_by_one,
            budgets=False,
        )

    def person(self, simulator: Any, act: str, **arguments: Any) -> Any:
        """A person acts in a provider's own pages."""
        owner = {"realm_id": REALM} if simulator is self.quickbooks else {"company_id": COMPANY}
        return simulator.person(act, **owner, **arguments)

    def steps(self, what: str, row_id: int, holder: str = "worker") -> Steps[None]:
        """One slice, to be made step by step."""
        return WORK[what](row_id, self.effects(holder))

    def work(self) -> int:
        """Wake what is due and do it, once each; how much there was."""
        due: list[tuple[str, int]] = []
        scheduler.tick(self.clock.now(), wake=lambda what, row_id: due.append((what, row_id)))
        for what, row_id in due:
            finish(self.steps(what, row_id))
        return len(due)

    def settle(self, *, days: float = 2) -> None:
        """Work until nothing has been under way for a while, moving time on to whatever is due next."""
        until, quiet_since = self.clock.now() + timedelta(days=days), self.clock.now()
        while self.clock.now() < until and self.clock.now() - quiet_since < QUIET:
            if self.work():
                continue
            if self._is_connected() and SyncRecord.objects.filter(state__in=UNSETTLED).exists():
                quiet_since = self.clock.now()
            self.wait_for_what_is_due()

    def _is_connected(self) -> bool:
        return not Connection.objects.exclude(status=Connection.Status.CONNECTED).exists()

    def wait_for_what_is_due(self) -> None:
        """Move time to the next moment at which something is due."""
        rows = [*Feed.objects.exclude(due_at=None), *Stream.objects.exclude(due_at=None)]
        moments = [max(moment for moment in (row.due_at, row.woken_until) if moment) for row in rows]
        due = [moment for moment in moments if moment > self.clock.now()]
        self.clock.advance(min(due) - self.clock.now() if due else timedelta(minutes=1))


def begin(
    *,
    seed: int = 0,
    profile: str = "assumed-v1",
    accounts: Mapping[str, str] | None = None,
    present: datetime = BEGINNING,
    company: Mapping[str, Any] = MappingProxyType({}),
) -> World:
    """A connected tenant with empty lists, mapped accounts and an active integration; `company` is what is special."""
    clock = VirtualClock(present, seed)
    quickbooks = QuickBooksSimulator(clock)
    quickbooks.throttled = False
    avidxchange = AvidXchangeSimulator(clock, profile=profile, throttle=False)
    transport = SimulatorTransport({"quickbooks": quickbooks, "avidxchange": avidxchange})
    quickbooks.register_app("qb-app", "qb-secret", [CALLBACK])
    quickbooks.create_company(REALM, "Blue Ridge Wholesale", **company)
    avidxchange.person("link_company", company_id=COMPANY, name="Blue Ridge Wholesale")
    tenant = Tenant.objects.create(name=f"Blue Ridge Wholesale {seed}")
    books = {name: value for name, value in company.items() if name == "home_currency"}
    erp = _connection(tenant, "quickbooks", REALM, {"client_id": "qb-app", "client_secret": "qb-secret"}, {}, books)
    network = _connection(
        tenant,
        "avidxchange",
        COMPANY,
        {"client_id": "partner-app", "client_secret": "partner-secret"},
        {"company_id": COMPANY},
        {"profile": profile, "look_back_days": 28},
    )
    integration = pair(erp=erp, ap_network=network, by="test", now=clock.now())
    world = World(clock=clock, quickbooks=quickbooks, avidxchange=avidxchange, wire=transport, integration=integration)
    sign_in(world)
    network.status = Connection.Status.CONNECTED
    network.save()
    erp.refresh_from_db()
    for subject, method, target in (
        (AccountMapping.Subject.FUNDING_ACCOUNT, "*", bank(world, "Checking")),
        (AccountMapping.Subject.IN_TRANSIT, "*", bank(world, "Payments in transit")),
    ):
        AccountMapping.objects.create(
            tenant=tenant,
            integration=integration,
            subject=subject,
            source=method,
            target=target,
            valid_from=clock.now(),
            changed_by="test",
            why="set up",
        )
    integration.refresh_from_db()
    Feed.objects.update(interval_seconds=POLL_SECONDS)
    activate(integration, by="test", why="set up", now=clock.now())
    return world


def sign_in(world: World) -> None:
    """A person connects QuickBooks, as the callback would."""
    connection = Connection.objects.get(pk=world.integration.erp_id)
    wire = SimulatorTransport({"quickbooks": world.quickbooks})
    world.quickbooks.person("consent_automatically", realm_id=REALM)
    talk = Conversation(connection=connection, effects=replace(world.effects(), transport=wire), trace_id="sign-in")
    connector = talk.connector("")
    url = connector.authorize_url(state="state", redirect_uri=CALLBACK)
    answer = wire.handle_request(httpx.Request("GET", url))
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    tokens = connector.exchange(code=code, redirect_uri=CALLBACK)
    StoredTokens.of(connection).replace(tokens, now=world.clock.now())
    connection.status = Connection.Status.CONNECTED
    connection.save()


def bank(world: World, name: str) -> str:
    """The id of a bank account of that name, opened if there is none."""
    for account in world.company.accounts.values():
        if account["Name"] == name:
            return str(account["Id"])
    account = world.person(world.quickbooks, "create_account", name=name, account_type="Bank")
    return str(account["Id"])


def _connection(
    tenant: Tenant,
    provider: str,
    account_id: str,
    app: dict[str, str],
    credentials: dict[str, str],
    settings: dict[str, Any],
) -> Connection:
    registration = App.objects.create(
        tenant=tenant, provider=provider, environment="simulated", name="app", credentials=app
    )
    return Connection.objects.create(
        tenant=tenant,
        app=registration,
        provider=provider,
        environment="simulated",
        account_id=account_id,
        account_name=tenant.name,
        credentials=credentials,
        settings=settings,
    )
