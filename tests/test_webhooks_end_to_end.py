"""QuickBooks' own webhooks, signed by it, in both formats, twice, in any order and companies mixed, into our books."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from connectors import reality
from connectors.models import App, Connection, Hint, MeteredReads, WebhookDelivery
from connectors.quickbooks.simulator_switches import Switches
from syncs.models import Feed, RemoteRecord
from tests.payables import (
    approve,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    open_problems,
    release,
    with_bill,
)
from tests.simulation.world import REALM, World

pytestmark = pytest.mark.django_db
VERIFIER = "b5771f19b12ddb4bcdb9f08bdc50bc63878a"


def erp() -> Connection:
    return Connection.objects.get(provider="quickbooks")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """One bill, read and delivered, in a world whose pages live in its time."""
    made, _ = with_bill()
    monkeypatch.setattr(reality, "present", lambda: made.clock)
    app = App.objects.get(provider="quickbooks")
    app.credentials = {**app.credentials, "webhook_verifier": VERIFIER}
    app.save()
    return made


def register(world: World, **settings: object) -> None:
    url = reverse("connectors:webhook", args=[App.objects.get(provider="quickbooks").public_id])
    world.quickbooks.person("register_webhook", **{"client_id": "qb-app", "url": url, "verifier": VERIFIER, **settings})


def deliver(world: World) -> int:
    """What waits is posted to us; how many posts there were."""

    def send(url: str, headers: Mapping[str, str], body: bytes) -> int:
        names = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        return Client(enforce_csrf_checks=True).post(url, body, "application/json", headers=names).status_code

    return world.quickbooks.deliver(send)


def live(world: World, span: timedelta) -> None:
    """Webhooks come and work is done."""
    until = world.clock.now() + span
    while world.clock.now() < until:
        deliver(world)
        if not world.work():
            world.clock.advance(timedelta(minutes=2))


@pytest.mark.parametrize(
    "settings", [{}, {"format": "legacy"}, {"duplicates": 2, "newest_first": True, "together": 2}], ids=str
)
def test_what_happens_in_the_erp_is_known_at_once_and_comes_to_the_network(
    world: World, settings: dict[str, object]
) -> None:
    register(world, **settings)
    old = RemoteRecord.objects.get(number="INV-1", connection=erp()).remote_id
    vendor = enter_vendor(world, "Harbor Freight")
    enter_bill(world, vendor, number="N-1")
    edit_bill(world, old, DueDate="2026-04-30")
    edit_bill(world, old, DueDate="2026-05-31")
    Feed.objects.filter(connection=erp()).update(due_at=world.clock.now() + timedelta(days=1))
    assert deliver(world) > 0
    assert not WebhookDelivery.objects.exclude(outcome="accepted").exists()
    live(world, timedelta(minutes=10))
    assert invoice(world)["due_date"].isoformat() == "2026-05-31"
    assert invoice(world, "N-1")["workflow_status"]
    assert RemoteRecord.objects.filter(number="N-1", connection=erp()).count() == 1
    assert not Hint.objects.filter(settled_at=None).exists()


def test_a_post_of_several_companies_reaches_each_and_an_unknown_one_is_kept_aside(world: World) -> None:
    register(world)
    world.quickbooks.create_company("9130350000000099", "Harbor Foods")
    grant = world.quickbooks.tokens.grants[-1]
    other = type(grant)(grant.client_id, "9130350000000099", grant.scopes, world.clock.now())
    world.quickbooks.tokens.grants.append(other)
    enter_vendor(world, "Harbor Freight")
    world.quickbooks.person("create_vendor", realm_id="9130350000000099", name="Unknown to us")
    assert deliver(world) == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.hints, delivery.unknown) == (2, 1)
    assert sorted(Hint.objects.values_list("account_id", "connection_id")) == [
        (REALM, erp().pk),
        ("9130350000000099", None),
    ]


def test_another_verifier_is_refused_and_tried_again_by_the_provider(world: World) -> None:
    register(world, verifier="another")
    enter_vendor(world, "Harbor Freight")
    assert deliver(world) == 1
    assert WebhookDelivery.objects.get().outcome == "refused"
    register(world)
    world.clock.advance(timedelta(minutes=1))
    assert deliver(world) == 1
    assert Hint.objects.count() == 1


@pytest.mark.parametrize("echo", [True, False])
def test_webhooks_stay_healthy_while_bills_are_entered_and_payments_posted(world: World, echo: bool) -> None:
    world.quickbooks.switches = type(world.quickbooks.switches)(webhook_echo=echo)
    register(world)
    enter_bill(world, enter_vendor(world, "Harbor Freight"), number="N-1")
    live(world, timedelta(hours=13))
    execute(world, release(world, "INV-1"))
    live(world, timedelta(days=2))
    assert world.company.bills["1"]["Balance"] == 0
    if echo:
        assert erp().doubted_at is None
    feed = Feed.objects.get(connection=erp())
    assert feed.due_at is not None
    assert not Hint.objects.filter(settled_at=None).exists()


def test_our_count_of_reads_is_the_providers(world: World) -> None:
    register(world)
    enter_bill(world, enter_vendor(world, "Harbor Freight"), number="N-1")
    live(world, timedelta(days=1))
    ours = MeteredReads.objects.get(connection=erp())
    assert world.quickbooks.person_read_usage(REALM) == {"2026-03": ours.reads}


def test_webhooks_that_stop_are_noticed_by_the_first_change_and_nothing_is_lost(world: World) -> None:
    register(world)
    enter_bill(world, enter_vendor(world, "Harbor Freight"), number="N-1")
    live(world, timedelta(hours=1))
    world.quickbooks.webhooks.endpoints.clear()
    enter_bill(world, enter_vendor(world, "Acme Two"), number="N-2")
    live(world, timedelta(hours=13))
    assert erp().doubted_at is not None
    assert invoice(world, "N-2")
    feed = Feed.objects.get(connection=erp())
    assert feed.due_at is not None
    assert feed.due_at - world.clock.now() < timedelta(minutes=10)


@pytest.mark.parametrize("settings", [{}, {"format": "legacy"}], ids=str)
@pytest.mark.parametrize("disappears", [False, True])
def test_a_merge_is_remembered_until_the_one_that_was_merged_away_is_in_use_again(
    world: World, settings: dict[str, object], disappears: bool
) -> None:
    world.quickbooks.switches = Switches(merged_vendor_disappears=disappears)
    loser = RemoteRecord.objects.get(name="Acme Paper", connection=erp()).remote_id
    survivor = enter_vendor(world, "Acme")
    world.settle(days=1)
    register(world, **settings)
    world.person(world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
    deliver(world)
    live(world, timedelta(hours=30))
    merged = RemoteRecord.objects.get(kind="vendor", remote_id=loser, connection=erp())
    assert (merged.merged_into, merged.gone) == (survivor, "merged" if disappears else "")
    assert RemoteRecord.objects.get(kind="vendor", remote_id=survivor, connection=erp()).merged_into == ""
    if not disappears:
        world.person(world.quickbooks, "edit", entity="Vendor", identity=loser, changes={"Active": True})
        live(world, timedelta(minutes=30))
        assert RemoteRecord.objects.get(pk=merged.pk).merged_into == ""


def test_what_a_webhook_says_of_a_merge_is_believed_before_what_looks_like_one(world: World) -> None:
    survivor = enter_vendor(world, "Acme")
    loser = RemoteRecord.objects.get(name="Acme Paper", connection=erp()).remote_id
    world.settle(days=1)
    approve(world)
    register(world)
    Feed.objects.filter(connection=erp()).update(due_at=world.clock.now() + timedelta(days=1))
    world.person(world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
    world.clock.advance(timedelta(minutes=5))
    world.person(world.quickbooks, "edit", entity="Bill", identity=next(iter(world.company.bills)), changes={})
    live(world, timedelta(hours=1))
    assert invoice(world)["workflow_status"] == "approved"
    assert open_problems() == []
