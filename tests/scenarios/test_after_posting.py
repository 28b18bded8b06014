"""What happens to a payment of ours after it was posted: accountants, closed books, and money that does not move on."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.records import Kind
from syncs import services
from syncs.models import RemoteRecord, StoppedInvoice
from syncs.states import State
from syncs.story import Story, facts_of, tell
from tests.payables import (
    balance,
    by_policy,
    deliver,
    execute,
    of_payment,
    open_problems,
    postings,
    read,
    release,
)
from tests.scenarios.contracts import everything, payments_only, with_bills
from tests.scenarios.wholesaler import assert_at_rest, edit, value
from tests.simulation.world import World, bank

pytestmark = pytest.mark.django_db


def issued(profile: str, method: str = "check") -> tuple[World, str, str]:
    """A world in which the executed payment of one bill stands in QuickBooks; the bill's id and the payment's."""
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1", method=method)
    execute(world, payment_id)
    world.settle(days=1)
    assert_at_rest()
    return world, bill_id, payment_id


def page(world: World, bill_id: str) -> Story:
    """What the bill's page tells now."""
    bills = RemoteRecord.objects.select_related("tenant", "connection__app")
    bill = bills.get(connection__provider="quickbooks", kind=Kind.BILL, remote_id=bill_id)
    return tell(facts_of(bill), now=world.clock.now(), address=lambda *asked: "")


def titles(world: World, bill_id: str) -> list[str]:
    return [entry.title for entry in page(world, bill_id).entries]


def problem_codes() -> list[str]:
    return [problem.code for problem in open_problems()]


# A cleared date that comes after the close.


@payments_only
def test_a_check_that_clears_after_the_close_is_in_step_and_its_posting_stays_as_it_is(profile: str) -> None:
    world, bill_id, payment_id = issued(profile)
    [before] = postings(world, bill_id)
    world.person(world.quickbooks, "close_books", through="2026-03-31")
    world.settle(days=1)
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    assert postings(world, bill_id) == [before]
    assert of_payment(payment_id).state == State.SYNCED
    assert "Payment: left as it stands in QuickBooks Online: the books are closed for its day" in titles(world, bill_id)
    assert_at_rest()


@payments_only
def test_a_close_that_is_not_read_yet_is_learnt_from_the_refusal_and_nobody_is_asked(profile: str) -> None:
    world, bill_id, payment_id = issued(profile)
    [before] = postings(world, bill_id)
    execute(world, payment_id, to="cleared")
    read(world, "avidxchange")
    world.person(world.quickbooks, "close_books", through="2026-03-31")
    deliver(world, "payment")
    assert postings(world, bill_id) == [before]
    assert of_payment(payment_id).state == State.SYNCED
    assert_at_rest()


@everything
def test_a_payment_of_a_closed_day_that_is_taken_back_is_still_a_persons_matter(profile: str) -> None:
    world, bill_id, payment_id = issued(profile)
    world.person(world.quickbooks, "close_books", through="2026-03-31")
    world.settle(days=1)
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    world.person(world.avidxchange, "return_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (of_payment(payment_id).state, problem_codes()) == (State.HELD, ["reversal_refused"])
    assert balance(world, bill_id) == "0.00"


# An accountant's change of our posting.


def moved(world: World, bill_id: str) -> dict[str, Any]:
    """The posting of the bill, which an accountant has moved to another bank account."""
    [posting] = postings(world, bill_id)
    there = {"CheckPayment": {"BankAccountRef": value(bank(world, "Savings")), "PrintStatus": "NotSet"}}
    edit(world, "BillPayment", posting["Id"], **there)
    [posting] = postings(world, bill_id)
    return dict(posting)


@payments_only
def test_a_bank_account_that_is_mapped_later_moves_nothing_that_stands_as_paid(profile: str) -> None:
    world, bill_id, payment_id = issued(profile)
    [ours] = postings(world, bill_id)
    for method in ("check", "*"):
        services.set_mapping(
            integration=world.integration, subject="funding_account", source=method, target=bank(world, "Savings"),
            by="Ann", why="our new bank", now=world.clock.now(),
        )  # fmt: skip
    edit(world, "BillPayment", ours["Id"], PrivateNote=f"Pat: {ours['PrivateNote']}")
    world.settle(days=1)
    assert_at_rest()
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posting] = postings(world, bill_id)
    assert account_of(posting) == account_of(ours) != bank(world, "Savings")
    assert_at_rest()


@payments_only
@pytest.mark.parametrize("is_seen_first", [True, False])
def test_what_an_accountant_changed_is_not_overwritten_by_a_cleared_date_until_a_person_says_so(
    profile: str, is_seen_first: bool
) -> None:
    world, bill_id, payment_id = issued(profile)
    [ours] = postings(world, bill_id)
    theirs = moved(world, bill_id)
    if is_seen_first:
        world.settle(days=1)
        assert problem_codes() == ["posting_gone"]
    execute(world, payment_id, to="cleared")
    read(world, "avidxchange")
    deliver(world, "payment")
    world.settle(days=1)
    assert postings(world, bill_id) == [theirs]
    assert (of_payment(payment_id).state, problem_codes()) == (State.HELD, ["posting_gone"])
    services.replay(sync_record=of_payment(payment_id), by="Ann", why="ours is right", now=world.clock.now())
    world.settle(days=1)
    [posting] = postings(world, bill_id)
    assert posting["CheckPayment"] == ours["CheckPayment"]
    assert "; cleared " in posting["PrivateNote"]
    assert_at_rest()


@everything
def test_a_posting_that_an_accountant_changed_is_voided_when_its_payment_is_taken_back(profile: str) -> None:
    world, bill_id, payment_id = issued(profile)
    moved(world, bill_id)
    world.settle(days=1)
    assert problem_codes() == ["posting_gone"]
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (postings(world, bill_id), balance(world, bill_id)) == ([], "120.50")
    assert_at_rest()


# By policy a payment counts once it has cleared.


def account_of(posting: dict[str, Any]) -> str:
    return str(posting["CheckPayment"]["BankAccountRef"]["name"])


def until_cleared(profile: str) -> tuple[World, str, str, str]:
    """A world whose finance counts what has cleared, with a payment that is executed; the account in transit too."""
    world, [bill_id] = with_bills(profile, "120.50")
    by_policy(world, "post_on", "cleared")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    [pending] = postings(world, bill_id)
    execute(world, payment_id)
    world.settle(days=1)
    return world, bill_id, payment_id, account_of(pending)


@payments_only
def test_by_policy_an_executed_payment_stays_pending_until_it_has_cleared(profile: str) -> None:
    world, bill_id, payment_id, in_transit = until_cleared(profile)
    [pending] = postings(world, bill_id)
    assert (account_of(pending), pending["DocNumber"][:4]) == (in_transit, "PND-")
    assert "until the payment clears" in page(world, bill_id).coming.words
    assert_at_rest()
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posting] = postings(world, bill_id)
    issued_on = str(world.network.payments[payment_id]["payment_date"])[:10]
    assert (posting["Id"], posting["TxnDate"]) == (pending["Id"], issued_on)
    assert account_of(posting) != in_transit
    assert "; cleared " in posting["PrivateNote"]
    assert_at_rest()


@payments_only
def test_by_policy_nothing_is_posted_before_it_has_cleared_where_pending_ones_are_not(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    by_policy(world, "post_on", "cleared")
    by_policy(world, "pending_payments", False)
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.settle(days=1)
    assert (postings(world, bill_id), of_payment(payment_id).state) == ([], State.OUT_OF_SCOPE)
    assert "has cleared" in of_payment(payment_id).reason
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    assert (len(postings(world, bill_id)), balance(world, bill_id)) == (1, "0.00")
    assert_at_rest()


@payments_only
def test_who_counts_executed_payments_again_has_those_posted_that_wait_to_clear(profile: str) -> None:
    world, bill_id, payment_id, in_transit = until_cleared(profile)
    by_policy(world, "post_on", "executed")
    world.settle(days=1)
    [posting] = postings(world, bill_id)
    assert account_of(posting) != in_transit
    by_policy(world, "post_on", "cleared")
    world.settle(days=1)
    assert postings(world, bill_id) == [posting]
    assert_at_rest()


@payments_only
def test_books_that_are_closed_meanwhile_do_not_hold_what_waits_to_clear(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    by_policy(world, "post_on", "cleared")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    [pending] = postings(world, bill_id)
    world.person(world.quickbooks, "close_books", through="2026-03-31")
    world.settle(days=1)
    execute(world, payment_id)
    world.settle(days=1)
    assert postings(world, bill_id) == [pending]
    assert_at_rest()


@everything
def test_a_payment_that_is_taken_back_before_it_has_cleared_is_voided(profile: str) -> None:
    world, bill_id, payment_id, _ = until_cleared(profile)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (postings(world, bill_id), balance(world, bill_id)) == ([], "120.50")
    assert_at_rest()


# Money that does not move on.


def days_later(world: World, days: int) -> None:
    for _ in range(days):
        world.clock.advance(timedelta(days=1))
        world.settle(days=0.1)


@payments_only
def test_a_payment_that_stays_pending_for_ten_business_days_is_a_problem_until_it_moves_on(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    days_later(world, 12)
    assert open_problems() == []
    days_later(world, 3)
    [problem] = open_problems()
    assert (problem.code, problem.money, problem.records) == ("payment_pending_long", {"USD": 12050}, 1)
    assert f"Payment {payment_id} over 120.50 USD has been pending at AvidXchange since" in problem.cause
    assert problem in page(world, bill_id).coming.problems
    execute(world, payment_id)
    world.settle(days=1)
    assert_at_rest()


@payments_only
@pytest.mark.parametrize(("ends", "pending"), [("cleared", True), ("refunded", False), ("policy", True)])
def test_a_payment_that_by_policy_waits_to_clear_is_a_problem_after_twenty_business_days(
    profile: str, ends: str, pending: bool
) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    by_policy(world, "post_on", "cleared")
    by_policy(world, "pending_payments", pending)
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.settle(days=1)
    world.clock.advance(timedelta(days=25))
    world.settle(days=0.1)
    assert open_problems() == []
    world.clock.advance(timedelta(days=4))
    world.settle(days=0.1)
    [problem] = open_problems()
    assert (problem.code, problem.money, problem.records) == ("payment_not_cleared_long", {"USD": 12050}, 1)
    assert f"Payment {payment_id} over 120.50 USD has not cleared at AvidXchange since" in problem.cause
    if ends == "cleared":
        execute(world, payment_id, to="cleared")
    elif ends == "refunded":
        world.person(world.avidxchange, "refund_payment", payment_id=payment_id)
    else:
        by_policy(world, "post_on", "executed")
    for _ in range(2):  # what it has become, and that it is posted so
        world.clock.advance(timedelta(hours=1))
        world.settle(days=0.1)
    assert (balance(world, bill_id), StoppedInvoice.objects.count()) == ("120.50" if ends == "refunded" else "0.00", 0)
    assert_at_rest()


@payments_only
def test_a_payment_that_clears_in_time_and_one_of_another_policy_are_no_problem(profile: str) -> None:
    world, [first, second] = with_bills(profile, "120.50", "80.00")
    executed = release(world, "INV-1")
    execute(world, executed)
    world.settle(days=1)
    by_policy(world, "post_on", "cleared")
    cleared = release(world, "INV-2")
    execute(world, cleared)
    world.settle(days=1)
    execute(world, cleared, to="cleared")
    world.clock.advance(timedelta(days=32))
    world.settle(days=0.1)
    assert [balance(world, one) for one in (first, second)] == ["0.00", "0.00"]
    assert_at_rest()


def with_payment_in_error(profile: str) -> tuple[World, str, str]:
    """A world with a bill whose posted payment is in error at the network; the ids of both."""
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    world.person(world.avidxchange, "fail_payment", payment_id=payment_id)
    world.settle(days=1)
    return world, bill_id, payment_id


@everything
def test_a_payment_in_error_is_a_problem_at_once_until_it_is_mended(profile: str) -> None:
    world, bill_id, payment_id = with_payment_in_error(profile)
    [problem] = open_problems()
    assert (problem.code, problem.money) == ("payment_in_error", {"USD": 12050})
    [pending] = postings(world, bill_id)
    assert pending["DocNumber"].startswith("PND-")
    execute(world, payment_id)
    world.settle(days=1)
    assert_at_rest()


@everything
def test_a_payment_in_error_that_is_voided_leaves_no_problem_behind(profile: str) -> None:
    world, bill_id, payment_id = with_payment_in_error(profile)
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (postings(world, bill_id), balance(world, bill_id)) == ([], "120.50")
    assert_at_rest()


# Money that comes back and lies at the network.

RETURNED = "Returned, money at AvidXchange: do not pay by hand."


def returned(profile: str) -> tuple[World, str, str]:
    """A world in which a payment by ACH has come back; the bill's id and the payment's."""
    world, bill_id, payment_id = issued(profile, "ach")
    world.person(world.avidxchange, "return_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (postings(world, bill_id), balance(world, bill_id)) == ([], "120.50")
    return world, bill_id, payment_id


@everything
def test_returned_money_is_at_the_network_and_the_bill_says_so_until_it_is_refunded(profile: str) -> None:
    world, bill_id, payment_id = returned(profile)
    assert RETURNED in page(world, bill_id).coming.words
    world.person(world.avidxchange, "refund_payment", payment_id=payment_id)
    world.settle(days=2)
    assert RETURNED not in page(world, bill_id).coming.words
    assert "Refunded by AvidXchange" in titles(world, bill_id)
    assert_at_rest()


@everything
def test_returned_money_is_at_the_network_and_the_bill_says_so_until_it_is_paid_anew(profile: str) -> None:
    world, bill_id, payment_id = returned(profile)
    assert RETURNED in page(world, bill_id).coming.words
    world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    world.settle(days=2)
    assert RETURNED not in page(world, bill_id).coming.words
    assert (len(postings(world, bill_id)), balance(world, bill_id)) == (1, "0.00")
    assert_at_rest()


@everything
def test_who_pays_by_hand_what_was_returned_is_told_that_the_money_is_still_at_the_network(profile: str) -> None:
    world, bill_id, payment_id = returned(profile)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    words = page(world, bill_id).coming.words
    assert "Somebody entered a payment of this bill in QuickBooks Online" in words
    assert "its money still at AvidXchange: have it refunded there, and not paid anew" in words
    world.person(world.avidxchange, "refund_payment", payment_id=payment_id)
    world.settle(days=2)
    assert page(world, bill_id).coming.words.startswith("Nothing: it was paid in QuickBooks Online")


@everything
def test_money_that_never_left_is_not_called_returned(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    world.settle(days=1)
    assert RETURNED not in page(world, bill_id).coming.words
