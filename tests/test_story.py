"""A bill's story: what the page tells of bills that were paid, held, voided or settled elsewhere."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.log import NewEvent, record
from syncs import services
from syncs.models import Feed, Mapping, RemoteRecord, Stream, SyncRecord
from syncs.story import Story, facts_of, tell
from syncs.story.entries import Entry, Rank
from syncs.story.entries import in_order as put_in_order
from syncs.story.search import Wanted, find_bills
from tests.connecting import staff
from tests.populated import approve_and_pay, enter, pay_by_hand_too, populate, story_of
from tests.simulation.world import ADDRESS, BEGINNING, World, begin

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


def one_bill(number: str = "INV-1", *, late: timedelta = timedelta(0)) -> World:
    world = begin(present=BEGINNING + late)
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
    assert not [words for entry in told.entries for words in entry.words if "We saw it" in words]
    assert (told.amount, told.balance) == ("1,120.50 USD", "0.00 USD")
    assert told.coming.tone == "good"
    [posted] = [entry for entry in told.entries if entry.stage == "posted"]
    assert [exchange.method for exchange in posted.exchanges] == ["GET", "POST"]  # our entries, and the payment
    assert posted.pointers[0].url.startswith("payment/")


@pytest.mark.parametrize("late", [timedelta(milliseconds=300), timedelta(milliseconds=999)])
def test_an_effect_is_told_after_its_cause_though_providers_know_no_parts_of_a_second(late: timedelta) -> None:
    world = one_bill(late=late)
    approve_and_pay(world, "INV-1", to="void", reason="Wrong vendor")
    told = story(world, "INV-1")
    assert in_order(
        [
            "Seen in QuickBooks Online",
            "Sent to AvidXchange",
            "Accepted by AvidXchange",
            "Received at AvidXchange",
            "Approved at AvidXchange",
            "Payment released, not executed yet at AvidXchange",
            "Pending payment: sent to QuickBooks Online",
            "Pending payment: posted in QuickBooks Online",
            "Open balance in QuickBooks Online: 0.00 USD",
            "Payment by check taken back at AvidXchange",
            "Payment: void sent to QuickBooks Online",
            "Payment: voided in QuickBooks Online",
            "Open balance in QuickBooks Online: 1,120.50 USD",
        ],
        titles(told),
    )
    assert "Changed in QuickBooks Online" not in titles(told)


def test_a_check_that_cleared_is_told_and_is_the_last_step() -> None:
    world = one_bill()
    payment = approve_and_pay(world, "INV-1")
    world.person(world.avidxchange, "advance_payment", payment_id=payment, to="cleared")
    world.settle()
    told = story(world, "INV-1")
    assert reached(told)[-1] == "cleared"
    assert in_order(["Check 0004100231 cleared", "Payment: updated in QuickBooks Online"], titles(told))
    assert titles(told).count("Payment: posted in QuickBooks Online") == 1
    [sent] = [entry for entry in told.entries if entry.words and entry.words[0].startswith("Cleared date")]
    assert sent.title == "Payment: change sent to QuickBooks Online"


def test_the_steps_of_a_stopped_check_are_open_again_until_the_next_one_reaches_them() -> None:
    world = one_bill()
    payment = approve_and_pay(world, "INV-1")
    before = {stage.name: stage.at for stage in story(world, "INV-1").stages}
    assert before["posted"] is not None
    world.person(world.avidxchange, "stop_payment", payment_id=payment)
    world.settle()
    assert reached(story(world, "INV-1")) == ["seen", "sent", "accepted", "approved"]
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment)
    world.settle()
    assert reached(story(world, "INV-1")) == ["seen", "sent", "accepted", "approved"]
    world.person(world.avidxchange, "advance_payment", payment_id=again, to="issued")
    world.settle()
    after = {stage.name: stage.at for stage in story(world, "INV-1").stages}
    assert [name for name in before if after[name] != before[name]] == ["paid", "posted"]
    assert after["posted"] is not None
    assert after["posted"] > before["posted"]


def test_what_was_put_back_unsent_is_not_told_as_sent() -> None:
    world = one_bill()
    pay_by_hand_too(world, "INV-1")
    told = story(world, "INV-1")
    assert not [title for title in titles(told) if "sent to QuickBooks" in title]
    assert "Payment: not sent and held: it needs a person" in titles(told)


def test_a_bill_that_is_paid_by_hand_while_its_check_is_under_way_says_to_stop_the_check() -> None:
    world = one_bill()
    pay_by_hand_too(world, "INV-1")
    told = story(world, "INV-1")
    assert told.coming.tone == "bad"
    assert "Somebody entered a payment of this bill in QuickBooks Online" in told.coming.words
    assert "Stop the check 0004100231 at AvidXchange" in told.coming.words
    held = [problem for problem in told.coming.problems if problem.code == "recorded_by_hand"]
    assert "stop the check" in held[0].remedy
    payment = told.facts.payments[0].delivery
    assert payment is not None
    services.ignore(sync_record=payment, by="olivia", why="the same check", now=world.clock.now())
    assert "Stop the check" not in story(world, "INV-1").coming.words


def test_a_bill_that_is_paid_by_hand_in_approval_says_to_look_for_a_check_until_it_is_taken_back() -> None:
    world = one_bill()
    stream = Stream.objects.get(kind="bill")
    Stream.objects.filter(pk=stream.pk).update(lease_until=world.clock.now() + timedelta(days=1))
    world.person(world.quickbooks, "pay_bill", bill_id="1")
    world.settle(days=0.1)
    words = story(world, "INV-1").coming.words
    assert "while it was in approval" in words
    assert "stop the check there if one was made" in words
    Stream.objects.filter(pk=stream.pk).update(lease_until=world.clock.now())
    world.settle()
    told = story(world, "INV-1")
    assert told.coming.words == "Nothing: it was paid in QuickBooks Online, and AvidXchange does not pay it."
    assert in_order(
        ["Withdrawal sent to AvidXchange", "Taken back at AvidXchange", "Cancelled at AvidXchange"], titles(told)
    )


def test_a_bill_that_was_deleted_has_no_balance_and_nothing_to_come() -> None:
    world = one_bill()
    world.person(world.quickbooks, "delete_bill", bill_id="1")
    world.settle()
    told = story(world, "INV-1")
    assert told.balance == ""
    assert told.coming.words == "Nothing: it was deleted in QuickBooks Online, and AvidXchange does not pay it."
    assert titles(told)[-1] == "Cancelled at AvidXchange"
    [row] = find_bills(Wanted(text="INV-1")).rows
    assert (row.balance, row.gone) == ("", "deleted")


def test_what_we_saw_later_is_told_after_what_we_did_in_the_same_second() -> None:
    world = one_bill()
    payment = approve_and_pay(world, "INV-1", to="issued")
    posted = next(entry for entry in story(world, "INV-1").entries if entry.stage == "posted")
    world.person(world.avidxchange, "stop_payment", payment_id=payment)
    world.settle()
    told = story(world, "INV-1")
    stopped = next(entry for entry in told.entries if "taken back" in entry.title)
    assert stopped.rank is Rank.LATER
    assert [one.title for one in put_in_order([replace(stopped, at=posted.at), posted])][0] == posted.title


def test_what_only_happened_again_is_told_once() -> None:
    entries = [
        Entry(at=BEGINNING + timedelta(minutes=minute), title="Not sent", words=["busy"]) for minute in (0, 1, 5)
    ]
    [told] = put_in_order([*reversed(entries)])
    assert (told.at, told.again, told.until) == (BEGINNING, 2, BEGINNING + timedelta(minutes=5))


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


def test_what_was_approved_and_paid_in_one_second_is_told_as_approved_first() -> None:
    world = begin()
    vendor = world.person(world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    enter(world, "INV-1", vendor["Id"], "12.00")
    network = Feed.objects.filter(connection=world.integration.ap_network)
    network.update(due_at=world.clock.now() + timedelta(days=3))
    world.settle(days=1)
    [invoice] = world.network.invoices
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice)
    payment = world.person(world.avidxchange, "pay", invoices={invoice: None})
    world.person(world.avidxchange, "advance_payment", payment_id=payment, to="issued")
    world.clock.advance(timedelta(minutes=5))
    network.update(due_at=world.clock.now())
    world.settle()
    told = titles(story(world, "INV-1"))
    approved = told.index("Approved at AvidXchange")
    assert approved < next(place for place, title in enumerate(told) if title.startswith("Paid by check"))


def test_the_date_of_a_cleared_check_is_told_as_the_networks_own() -> None:
    world = one_bill()
    payment = approve_and_pay(world, "INV-1")
    world.person(world.avidxchange, "advance_payment", payment_id=payment, to="cleared")
    world.settle()
    [cleared] = [entry for entry in story(world, "INV-1").entries if entry.title == "Check 0004100231 cleared"]
    assert cleared.words == ["AvidXchange dates it 2 Mar 2026."]


def test_every_time_on_the_page_has_its_zone(client: Client) -> None:
    world = one_bill()
    approve_and_pay(world, "INV-1")
    client.force_login(staff())
    page = client.get(f"/bills/{story_of('INV-1')}/").content.decode()
    times = re.findall(r"<time [^>]*>([^<]+)</time>", page)
    assert len(times) > 12
    assert [time for time in times if not time.endswith(" EST")] == []


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


def test_waiting_for_our_turn_is_told_once_and_quietly_with_until_when() -> None:
    world = one_bill()
    delivery = SyncRecord.objects.get(stream__kind="bill")

    def happens(verb: str, **data: object) -> None:
        world.clock.advance(timedelta(seconds=10))
        event = NewEvent(
            tenant_id=delivery.tenant_id, at=world.clock.now(), verb=verb, subject_kind="sync_record",
            subject_id=str(delivery.pk), trace_id="", data=data,
        )  # fmt: skip
        record([event])

    until = world.clock.now() + timedelta(minutes=2)
    SyncRecord.objects.filter(pk=delivery.pk).update(state="pending", next_attempt_at=until)
    for _ in range(3):
        happens("delivery_retried", code="budget_spent")
    [waits] = [entry for entry in story(world, "INV-1").entries if entry.title == "Waits for its turn"]
    assert (waits.tone, waits.again, waits.until) == ("none", 0, until)


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


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"state": "nope"}, "There is no state “nope”."),
        ({"tenant": "x"}, "There is no tenant “x”."),
        ({"tenant": "999999"}, "There is no tenant “999999”."),
        ({"tenant": "9" * 30}, "There is no tenant"),
        ({"before": "-1"}, "“-1” is no place in this list."),
        ({"q": "x" * 201}, "longer than 200 characters"),
        ({"q": "\x00' %"}, "a character that no text may have"),
        ({"q": "INV-1", "state": "nope"}, "There is no state “nope”."),
    ],
)
def test_bad_arguments_of_the_list_are_named_and_can_be_cleared(
    client: Client, asked: dict[str, str], said: str
) -> None:
    one_bill()
    client.force_login(staff())
    page = client.get("/bills/", asked)
    text = page.content.decode()
    assert page.status_code == 400
    assert said in text
    assert 'href="/bills/">Clear the search' in text
    assert "<tbody>" not in text
