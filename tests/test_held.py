"""What is held says why and how much money it keeps back, goes when its cause is gone, and neighbours go on."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from connectors.quickbooks.simulator_people import expense_line
from syncs import services
from syncs.models import Mapping, Problem, RemoteRecord, SyncRecord
from syncs.states import State
from tests.payables import (
    approve,
    attempts,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    open_problems,
    postings,
    release,
    verbs,
    with_bill,
    with_payment,
    with_posting,
)
from tests.simulation.world import bank, begin

pytestmark = pytest.mark.django_db
WHO = {"by": "olivia", "why": "agreed with the bank"}


def held(record: SyncRecord) -> tuple[str, str]:
    assert record.state == State.HELD, f"{record}: {record.reason}"
    assert record.problem is not None
    assert record.problem.resolved_at is None
    return record.code, record.reason


# Held.


def test_one_bad_bill_of_a_batch_does_not_hold_up_its_neighbours() -> None:
    world = begin()
    vendor = enter_vendor(world)
    for number in ("INV-1", "INV-2", "INV-3"):
        enter_bill(world, vendor, number=number)
    enter_bill(world, vendor, "55.00", number="")
    world.settle(days=1)
    assert {of_bill(number).state for number in ("INV-1", "INV-2", "INV-3")} == {State.SYNCED}
    code, reason = held(of_bill(""))
    assert code == "field_missing"
    assert "number" in reason
    assert len(world.network.invoices) == 3


def test_a_bill_that_the_network_refuses_is_held_with_its_words_and_goes_when_it_is_corrected() -> None:
    world = begin()
    vendor = enter_vendor(world)
    first = enter_bill(world, vendor, "10.00", number="SAME")
    second = enter_bill(world, vendor, "20.00", number="SAME")
    world.settle(days=1)
    states = {record.remote_record.remote_id: record for record in SyncRecord.objects.filter(stream__kind="bill")}
    assert {states[first].state, states[second].state} == {State.SYNCED, State.HELD}
    refused = first if states[first].state == State.HELD else second
    assert states[refused].code == "bill_duplicate"
    edit_bill(world, refused, DocNumber="OTHER")
    world.settle(days=1)
    assert of_bill("OTHER").state == State.SYNCED
    assert open_problems() == []


def test_a_payment_without_a_mapped_bank_account_is_held_with_its_name_and_released_by_the_mapping() -> None:
    world, bill_id, payment_id = with_payment()
    Mapping.objects.filter(subject="funding_account").delete()
    execute(world, payment_id)
    world.settle(days=1)
    code, reason = held(of_payment(payment_id))
    assert code == "unmapped_funding_account"
    assert "payments by check" in reason
    [problem] = open_problems()
    assert (problem.records, problem.money) == (1, {"USD": 12050})
    assert postings(world, bill_id) == []
    services.set_mapping(
        integration=world.integration, subject="funding_account", source="check", target=bank(world, "Checking"),
        by="olivia", why="our main account", now=world.clock.now(),
    )  # fmt: skip
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert posted["CheckPayment"]["BankAccountRef"]["value"] == bank(world, "Checking")
    assert open_problems() == []


def test_records_held_for_one_cause_share_one_problem_and_it_counts_them_down() -> None:
    world = begin()
    vendor = enter_vendor(world)
    payments = []
    for number, amount in (("INV-1", "100.00"), ("INV-2", "23.45")):
        enter_bill(world, vendor, amount, number)
    world.settle(days=1)
    Mapping.objects.filter(subject="funding_account").delete()
    for number in ("INV-1", "INV-2"):
        payments.append(release(world, number))
        execute(world, payments[-1])
    world.settle(days=1)
    [problem] = open_problems()
    assert (problem.code, problem.records, problem.money) == ("unmapped_funding_account", 2, {"USD": 12345})
    world.settle(days=1)
    assert len(open_problems()) == Problem.objects.count() == 1
    assert Event.objects.filter(verb="problem_opened").count() == 1
    services.ignore(sync_record=of_payment(payments[0]), by="olivia", why="entered by hand", now=world.clock.now())
    [problem] = open_problems()
    assert (problem.records, problem.money) == (1, {"USD": 2345})


def test_a_payment_whose_posting_stands_is_not_ignored_for_good_but_left_as_it_is_until_something_changes() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.quickbooks, "close_books", through=postings(world, bill_id)[0]["TxnDate"])
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert of_payment(payment_id).state == State.HELD
    with pytest.raises(ValidationError, match="stands in the ERP"):
        services.ignore(sync_record=of_payment(payment_id), now=world.clock.now(), **WHO)
    [problem] = open_problems()
    services.leave(problem=problem, now=world.clock.now(), **WHO)
    RemoteRecord.objects.filter(kind="payment", key=of_payment(payment_id).record_key).update(status="reversed")
    services.ignore(sync_record=of_payment(payment_id), now=world.clock.now(), **WHO)
    assert of_payment(payment_id).state == State.IGNORED


def test_a_bill_in_euro_is_out_of_scope_by_a_stated_rule_and_is_no_problem() -> None:
    world = begin()
    world.company.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"] = True
    world.person(world.quickbooks, "set_exchange_rate", currency="EUR", rate="1.10")
    vendor = enter_vendor(world, CurrencyRef={"value": "EUR"})
    enter_bill(world, vendor, CurrencyRef={"value": "EUR"})
    world.settle(days=1)
    bill = of_bill()
    assert (bill.state, bill.code) == (State.OUT_OF_SCOPE, "currency_not_paid")
    assert "120.50 EUR" in bill.reason
    assert (bill.remote_record.amount_minor, bill.remote_record.currency) == (12050, "EUR")
    assert open_problems() == []
    assert not world.network.invoices


def test_a_bill_whose_lines_do_not_tie_is_held_with_both_figures_until_it_is_corrected() -> None:
    world = begin()
    bill_id = enter_bill(world, enter_vendor(world))
    world.company.bills[bill_id] |= {"TotalAmt": Decimal("130.00"), "Balance": Decimal("130.00")}
    world.settle(days=1)
    code, reason = held(of_bill())
    assert code == "bill_does_not_tie"
    assert "120.50" in reason
    assert "130.00" in reason
    edit_bill(world, bill_id, Line=[expense_line("8", "130.00")])
    world.settle(days=1)
    assert of_bill().state == State.SYNCED
    assert str(invoice(world)["amount"]) == "130.00"


def test_a_bill_partly_paid_before_it_was_sent_is_held_with_both_figures_and_goes_when_that_is_undone() -> None:
    world = begin()
    bill_id = enter_bill(world, enter_vendor(world))
    paid = world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="20.00")
    world.settle(days=1)
    code, reason = held(of_bill())
    assert code == "partly_settled"
    assert "120.50" in reason
    assert "100.50" in reason
    assert not world.network.invoices
    world.person(world.quickbooks, "void_payment", payment_id=paid["Id"])
    world.settle(days=1)
    assert of_bill().state == State.SYNCED
    assert open_problems() == []


def test_a_bill_edited_after_its_approval_is_withdrawn_and_held_for_who_enters_it_anew() -> None:
    world, bill_id = with_bill()
    approve(world)
    edit_bill(world, bill_id, DueDate="2026-05-05")
    world.settle(days=1)
    assert held(of_bill())[0] == "withdrawn_open"
    assert invoice(world)["workflow_status"] == "cancelled"


def test_a_bill_edited_while_it_is_being_paid_is_held_and_the_network_keeps_what_was_approved() -> None:
    world, bill_id, _ = with_payment()
    edit_bill(world, bill_id, DueDate="2026-05-05")
    world.settle(days=1)
    assert held(of_bill())[0] == "bill_being_paid"
    assert invoice(world)["workflow_status"] == "approved"


def test_a_replayed_record_goes_under_a_new_key_and_an_ignored_one_never_again() -> None:
    world, bill_id, _ = with_payment()
    edit_bill(world, bill_id, DueDate="2026-05-05")
    world.settle(days=1)
    first = attempts(of_bill())[-1]
    services.replay(sync_record=of_bill(), by="olivia", why="approval was taken back", now=world.clock.now())
    world.settle(days=1)
    assert attempts(of_bill())[-1].request_key != first.request_key
    services.ignore(sync_record=of_bill(), by="olivia", why="agreed with the vendor", now=world.clock.now())
    edit_bill(world, bill_id, DueDate="2026-05-06")
    count = len(attempts(of_bill()))
    world.settle(days=1)
    assert (of_bill().state, len(attempts(of_bill()))) == (State.IGNORED, count)
    assert "olivia" in of_bill().reason
    assert open_problems() == []
    assert verbs(of_bill())[-1] == "record_ignored"
