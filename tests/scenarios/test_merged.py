"""Vendors and others of a list are merged in QuickBooks while their bills are in approval or being paid."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.conversation import finish
from connectors.quickbooks.simulator_switches import Switches
from connectors.records import Kind
from syncs import services
from syncs.models import RemoteRecord, SyncRecord
from syncs.states import State
from tests.payables import (
    approve,
    attempts,
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
    with_posting,
    worker,
)
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import account_line, assert_at_rest, edit, enter, key_of, open_books, value
from tests.simulation.world import World, bank, begin

pytestmark = pytest.mark.django_db
NIGHT = timedelta(days=1, hours=1)
SHOWN = pytest.mark.parametrize(
    "switches",
    [
        Switches(),
        Switches(merged_vendor_disappears=True),
        Switches(merge_touches_transactions=False),
        Switches(merged_vendor_disappears=True, merge_touches_transactions=False),
    ],
    ids=["inactive", "gone", "versions stay", "gone, versions stay"],
)


def with_two_vendors(switches: Switches | None = None, **options: Any) -> tuple[World, str, str, str]:
    """A world with a bill of the second of two vendors, which is at the network: world, both vendors, the bill."""
    world = begin(**options)
    world.quickbooks.switches = switches or Switches()
    survivor, loser = enter_vendor(world, "Acme Paper"), enter_vendor(world, "Acme Paper Inc")
    bill_id = enter_bill(world, loser)
    world.settle(days=1)
    return world, survivor, loser, bill_id


def merge(world: World, survivor: str, loser: str) -> None:
    """A clerk merges the two, and all that shows of it has been seen by the next day."""
    world.person(world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
    world.settle(days=1)
    world.clock.advance(NIGHT)
    world.settle(days=1)


def assert_paid_once(world: World, bill_id: str, vendor_id: str) -> None:
    """The bill is settled by one payment to this vendor out of the bank, and nobody has anything to clear."""
    [posted] = postings(world, bill_id)
    account = world.company.accounts[posted["CheckPayment"]["BankAccountRef"]["value"]]
    assert (posted["VendorRef"]["value"], account["Name"]) == (vendor_id, "Checking")
    assert (str(posted["TotalAmt"]), balance(world, bill_id)) == ("120.50", "0.00")
    assert len(world.company.bill_payments) == 1
    assert_at_rest()


@SHOWN
def test_vendors_merged_after_approval_leave_the_invoice_with_the_payee_that_the_network_pays(
    switches: Switches,
) -> None:
    world, survivor, loser, bill_id = with_two_vendors(switches)
    invoice_id = approve(world)
    merge(world, survivor, loser)
    there = invoice(world)
    assert (there["workflow_status"], there["vendor_external_id"]) == ("approved", key_of(Kind.VENDOR, loser))
    assert_at_rest()
    payment_id = str(world.person(world.avidxchange, "pay", invoices={invoice_id: None}))
    world.settle(days=1)
    execute(world, payment_id, "cleared")
    world.settle(days=1)
    assert_paid_once(world, bill_id, survivor)
    assert len(world.network.invoices) == 1


@SHOWN
def test_vendors_merged_while_their_payment_is_pending_do_not_keep_it_from_being_posted(switches: Switches) -> None:
    world, survivor, loser, bill_id = with_two_vendors(switches)
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    merge(world, survivor, loser)
    assert_at_rest()
    execute(world, payment_id, "cleared")
    world.settle(days=1)
    assert_paid_once(world, bill_id, survivor)


@SHOWN
def test_vendors_merged_after_the_posting_do_not_keep_the_cleared_date_from_it(switches: Switches) -> None:
    world, survivor, loser, bill_id = with_two_vendors(switches)
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.settle(days=1)
    before = postings(world, bill_id)[0]["PrivateNote"]
    merge(world, survivor, loser)
    execute(world, payment_id, "cleared")
    world.settle(days=1)
    assert_paid_once(world, bill_id, survivor)
    assert postings(world, bill_id)[0]["PrivateNote"] != before


@SHOWN
def test_vendors_merged_in_the_hour_of_their_payment_are_paid_once(switches: Switches) -> None:
    world, survivor, loser, bill_id = with_two_vendors(switches)
    execute(world, release(world, "INV-1"), "cleared")
    world.person(world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
    world.settle(days=1)
    world.clock.advance(NIGHT)
    world.settle(days=1)
    assert_paid_once(world, bill_id, survivor)


def test_a_payment_taken_back_after_its_vendor_was_merged_away_is_voided() -> None:
    world, survivor, loser, bill_id = with_two_vendors()
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.settle(days=1)
    merge(world, survivor, loser)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert balance(world, bill_id) == "120.50"


def test_a_vendor_that_was_merged_away_twice_is_paid_as_who_is_left() -> None:
    world, survivor, loser, bill_id = with_two_vendors()
    third = enter_vendor(world, "Acme")
    payment_id = release(world, "INV-1")
    merge(world, survivor, loser)
    merge(world, third, survivor)
    execute(world, payment_id, "cleared")
    world.settle(days=1)
    assert_paid_once(world, bill_id, third)


def test_a_bill_that_was_given_to_another_vendor_by_hand_is_never_posted_for_whom_the_network_did_not_pay() -> None:
    world, other, vendor, bill_id = with_two_vendors()
    payment_id = release(world, "INV-1")
    execute(world, payment_id, "cleared")
    edit(world, "Bill", bill_id, VendorRef=value(other))
    world.settle(days=1)
    assert postings(world, bill_id) == []
    held = of_payment(payment_id)
    assert (held.state, held.code) == (State.HELD, "payee_differs")
    assert "Acme Paper Inc" in held.reason
    assert "Acme Paper " in held.reason.replace("Acme Paper Inc", "")


def test_a_bill_given_to_another_vendor_after_approval_is_withdrawn() -> None:
    world, other, _, _ = with_two_vendors()
    bill_id = next(iter(world.company.bills))
    approve(world)
    edit(world, "Bill", bill_id, VendorRef=value(other))
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert of_bill().code == "withdrawn_open"


def test_a_bill_given_to_another_vendor_whose_own_is_made_inactive_later_is_a_persons_matter() -> None:
    world, other, vendor, bill_id = with_two_vendors()
    approve(world)
    edit(world, "Bill", bill_id, VendorRef=value(other))
    world.clock.advance(timedelta(minutes=3))
    world.person(world.quickbooks, "deactivate", entity="Vendor", identity=vendor)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "approved"
    assert (of_bill().state, of_bill().code) == (State.HELD, "perhaps_merged")
    assert "Acme Paper Inc" in of_bill().reason
    assert of_bill().problem in open_problems()


def test_a_vendor_whom_nobody_proved_to_be_the_payee_is_posted_no_payment_until_a_person_says_so() -> None:
    world, other, vendor, bill_id = with_two_vendors()
    payment_id = release(world, "INV-1")
    edit(world, "Bill", bill_id, VendorRef=value(other))
    world.clock.advance(timedelta(minutes=3))
    world.person(world.quickbooks, "deactivate", entity="Vendor", identity=vendor)
    execute(world, payment_id, "cleared")
    world.settle(days=1)
    assert (postings(world, bill_id), of_bill().code) == ([], "perhaps_merged")
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "payee_differs")
    services.ignore(sync_record=of_bill(), by="Ann", why="they were merged", now=world.clock.now())
    services.replay(sync_record=of_payment(payment_id), by="Ann", why="they were merged", now=world.clock.now())
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert posted["VendorRef"]["value"] == other


def test_a_bill_changed_otherwise_after_its_vendor_was_merged_away_is_withdrawn() -> None:
    world, survivor, loser, bill_id = with_two_vendors()
    approve(world)
    merge(world, survivor, loser)
    edit(world, "Bill", bill_id, Line=[account_line("150.00")])
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"


@everything
def test_an_account_a_class_and_a_department_merged_after_approval_leave_the_invoice_there(profile: str) -> None:
    world, books = open_books(profile)
    account = enter(world, "Account", Name="Freight in", AccountType="Expense")
    trade, department = enter(world, "Class", Name="Trade"), enter(world, "Department", Name="Berlin Mitte")
    line = account_line("120.50", account, trade)
    enter(
        world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-1", Line=[line], DepartmentRef=value(department)
    )  # fmt: skip
    world.settle(days=1)
    approve(world)
    for entity, survivor, loser in (
        ("Account", books.freight, account),
        ("Class", books.trade, trade),
        ("Department", books.department, department),
    ):
        world.person(world.quickbooks, "merge", entity=entity, survivor_id=survivor, loser_id=loser)
        world.settle(days=1)
    assert invoice(world)["workflow_status"] == "approved"
    assert_at_rest()
    enter(world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-2", Line=[account_line("5.00", books.freight)])
    world.settle(days=1)
    assert invoice(world, "INV-2")["lines"][0]["gl_account_external_id"] == key_of(Kind.ACCOUNT, books.freight)


def test_nothing_is_sent_for_a_merge_that_the_network_need_not_know() -> None:
    world, survivor, loser, _ = with_two_vendors()
    approve(world)
    merge(world, survivor, loser)
    tries = len(attempts(of_bill()))
    world.clock.advance(NIGHT)
    world.settle(days=1)
    assert len(attempts(of_bill())) == tries
    assert not SyncRecord.objects.filter(state=State.HELD).exists()
    assert RemoteRecord.objects.filter(kind="vendor", gone="").exists()


@pytest.mark.parametrize("step", ["claimed", "bills fetched", "payments on the bills fetched"])
@pytest.mark.parametrize("first", ["pending", "nothing"])
def test_vendors_merged_in_the_middle_of_a_posting_are_paid_once(step: str, first: str) -> None:
    world, survivor, loser, bill_id = with_two_vendors()
    payment_id = release(world, "INV-1")
    if first == "pending":
        world.settle(days=1)
        step = "claimed" if step == "claimed" else "postings fetched"
    execute(world, payment_id, "cleared")
    read(world, "avidxchange")
    world.clock.advance(timedelta(minutes=20))
    read(world, "avidxchange")
    steps = worker(world, "payment")
    run_until(steps, step)
    world.person(world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
    finish(steps)
    world.settle(days=1)
    assert_paid_once(world, bill_id, survivor)


def test_a_bill_that_is_paid_by_hand_while_its_merge_is_looked_at_is_stopped() -> None:
    world, survivor, loser, bill_id = with_two_vendors()
    approve(world)
    world.person(world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
    world.clock.advance(timedelta(minutes=10))
    read(world)
    deliver(world, "vendor")
    run_until(worker(world, "bill"), "settled")
    assert of_bill().code == "bill_locked"
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    read(world)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert_at_rest()


# The accounts that payments are posted to.


def merge_banks(world: World, survivor: str, loser: str) -> None:
    """A clerk merges two bank accounts, and what shows of it has been seen by the next day."""
    ids = {"survivor_id": bank(world, survivor), "loser_id": bank(world, loser)}
    world.person(world.quickbooks, "merge", entity="Account", **ids)
    world.settle(days=1)


def map_to(world: World, subject: str, name: str) -> None:
    """Finance maps another account."""
    services.set_mapping(
        integration=world.integration, subject=subject, source="*", target=bank(world, name), by="Ann",
        why="they were merged", now=world.clock.now(),
    )  # fmt: skip


MAPPED = pytest.mark.parametrize(
    ("name", "subject"), [("Checking", "funding_account"), ("Payments in transit", "in_transit")]
)


@MAPPED
def test_payments_go_to_the_account_into_which_a_mapped_one_is_said_to_be_merged(name: str, subject: str) -> None:
    world, bill_id, payment_id = with_posting()
    loser, survivor = bank(world, name), bank(world, "Other")
    merge_banks(world, "Other", name)
    RemoteRecord.objects.filter(kind="account", remote_id=loser).update(merged_into=survivor)  # as a webhook does
    execute(world, payment_id)
    enter_bill(world, str(world.company.bills[bill_id]["VendorRef"]["value"]), "50.00", "INV-2")
    world.settle(days=1)
    second = release(world, "INV-2")
    world.settle(days=1)
    [executed] = postings(world, bill_id)
    pending = world.company.bill_payments[of_payment(second).target_id]
    on = {"funding_account": executed, "in_transit": pending}[subject]
    assert on["CheckPayment"]["BankAccountRef"]["value"] == survivor
    assert (executed["DocNumber"][:4] != "PND-", pending["DocNumber"][:4]) == (True, "PND-")
    assert_at_rest()


@MAPPED
def test_a_mapped_account_that_is_no_more_is_one_problem_that_says_which_mapping_to_change(
    name: str, subject: str
) -> None:
    world, bill_id, payment_id = with_posting()
    merge_banks(world, "Other", name)
    execute(world, payment_id)
    enter_bill(world, str(world.company.bills[bill_id]["VendorRef"]["value"]), "50.00", "INV-2")
    world.settle(days=1)
    second = release(world, "INV-2")
    if subject == "funding_account":
        execute(world, second)
    world.settle(days=1)
    [problem] = open_problems()
    assert problem.code == f"unmapped_{subject}"
    assert f"{name}, which is mapped for payments" in problem.cause
    assert of_payment(second).state == State.HELD
    map_to(world, subject, "Other")
    world.settle(days=1)
    assert balance(world, bill_id) == "0.00"
    assert of_payment(second).state == State.SYNCED
    assert_at_rest()


@SHOWN
def test_what_is_executed_stays_on_the_account_into_which_its_own_was_merged(switches: Switches) -> None:
    world, bill_id, payment_id = with_posting()
    world.quickbooks.switches = switches
    execute(world, payment_id)
    world.settle(days=1)
    survivor = bank(world, "Other")
    merge_banks(world, "Other", "Checking")
    assert of_payment(payment_id).state == State.SYNCED
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posting] = postings(world, bill_id)
    assert posting["CheckPayment"]["BankAccountRef"]["value"] == survivor
    assert "; cleared " in posting["PrivateNote"]
    assert_at_rest()
