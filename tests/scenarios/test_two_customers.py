"""Two customers at the network through one application: one quota, fair shares, and books that never mix."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import governor
from connectors.conversation import Conversation, Effects
from connectors.models import Connection, Tenant
from syncs.integrations import activate, pair
from syncs.models import Feed, SyncRecord
from syncs.states import State
from tests.payables import enter_bill, enter_vendor
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import assert_at_rest
from tests.simulation.world import (
    CALLBACK,
    FUNDING,
    IN_TRANSIT,
    POLL_SECONDS,
    World,
    begin,
    connect,
    map_account,
    sign_in_by_redirect,
)

pytestmark = pytest.mark.django_db
COLD_REALM, COLD_COMPANY = "9130350000000002", "company-2"
MANY = 230  # more than one slice takes


class Governed(World):
    """A world in which the application's quota counts."""

    def effects(self, holder: str = "worker") -> Effects:
        return replace(super().effects(holder), budgets=True)


@everything
def test_20_two_customers_one_oauth_application_one_hot(profile: str) -> None:
    world = Governed(**vars(begin(profile=profile)))
    join(world, profile)
    hot = enter_vendor(world)
    cold = world.quickbooks.person("create_vendor", realm_id=COLD_REALM, name="Harbor Fish")["Id"]
    world.settle(days=0.02)
    for number in range(MANY):
        enter_bill(world, hot, "10.00", f"HOT-{number}")
    world.quickbooks.person(
        "create_bill", realm_id=COLD_REALM, vendor_id=cold, lines=[["8", "77.00"]], DocNumber="COLD-1"
    )
    network = Connection.objects.select_related("app").get(pk=world.integration.ap_network_id)
    budget = Conversation(connection=network, effects=world.effects(), trace_id="test").budget
    governor.block(budget, 300, now=world.clock.now())
    asked, until = len(world.avidxchange.requests), world.clock.now() + timedelta(seconds=299)
    while world.clock.now() < until:
        if not world.work():
            world.clock.advance(timedelta(seconds=30))
    assert len(world.avidxchange.requests) == asked, "one quota: what it is told, both obey"
    assert not SyncRecord.objects.filter(attempts__gt=1).exists(), "being told to wait is no try"

    other = world.avidxchange.company(COLD_COMPANY)
    while not other.invoices:
        if not world.work():
            world.wait_for_what_is_due()
    assert world.clock.now() - until < timedelta(minutes=1), "the other one does not wait for the hot one"
    world.settle(days=1)
    assert {one["invoice_number"][:4] for one in world.network.invoices.values()} == {"HOT-"}
    assert [one["invoice_number"] for one in other.invoices.values()] == ["COLD-1"]
    assert len(world.network.invoices) == MANY
    assert not SyncRecord.objects.filter(state=State.HELD).exists()
    assert_at_rest()


def join(world: World, profile: str) -> None:
    """A second customer, with a company of its own on both sides, comes in through the same application."""
    now = world.clock.now()
    world.quickbooks.create_company(COLD_REALM, "Harbor Foods")
    world.avidxchange.person("link_company", company_id=COLD_COMPANY, name="Harbor Foods")
    tenant = Tenant.objects.create(name="Harbor Foods")
    erp = connect(tenant, "quickbooks", COLD_REALM, {"client_id": "qb-app", "client_secret": "qb-secret"}, {}, {})
    settings = {"profile": profile, "look_back_days": 28}
    network = connect(tenant, "avidxchange", COLD_COMPANY, {}, {"company_id": COLD_COMPANY}, settings)
    network.app = Connection.objects.get(pk=world.integration.ap_network_id).app
    network.app.tenant = None
    network.app.save()
    network.status = Connection.Status.CONNECTED
    network.save()
    integration = pair(erp=erp, ap_network=network, by="test", now=now)
    world.quickbooks.person("consent_automatically", realm_id=COLD_REALM)
    sign_in_by_redirect(erp, world.effects(), CALLBACK)
    for subject in (FUNDING, IN_TRANSIT):
        account = world.quickbooks.person(
            "create_account", realm_id=COLD_REALM, name=f"For {subject}", account_type="Bank"
        )
        map_account(integration, subject, account["Id"], now)
    integration.refresh_from_db()
    Feed.objects.update(interval_seconds=POLL_SECONDS)
    activate(integration, by="test", why="set up", now=now)
