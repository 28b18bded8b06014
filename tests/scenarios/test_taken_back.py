"""Payments that do not stay: voided, stopped, returned, expired and made anew, refunded after months."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.models import Connection
from syncs.states import State
from tests.payables import (
    approve,
    balance,
    by_policy,
    enter_bill,
    execute,
    invoice,
    map_discounts,
    of_payment,
    postings,
    release,
)
from tests.scenarios.contracts import everything, payments_only, with_bills
from tests.scenarios.wholesaler import assert_at_rest, enter, value
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


def posted_payment(profile: str, method: str = "check", to: str = "issued") -> tuple[World, str, str]:
    """A world in which one bill is paid and the payment stands in QuickBooks; the bill's id and the payment's."""
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1", method=method)
    execute(world, payment_id, to=to)
    world.settle(days=1)
    assert balance(world, bill_id) == "0.00"
    return world, bill_id, payment_id


def act(world: World, name: str, payment_id: str, **more: Any) -> Any:
    answer = world.person(world.avidxchange, name, payment_id=payment_id, **more)
    world.settle(days=1)
    return answer


def assert_open_again(world: World, bill_id: str, payment_id: str) -> None:
    """The posting is voided and stays in the books; the bill is owed."""
    assert postings(world, bill_id) == []
    assert balance(world, bill_id) == "120.50"
    [voided] = world.company.bill_payments.values()
    assert (voided["TotalAmt"], voided["PrivateNote"][:6]) == (0, "Voided")
    assert of_payment(payment_id).state == State.SYNCED
    assert_at_rest()


@payments_only
def test_06_void_before_executed(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    [pending] = postings(world, bill_id)
    assert pending["DocNumber"].startswith("PND-")
    act(world, "void_payment", payment_id)
    assert_open_again(world, bill_id, payment_id)


@payments_only
def test_06_void_before_executed_and_before_anything_was_posted(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    act(world, "void_payment", payment_id)
    assert (not world.company.bill_payments, balance(world, bill_id)) == (True, "120.50")
    assert of_payment(payment_id).state == State.OUT_OF_SCOPE
    assert_at_rest()


@everything
def test_07_stop_after_issue(profile: str) -> None:
    world, bill_id, payment_id = posted_payment(profile)
    act(world, "stop_payment", payment_id)
    assert_open_again(world, bill_id, payment_id)


@everything
def test_07_stop_after_issue_that_comes_too_late(profile: str) -> None:
    world, bill_id, payment_id = posted_payment(profile)
    act(world, "stop_payment", payment_id, stopped=False)
    [posted] = postings(world, bill_id)
    assert world.network.payments[payment_id]["cleared_date"].isoformat() in posted["PrivateNote"]
    assert balance(world, bill_id) == "0.00"
    assert_at_rest()


@everything
def test_08_ach_return_after_cleared(profile: str) -> None:
    world, bill_id, payment_id = posted_payment(profile, "ach", to="cleared")
    act(world, "return_payment", payment_id, code="R01")
    assert_open_again(world, bill_id, payment_id)


@everything
@pytest.mark.parametrize("told", ["step by step", "at once", "the new one first"])
def test_09_card_expires_and_is_reissued_as_check(profile: str, told: str) -> None:
    world, bill_id, card = posted_payment(profile, "virtual_card")
    [first] = postings(world, bill_id)
    world.person(world.avidxchange, "expire_card", payment_id=card)
    if told == "step by step":
        world.settle(days=1)
        assert balance(world, bill_id) == "120.50"
    later = told == "the new one first"
    check = act(world, "reissue_payment", card, method="check", tell_later=later)
    execute(world, check, to="cleared")
    world.settle(days=1)
    if later:
        execute(world, card, to="reissued")
        world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert posted["Id"] != first["Id"]
    assert posted["DocNumber"] == world.network.payments[check]["check_number"]
    assert world.company.bill_payments[first["Id"]]["PrivateNote"].startswith("Voided")
    assert balance(world, bill_id) == "0.00"
    assert_at_rest()


@payments_only
@pytest.mark.parametrize("is_told", [True, False])
def test_10_stale_check_refunded_after_90_days(profile: str, is_told: bool) -> None:
    world, bill_id, payment_id = posted_payment(profile)
    Connection.objects.filter(provider="avidxchange").update(settings={"profile": profile})
    world.clock.advance(timedelta(days=92))
    world.settle(days=1)
    payment = world.network.payments[payment_id]
    if is_told:
        assert world.person(world.avidxchange, "age_checks") == [payment_id]
    else:  # no list of changes ever shows it: only reading the payments of the last months again does
        payment.update(status="refunded", version=payment["version"] + 1)
    world.settle(days=1)
    world.clock.advance(timedelta(days=7))
    world.settle(days=1)
    assert_open_again(world, bill_id, payment_id)


@payments_only
def test_the_bills_of_an_executed_payment_change_and_by_policy_it_is_posted_anew(profile: str) -> None:
    world, bills = with_bills(profile, "120.50", "120.50")
    by_policy(world, "changed_applications", "post_anew")
    payment_id, _ = release(world, "INV-1"), approve(world, "INV-2")
    execute(world, payment_id, to="issued")
    world.settle(days=1)
    [first] = postings(world, bills[0])
    act(world, "change_applications", payment_id, invoices={invoice(world, "INV-2")["id"]: None})
    [second] = postings(world, bills[1])
    assert [balance(world, bill_id) for bill_id in bills] == ["120.50", "0.00"]
    assert world.company.bill_payments[first["Id"]]["PrivateNote"].startswith("Voided")
    assert second["DocNumber"] == first["DocNumber"] == world.network.payments[payment_id]["check_number"]
    assert (second["TxnDate"], len(world.company.bill_payments)) == (first["TxnDate"], 2)
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [stands] = postings(world, bills[1])
    assert (stands["Id"], "; cleared " in stands["PrivateNote"]) == (second["Id"], True)
    assert_at_rest()


@everything
def test_a_payment_over_two_ap_accounts_with_discounts_is_posted_in_parts_and_all_of_it_is_taken_back(
    profile: str,
) -> None:
    world, [first] = with_bills(profile, "1000.00")
    vendor = world.company.bills[first]["VendorRef"]["value"]
    south = enter(world, "Account", Name="AP South", AccountType="Accounts Payable")
    second = enter_bill(world, vendor, "500.00", "INV-2", APAccountRef=value(south))
    map_discounts(world)
    ids = [approve(world, number) for number in ("INV-1", "INV-2")]
    taken = {ids[0]: "20.00", ids[1]: "10.00"}
    payment_id = str(world.person(world.avidxchange, "pay", invoices=dict.fromkeys(ids), discounts=taken))
    execute(world, payment_id, to="issued")
    world.settle(days=1)
    parts = [*postings(world, first), *postings(world, second)]
    assert [one["TotalAmt"] for one in parts] == [Decimal("980.00"), Decimal("490.00")]
    assert [balance(world, one) for one in (first, second)] == ["0.00", "0.00"]
    discounts = world.company.tables["VendorCredit"].rows.values()
    assert {(one["TotalAmt"], one["APAccountRef"]["value"] == south) for one in discounts} == {(20, False), (10, True)}
    act(world, "stop_payment", payment_id)
    assert [postings(world, one) for one in (first, second)] == [[], []]
    assert [balance(world, one) for one in (first, second)] == ["1000.00", "500.00"]
    assert not world.company.tables["VendorCredit"].rows
    assert_at_rest()
