"""What a person decides about a held payment: linked, posted anyway by two, left. Nothing is ever posted twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from syncs import services
from syncs.candidates import payments_to_link, unsent_bills, vendors_to_link
from syncs.models import Decision, Problem, SyncRecord
from syncs.states import State
from tests.payables import (
    PAYMENT_POST,
    approve,
    balance,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    of_vendor,
    open_problems,
    postings,
    release,
    requests,
    with_bill,
    with_payment,
    with_posting,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def paid_by_hand(**payment: Any) -> tuple[World, str, str, str]:
    """A bill whose payment is released, and that somebody has paid in the ERP: the world, and three ids."""
    world, bill_id, payment_id = with_payment()
    by_hand = world.person(world.quickbooks, "pay_bill", bill_id=bill_id, **payment)
    world.settle(days=1)
    assert of_payment(payment_id).code == "recorded_by_hand"
    return world, bill_id, payment_id, str(by_hand["Id"])


def link(world: World, payment_id: str, target_id: str) -> None:
    services.link(
        sync_record=of_payment(payment_id), target_id=target_id, by="olivia", why="one and the same",
        now=world.clock.now(),
    )  # fmt: skip


def post_anyway(world: World, payment_id: str) -> None:
    record = of_payment(payment_id)
    acted: dict[str, Any] = {"sync_record": record, "seen": services.what_holds(record), "now": world.clock.now()}
    services.ask_to_post(by="olivia", why="the other is for January", **acted)
    services.confirm_post(by="peter", why="I have seen both", **acted)


def confirm(world: World, payment_id: str) -> None:
    record = of_payment(payment_id)
    seen = services.what_holds(record)
    services.confirm_post(sync_record=record, seen=seen, by="peter", why="yes", now=world.clock.now())


def later(world: World, **time: float) -> None:
    world.clock.advance(timedelta(**time))
    world.settle(days=1)


def posted(world: World) -> int:
    return requests(world.quickbooks, PAYMENT_POST)


# Link.


def test_a_linked_payment_is_never_posted_and_explains_what_is_settled_of_its_bill() -> None:
    world, bill_id, payment_id, by_hand = paid_by_hand()
    before, books = posted(world), dict(world.company.bill_payments[by_hand])
    assert [one.remote_id for one in payments_to_link(of_payment(payment_id))] == [by_hand]
    link(world, payment_id, by_hand)
    later(world, days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).target_id) == (State.SYNCED, by_hand)
    assert (of_bill().state, open_problems()) == (State.SYNCED, [])
    assert [one["Id"] for one in postings(world, bill_id)] == [by_hand]
    assert invoice(world)["workflow_status"] == "approved"
    execute(world, payment_id)
    later(world, days=1)
    execute(world, payment_id, to="cleared")
    later(world, days=2)
    assert (of_payment(payment_id).state, posted(world)) == (State.SYNCED, before)
    assert world.company.bill_payments[by_hand] == books
    assert Event.objects.get(verb="record_linked").actor == "olivia"


def test_linking_a_second_time_is_refused_and_changes_nothing() -> None:
    world, _, payment_id, by_hand = paid_by_hand()
    link(world, payment_id, by_hand)
    with pytest.raises(ValidationError, match="Only what is held"):
        link(world, payment_id, by_hand)
    assert Decision.objects.count() == 1


def test_only_a_payment_of_somebody_else_that_settles_all_of_its_bills_can_be_chosen() -> None:
    world = begin()
    vendor = enter_vendor(world)
    bills = [enter_bill(world, vendor, "100.00", number) for number in ("A", "B", "C")]
    world.settle(days=1)
    payment_id = release(world, "A", "B")
    for bill_id in bills:
        world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert of_payment(payment_id).state == State.HELD
    assert payments_to_link(of_payment(payment_id)) == []
    with pytest.raises(ValidationError, match="Choose a payment"):
        link(world, payment_id, postings(world, bills[0])[0]["Id"])


def test_when_a_linked_payment_is_taken_back_the_erp_s_own_one_stays_and_somebody_is_told() -> None:
    world, bill_id, payment_id, by_hand = paid_by_hand()
    link(world, payment_id, by_hand)
    execute(world, payment_id)
    later(world, days=1)
    before, books = posted(world), dict(world.company.bill_payments[by_hand])
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    later(world, days=1)
    assert [one.code for one in open_problems()] == ["linked_taken_back"]
    assert (posted(world), world.company.bill_payments[by_hand]) == (before, books)
    world.person(world.quickbooks, "void_payment", payment_id=by_hand)
    later(world, days=1)
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])
    assert (posted(world), balance(world, bill_id)) == (before, "120.50")


def test_when_somebody_voids_the_erp_s_payment_it_no_longer_stands_for_the_network_s() -> None:
    world, bill_id, payment_id, by_hand = paid_by_hand()
    link(world, payment_id, by_hand)
    later(world, days=1)
    before = posted(world)
    world.person(world.quickbooks, "void_payment", payment_id=by_hand)
    later(world, days=1)
    assert of_payment(payment_id).code == "linked_gone"
    again = world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    later(world, hours=1)
    link(world, payment_id, str(again["Id"]))
    later(world, days=1)
    assert (of_payment(payment_id).state, of_bill().state, posted(world)) == (State.SYNCED, State.SYNCED, before)
    assert open_problems() == []


def test_a_second_payment_of_a_part_is_posted_beside_a_linked_one() -> None:
    world, bill_id = with_bill("300.00")
    invoice_id = approve(world)
    first = world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    by_hand = world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="100.00")
    world.settle(days=1)
    link(world, first, str(by_hand["Id"]))
    second = world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    later(world, days=1)
    assert (of_payment(second).state, len(postings(world, bill_id))) == (State.SYNCED, 2)
    assert (balance(world, bill_id), of_bill().state) == ("100.00", State.SYNCED)


def test_what_we_posted_ourselves_and_still_stands_is_voided_first() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    later(world, days=1)
    [ours] = postings(world, bill_id)
    world.person(world.quickbooks, "edit", entity="BillPayment", identity=ours["Id"], changes={"TxnDate": "2026-03-20"})
    later(world, days=1)
    assert of_payment(payment_id).code == "posting_gone"
    with pytest.raises(ValidationError, match="void or delete that first"):
        link(world, payment_id, ours["Id"])
    with pytest.raises(ValidationError, match="void or delete that first"):
        post_anyway(world, payment_id)


# An unknown invoice, and a vendor that is there.


def unknown_invoice() -> tuple[World, str, str, str]:
    """The network pays an invoice that came in there by mail, and whose bill is in the ERP too."""
    world = begin()
    vendor = enter_vendor(world)
    world.settle(days=1)
    there = world.network.vendors.external(of_vendor().record_key)["id"]
    invoice_id = world.person(
        world.avidxchange, "enter_invoice", vendor_id=there, invoice_number="INV-1", amount="120.50"
    )
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice_id)
    bill_id = enter_bill(world, vendor)
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: None})
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "reference_unknown")
    return world, bill_id, str(payment_id), str(invoice_id)


def test_an_invoice_that_nobody_knew_is_linked_to_its_bill_and_then_its_payment_is_posted_once() -> None:
    world, bill_id, payment_id, invoice_id = unknown_invoice()
    assert of_bill().state == State.HELD
    assert [one.remote_id for one in unsent_bills(of_payment(payment_id), invoice_id)] == [bill_id]
    services.link_invoice(
        sync_record=of_payment(payment_id), invoice_id=invoice_id, target_id=bill_id, by="olivia", why="the same",
        now=world.clock.now(),
    )  # fmt: skip
    later(world, days=1)
    execute(world, payment_id)
    later(world, days=1)
    assert (of_payment(payment_id).state, len(postings(world, bill_id)), balance(world, bill_id)) == (
        State.SYNCED,
        1,
        "0.00",
    )
    assert len(world.network.invoices) == 1
    assert open_problems() == []


def test_a_bill_that_is_at_the_network_under_its_own_invoice_cannot_be_another_one_too() -> None:
    world, _, payment_id, invoice_id = unknown_invoice()
    sent = enter_bill(world, of_vendor().remote_record.remote_id, number="INV-9")
    later(world, days=1)
    assert of_bill("INV-9").state == State.SYNCED
    with pytest.raises(ValidationError, match="Choose a bill"):
        services.link_invoice(
            sync_record=of_payment(payment_id), invoice_id=invoice_id, target_id=sent, by="olivia", why="the same",
            now=world.clock.now(),
        )  # fmt: skip


def test_a_vendor_that_looks_like_one_that_is_there_is_linked_to_it_and_not_made_a_second_time() -> None:
    world = begin()
    there = world.person(world.avidxchange, "add_vendor", name="Acme Paper")
    enter_bill(world, enter_vendor(world))
    later(world, hours=1)
    assert of_vendor().code == "vendor_possible_duplicate"
    assert [one.remote_id for one in vendors_to_link(of_vendor())] == [there]
    services.link_vendor(
        sync_record=of_vendor(), target_id=there, by="olivia", why="the same firm", now=world.clock.now()
    )
    later(world, days=1)
    assert (of_vendor().state, of_vendor().target_id) == (State.SYNCED, there)
    assert len(world.network.vendors) == 1
    assert (of_bill().state, open_problems()) == (State.SYNCED, [])


# Post anyway.


def looks_alike() -> tuple[World, str, str]:
    """Half of a bill was paid by hand; the network pays the other half, which looks the same."""
    world, bill_id = with_bill("200.00")
    invoice_id = approve(world)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="100.00")
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    world.settle(days=1)
    assert of_payment(payment_id).code == "recorded_by_hand"
    return world, bill_id, str(payment_id)


def test_one_person_alone_cannot_have_a_payment_posted_anyway() -> None:
    world, bill_id, payment_id = looks_alike()
    record = of_payment(payment_id)
    acted: dict[str, Any] = {"sync_record": record, "why": "another one", "now": world.clock.now()}
    acted["seen"] = services.what_holds(record)
    with pytest.raises(ValidationError, match="Nobody has asked"):
        services.confirm_post(by="olivia", **acted)
    services.ask_to_post(by="olivia", **acted)
    with pytest.raises(ValidationError, match="olivia has asked for it already"):
        services.ask_to_post(by="peter", **acted)
    with pytest.raises(ValidationError, match="somebody else has to confirm"):
        services.confirm_post(by="olivia", **acted)
    later(world, days=1)
    assert (of_payment(payment_id).state, len(postings(world, bill_id))) == (State.HELD, 1)


def test_after_both_have_agreed_exactly_one_more_posting_stands() -> None:
    world, bill_id, payment_id = looks_alike()
    post_anyway(world, payment_id)
    with pytest.raises(ValidationError, match="Only a payment that is held"):
        confirm(world, payment_id)
    later(world, days=1)
    execute(world, payment_id)
    later(world, days=2)
    assert (of_payment(payment_id).state, len(postings(world, bill_id))) == (State.SYNCED, 2)
    assert balance(world, bill_id) == "0.00"
    assert list(Event.objects.filter(verb__startswith="post_").values_list("verb", "actor").order_by("id")) == [
        ("post_asked", "olivia"),
        ("post_confirmed", "peter"),
    ]


def test_only_the_objection_that_was_shown_is_overruled() -> None:
    world, bill_id, payment_id = looks_alike()
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="60.00")
    post_anyway(world, payment_id)
    before = posted(world)
    later(world, hours=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert "40.00" in of_payment(payment_id).reason
    assert posted(world) == before


def test_what_was_overruled_for_one_revision_is_not_for_the_next() -> None:
    world, bill_id, payment_id = looks_alike()
    record = of_payment(payment_id)
    seen = services.what_holds(record)
    services.ask_to_post(sync_record=record, seen=seen, by="olivia", why="another", now=world.clock.now())
    services.replay(sync_record=record, by="olivia", why="looking again", now=world.clock.now())
    later(world, hours=1)
    with pytest.raises(ValidationError, match="changed since you looked"):
        services.confirm_post(sync_record=record, seen=seen, by="peter", why="yes", now=world.clock.now())
    with pytest.raises(ValidationError, match="Nobody has asked"):
        confirm(world, payment_id)
    assert len(postings(world, bill_id)) == 1


@pytest.mark.parametrize("act", ["void_payment", "delete_payment"])
def test_a_posting_that_somebody_took_away_is_made_again_by_two_persons_and_once(act: str) -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    later(world, days=1)
    world.person(world.quickbooks, act, payment_id=of_payment(payment_id).target_id)
    later(world, days=1)
    assert of_payment(payment_id).code == "posting_gone"
    post_anyway(world, payment_id)
    later(world, days=2)
    assert (of_payment(payment_id).state, balance(world, bill_id), open_problems()) == (State.SYNCED, "0.00", [])
    assert len(postings(world, bill_id)) == 1


def test_what_cannot_be_posted_is_not_offered_to_be_posted_anyway() -> None:
    world, _, payment_id, _ = unknown_invoice()
    with pytest.raises(ValidationError, match="cannot be overruled"):
        post_anyway(world, payment_id)


# Leave.


def left() -> list[str]:
    return [one.left_by for one in Problem.objects.filter(resolved_at=None).exclude(left_at=None)]


def test_a_problem_that_is_left_stays_visible_and_nothing_is_posted() -> None:
    world, bill_id, payment_id = looks_alike()
    [problem] = SyncRecord.objects.filter(pk=of_payment(payment_id).pk).values_list("problem", flat=True)
    before = posted(world)
    leaving: dict[str, Any] = {"problem": Problem.objects.get(pk=problem), "by": "olivia", "now": world.clock.now()}
    services.leave(why="the vendor sorts it out", **leaving)
    with pytest.raises(ValidationError, match="already, by olivia"):
        services.leave(why="again", **leaving)
    later(world, days=3)
    assert (left(), of_payment(payment_id).state, posted(world)) == (["olivia"], State.HELD, before)
    assert len(postings(world, bill_id)) == 1


@pytest.mark.parametrize("change", ["payment", "erp"])
def test_what_was_left_is_back_when_its_facts_change(change: str) -> None:
    world, bill_id, payment_id = looks_alike()
    for problem in open_problems():
        services.leave(problem=problem, by="olivia", why="later", now=world.clock.now())
    if change == "payment":
        execute(world, payment_id)
    else:
        [by_hand] = postings(world, bill_id)
        world.person(world.quickbooks, "void_payment", payment_id=by_hand["Id"])
    later(world, hours=1)
    back = of_payment(payment_id).problem
    assert back is not None
    assert (back.left_at, back.left_by, back.resolved_at) == (None, "", None)
    assert Event.objects.filter(verb="problem_returned", subject_id=str(back.pk)).exists()
