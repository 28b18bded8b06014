"""Reads that a provider charges for: counted, told ahead for the month, and few where nothing happens."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from connectors import reality
from connectors.conversation import Conversation, finish
from connectors.errors import TransientError
from connectors.http import Exchanged
from connectors.metering import count_reads, forecast
from connectors.models import Connection, Exchange, MeteredReads
from connectors.quickbooks.connector import QuickBooksConnector
from connectors.records import Kind
from connectors.selectors import metered_of_app
from connectors.simulators import Response
from syncs.mirror.polling import MOST_READS
from syncs.models import Feed
from tests.connecting import staff
from tests.payables import with_bill, with_posting
from tests.simulation.world import World, begin
from tests.webhooks import let_announce, tell

pytestmark = pytest.mark.django_db


def erp() -> Connection:
    return Connection.objects.select_related("app").get(provider="quickbooks")


def counted() -> int:
    return sum(MeteredReads.objects.filter(connection=erp()).values_list("reads", flat=True))


def ask(world: World) -> None:
    talk = Conversation(connection=erp(), effects=world.effects(), trace_id="t")
    finish(talk.call(lambda connector: connector.account()))


def test_reads_that_succeed_are_counted_and_writes_and_sign_ins_are_not() -> None:
    with_posting()
    said = Exchange.objects.filter(connection_id=erp().pk, status=200)
    assert said.filter(method="POST").exists()
    assert counted() == said.filter(method="GET").count() > 10
    assert not MeteredReads.objects.exclude(connection=erp()).exists()


def test_a_read_that_fails_costs_nothing_and_a_test_company_neither() -> None:
    world = begin()
    before = counted()
    world.quickbooks.refuse("GET /companyinfo", Response(status=503), times=3)
    with pytest.raises(TransientError):
        ask(world)
    assert counted() == before
    world.quickbooks.clear_faults()
    ask(world)
    assert counted() == before + 1
    one = Exchanged(
        method="GET", url="/", status=200, started_at=world.clock.now(), seconds=0, request_body="", answer_body="",
        is_read=True,
    )  # fmt: skip
    connection = erp()
    connection.environment = "sandbox"
    count_reads(connection, [one], now=world.clock.now())
    assert counted() == before + 1
    connection.environment = "production"
    count_reads(connection, [one, one], now=world.clock.now())
    assert counted() == before + 3


def test_each_month_has_its_own_count() -> None:
    world = begin()
    ask(world)
    world.clock.advance(timedelta(days=30))
    ask(world)
    months = MeteredReads.objects.filter(connection=erp()).order_by("month")
    assert [(one.month, one.reads) for one in months] == [(date(2026, 3, 1), 1), (date(2026, 4, 1), 1)]


@pytest.mark.parametrize(
    ("reads", "since", "now", "expected"),
    [
        (100, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC), 310),
        (100, datetime(2026, 3, 21, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC), 110),
        (10, datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2026, 12, 31, 18, tzinfo=UTC), 12),  # 6 of 24 hours more
        (28, datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), 28),
    ],
)
def test_a_month_goes_on_as_it_has_begun(reads: int, since: datetime, now: datetime, expected: int) -> None:
    assert forecast(reads, since=since, now=now) == expected


def test_an_app_has_the_reads_of_all_its_companies_beside_what_it_is_allowed() -> None:
    world = begin()
    ask(world)
    app = erp().app
    app.monthly_reads = 500_000
    found = metered_of_app(app, world.clock.now())
    assert found is not None
    assert (found.reads, found.forecast, found.allowed, found.tone) == (1, 30, 500_000, "good")
    app.monthly_reads = 20
    found = metered_of_app(app, world.clock.now())
    assert found is not None
    assert found.tone == "bad"
    assert metered_of_app(Connection.objects.get(provider="avidxchange").app, world.clock.now()) is None


def test_a_person_sets_what_an_app_is_allowed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begin()
    monkeypatch.setattr(reality, "present", lambda: world.clock)
    client.force_login(staff())
    address = reverse("admin:connectors_app_allowance", args=[erp().app_id])
    page = client.post(address, {"monthly_reads": "500000"}, follow=True)
    assert "500,000 allowed" in page.content.decode()
    client.post(address, {"monthly_reads": ""})
    assert erp().app.monthly_reads is None


def test_a_company_in_which_nothing_happens_costs_at_most_450_reads_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    let_announce(monkeypatch)
    world, _ = with_bill()
    monkeypatch.setattr(reality, "present", lambda: world.clock)
    tell(("bill", "1"))
    world.settle(days=1)
    Feed.objects.filter(connection__provider="avidxchange").update(paused=True)
    assert QuickBooksConnector.reads >= {Kind.VENDOR, Kind.BILL}
    begun, until = counted(), world.clock.now() + timedelta(days=31)
    while world.clock.now() < until:
        if not world.work():
            world.clock.advance(timedelta(minutes=30))
    assert 62 + 31 <= counted() - begun <= MOST_READS
