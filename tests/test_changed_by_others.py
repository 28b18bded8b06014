"""What people change on the other side of our copies: postings voided by hand, bills that come back, payments moved."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from connectors.conversation import finish
from syncs.models import RemoteRecord
from syncs.services import set_policy
from syncs.states import State
from tests.payables import (
    CANCEL,
    EXPENSE,
    Damaged,
    approve,
    attempts,
    balance,
    deliver,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    of_vendor,
    open_problems,
    postings,
    read,
    release,
    requests,
    run_until,
    with_bill,
    with_posting,
    worker,
)
from tests.scenarios.wholesaler import enter_credit
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def line(amount: int) -> list[dict[str, Any]]:
    detail = {"AccountRef": {"value": EXPENSE}}
    return [
        {
            "Amount": amount,
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": detail,
        }
    ]


def two_bills(first: str = "100.00", second: str = "100.00") -> tuple[World, str, str]:
    world = begin()
    vendor = enter_vendor(world)
    bills = enter_bill(world, vendor, first, "A"), enter_bill(world, vendor, second, "B")
    world.settle(days=1)
    return world, *bills


def move(world: World, payment_id: str, number: str) -> None:
    """The network lets the payment pay another invoice."""
    other = invoice(world, number)
    world.network.payments[payment_id]["applications"][0] |= {
        "invoice_id": other["id"],
        "invoice_external_id": other["external_id"],
        "invoice_number": number,
    }


def ours(world: World, bill_id: str) -> list[str]:
    return [one["Id"] for one in postings(world, bill_id) if "ml-connector" in one.get("PrivateNote", "")]


def problem_codes() -> list[str]:
    return sorted(problem.code for problem in open_problems())


# Postings that somebody takes away or changes.


@pytest.mark.parametrize("act", ["void_payment", "delete_payment"])
def test_a_posting_that_somebody_takes_away_in_the_erp_is_a_problem_at_once(act: str) -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.quickbooks, act, payment_id=of_payment(payment_id).target_id)
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "posting_gone")
    assert (balance(world, bill_id), problem_codes()) == ("120.50", ["posting_gone"])


def test_a_posting_that_was_voided_no_longer_explains_who_has_settled_the_bill() -> None:
    world, bill_id, payment_id = with_posting()
    world.person(world.quickbooks, "void_payment", payment_id=of_payment(payment_id).target_id)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert problem_codes() == ["bill_being_paid", "posting_gone"]


def test_a_posting_whose_memo_somebody_looks_at_is_left_as_it_is() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    world.person(world.quickbooks, "edit", entity="BillPayment", identity=posted["Id"], changes={"DocNumber": "X"})
    world.settle(days=1)
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])
    assert [one["DocNumber"] for one in postings(world, bill_id)] == ["X"]


# Bills that come back, or stand there otherwise.


def settle_by_hand(world: World, bill_id: str) -> None:
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="100.00")


def credit_by_hand(world: World, bill_id: str) -> None:
    credit = enter_credit(world, of_vendor().remote_record.remote_id, "100.00")
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="100.00", credits={credit: "100.00"})


@pytest.mark.parametrize("settles_a_part", [settle_by_hand, credit_by_hand])
def test_a_bill_of_which_somebody_settles_a_part_is_withdrawn_and_held_with_both_figures_until_the_rest_is_settled(
    settles_a_part: Callable[[World, str], None],
) -> None:
    world, bill_id = with_bill("1000.00")
    settles_a_part(world, bill_id)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    edit_bill(world, bill_id, DueDate="2026-06-01")
    world.settle(days=1)
    assert (of_bill().state, of_bill().code) == (State.HELD, "withdrawn_open")
    assert "100.00 of 1000.00 is settled" in of_bill().reason
    assert "900.00 of it is open" in of_bill().reason
    assert problem_codes() == ["withdrawn_open"]
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="900.00")
    world.settle(days=1)
    assert (of_bill().state, open_problems()) == (State.SYNCED, [])


def test_a_partly_settled_bill_whose_withdrawal_is_in_doubt_is_held_too() -> None:
    world, bill_id = with_bill("1000.00")
    world.avidxchange.drop_answer(CANCEL)
    settle_by_hand(world, bill_id)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert (of_bill().state, of_bill().code) == (State.HELD, "withdrawn_open")


def test_a_bill_of_a_currency_that_is_not_paid_any_more_is_out_of_scope_with_its_amount() -> None:
    world, bill_id = with_bill("1000.00")
    set_policy(
        integration=world.integration, key="currencies", value=["EUR"], by="Ann", why="as agreed", now=world.clock.now()
    )
    edit_bill(world, bill_id, DueDate="2026-06-01")
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert (of_bill().state, of_bill().code) == (State.OUT_OF_SCOPE, "currency_not_paid")
    assert "1000.00 USD" in of_bill().reason


def test_a_bill_that_was_withdrawn_and_is_open_again_is_held_and_not_taken_for_sent() -> None:
    world, bill_id = with_bill()
    by_hand = world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    world.person(world.quickbooks, "void_payment", payment_id=by_hand["Id"])
    world.settle(days=2)
    assert (of_bill().state, of_bill().code) == (State.HELD, "withdrawn_open")
    assert problem_codes() == ["withdrawn_open"]


def test_a_bill_that_was_withdrawn_while_our_posting_settled_it_is_held_once_that_is_taken_back() -> None:
    world, bill_id, payment_id = with_posting()
    world.settle(days=1)
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    edit_bill(world, bill_id, DueDate="2026-06-01")
    read(world)
    world.clock.advance(timedelta(minutes=10))
    for _ in range(3):
        deliver(world, "bill")
    assert (invoice(world)["workflow_status"], balance(world, bill_id)) == ("cancelled", "0.00")
    world.settle(days=1)
    assert Decimal(balance(world, bill_id)) == Decimal("120.50")
    assert (of_bill().state, of_bill().code) == (State.HELD, "withdrawn_open")


def test_a_bill_that_was_withdrawn_in_the_time_that_a_backup_has_lost_is_held_too() -> None:
    world, bill_id = with_bill()
    backup = transaction.savepoint()
    by_hand = world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    transaction.savepoint_rollback(backup)
    world.person(world.quickbooks, "void_payment", payment_id=by_hand["Id"])
    world.settle(days=2)
    assert (of_bill().state, of_bill().code) == (State.HELD, "withdrawn_open")


def test_an_amount_that_a_backup_has_forgotten_at_the_network_is_brought_to_the_bill_s() -> None:
    world, bill_id = with_bill("100.00")
    backup = transaction.savepoint()
    edit_bill(world, bill_id, Line=line(500))
    world.settle(days=1)
    assert invoice(world)["amount"] == Decimal("500.00")
    transaction.savepoint_rollback(backup)
    edit_bill(world, bill_id, Line=line(100))
    world.settle(days=2)
    assert (invoice(world)["amount"], of_bill().state) == (Decimal("100.00"), State.SYNCED)


@pytest.mark.parametrize("amount", [100, 0])
def test_a_bill_that_is_changed_after_the_network_has_locked_it_is_withdrawn_if_possible(
    amount: int,
) -> None:
    world, bill_id = with_bill("500.00")
    approve(world)
    edit_bill(world, bill_id, Line=line(amount))
    world.settle(days=1)
    assert requests(world.avidxchange, CANCEL) == 1
    assert invoice(world)["workflow_status"] == "cancelled"
    if amount:
        assert (of_bill().state, of_bill().code) == (State.HELD, "withdrawn_open")


def test_a_second_payment_by_hand_of_the_amount_that_we_have_posted_stops_the_bill() -> None:
    world, bill_id = with_bill("300.00")
    payment_id = world.person(world.avidxchange, "pay", invoices={approve(world): "100.00"})
    execute(world, payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    posting = worker(world, "payment")
    run_until(posting, "sent")
    read(world)
    deliver(world, "bill")
    finish(posting)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="100.00")
    world.settle(days=1)
    assert (of_bill().state, of_bill().code) == (State.HELD, "bill_being_paid")


def test_what_was_said_of_a_balance_is_not_believed_of_a_later_one() -> None:
    world, bill_id = with_bill("300.00")
    payment_id = world.person(world.avidxchange, "pay", invoices={approve(world): "100.00"})
    execute(world, payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    posting = worker(world, "payment")
    run_until(posting, "sent")
    edit_bill(world, bill_id, DueDate="2026-04-30")
    read(world)
    looking = worker(world, "bill")
    run_until(looking, "some not sent")
    finish(posting)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="77.00")
    read(world)
    finish(looking)
    assert [one.action for one in attempts(of_bill())][-1] == "withdraw"
    world.settle(days=1)
    assert of_bill().code == "bill_being_paid"


# Payments that change before they are executed.


def test_a_pending_posting_is_not_moved_onto_a_bill_that_is_paid_by_hand() -> None:
    world, first, second = two_bills(second="200.00")
    invoice_id, _ = approve(world, "A"), approve(world, "B")
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    world.settle(days=1)
    world.person(world.quickbooks, "pay_bill", bill_id=second, amount="100.00")
    move(world, payment_id, "B")
    execute(world, payment_id)
    world.settle(days=1)
    assert (len(ours(world, first)), ours(world, second), balance(world, second)) == (1, [], "100.00")
    assert "recorded_by_hand" in problem_codes()


def test_a_pending_posting_follows_its_payment_onto_another_bill() -> None:
    world, first, second = two_bills()
    invoice_id, _ = approve(world, "A"), approve(world, "B")
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    world.settle(days=1)
    move(world, payment_id, "B")
    execute(world, payment_id)
    world.settle(days=1)
    assert (balance(world, first), balance(world, second)) == ("100.00", "0.00")
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])


def test_a_payment_that_moved_while_a_backup_was_lost_is_found_and_not_posted_a_second_time() -> None:
    world, first, second = two_bills()
    invoice_id, _ = approve(world, "A"), approve(world, "B")
    backup = transaction.savepoint()
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    world.settle(days=1)
    transaction.savepoint_rollback(backup)
    move(world, payment_id, "B")
    execute(world, payment_id)
    world.clock.advance(timedelta(minutes=30))
    read(world, "avidxchange")
    deliver(world, "payment")
    world.settle(days=1)
    assert (ours(world, first), len(ours(world, second))) == ([], 1)
    assert (of_payment(payment_id).state, balance(world, second)) == (State.SYNCED, "0.00")


def test_two_payments_do_not_share_a_balance_when_a_third_rests_on_what_cannot_be_read() -> None:
    world = begin()
    vendor = enter_vendor(world)
    bill_id, bad = enter_bill(world, vendor, "200.00", "A"), enter_bill(world, vendor, "10.00", "BAD")
    world.settle(days=1)
    invoice_id = approve(world, "A")
    for _ in range(2):
        world.person(world.avidxchange, "pay", invoices={invoice_id: "100.00"})
    release(world, "BAD")
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="60.00")
    Damaged(world, bad, "VendorRef")
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    before = requests(world.quickbooks, "POST /billpayment")
    deliver(world, "payment")
    assert requests(world.quickbooks, "POST /billpayment") == before + 1
    assert balance(world, bill_id) == "40.00"


def test_a_reissue_waits_until_the_posting_of_what_it_replaces_is_voided() -> None:
    world, bill_id = with_bill("300.00")
    first = world.person(world.avidxchange, "pay", invoices={approve(world): "100.00"})
    execute(world, first)
    world.settle(days=1)
    world.person(world.avidxchange, "stop_payment", payment_id=first)
    again = world.person(world.avidxchange, "reissue_payment", payment_id=first)
    execute(world, again)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    claiming = worker(world, "payment")
    run_until(claiming, "claimed")
    assert (of_payment(again).state, of_payment(again).code) == (State.WAITING, "reversal_first")
    finish(claiming)
    world.settle(days=1)
    assert (of_payment(again).state, len(ours(world, bill_id)), balance(world, bill_id)) == (State.SYNCED, 1, "200.00")


def test_what_is_on_a_list_is_sent_once_for_each_change_although_the_other_side_was_last_read_before_it() -> None:
    world = begin()
    vendor = enter_vendor(world)
    world.settle()
    world.clock.advance(timedelta(days=2))
    world.settle()
    assert RemoteRecord.objects.filter(connection__provider="avidxchange", kind="vendor", name="Acme Paper").exists()
    world.person(world.quickbooks, "deactivate", entity="Vendor", identity=vendor)
    world.clock.advance(timedelta(hours=1))
    read(world)
    run_until(worker(world, "vendor"), "settled")
    assert of_vendor().state == State.SYNCED
