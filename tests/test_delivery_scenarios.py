"""Stories of bills and payments from one side's books to the other's and back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from syncs.models import SyncRecord
from syncs.states import State
from tests.payables import (
    approve,
    attempts,
    balance,
    edit_bill,
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
    with_bill,
    with_payment,
    with_posting,
)
from tests.simulation.world import bank, begin

pytestmark = pytest.mark.django_db
IN_TRANSIT = "Payments in transit"


@pytest.mark.parametrize("profile", ["assumed-v1", "renamed-v1"])
def test_a_bill_is_approved_paid_by_check_and_posted_back_whatever_the_network_calls_things(profile: str) -> None:
    world, bill_id, payment_id = with_posting(profile=profile)
    [pending] = postings(world, bill_id)
    assert pending["DocNumber"].startswith("PND-")
    assert pending["CheckPayment"] == {
        "PrintStatus": "NotSet",
        "BankAccountRef": {"value": bank(world, IN_TRANSIT), "name": IN_TRANSIT},
    }
    assert "pending" in pending["PrivateNote"]
    execute(world, payment_id, to="cleared")
    world.settle(days=1)

    payment = world.network.payments[payment_id]
    [posted] = postings(world, bill_id)
    assert posted["Id"] == pending["Id"]
    assert posted["DocNumber"] == payment["check_number"]
    assert posted["TxnDate"] == payment["payment_date"].isoformat()
    assert posted["CheckPayment"]["BankAccountRef"]["value"] == bank(world, "Checking")
    assert payment_id in posted["PrivateNote"]
    assert payment["cleared_date"].isoformat() in posted["PrivateNote"]
    assert "pending" not in posted["PrivateNote"]
    assert (posted["TotalAmt"], balance(world, bill_id)) == (Decimal("120.50"), "0.00")
    assert of_payment(payment_id).target_id == posted["Id"]
    assert not SyncRecord.objects.exclude(state__in=(State.SYNCED, State.OUT_OF_SCOPE)).exists()
    assert open_problems() == []


def test_one_check_for_several_bills_is_one_bill_payment_with_a_line_for_each() -> None:
    world = begin()
    vendor = enter_vendor(world)
    bills = {number: enter_bill(world, vendor, amount, number) for number, amount in (("A", "10.00"), ("B", "20.50"))}
    world.settle(days=1)
    payment_id = release(world, "A", "B")
    execute(world, payment_id)
    world.settle(days=1)
    [posted] = world.company.bill_payments.values()
    settled = {line["LinkedTxn"][0]["TxnId"]: line["Amount"] for line in posted["Line"]}
    assert settled == {bills["A"]: Decimal("10.00"), bills["B"]: Decimal("20.50")}
    assert [balance(world, bill_id) for bill_id in bills.values()] == ["0.00", "0.00"]


@pytest.mark.parametrize("executed", [False, True])
def test_amount_and_bills_follow_a_payment_until_it_executes_and_are_a_persons_matter_afterwards(
    executed: bool,
) -> None:
    world = begin()
    vendor = enter_vendor(world)
    bills = {number: enter_bill(world, vendor, amount, number) for number, amount in (("A", "10.00"), ("B", "20.50"))}
    world.settle(days=1)
    payment_id = release(world, "A", "B")
    if executed:
        execute(world, payment_id)
    world.settle(days=1)
    payment = world.network.payments[payment_id]
    less = {"applications": payment["applications"][:1], "amount": Decimal("10.00")}
    world.network.payments.change(payment, less, world.clock.now())
    world.settle(days=1)
    [posted] = world.company.bill_payments.values()
    assert posted["TotalAmt"] == Decimal("30.50" if executed else "10.00")
    assert balance(world, bills["B"]) == ("0.00" if executed else "20.50")
    assert (of_payment(payment_id).state, len(open_problems())) == ((State.HELD, 1) if executed else (State.SYNCED, 0))


def test_a_bill_paid_in_two_parts_gets_two_bill_payments() -> None:
    world, bill_id = with_bill("100.00")
    invoice_id = approve(world)
    for amount in ("40.00", "60.00"):
        payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: amount})
        execute(world, payment_id)
        world.settle(days=1)
    assert sorted(posted["TotalAmt"] for posted in postings(world, bill_id)) == [Decimal("40.00"), Decimal("60.00")]
    assert balance(world, bill_id) == "0.00"
    assert invoice(world)["workflow_status"] == "approved"
    assert open_problems() == []


def test_what_our_own_posting_does_to_a_bill_is_no_change_of_the_bill() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    bill = of_bill()
    assert bill.remote_record.balance_minor == 0
    assert bill.remote_record.revision > 1
    assert (bill.wanted, bill.state, len(attempts(bill))) == (1, State.SYNCED, 1)


def test_a_payment_voided_before_it_is_executed_is_voided_and_the_bill_is_open_again() -> None:
    world, bill_id, payment_id = with_posting()
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    world.settle(days=1)
    assert postings(world, bill_id) == []
    assert balance(world, bill_id) == "120.50"
    [voided] = world.company.bill_payments.values()
    assert (voided["TotalAmt"], voided["PrivateNote"][:6]) == (0, "Voided")
    assert (of_payment(payment_id).state, of_bill().state) == (State.SYNCED, State.SYNCED)
    assert open_problems() == []


def test_a_payment_stopped_after_it_was_executed_is_voided_and_the_bill_is_open_again() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert postings(world, bill_id) == []
    assert balance(world, bill_id) == "120.50"
    assert [attempt.action for attempt in attempts(of_payment(payment_id))] == ["create", "update", "void"]
    assert invoice(world)["workflow_status"] == "approved"


def test_a_payment_voided_before_anything_was_posted_leaves_nothing() -> None:
    world, bill_id, payment_id = with_payment()
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    world.settle(days=1)
    assert not world.company.bill_payments
    assert of_payment(payment_id).state == State.OUT_OF_SCOPE
    assert open_problems() == []


def test_a_reissued_payment_is_posted_once_the_first_one_is_taken_back() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    execute(world, again)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert again in posted["PrivateNote"]
    assert balance(world, bill_id) == "0.00"
    assert (of_payment(payment_id).state, of_payment(again).state) == (State.SYNCED, State.SYNCED)
    assert open_problems() == []


def test_nothing_is_posted_for_a_payment_that_is_not_released() -> None:
    world, bill_id = with_bill()
    approve(world)
    payment_id = world.person(
        world.avidxchange, "pay", invoices={invoice(world)["id"]: None}, status="pending_approval"
    )
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.OUT_OF_SCOPE, "payment_not_released")
    assert not world.company.bill_payments
    execute(world, payment_id)
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1


def test_a_poll_that_skips_every_status_in_between_posts_the_payment_as_it_stands() -> None:
    world, bill_id, payment_id = with_payment()
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [attempt] = attempts(of_payment(payment_id))
    assert attempt.action == "create"
    [posted] = postings(world, bill_id)
    assert not posted["DocNumber"].startswith("PND-")


# Bills that change at the source.


def test_a_bill_deleted_in_the_erp_is_withdrawn() -> None:
    world, bill_id = with_bill()
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert of_bill().remote_record.gone == "deleted"
    assert (of_bill().state, open_problems()) == (State.SYNCED, [])


def test_a_bill_deleted_before_it_was_sent_never_reaches_the_network() -> None:
    world = begin()
    bill_id = enter_bill(world, enter_vendor(world))
    world.avidxchange.drop_request("POST /invoices/batch", times=10_000)
    world.settle(days=0.05)
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    world.avidxchange.clear_faults()
    world.clock.advance(timedelta(minutes=1))
    read(world)
    world.settle(days=1)
    assert not world.network.invoices
    assert (of_bill().state, of_bill().code) == (State.OUT_OF_SCOPE, "gone_before_sent")


def test_a_bill_paid_by_hand_before_its_approval_is_withdrawn() -> None:
    world, bill_id = with_bill()
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert (of_bill().state, open_problems()) == (State.SYNCED, [])


def test_a_bill_partly_paid_by_hand_after_it_was_sent_is_withdrawn_too() -> None:
    world, bill_id = with_bill()
    approve(world)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="20.00")
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"


def test_a_bill_deleted_while_its_payment_is_under_way_is_a_problem_with_its_money() -> None:
    world, bill_id, payment_id = with_payment()
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "approved"
    assert (of_bill().state, of_bill().problem in open_problems()) == (State.HELD, True)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert [problem.money for problem in open_problems()] == [{"USD": 12050}, {"USD": 12050}]


def test_a_bill_changed_before_its_approval_is_changed_at_the_network() -> None:
    world, bill_id = with_bill()
    edit_bill(world, bill_id, DueDate="2026-04-30", PrivateNote="asked for more time")
    world.settle(days=1)
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"
    assert "asked" not in str(invoice(world))
    edit_bill(world, bill_id, PrivateNote="called again")
    world.settle(days=1)
    assert (of_bill().settled, len(attempts(of_bill()))) == (2, 2)


def test_a_change_that_is_taken_back_is_three_revisions_under_three_keys() -> None:
    world, bill_id = with_bill()
    first = world.company.bills[bill_id]["DueDate"]
    for day in ("2026-04-30", first):
        edit_bill(world, bill_id, DueDate=day)
        world.settle(days=1)
    assert invoice(world)["due_date"].isoformat() == first
    tries = attempts(of_bill())
    assert [attempt.revision for attempt in tries] == [1, 2, 3]
    assert len({attempt.request_key for attempt in tries}) == 3
    assert len({attempt.record_key for attempt in tries}) == 1
