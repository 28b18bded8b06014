"""Payments whose books were closed meanwhile: executed or taken back by journal entries of ours, and made anew."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from connectors.simulators import Request, Response
from syncs import services
from syncs.models import RemoteRecord, SyncRecord
from syncs.states import State
from tests.payables import (
    approve,
    balance,
    deliver,
    enter_bill,
    execute,
    of_bill,
    of_payment,
    open_problems,
    postings,
    read,
    run_until,
    with_posting,
    worker,
)
from tests.scenarios.wholesaler import applied, assert_at_rest
from tests.simulation.world import World, bank
from tests.test_decisions import post_anyway

pytestmark = pytest.mark.django_db

ENTRY_POST, PAYMENT_POST = "POST /journalentry", "POST /billpayment"
TROUBLES = ("none", "drop_answer", "truncate", "drop_request")
PAID = Decimal("120.50")
MOVED_TO = {"Debit": "Payments in transit", "Credit": "Checking"}


def close_march(world: World) -> None:
    """March is over and closed, and everybody works in April."""
    april = datetime.fromisoformat("2026-04-02T14:00:00+00:00")
    world.clock.advance(max(april, world.clock.now()) - world.clock.now())
    world.person(world.quickbooks, "close_books", through="2026-03-31")
    world.settle(days=1)


def decide(world: World, key: str, value: object) -> None:
    """Finance chooses a policy."""
    services.set_policy(
        integration=world.integration, key=key, value=value, by="Ann", why="our books", now=world.clock.now()
    )


def trouble_over(world: World, trouble: str, match: str) -> None:
    """Something goes wrong with the next request like this."""
    if trouble != "none":
        getattr(world.quickbooks, trouble)(match)


def journal(world: World) -> list[dict[str, Any]]:
    """The journal entries in the ERP's books."""
    return list(world.company.tables["JournalEntry"].rows.values())


def sides(world: World, entry: dict[str, Any]) -> dict[str, str]:
    """What an entry debits and credits, by the names of the accounts."""
    details = [line["JournalEntryLineDetail"] for line in entry["Line"]]
    return {one["PostingType"]: world.company.accounts[one["AccountRef"]["value"]]["Name"] for one in details}


def money(world: World, *accounts: str) -> list[Decimal]:
    """What lies on these bank accounts."""
    return [Decimal(world.company.accounts[bank(world, name)]["CurrentBalance"]) for name in accounts]


def executed_in_closed_month(trouble: str = "none") -> tuple[World, str, str]:
    """A world in which a payment that was posted as pending in March is executed in April, with March closed."""
    world, bill_id, payment_id = with_posting()
    close_march(world)
    trouble_over(world, trouble, ENTRY_POST)
    world.network.payments[payment_id]["payment_date"] = world.clock.now().date()  # later than was planned
    execute(world, payment_id)
    world.settle(days=2)
    return world, bill_id, payment_id


# Executed


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_pending_payment_of_a_closed_month_is_executed_by_an_entry(trouble: str) -> None:
    world, bill_id, payment_id = executed_in_closed_month(trouble)
    [posted], [entry] = postings(world, bill_id), journal(world)
    assert (posted["DocNumber"][:4], posted["TxnDate"][:7], posted["SyncToken"]) == ("PND-", "2026-03", "0")
    assert sides(world, entry) == MOVED_TO
    assert [line["Amount"] for line in entry["Line"]] == [posted["TotalAmt"]] * 2
    assert entry["TxnDate"] == str(world.network.payments[payment_id]["payment_date"])[:10]
    assert f"reference {world.network.payments[payment_id]['check_number']};" in entry["PrivateNote"]
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    assert of_payment(payment_id).target_id == f"{posted['Id']}+JournalEntry-{entry['Id']}"
    world.settle(days=3)
    assert len(journal(world)) == 1
    assert (of_bill().state, balance(world, bill_id)) == (State.SYNCED, "0.00")
    assert_at_rest()


def test_an_entry_that_cannot_be_read_after_it_was_made_is_looked_up_before_the_payment_settles_other_bills() -> None:
    world, bill_id, payment_id = with_posting()
    enter_bill(world, str(world.company.bills[bill_id]["VendorRef"]["value"]), "120.50", "INV-2")
    close_march(world)
    second = approve(world, "INV-2")

    def made_and_then_down(request: Request, proceed: Callable[[], Response]) -> Response:
        world.quickbooks.refuse("GET /query", Response(status=503, body=b"down"), times=3)
        return proceed()

    world.quickbooks.fault(ENTRY_POST, made_and_then_down)
    world.network.payments[payment_id]["payment_date"] = world.clock.now().date()
    execute(world, payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    deliver(world, "payment")
    assert (len(journal(world)), of_payment(payment_id).state) == (1, State.IN_DOUBT)
    world.person(world.avidxchange, "change_applications", payment_id=payment_id, invoices={second: None})
    world.settle(days=2)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "applications_changed")
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]


def test_what_becomes_known_later_of_such_a_payment_is_said_in_the_memo_of_its_entry() -> None:
    world, _, payment_id = executed_in_closed_month()
    execute(world, payment_id, to="cleared")
    world.settle(days=2)
    [entry] = journal(world)
    assert f"cleared {world.network.payments[payment_id]['cleared_date'].isoformat()}" in entry["PrivateNote"]
    assert_at_rest()


@pytest.mark.parametrize("match", [PAYMENT_POST, ENTRY_POST])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_once_the_books_are_open_a_reversal_takes_back_the_payment_and_its_entry(trouble: str, match: str) -> None:
    world, bill_id, payment_id = executed_in_closed_month()
    world.person(world.quickbooks, "close_books", through=None)
    trouble_over(world, trouble, match)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert (postings(world, bill_id), journal(world), balance(world, bill_id)) == ([], [], "120.50")
    assert money(world, "Checking", "Payments in transit") == [0, 0]
    assert_at_rest()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_entry_of_a_payment_that_somebody_has_deleted_is_taken_back(trouble: str) -> None:
    world, bill_id, payment_id = executed_in_closed_month()
    world.person(world.quickbooks, "close_books", through=None)
    [posted] = postings(world, bill_id)
    world.person(world.quickbooks, "delete_payment", payment_id=posted["Id"])
    world.settle(days=1)
    trouble_over(world, trouble, ENTRY_POST)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert not journal(world)
    assert money(world, "Checking", "Payments in transit") == [0, 0]
    assert of_payment(payment_id).state == State.SYNCED
    assert_at_rest()


def test_a_payment_is_not_posted_anew_while_an_entry_of_it_stands() -> None:
    world, bill_id, payment_id = executed_in_closed_month()
    world.person(world.quickbooks, "close_books", through=None)
    [posted], [entry] = postings(world, bill_id), journal(world)
    world.person(world.quickbooks, "void_payment", payment_id=posted["Id"])
    world.settle(days=1)
    with pytest.raises(ValidationError, match=f"JournalEntry-{entry['Id']}, which we posted, stands in the ERP"):
        post_anyway(world, payment_id)
    world.person(world.quickbooks, "delete", entity="JournalEntry", identity=entry["Id"])
    world.settle(days=1)
    post_anyway(world, payment_id)
    world.settle(days=2)
    assert (len(postings(world, bill_id)), journal(world)) == (1, [])
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    assert_at_rest()


def lines_of(world: World, amount: str = "", credit: str = "") -> list[dict[str, Any]]:
    """The lines of the one entry that there is, with another amount or credited account."""
    lines: list[dict[str, Any]] = deepcopy(journal(world)[0]["Line"])
    for line in lines:
        line["Amount"] = Decimal(amount or line["Amount"])
        if credit and line["JournalEntryLineDetail"]["PostingType"] == "Credit":
            line["JournalEntryLineDetail"]["AccountRef"] = {"value": bank(world, credit)}
    return lines


def assert_held_as_gone(world: World, payment_id: str) -> None:
    """Somebody is told, and nothing is written, whatever becomes known later."""
    before = (world.company.bill_payments, journal(world))
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "posting_gone")
    world.settle(days=1)
    assert (world.company.bill_payments, journal(world)) == before


@pytest.mark.parametrize(
    "changes", [{"amount": "100.00"}, {"credit": "Savings"}, {"memo": "checked by Pat"}], ids=lambda one: str(*one)
)
def test_an_entry_that_somebody_has_changed_is_told_at_once(changes: dict[str, str]) -> None:
    world, _, payment_id = executed_in_closed_month()
    memo = changes.pop("memo", "")
    edit(world, **({"PrivateNote": memo} if memo else {"Line": lines_of(world, **changes)}))
    assert_held_as_gone(world, payment_id)
    execute(world, payment_id, to="cleared")
    assert_held_as_gone(world, payment_id)


def test_an_entry_whose_memo_says_more_is_left_as_it_is() -> None:
    world, _, _ = executed_in_closed_month()
    edit(world, PrivateNote=f"seen by Pat. {journal(world)[0]['PrivateNote']}")
    world.settle(days=2)
    [entry] = journal(world)
    assert entry["PrivateNote"].startswith("seen by Pat. ml-connector:")
    assert_at_rest()


def test_an_entry_that_somebody_has_deleted_is_told_at_once() -> None:
    world, _, payment_id = executed_in_closed_month()
    world.person(world.quickbooks, "delete", entity="JournalEntry", identity=journal(world)[0]["Id"])
    assert_held_as_gone(world, payment_id)


@pytest.mark.parametrize("to", ["deleted", "changed"])
def test_an_entry_that_took_a_payment_back_and_is_no_longer_what_we_posted_is_told_at_once(to: str) -> None:
    world, _, payment_id = taken_back_after_the_close()
    if to == "deleted":
        world.person(world.quickbooks, "delete", entity="JournalEntry", identity=journal(world)[0]["Id"])
    else:
        edit(world, Line=lines_of(world, amount="100.00"))
    assert_held_as_gone(world, payment_id)


def test_a_payment_whose_own_day_is_closed_too_follows_the_policy_for_closed_periods() -> None:
    world, _, payment_id = with_posting()
    close_march(world)
    execute(world, payment_id)
    world.settle(days=1)
    assert (of_payment(payment_id).code, journal(world)) == ("period_closed", [])
    decide(world, "closed_period", "first_open_day")
    world.settle(days=1)
    [entry] = journal(world)
    paid = str(world.network.payments[payment_id]["payment_date"])[:10]
    assert (entry["TxnDate"], f"; paid {paid};" in entry["PrivateNote"]) == ("2026-04-01", True)
    assert_at_rest()


def edit(world: World, **changes: object) -> None:
    """A bookkeeper changes the one entry that there is."""
    [entry] = journal(world)
    world.person(world.quickbooks, "edit", entity="JournalEntry", identity=entry["Id"], changes=changes)


def test_an_entry_that_a_bookkeeper_has_renumbered_is_still_the_one_and_moves_its_money_once() -> None:
    world, _, payment_id = executed_in_closed_month()
    edit(world, DocNumber="AJE-17")
    execute(world, payment_id, to="cleared")
    world.settle(days=2)
    [entry] = journal(world)
    assert "cleared " in entry["PrivateNote"]
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    assert_at_rest()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_entry_that_a_bookkeeper_has_renumbered_is_taken_back_with_its_payment(trouble: str) -> None:
    world, bill_id, payment_id = executed_in_closed_month()
    edit(world, DocNumber="AJE-17")
    world.person(world.quickbooks, "close_books", through=None)
    trouble_over(world, trouble, PAYMENT_POST)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert (postings(world, bill_id), journal(world), balance(world, bill_id)) == ([], [], "120.50")
    assert_at_rest()


@pytest.mark.parametrize("to", ["cleared", "stopped"])
def test_an_entry_whose_memo_was_overwritten_is_no_longer_ours_and_nothing_is_written(to: str) -> None:
    world, bill_id, payment_id = executed_in_closed_month()
    edit(world, PrivateNote="checked by Pat", DocNumber="AJE-17")
    before = (postings(world, bill_id), journal(world))
    if to == "cleared":
        execute(world, payment_id, to=to)
    else:
        world.person(world.quickbooks, "close_books", through=None)
        world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "posting_gone")
    assert (postings(world, bill_id), journal(world)) == before


# Taken back


def taken_back_after_the_close(trouble: str = "none", *, by_entry: bool = True) -> tuple[World, str, str]:
    """A world in which a payment of March is stopped in April, with March closed."""
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    decide(world, "reversal_entry", by_entry)
    close_march(world)
    trouble_over(world, trouble, ENTRY_POST)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    return world, bill_id, payment_id


def test_a_void_after_the_close_is_held_until_finance_chooses_an_entry() -> None:
    world, bill_id, payment_id = taken_back_after_the_close(by_entry=False)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "reversal_refused")
    assert (len(postings(world, bill_id)), journal(world)) == (1, [])
    decide(world, "reversal_entry", True)
    world.settle(days=1)
    assert len(journal(world)) == 1
    assert_at_rest()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_void_after_the_close_is_an_entry_on_the_first_open_day_and_the_reissue_settles_it(trouble: str) -> None:
    world, bill_id, payment_id = taken_back_after_the_close(trouble)
    [posted], [entry] = postings(world, bill_id), journal(world)
    assert sides(world, entry) == {"Debit": "Payments in transit", "Credit": "Accounts Payable (A/P)"}
    assert (entry["TxnDate"], entry["Line"][1]["Description"]) == ("2026-04-01", "Bill INV-1")
    owed_to = entry["Line"][1]["JournalEntryLineDetail"]["Entity"]["EntityRef"]["value"]
    assert owed_to == world.company.bills[bill_id]["VendorRef"]["value"]
    assert money(world, "Checking", "Payments in transit") == [-PAID, PAID]
    assert_at_rest()
    trouble_over(world, trouble, PAYMENT_POST)
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    execute(world, again, to="cleared")
    world.settle(days=2)
    [new] = [one for one in world.company.bill_payments.values() if one["Id"] != posted["Id"]]
    assert applied(new) == {("JournalEntry", entry["Id"]): posted["TotalAmt"]}
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    world.settle(days=3)
    assert (len(journal(world)), len(world.company.bill_payments), of_bill().state) == (1, 2, State.SYNCED)
    assert_at_rest()


def test_a_reissue_is_paid_out_of_the_account_to_which_the_money_was_taken_back() -> None:
    world, _, payment_id = taken_back_after_the_close()
    other = world.person(world.quickbooks, "create_account", name="Transit 2", account_type="Bank")["Id"]
    world.settle(days=1)
    services.set_mapping(
        integration=world.integration,
        subject="in_transit",
        source="*",
        target=other,
        by="Ann",
        why="a new account",
        now=world.clock.now(),
    )
    execute(world, world.person(world.avidxchange, "reissue_payment", payment_id=payment_id))
    world.settle(days=2)
    assert money(world, "Checking", "Payments in transit", "Transit 2") == [-PAID, 0, 0]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_once_it_is_refunded_the_money_is_on_the_bank_account_again(trouble: str) -> None:
    world, _, payment_id = taken_back_after_the_close()
    trouble_over(world, trouble, ENTRY_POST)
    refund(world, payment_id)
    assert_money_is_back(world)
    assert of_payment(payment_id).taken_back == ""


def assert_money_is_back(world: World) -> None:
    """What was taken back lies on the bank account, and its vendor is owed on the one entry."""
    assert [sides(world, entry)["Debit"] for entry in journal(world)] == ["Checking"]
    assert money(world, "Checking", "Payments in transit") == [0, 0]
    assert_at_rest()


def refund(world: World, payment_id: str) -> None:
    """The money of a payment goes back to the payer."""
    world.person(world.avidxchange, "refund_payment", payment_id=payment_id)
    world.settle(days=2)


@pytest.mark.parametrize("match", [PAYMENT_POST, ENTRY_POST])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_money_of_a_reissue_that_is_refunded_is_on_the_bank_account_again(trouble: str, match: str) -> None:
    world, _, payment_id = taken_back_after_the_close()
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    execute(world, again)
    world.settle(days=2)
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    trouble_over(world, trouble, match)
    refund(world, again)
    assert_money_is_back(world)
    world.settle(days=3)
    assert_money_is_back(world)


def test_the_money_of_a_reissue_that_is_refunded_before_it_was_posted_is_on_the_bank_account_again() -> None:
    world, _, payment_id = taken_back_after_the_close()
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    execute(world, again)
    refund(world, again)
    assert len(world.company.bill_payments) == 1
    assert_money_is_back(world)


def test_the_money_of_the_second_reissue_that_is_refunded_is_on_the_bank_account_again() -> None:
    world, _, first = taken_back_after_the_close()
    second = world.person(world.avidxchange, "reissue_payment", payment_id=first)
    execute(world, second)
    world.settle(days=2)
    third = world.person(world.avidxchange, "reissue_payment", payment_id=second)
    execute(world, third)
    world.settle(days=2)
    refund(world, third)
    assert_money_is_back(world)


def reissued_in_may() -> tuple[World, str, str]:
    """A world in which what was taken back by an entry in April is paid anew in May, with April closed."""
    world, _, payment_id = taken_back_after_the_close()
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    may = datetime.fromisoformat("2026-05-04T14:00:00+00:00")
    world.clock.advance(may - world.clock.now())
    world.network.payments[again]["payment_date"] = world.clock.now().date()
    execute(world, again)
    world.settle(days=2)
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    world.person(world.quickbooks, "close_books", through="2026-04-30")
    return world, payment_id, again


def test_a_refund_that_the_books_of_the_entry_do_not_take_any_more_is_told_until_they_do() -> None:
    world, payment_id, again = reissued_in_may()
    refund(world, again)
    row = of_payment(payment_id)
    assert (row.state, row.code, of_payment(again).state) == (State.HELD, "refund_refused", State.SYNCED)
    assert money(world, "Checking", "Payments in transit") == [-PAID, PAID]
    world.person(world.quickbooks, "close_books", through=None)
    services.replay(sync_record=row, by="Ann", why="the books are open", now=world.clock.now())
    world.settle(days=1)
    assert_money_is_back(world)


def test_nothing_is_refunded_while_the_posting_of_the_reissue_stands() -> None:
    world, payment_id, again = reissued_in_may()
    world.person(world.quickbooks, "close_books", through="2026-05-31")
    refund(world, again)
    assert (of_payment(again).state, of_payment(payment_id).state) == (State.HELD, State.WAITING)
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    world.person(world.quickbooks, "close_books", through=None)
    services.replay(sync_record=of_payment(again), by="Ann", why="the books are open", now=world.clock.now())
    world.settle(days=1)
    assert_money_is_back(world)


def test_a_reissue_that_is_voided_too_owes_the_entry_again_and_the_next_one_settles_it() -> None:
    world, _, payment_id = taken_back_after_the_close()
    second = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    execute(world, second)
    world.settle(days=2)
    world.person(world.avidxchange, "stop_payment", payment_id=second)
    world.settle(days=2)
    third = world.person(world.avidxchange, "reissue_payment", payment_id=second)
    execute(world, third)
    world.settle(days=2)
    living = [one for one in world.company.bill_payments.values() if one["Line"]]
    assert [kind for one in living for kind, _ in applied(one)] == ["Bill", "JournalEntry"]
    assert money(world, "Checking", "Payments in transit") == [-PAID, 0]
    assert_at_rest()


def test_a_reissue_that_is_due_together_with_the_payment_that_it_replaces_still_settles_its_entry() -> None:
    world, _, payment_id = taken_back_after_the_close()
    again = world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    execute(world, again)
    world.settle(days=2)
    execute(world, again, to="cleared")
    edit(world, PrivateNote=f"seen by Pat. {journal(world)[0]['PrivateNote']}")
    for provider in ("quickbooks", "avidxchange"):
        world.clock.advance(timedelta(minutes=10))
        read(world, provider)
    assert {of_payment(one).state for one in (payment_id, again)} == {State.PENDING}
    deliver(world, "payment")
    [cleared] = [one for one in world.company.bill_payments.values() if "; cleared " in one["PrivateNote"]]
    assert [kind for kind, _ in applied(cleared)] == ["JournalEntry"]
    assert_at_rest()


FORGOTTEN = {"state": "pending", "target_version": "", "settled": 0, "settled_fingerprint": ""}


@pytest.mark.parametrize("by_entry", [executed_in_closed_month, taken_back_after_the_close])
@pytest.mark.parametrize("knows_the_posting", [True, False])
def test_a_restored_backup_finds_the_entry_though_the_books_are_open_again(
    by_entry: Callable[[], tuple[World, str, str]], knows_the_posting: bool
) -> None:
    world, _, payment_id = by_entry()
    known = of_payment(payment_id)
    before = [(one["Id"], one["SyncToken"]) for one in (*world.company.bill_payments.values(), *journal(world))]
    world.person(world.quickbooks, "close_books", through=None)
    left = known.target_id.partition("+")[0] if knows_the_posting else ""
    SyncRecord.objects.filter(pk=known.pk).update(**FORGOTTEN, target_id=left, next_attempt_at=world.clock.now())
    deliver(world, "payment")
    world.settle(days=2)
    after = [(one["Id"], one["SyncToken"]) for one in (*world.company.bill_payments.values(), *journal(world))]
    assert (after, of_payment(payment_id).target_id) == (before, known.target_id)
    assert_at_rest()


@pytest.mark.parametrize("step", ["claimed", "postings fetched", "sent"])
def test_a_worker_killed_over_an_entry_leaves_it_once(step: str) -> None:
    world, bill_id, payment_id = with_posting()
    close_march(world)
    world.network.payments[payment_id]["payment_date"] = world.clock.now().date()
    execute(world, payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    run_until(worker(world, "payment"), step)
    world.settle(days=2)
    assert (len(journal(world)), len(postings(world, bill_id))) == (1, 1)
    assert_at_rest()


def test_our_entries_are_known_as_ours_when_they_are_read() -> None:
    world, _, payment_id = taken_back_after_the_close()
    [row] = RemoteRecord.objects.filter(kind="ledger_entry", connection=world.integration.erp)
    assert row.key == f"{of_payment(payment_id).record_key}/reversal"
    assert open_problems() == []
