"""The lives of a payment that are more than one amount on one bill: posted to the cent, exactly once."""

from decimal import Decimal
from typing import Any

import pytest

from syncs.states import State
from tests.payables import (
    PAYMENT_POST,
    balance,
    enter_bill,
    enter_vendor,
    execute,
    of_payment,
    open_problems,
    release,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db

TROUBLES = ("none", "drop_answer", "truncate", "drop_request")


def enter_credit(world: World, vendor_id: str, amount: str, number: str = "CR-1", **fields: Any) -> str:
    """A vendor credit in the ERP, of one line."""
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": amount,
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}},
    }
    body = {"VendorRef": {"value": vendor_id}, "DocNumber": number, "TxnDate": "2026-03-02", "Line": [line], **fields}
    return str(world.person(world.quickbooks, "create", entity="VendorCredit", body=body)["Id"])


def credit_balance(world: World, credit_id: str) -> Decimal:
    """What is left of a credit in the ERP's books."""
    return Decimal(world.company.tables["VendorCredit"].rows[credit_id]["Balance"])


def with_credit(bill: str = "120.50", credit: str = "20.00") -> tuple[World, str, str, str]:
    """A world in which a payment of a bill takes a credit along; nothing of the payment is read yet."""
    world = begin()
    vendor = enter_vendor(world)
    bill_id, credit_id = enter_bill(world, vendor, bill), enter_credit(world, vendor, credit)
    world.settle(days=1)
    return world, bill_id, credit_id, release(world, "INV-1", "CR-1")


def posted(world: World) -> list[dict[str, Any]]:
    """The payments in the ERP's books that settle something."""
    return [payment for payment in world.company.bill_payments.values() if payment["Line"]]


# Credits


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_payment_that_takes_a_credit_is_posted_pending_and_executed_in_place(trouble: str) -> None:
    world, bill_id, credit_id, payment_id = with_credit()
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    world.settle(days=1)
    [pending] = posted(world)
    assert pending["DocNumber"].startswith("PND-")
    assert (pending["TotalAmt"], [line["Amount"] for line in pending["Line"]]) == (
        Decimal("100.50"),
        [Decimal("120.50"), 20],
    )
    assert (balance(world, bill_id), credit_balance(world, credit_id)) == ("0.00", 0)
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    execute(world, payment_id)
    world.settle(days=1)
    [executed] = posted(world)
    assert executed["Id"] == pending["Id"]
    assert not executed["DocNumber"].startswith("PND-")
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


def test_a_credit_that_a_payment_took_is_given_back_by_its_void() -> None:
    world, bill_id, credit_id, payment_id = with_credit()
    execute(world, payment_id)
    world.settle(days=1)
    assert len(posted(world)) == 1
    world.quickbooks.drop_answer(PAYMENT_POST)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert posted(world) == []
    assert (balance(world, bill_id), credit_balance(world, credit_id)) == ("120.50", 20)
    assert of_payment(payment_id).state == State.SYNCED


def test_a_credit_used_up_by_somebody_else_is_never_taken_a_second_time() -> None:
    world, bill_id, credit_id, payment_id = with_credit()
    other = enter_bill(world, str(world.company.bills[bill_id]["VendorRef"]["value"]), "20.00", "BY-HAND")
    world.person(world.quickbooks, "pay_bill", bill_id=other, credits={credit_id: "20.00"})
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert balance(world, bill_id) == "120.50"


def test_what_our_posting_took_of_a_credit_does_not_stop_the_credit_at_the_network() -> None:
    world, _, credit_id, payment_id = with_credit()
    world.settle(days=3)
    assert credit_balance(world, credit_id) == 0
    assert not any(one["workflow_status"] == "cancelled" for one in world.network.invoices.values())
    assert open_problems() == []
