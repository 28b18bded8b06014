"""Money is never posted twice: by hand and by us, from a restored backup, after connecting anew, or on bad figures."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.conversation import finish
from syncs import services
from syncs.states import State
from tests.payables import (
    Damaged,
    approve,
    balance,
    deliver,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    open_problems,
    postings,
    read,
    release,
    run_until,
    with_bill,
    with_payment,
    with_posting,
    worker,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def marked(world: World, bill_id: str) -> list[dict[str, Any]]:
    return [one for one in postings(world, bill_id) if "ml-connector" in one.get("PrivateNote", "")]


def held_for(payment_id: str) -> str:
    record = of_payment(payment_id)
    assert record.state == State.HELD, f"{record}: {record.reason}"
    assert record.problem in open_problems()
    return record.code


# Paid by hand.


def test_a_bill_paid_by_hand_while_its_payment_was_on_its_way_is_not_paid_a_second_time() -> None:
    world, bill_id, payment_id = with_payment()
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert marked(world, bill_id) == []
    assert held_for(payment_id) == "recorded_by_hand"
    assert "120.50" in of_payment(payment_id).reason
    problem = of_payment(payment_id).problem
    assert problem is not None
    assert (problem.records, problem.money) == (1, {"USD": 12050})


def test_a_bill_paid_by_hand_while_our_posting_is_under_way_is_stopped_once_that_has_ended() -> None:
    world, bill_id, payment_id = with_payment()
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    posting = worker(world, "payment")
    run_until(posting, "claimed")
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    read(world)
    deliver(world, "bill")
    assert (of_bill().state, of_bill().code) == (State.PENDING, "posting_under_way")
    finish(posting)
    assert held_for(payment_id) == "recorded_by_hand"
    world.settle(days=1)
    assert (of_bill().state, of_bill().code) == (State.HELD, "bill_being_paid")
    assert of_bill().problem in open_problems()


def test_a_check_entered_by_hand_with_the_same_number_is_recognised_whatever_it_pays() -> None:
    world, bill_id = with_bill("300.00")
    other = enter_bill(world, "1", "80.00", "INV-2")
    world.settle(days=1)
    payment_id = world.person(world.avidxchange, "pay", invoices={approve(world): "100.00"})
    execute(world, payment_id)
    number = world.network.payments[payment_id]["check_number"]
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="7.00", DocNumber=number)
    world.settle(days=1)
    assert held_for(payment_id) == "recorded_by_hand"
    assert number in of_payment(payment_id).reason
    assert marked(world, bill_id) == []
    assert balance(world, other) == "80.00"


@pytest.mark.parametrize(("days", "is_posted"), [(9, False), (30, True)])
def test_the_same_amount_by_hand_is_suspicious_for_ten_days(days: int, is_posted: bool) -> None:
    world, bill_id = with_bill("300.00")
    payment_id = world.person(world.avidxchange, "pay", invoices={approve(world): "100.00"})
    execute(world, payment_id)
    date = world.network.payments[payment_id]["payment_date"] - timedelta(days=days)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="100.00", TxnDate=date.isoformat())
    world.settle(days=1)
    assert bool(marked(world, bill_id)) is is_posted
    assert (of_payment(payment_id).state == State.SYNCED) is is_posted


def test_once_the_payment_by_hand_is_undone_sending_again_posts_ours() -> None:
    world, bill_id, payment_id = with_payment()
    by_hand = world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    world.person(world.quickbooks, "void_payment", payment_id=by_hand["Id"])
    services.replay(sync_record=of_payment(payment_id), by="olivia", why="undone", now=world.clock.now())
    world.settle(days=1)
    assert len(marked(world, bill_id)) == 1
    assert of_payment(payment_id).state == State.SYNCED
    assert of_payment(payment_id).problem is None


def test_a_posting_that_somebody_voided_in_the_erp_is_a_problem_and_not_posted_again() -> None:
    world, bill_id, payment_id = with_posting()
    world.person(world.quickbooks, "void_payment", payment_id=of_payment(payment_id).target_id)
    execute(world, payment_id)
    world.settle(days=1)
    assert held_for(payment_id) == "posting_gone"
    assert postings(world, bill_id) == []
    assert len(world.company.bill_payments) == 1


# Figures that do not tie.


@pytest.mark.parametrize(
    ("promise", "code"),
    [("total", "payment_does_not_tie"), ("unknown_status", "payment_status_unknown"),
     ("unknown_method", "payment_status_unknown")],
)  # fmt: skip
def test_a_payment_that_reads_wrong_is_held_and_never_posted(promise: str, code: str) -> None:
    world, bill_id, payment_id = with_payment()
    execute(world, payment_id)
    world.person(world.avidxchange, "break_promise", payment_id=payment_id, promise=promise)
    world.settle(days=1)
    assert held_for(payment_id) == code
    assert not world.company.bill_payments
    world.person(world.avidxchange, "keep_promises", kind="payment", id=payment_id)
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1
    assert open_problems() == []


def test_a_posted_payment_that_takes_an_unknown_status_keeps_its_posting_and_is_shown() -> None:
    world, bill_id, payment_id = with_posting()
    world.person(world.avidxchange, "break_promise", payment_id=payment_id, promise="unknown_status")
    world.settle(days=1)
    assert held_for(payment_id) == "payment_status_unknown"
    assert "Teleported" in of_payment(payment_id).reason
    assert len(postings(world, bill_id)) == 1


def test_a_discount_is_held_until_finance_says_where_it_is_booked() -> None:
    world, bill_id = with_bill("100.00")
    invoice_id = approve(world)
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: None}, discounts={invoice_id: "2.00"})
    world.settle(days=1)
    assert held_for(payment_id) == "unmapped_discount"
    assert not world.company.bill_payments
    assert not world.company.tables["VendorCredit"].rows


def test_a_payment_of_an_invoice_that_never_came_from_us_is_held() -> None:
    world, bill_id, payment_id = with_payment()
    record_key = of_bill().record_key
    world.network.invoices[invoice(world)["id"]]["external_id"] = "entered-by-hand"
    part = world.network.payments[payment_id]["applications"][0]
    part |= {"invoice_external_id": "entered-by-hand", "invoice_id": "inv_99999999"}
    world.settle(days=1)
    assert held_for(payment_id) == "reference_unknown"
    assert record_key not in str(world.company.bill_payments)


def test_one_payment_that_cannot_be_judged_does_not_hold_up_its_neighbours() -> None:
    world = begin()
    vendor = enter_vendor(world)
    bills = {number: enter_bill(world, vendor, "10.00", number) for number in ("GOOD", "BAD")}
    world.settle(days=1)
    good, bad = release(world, "GOOD"), release(world, "BAD")
    damaged = Damaged(world, bills["BAD"], "VendorRef")
    world.settle(days=1)
    assert len(postings(world, bills["GOOD"])) == 1
    assert of_payment(good).state == State.SYNCED
    assert postings(world, bills["BAD"]) == []
    assert of_payment(bad).problem in open_problems()
    before = len(world.quickbooks.requests)
    for _ in range(5):
        deliver(world, "payment")
    assert len(world.quickbooks.requests) - before < 5
    damaged.repaired = True
    world.settle(days=1)
    assert len(postings(world, bills["BAD"])) == 1
    assert open_problems() == []
