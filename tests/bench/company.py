"""A company that is measured: connected to both providers over HTTP, mapped, active, with nothing read or sent yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors import reality
from connectors.conversation import Conversation, Effects
from connectors.models import App, Connection, Tenant
from connectors.records import Kind
from connectors.tokens import StoredTokens
from syncs.integrations import activate, pair
from syncs.models import Feed, Integration, Mapping, Stream
from tests.bench.providers import APP, CALLBACK, Providers

ENVIRONMENT = "simulated"


@dataclass(frozen=True, kw_only=True)
class Company:
    """One tenant and its integration."""

    integration: Integration
    bills: int

    @property
    def erp_feed(self) -> Feed:
        return Feed.objects.get(connection=self.integration.erp)

    @property
    def network_feed(self) -> Feed:
        return Feed.objects.get(connection=self.integration.ap_network)

    def stream(self, kind: Kind) -> Stream:
        return Stream.objects.get(integration=self.integration, kind=kind)


def effects(providers: Providers, transport: httpx.BaseTransport | None = None) -> Effects:
    """The real world with no budgets of ours."""
    return Effects(
        clock=reality.present(),
        transport=transport or httpx.HTTPTransport(),
        holder=reality.holder(),
        simulator_url=providers.url,
        budgets=False,
    )


def open_companies(providers: Providers, count: int, *, vendors: int, bills: int) -> list[Company]:
    """New companies, each with its tenant."""
    return [_open(providers, Tenant.objects.count() + 1, vendors, bills) for _ in range(count)]


def _open(providers: Providers, number: int, vendors: int, bills: int) -> Company:
    now, name = reality.present().now(), f"company-{number}"
    realm_id = f"{9130350000000000 + number}"
    accounts = providers.do("open_company", realm_id=realm_id, company_id=name, vendors=vendors, bills=bills)
    tenant = Tenant.objects.create(name=name)
    erp = _connection(tenant, "quickbooks", realm_id, credentials={})
    _sign_in(erp, providers)
    network = _connection(tenant, "avidxchange", name, credentials={"company_id": name})
    Connection.objects.filter(tenant=tenant).update(status=Connection.Status.CONNECTED)
    integration = pair(erp=erp, ap_network=network, by="bench", now=now)
    subjects = (Mapping.Subject.FUNDING_ACCOUNT, Mapping.Subject.IN_TRANSIT)
    Mapping.objects.bulk_create(_mappings(integration, zip(subjects, accounts.values(), strict=True)))
    integration = Integration.objects.select_related("erp__app", "ap_network__app", "tenant").get(pk=integration.pk)
    activate(integration, by="bench", why="to be measured", now=now)
    return Company(integration=integration, bills=bills)


def _connection(tenant: Tenant, provider: str, account_id: str, credentials: dict[str, str]) -> Connection:
    names: dict[str, Any] = {"tenant": tenant, "provider": provider, "environment": ENVIRONMENT}
    app = App.objects.create(**names, name="app", credentials=APP)
    return Connection.objects.create(**names, app=app, account_id=account_id, credentials=credentials, settings={})


def _mappings(integration: Integration, chosen: Iterable[tuple[Mapping.Subject, str]]) -> list[Mapping]:
    return [
        Mapping(
            tenant=integration.tenant,
            integration=integration,
            subject=subject,
            source="*",
            target=account,
            valid_from=reality.present().now(),
            changed_by="bench",
            why="to be measured",
        )
        for subject, account in chosen
    ]


def _sign_in(connection: Connection, providers: Providers) -> None:
    """As a person would: out to the consent page, and back with a code."""
    real = effects(providers)
    connector = Conversation(connection=connection, effects=real, trace_id="sign-in").connector("")
    page = connector.authorize_url(state="state", redirect_uri=CALLBACK)
    answer = httpx.get(page, follow_redirects=False)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    tokens = connector.exchange(code=code, redirect_uri=CALLBACK)
    StoredTokens.of(connection).replace(tokens, now=real.clock.now())
