"""A bill's story: what the page tells of bills that were paid, held, voided or settled elsewhere."""

from collections.abc import Sequence

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from syncs.models import Mapping, RemoteRecord
from syncs.story import Story, facts_of, tell
from syncs.story.search import Wanted, find_bills
from tests.connecting import staff
from tests.populated import approve_and_pay, enter, populate, story_of
from tests.simulation.world import ADDRESS, World, begin

pytestmark = pytest.mark.django_db


def story(world: World, number: str) -> Story:
    bill = RemoteRecord.objects.select_related("tenant", "connection__app").get(pk=story_of(number))
    return tell(facts_of(bill), now=world.clock.now(), address=lambda connection_id, kind, id: f"{kind}/{id}")


def titles(told: Story) -> list[str]:
    return [entry.title for entry in told.entries]


def reached(told: Story) -> list[str]:
    return [stage.name for stage in told.stages if stage.at]


def in_order(wanted: Sequence[str], told: Sequence[str]) -> bool:
    rest = iter(told)
    return all(title in rest for title in wanted)


def one_bill(number: str = "INV-1") -> World:
    world = begin()
    vendor = world.person(world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    enter(world, number, vendor["Id"], "1120.50")
    world.settle()
    return world


def test_a_bill_that_went_all_the_way_is_told_in_order() -> None:
    world = one_bill()
    approve_and_pay(world, "INV-1")
    told = story(world, "INV-1")
    assert in_order(
        [
            "Seen in QuickBooks Online",
            "Sent to AvidXchange",
            "Accepted by AvidXchange",
            "Received at AvidXchange",
            "Approved at AvidXchange",
            "Payment released, not executed yet at AvidXchange",
            "Pending payment: posted in QuickBooks Online",
            "Paid by check 0004100231 at AvidXchange",
            "Payment: change sent to QuickBooks Online",
            "Payment: posted in QuickBooks Online",
        ],
        titles(told),
    )
    assert reached(told) == ["seen", "sent", "accepted", "approved", "paid", "posted"]
    assert (told.amount, told.balance) == ("1,120.50 USD", "0.00 USD")
    assert told.coming.tone == "good"
    [posted] = [entry for entry in told.entries if entry.stage == "posted"]
    assert [exchange.method for exchange in posted.exchanges] == ["POST"]
    assert posted.pointers[0].url.startswith("payment/")


def test_a_bill_that_was_just_accepted_waits_for_its_approvers() -> None:
    told = story(one_bill(), "INV-1")
    assert reached(told) == ["seen", "sent", "accepted"]
    assert "approvers" in told.coming.words
    assert told.coming.at is not None


def test_a_held_bill_names_its_problem_and_what_to_do() -> None:
    world = one_bill()
    bill = enter(world, "INV-9", "1", "99.99")
    world.person(world.quickbooks, "pay_bill", bill_id=bill, amount="9.99")
    world.settle()
    told = story(world, "INV-9")
    assert reached(told) == ["seen"]
    assert "Paid in QuickBooks Online by somebody else" in titles(told)
    assert "partly settled" in told.coming.words
    assert [problem.code for problem in told.coming.problems] == ["partly_settled"]


def test_a_held_payment_is_told_with_the_bill() -> None:
    world = one_bill()
    Mapping.objects.filter(subject="funding_account").delete()
    approve_and_pay(world, "INV-1")
    told = story(world, "INV-1")
    assert "posted" not in reached(told)
    assert titles(told)[-1] == "Payment: held: it needs a person"
    assert told.coming.problems[0].code == "unmapped_funding_account"


def test_a_voided_payment_is_told_once_and_the_bill_waits_again() -> None:
    world = one_bill()
    approve_and_pay(world, "INV-1", to="void", reason="Wrong vendor")
    told = story(world, "INV-1")
    assert "Payment: voided in QuickBooks Online" in titles(told)
    assert "The bill payment is voided in QuickBooks Online" not in titles(told)
    assert told.balance == "1,120.50 USD"
    assert "waits to be paid" in told.coming.words


def test_a_posting_that_somebody_voided_in_the_erp_is_told() -> None:
    world = one_bill()
    approve_and_pay(world, "INV-1")
    [payment] = world.company.bill_payments.values()
    world.person(world.quickbooks, "void_payment", payment_id=payment["Id"])
    world.settle()
    assert "The bill payment is voided in QuickBooks Online" in titles(story(world, "INV-1"))


def test_a_changed_bill_shows_what_changed() -> None:
    world = one_bill()
    world.person(world.quickbooks, "edit_bill", bill_id="1", changes={"DueDate": "2026-05-01"})
    world.settle()
    [changed] = [entry for entry in story(world, "INV-1").entries if entry.title == "Changed in QuickBooks Online"]
    assert "Due date: 2026-04-01 → 2026-05-01." in changed.words
    assert "Change sent to AvidXchange" in titles(story(world, "INV-1"))


def test_a_lost_answer_is_told_with_how_it_was_found_out() -> None:
    world = begin()
    vendor = world.person(world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    enter(world, "INV-1", vendor["Id"], "12.00")
    world.avidxchange.drop_answer("POST /invoices/batch")
    world.avidxchange.drop_answer("POST /avidconnect/v1/invoices/batch")
    world.settle()
    told = titles(story(world, "INV-1"))
    assert in_order(
        [
            "Sent to AvidXchange",
            "The answer of AvidXchange was lost: it is looked up before anything else",
            "Found at AvidXchange, where the lost answer had left it",
        ],
        told,
    )


def test_a_story_takes_the_same_number_of_queries_whatever_happened() -> None:
    world = populate()

    def queries(number: str) -> int:
        bill = RemoteRecord.objects.select_related("tenant", "connection__app").get(pk=story_of(number))
        with CaptureQueriesContext(database) as captured:
            tell(facts_of(bill), now=world.clock.now(), address=lambda *asked: "")
        return len(captured)

    assert queries("INV-1") <= queries("INV-3") <= 20


SEARCHES = {
    "INV-2": {"INV-2"},
    "acme paper": {"INV-1", "INV-4"},
    "1,120.50": {"INV-1"},
    "$75": {"INV-2"},
    "0004100231": {"INV-1"},
    "INV": set(),
    "'; DROP TABLE": set(),
    "NaN": set(),
    "1e999": set(),
}


def test_bills_are_found_by_number_vendor_amount_or_check() -> None:
    populate()
    found = {text: {row.bill.number for row in find_bills(Wanted(text=text)).rows} for text in SEARCHES}
    assert found == SEARCHES


def test_bills_are_listed_by_state_with_a_fixed_number_of_queries() -> None:
    populate()
    assert [row.bill.number for row in find_bills(Wanted(state="held")).rows] == ["INV-4"]
    with CaptureQueriesContext(database) as captured:
        assert len(find_bills(Wanted()).rows) == 4
    assert len(captured) <= 5


def test_the_pages_of_bills_are_for_staff(client: Client) -> None:
    populate()
    assert client.get("/bills/").status_code == 302
    assert client.get(f"/bills/{story_of('INV-1')}/").status_code == 302
    client.force_login(staff())
    for number in ("INV-1", "INV-2", "INV-3", "INV-4"):
        assert number in client.get("/bills/").content.decode()
    page = client.get(f"/bills/{story_of('INV-1')}/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert b"EST" in page.content
    assert client.get("/bills/999999/").status_code == 404
    invoice = RemoteRecord.objects.get(kind="bill", connection__provider="avidxchange", number="INV-1")
    assert client.get(f"/bills/{invoice.pk}/").headers["location"] == f"/bills/{story_of('INV-1')}/"


def test_bad_arguments_of_the_list_are_ignored(client: Client) -> None:
    one_bill()
    client.force_login(staff())
    page = client.get("/bills/", {"q": "\x00' %", "state": "nope", "tenant": "x", "before": "-1"})
    assert page.status_code == 200
