"""Who looks at the demo: the addresses that are printed lead where they say, and what was decided is explained."""

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from connectors import reality
from connectors.models import Tenant
from mlconnector.demo.accounting import read_explained
from mlconnector.demo.company import COMPANY
from mlconnector.demo.connecting import LIVELY, read_every
from mlconnector.demo.figures import Books, Explained, figures
from mlconnector.demo.telling import Telling
from mlconnector.demo.visitor import SHOWN, Visitor
from syncs import services
from syncs.models import Feed, SyncRecord
from tests.populated import enter, pay_by_hand_too
from tests.simulation.world import ADDRESS, World, begin

pytestmark = pytest.mark.django_db
PAID, HELD = SHOWN["Paid"], SHOWN["Held"]


@pytest.fixture
def world(db: None) -> World:
    """The demo's company with the two bills that are printed; many records stand before them, so that ids differ."""
    world = begin()
    Tenant.objects.update(name=COMPANY)
    vendor = world.person(world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    enter(world, PAID, vendor["Id"], "120.00")
    held = enter(world, HELD, vendor["Id"], "60.00")
    world.person(world.quickbooks, "pay_bill", bill_id=held, amount="10.00")
    world.settle()
    return world


def printed(settings: Settings) -> dict[str, str]:
    """The addresses of bills by the word before them, as the terminal shows them."""
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    out = io.StringIO()
    Visitor(User.objects.create_superuser("demo"), "x").show_around(Telling(out), "http://127.0.0.1:9300")
    return dict(re.findall(r"^  (\w+) bill +http://127.0.0.1:8000(/\S+)$", out.getvalue(), re.MULTILINE))


def test_a_printed_address_tells_the_story_of_that_bill(world: World, client: Client, settings: Settings) -> None:
    found = printed(settings)
    assert set(found) == {"Paid", "Held"}
    client.force_login(User.objects.get(username="demo"))
    for words, number in (("Paid", PAID), ("Held", HELD)):
        page = client.get(found[words])
        assert page.status_code == 200
        assert f"<h1>Bill {number} of Acme Paper</h1>" in page.content.decode()
    assert "partly settled" in client.get(found["Held"]).content.decode()


def test_what_somebody_ignores_is_explained_with_the_reason(world: World) -> None:
    pay_by_hand_too(world, PAID)
    paid = SyncRecord.objects.get(stream__kind="payment")
    assert read_explained().payments_held == {paid.record_key: "recorded_by_hand"}
    services.ignore(sync_record=paid, by="olivia", why="the same check", now=world.clock.now())
    held = SyncRecord.objects.get(stream__kind="bill", remote_record__number=HELD)
    services.ignore(sync_record=held, by="olivia", why="paid by card", now=world.clock.now())
    explained = read_explained()
    assert explained.payments_ignored == {paid.record_key: "Ignored by olivia: the same check"}
    assert explained.bills_out_of_scope[held.record_key] == "Ignored by olivia: paid by card"
    assert explained.payments_held == {}


def test_the_connections_are_due_within_the_interval_that_they_are_given(world: World) -> None:
    now, soon = reality.present().now(), timedelta(seconds=LIVELY)
    Feed.objects.update(due_at=now + timedelta(hours=4))
    read_every(LIVELY)
    assert Feed.objects.filter(interval_seconds=LIVELY, due_at__lte=reality.present().now() + soon).count() == 2
    Feed.objects.update(due_at=now)
    read_every(LIVELY)
    assert set(Feed.objects.values_list("due_at", flat=True)) == {now}
    Feed.objects.update(due_at=None)
    read_every(LIVELY)
    assert set(Feed.objects.values_list("due_at", flat=True)) == {None}


def test_the_summary_names_what_was_lost(world: World) -> None:
    books = Books(
        vendors_in_network=0,
        erp_bills=(),
        network_bills=(),
        network_payments=(),
        erp_payments=(),
        explained=Explained(),
    )
    out = io.StringIO()
    visitor = Visitor(User.objects.create_superuser("demo"), "x")
    visitor.sum_up(Telling(out), {**figures(books), "lost": 1}, ["bill INV-4 is nowhere"])
    assert "lost: 1" in out.getvalue()
    assert "  lost: bill INV-4 is nowhere" in out.getvalue()
