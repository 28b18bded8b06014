"""A whole world in one process: a tenant, both providers, the engine, and time that moves when told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from django.db import connection as database

from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.base import Tokens
from connectors.clock import VirtualClock
from connectors.conversation import Conversation, Effects, Steps, finish
from connectors.models import App, Connection, Tenant
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulators import SimulatorTransport
from connectors.threads import one_by_one
from connectors.tokens import StoredTokens
from syncs import scheduler
from syncs.delivery.deliver import deliver_stream
from syncs.integrations import activate, pair
from syncs.mirror.pull import read_feed
from syncs.models import Feed, Integration, SyncRecord
from syncs.models import Mapping as AccountMapping
from syncs.services import go_on
from syncs.states import State

BEGINNING = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
URL = "http://simulator"
REALM, COMPANY = "9130350000000001", "company-1"
OLDER = "avidsuite-v1-observed"
CALLBACK = "http://127.0.0.1:8000/connect/callback/"
ADDRESS = {
    "Line1": "100 Main St",
    "City": "Charlotte",
    "CountrySubDivisionCode": "NC",
    "PostalCode": "28202",
    "Country": "US",
}
FUNDING, IN_TRANSIT = AccountMapping.Subject.FUNDING_ACCOUNT, AccountMapping.Subject.IN_TRANSIT
WORK = {"feed": read_feed, "stream": deliver_stream}
POLL_SECONDS = 240
QUIET = timedelta(minutes=10)  # two readings and more: one company's news may say something of the other's
NEXT_DUE = """
SELECT min(moment) FROM (
    SELECT GREATEST(due_at, woken_until) AS moment FROM syncs_feed WHERE due_at IS NOT NULL
    UNION ALL SELECT GREATEST(due_at, woken_until) FROM syncs_stream WHERE due_at IS NOT NULL
) AS due WHERE moment > %s
"""
UNSETTLED = (State.PENDING, State.SENDING, State.IN_DOUBT)


@dataclass(kw_only=True)
class Engine:
    """Our rows and time; `effects` is what the engine is given, `wire` what it is connected by."""

    clock: VirtualClock
    integration: Integration
    wire: httpx.BaseTransport
    announce: Callable[[], int] = lambda: 0

    @property
    def tenant(self) -> Tenant:
        return self.integration.tenant

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

    def steps(self, what: str, row_id: int, holder: str = "worker") -> Steps[None]:
        """One slice, to be made step by step."""
        return WORK[what](row_id, self.effects(holder))

    def work(self) -> int:
        """Hear what is announced, wake what is due and do it, once each; how much there was to do."""
        self.announce()
        go_on(self.clock.now())
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
            if self._is_connected() and (unsettled := self._unsettled()):
                self._sleep_until(min(unsettled), until)
                quiet_since = self.clock.now()
            self.wait_for_what_is_due()

    def _unsettled(self) -> list[datetime]:
        """When each record that is under way is dealt with next, unless people stopped it."""
        rows = SyncRecord.objects.filter(state__in=UNSETTLED, stream__paused=False)
        return [due_at or self.clock.now() for due_at in rows.values_list("next_attempt_at", flat=True)]

    def _sleep_until(self, moment: datetime, end: datetime) -> None:
        """What waits for longer than a quiet spell, but not beyond the end, is waited for without reading in between,
        as over a night."""
        if (left := moment - self.clock.now()) > QUIET and moment <= end:
            self.clock.advance(left)

    def _is_connected(self) -> bool:
        return not Connection.objects.exclude(status=Connection.Status.CONNECTED).exists()

    def wait_for_what_is_due(self) -> None:
        """Move time to the next moment at which something is due."""
        now = self.clock.now()
        with database.cursor() as cursor:
            cursor.execute(NEXT_DUE, [now])
            [due_at] = cursor.fetchone()
        self.clock.advance(due_at - now if due_at else timedelta(minutes=1))


@dataclass(kw_only=True)
class World(Engine):
    """Both providers' books beside our rows."""

    quickbooks: QuickBooksSimulator
    avidxchange: AvidXchangeSimulator
    deletions: list[tuple[str, str]] = field(default_factory=list)
    # the network's payments of which a person voided or deleted a posting
    meddled: set[str] = field(default_factory=set)
    closings: list[str] = field(default_factory=list)
    # what people chose at some time: a restored backup forgets it, and the books of others do not
    policies: set[tuple[str, str]] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)  # vendors, by the one that was merged away

    def payees(self, vendor_id: str) -> set[str]:
        """A vendor and those who were merged into it: the network goes on paying whom it has approved."""
        found = {vendor_id}
        while more := {loser for loser, survivor in self.merged.items() if survivor in found} - found:
            found |= more
        return found

    @property
    def deleted_bills(self) -> list[str]:
        """The bills that people deleted."""
        return self.deleted("Bill")

    def deleted(self, entity: str) -> list[str]:
        """What people deleted in QuickBooks, by id."""
        return [id for of, id in self.deletions if of == entity]

    @property
    def company(self) -> Any:
        """QuickBooks' books."""
        return self.quickbooks.company(REALM)

    @property
    def network(self) -> Any:
        """AvidXchange's books."""
        return self.avidxchange.company(COMPANY)

    def person(self, simulator: Any, act: str, **arguments: Any) -> Any:
        """A person acts in a provider's own pages."""
        owner = {"realm_id": REALM} if simulator is self.quickbooks else {"company_id": COMPANY}
        return simulator.person(act, **owner, **arguments)


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
    erp = connect(tenant, "quickbooks", REALM, {"client_id": "qb-app", "client_secret": "qb-secret"}, {}, books)
    network = connect(
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
    for subject, name in ((FUNDING, "Checking"), (IN_TRANSIT, "Payments in transit")):
        map_account(integration, subject, bank(world, name), clock.now())
    integration.refresh_from_db()
    Feed.objects.update(interval_seconds=POLL_SECONDS)
    activate(integration, by="test", why="set up", now=clock.now())
    return world


def undisturbed(world: World) -> Effects:
    """What a person's own requests are given, whom no fault concerns."""
    simulators = {"quickbooks": world.quickbooks, "avidxchange": world.avidxchange}
    return replace(world.effects(), transport=SimulatorTransport(simulators))


def map_account(integration: Integration, subject: str, target: str, now: datetime) -> None:
    """Finance has chosen an account, for every method."""
    AccountMapping.objects.create(
        tenant=integration.tenant,
        integration=integration,
        subject=subject,
        source="*",
        target=target,
        valid_from=now,
        changed_by="test",
        why="set up",
    )


def consent(world: World) -> tuple[Conversation, Tokens]:
    """A person consents in QuickBooks and comes back with tokens, as the callback has them."""
    world.quickbooks.person("consent_automatically", realm_id=REALM)
    return come_back(Connection.objects.get(pk=world.integration.erp_id), undisturbed(world), CALLBACK)


def come_back(connection: Connection, effects: Effects, callback: str) -> tuple[Conversation, Tokens]:
    """A person was at the provider, whose simulator consents at once, and comes back with tokens."""
    talk = Conversation(connection=connection, effects=effects, trace_id="sign-in")
    connector = talk.connector("")
    url = connector.authorize_url(state="state", redirect_uri=callback)
    answer = effects.transport.handle_request(httpx.Request("GET", url))
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    return talk, connector.exchange(code=code, redirect_uri=callback)


def sign_in(world: World) -> None:
    """A person connects QuickBooks for the first time."""
    world.quickbooks.person("consent_automatically", realm_id=REALM)
    sign_in_by_redirect(Connection.objects.get(pk=world.integration.erp_id), undisturbed(world), CALLBACK)


def sign_in_by_redirect(connection: Connection, effects: Effects, callback: str) -> None:
    """A person connects a provider for the first time."""
    _, tokens = come_back(connection, effects, callback)
    StoredTokens.of(connection).replace(tokens, now=effects.clock.now())
    connection.status = Connection.Status.CONNECTED
    connection.save()


def go_back(world: World) -> None:
    """The company is shown by the older interface from now on, and signed in to by its two tokens."""
    older = AvidXchangeSimulator(world.clock, profile=OLDER, throttle=False)
    older.companies = world.avidxchange.companies
    world.avidxchange = older
    world.wire = SimulatorTransport({"quickbooks": world.quickbooks, "avidxchange": older})
    connection = Connection.objects.get(pk=world.integration.ap_network_id)
    connection.settings = {**connection.settings, "profile": OLDER}
    connection.credentials = older.person("issue_tokens", company_id=COMPANY)
    connection.save()


def bank(world: World, name: str) -> str:
    """The id of a bank account of that name, opened if there is none."""
    for account in world.company.accounts.values():
        if account["Name"] == name:
            return str(account["Id"])
    account = world.person(world.quickbooks, "create_account", name=name, account_type="Bank")
    return str(account["Id"])


def connect(
    tenant: Tenant,
    provider: str,
    account_id: str,
    app: dict[str, str],
    credentials: dict[str, str],
    settings: dict[str, Any],
) -> Connection:
    """A connection that nobody has signed in to, through an app of its own."""
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
