"""Webhooks: kept, verified, split by company; what they name is fetched at once, and nothing of them is lost."""

import json
from datetime import timedelta

import pytest

from connectors import reality
from connectors.conversation import finish
from connectors.models import App, Connection, Exchange, Hint, Tenant, WebhookDelivery
from connectors.services import forget_old_hints
from connectors.simulators import Response
from syncs import scheduler
from syncs.models import Feed, RemoteRecord, SyncRun
from syncs.schedules import Cycle
from syncs.services import read_in_full, read_now, set_schedule
from tests.payables import edit_bill, enter_bill, enter_vendor, feed_id, invoice, run_until, with_bill
from tests.simulation.world import REALM, World
from tests.webhooks import let_announce, post, signed, tell

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def announcing(monkeypatch: pytest.MonkeyPatch) -> None:
    let_announce(monkeypatch)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """One bill, read and delivered; its changes were read just now, and pages live in its time."""
    made, _ = with_bill()
    made.work()
    monkeypatch.setattr(reality, "present", lambda: made.clock)
    return made


def erp() -> Connection:
    return Connection.objects.get(provider="quickbooks")


def bill(number: str = "INV-1") -> RemoteRecord:
    return RemoteRecord.objects.get(connection__provider="quickbooks", kind="bill", number=number)


def bill_id(world: World) -> str:
    return bill().remote_id


def asked_since(id: int) -> list[str]:
    """What QuickBooks was asked for since this exchange, in short."""
    rows = Exchange.objects.filter(pk__gt=id, connection_id=erp().pk, method="GET").order_by("id")
    return ["changes" if "/cdc" in row.url else row.url.partition("query=")[2].replace("+", " ") for row in rows]


def last_exchange() -> int:
    return Exchange.objects.latest("id").pk


def due(world: World) -> list[tuple[str, int]]:
    """What the scheduler would wake now."""
    found: list[tuple[str, int]] = []
    scheduler.tick(world.clock.now(), wake=lambda what, row_id: found.append((what, row_id)))
    return found


# What is posted.


def test_a_webhook_is_kept_as_it_came_and_split_by_company(world: World) -> None:
    body = json.dumps([[REALM, "bill", "7", "e1"], ["another", "bill", "7", "e2"]]).encode()
    assert post(body).status_code == 200
    delivery = WebhookDelivery.objects.get()
    assert (bytes(delivery.body), delivery.outcome, delivery.hints, delivery.unknown) == (body, "accepted", 2, 1)
    assert {(hint.account_id, hint.connection_id, hint.tenant_id) for hint in Hint.objects.all()} == {
        (REALM, erp().pk, world.tenant.pk),
        ("another", None, None),
    }


def test_nothing_is_asked_of_the_provider_while_it_waits_for_our_answer(world: World) -> None:
    before = Exchange.objects.count()
    tell(("bill", bill_id(world)))
    assert Exchange.objects.count() == before


@pytest.mark.parametrize("signature", ["", "forged", "0" * 64])
def test_of_what_is_not_signed_only_the_digest_is_kept(world: World, signature: str) -> None:
    body = json.dumps([[REALM, "bill", bill_id(world), "e1"]]).encode()
    assert post(body, signature=signature).status_code == 401
    delivery = WebhookDelivery.objects.get()
    assert (delivery.outcome, bytes(delivery.body), len(delivery.digest)) == ("refused", b"", 64)
    assert not Hint.objects.exists()
    assert erp().webhook_at is None


def test_what_is_signed_and_not_understood_is_kept_and_not_sent_again(world: World) -> None:
    assert post(b"not a list").status_code == 200
    delivery = WebhookDelivery.objects.get()
    assert (delivery.outcome, bytes(delivery.body)) == ("unreadable", b"not a list")


def test_more_than_a_megabyte_is_refused_and_not_kept(world: World) -> None:
    assert post(b" " * 1_000_001).status_code == 413
    assert not WebhookDelivery.objects.exists()


def test_an_address_that_no_app_has_is_not_there(world: World) -> None:
    other = App.objects.get(provider="avidxchange")
    assert post(b"[]", app=App(public_id="guessed")).status_code == 404
    assert post(b"[]", app=other).status_code == 404
    assert other.public_id != App.objects.get(provider="quickbooks").public_id


def test_an_app_speaks_only_for_the_companies_that_signed_in_through_it(world: World) -> None:
    foreign = App.objects.create(
        tenant=Tenant.objects.create(name="Other"), provider="quickbooks", environment="simulated", name="theirs",
        credentials={"client_id": "x", "client_secret": "y"},
    )  # fmt: skip
    body = json.dumps([[REALM, "bill", bill_id(world), "e1"]]).encode()
    assert post(body, app=foreign, signature=signed(body)).status_code == 200
    assert [hint.connection_id for hint in Hint.objects.all()] == [None]
    assert (erp().webhook_at, erp().hinted_at) == (None, None)


def test_the_same_event_is_kept_once(world: World) -> None:
    for _ in range(3):
        tell(("bill", "7", "e1"), ("bill", "8", "e2"))
    tell(("bill", "9", ""))
    tell(("bill", "9", ""))  # the very same body, from a provider that gives events no ids
    assert sorted(Hint.objects.values_list("remote_id", flat=True)) == ["7", "8", "9"]


def test_an_event_that_comes_again_makes_nothing_due(world: World) -> None:
    tell(("bill", bill_id(world), "e1"))
    world.work()
    tell(("bill", bill_id(world), "e1"))
    assert erp().hinted_at is None
    assert due(world) == []


# What is read.


def test_exactly_what_was_named_is_fetched_at_once_and_changes_wait_for_their_time(world: World) -> None:
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    poll, last = Feed.objects.get(connection=erp()).due_at, last_exchange()
    assert poll is not None
    assert poll > world.clock.now()
    tell(("bill", bill_id(world), "e1"))
    assert ("feed", feed_id(world)) in due(world)
    finish(world.steps("feed", feed_id(world)))
    assert str(bill().due_date) == "2026-04-30"
    [asked] = asked_since(last)
    assert "from Bill" in asked
    assert Feed.objects.get(connection=erp()).due_at == poll
    assert Hint.objects.get().settled_at == world.clock.now()
    assert erp().hinted_at is None
    assert SyncRun.objects.latest("id").counts["changed"] == 1
    world.settle(days=0.2)
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"


def test_many_hints_are_one_call_for_each_kind_payees_first(world: World) -> None:
    vendor = enter_vendor(world, "Harbor Freight")
    bills = [enter_bill(world, vendor, number=f"N-{number}") for number in range(5)]
    last = last_exchange()
    tell(*(("bill", id) for id in bills), *(("bill", id) for id in reversed(bills)))
    tell(("vendor", vendor), ("bill", bills[0], "again"))
    finish(world.steps("feed", feed_id(world)))
    vendors, of_bills = asked_since(last)
    assert "from Vendor" in vendors
    assert all(f"'{id}'" in of_bills for id in bills)
    assert RemoteRecord.objects.filter(number__startswith="N-").count() == 5
    assert not Hint.objects.filter(settled_at=None).exists()


def test_what_is_not_there_any_more_is_gone(world: World) -> None:
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id(world))
    tell(("bill", bill_id(world)), ("bill", "4711"))
    finish(world.steps("feed", feed_id(world)))
    assert bill().gone == "deleted"
    assert not RemoteRecord.objects.filter(remote_id="4711").exists()


def test_hints_in_any_order_and_more_than_once_never_lower_what_is_known(world: World) -> None:
    edit_bill(world, bill_id(world), DueDate="2026-04-10")
    steps = world.steps("feed", feed_id(world))
    tell(("bill", bill_id(world), "first"))
    run_until(steps, "hinted fetched")  # what was answered stays on its way
    world.clock.advance(timedelta(seconds=20))
    edit_bill(world, bill_id(world), DueDate="2026-04-20")
    tell(("bill", bill_id(world), "second"))
    finish(world.steps("feed", feed_id(world), "another worker"))
    assert str(bill().due_date) == "2026-04-20"
    with pytest.raises(Exception, match="taken by another worker"):
        finish(steps)
    tell(("bill", bill_id(world), "late"), ("bill", bill_id(world), "first"))
    finish(world.steps("feed", feed_id(world)))
    assert (str(bill().due_date), bill().revision) == ("2026-04-20", 2)


def test_what_comes_while_a_fetch_is_under_way_is_fetched_again(world: World) -> None:
    tell(("bill", bill_id(world), "first"))
    steps = world.steps("feed", feed_id(world))
    run_until(steps, "hinted fetched")
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    tell(("bill", bill_id(world), "second"))
    finish(steps)
    assert str(bill().due_date) == "2026-04-30"


@pytest.mark.parametrize("step", ["leased", "hinted fetched", "hinted kept"])
def test_a_hint_outlives_a_killed_worker(world: World, step: str) -> None:
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    tell(("bill", bill_id(world)))
    steps = world.steps("feed", feed_id(world))
    run_until(steps, step)
    steps.close()
    world.clock.advance(timedelta(seconds=11))
    assert ("feed", feed_id(world)) in due(world)
    finish(world.steps("feed", feed_id(world)))
    assert str(bill().due_date) == "2026-04-30"
    assert (Hint.objects.filter(settled_at=None).count(), erp().hinted_at) == (0, None)


def test_what_cannot_be_fetched_waits_and_is_not_tried_without_end(world: World) -> None:
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    world.quickbooks.refuse("GET /query", Response(status=503), times=1000)
    tell(("bill", bill_id(world)))
    world.work()
    feed = Feed.objects.get(connection=erp())
    assert (feed.failures, erp().hinted_at) == (1, None)
    tell(("bill", bill_id(world), "next"))
    assert due(world) == []
    world.quickbooks.clear_faults()
    world.settle(days=0.1)
    assert str(bill().due_date) == "2026-04-30"
    assert not Hint.objects.filter(settled_at=None).exists()


def test_what_we_have_to_wait_with_is_fetched_then_also_if_changes_are_read_by_another_schedule(world: World) -> None:
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    world.quickbooks.refuse("GET /query", Response(status=429, headers={"Retry-After": "60"}), times=1000)
    tell(("bill", bill_id(world)))
    world.work()
    feed, last = Feed.objects.get(connection=erp()), last_exchange()
    assert feed.failures == 0
    tuesdays = Cycle(times=("14:00",), weekdays=(1,))
    set_schedule(row=feed, schedule=tuesdays, by="olivia", why="as agreed", now=world.clock.now())
    assert due(world) == []
    world.quickbooks.clear_faults()
    world.settle(days=0.1)
    assert str(bill().due_date) == "2026-04-30"
    assert "changes" not in asked_since(last)


def test_a_row_that_cannot_be_read_stops_neither_the_other_hints_nor_the_changes(world: World) -> None:
    other = enter_bill(world, enter_vendor(world, "Harbor Freight"), number="N-1")
    world.company.bills[bill_id(world)].pop("SyncToken")
    broken = bill_id(world)
    edit = {"LastUpdatedTime": world.company.bills[other]["MetaData"]["LastUpdatedTime"]}
    world.company.bills[broken]["MetaData"] |= edit
    tell(("bill", broken), ("bill", other))
    world.clock.advance(MINUTE)
    world.work()
    assert bill("N-1").remote_id == other
    assert not Hint.objects.filter(settled_at=None).exists()
    assert Feed.objects.get(connection=erp()).failures == 0


def test_a_person_who_asks_for_changes_gets_them_also_while_hints_are_fetched(world: World) -> None:
    tell(("bill", bill_id(world)))
    steps, last = world.steps("feed", feed_id(world)), last_exchange()
    run_until(steps, "hinted fetched")
    read_now(feed=Feed.objects.get(connection=erp()), by="olivia", now=world.clock.now())
    finish(steps)
    world.work()
    assert "changes" in asked_since(last)


def test_hints_of_a_connection_that_stands_still_wait_for_it(world: World) -> None:
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    Connection.objects.filter(pk=erp().pk).update(status="attention")
    tell(("bill", bill_id(world)))
    assert due(world) == []
    Connection.objects.filter(pk=erp().pk).update(status="connected")
    world.work()
    assert str(bill().due_date) == "2026-04-30"


def test_old_hints_are_forgotten_and_those_that_wait_are_kept_longer(world: World) -> None:
    tell(("bill", bill_id(world), "settled"))
    world.work()
    tell(("bill", bill_id(world), "waiting"), ("bill", "7", "aside"))
    forget_old_hints(world.clock.now() + timedelta(days=9))
    assert sorted(Hint.objects.values_list("event", flat=True)) == ["aside", "waiting"]
    forget_old_hints(world.clock.now() + timedelta(days=41))
    assert not Hint.objects.exists()


# How long changes wait.


def interval(world: World) -> timedelta:
    """How long after the next reading the one after it is due."""
    Feed.objects.filter(connection=erp()).update(due_at=world.clock.now())
    world.work()
    due_at = Feed.objects.get(connection=erp()).due_at
    assert due_at is not None
    return due_at - world.clock.now()


def test_healthy_webhooks_stretch_the_polls_until_a_change_comes_that_none_had_told(world: World) -> None:
    normal = interval(world)
    tell(("bill", bill_id(world)))
    assert interval(world) == timedelta(hours=12)
    world.clock.advance(timedelta(hours=1))
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    world.clock.advance(timedelta(hours=11))
    assert interval(world) == normal
    assert erp().doubted_at is not None
    world.clock.advance(timedelta(days=2))
    assert interval(world) == normal, "nothing shows yet that webhooks come again"
    tell(("bill", bill_id(world), "again"))
    assert interval(world) == timedelta(hours=12)


def test_a_change_that_was_told_keeps_webhooks_healthy_also_if_a_poll_is_quicker(world: World) -> None:
    tell(("bill", bill_id(world)))
    edit_bill(world, bill_id(world), DueDate="2026-04-30")
    world.clock.advance(MINUTE)
    assert interval(world) == timedelta(hours=12), "it may still be told"
    edit_bill(world, bill_id(world), DueDate="2026-05-01")
    tell(("bill", bill_id(world), "e2"))
    world.clock.advance(timedelta(hours=1))
    assert interval(world) == timedelta(hours=12)


def test_a_deletion_that_only_the_comparison_finds_makes_webhooks_doubtful(world: World) -> None:
    tell(("bill", bill_id(world)))
    world.work()
    world.company.bills.pop(bill_id(world))
    world.company.deleted.clear() if hasattr(world.company, "deleted") else None
    world.clock.advance(timedelta(days=1, hours=1))
    world.settle(days=0.2)
    assert bill().gone == "deleted"
    assert erp().doubted_at is not None


def test_who_asks_for_a_full_reading_gets_every_kind(world: World) -> None:
    tell(("bill", bill_id(world)))
    read_in_full(feed=Feed.objects.get(connection=erp()), by="olivia", now=world.clock.now())
    assert erp().doubted_at == world.clock.now()
