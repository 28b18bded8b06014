"""Invoices that stand still at the network are problems of accounts payable, with their money, until they move on."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.quickbooks.simulator_people import expense_line
from syncs import services
from syncs.mirror.invoices import ON_HOLD, after_business_days
from syncs.models import Problem, RemoteRecord, StoppedInvoice
from syncs.states import State
from syncs.story import Story, facts_of, tell
from tests.payables import approve, attempts, edit_bill, invoice, of_bill, open_problems, with_bill
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


def act(world: World, what: str, **more: Any) -> None:
    world.person(world.avidxchange, what, invoice_id=str(invoice(world)["id"]), **more)
    world.settle(days=1)


def in_workflow(amount: str = "120.50") -> tuple[World, str]:
    world, bill_id = with_bill(amount)
    act(world, "put_in_workflow")
    return world, bill_id


def later(world: World, **time: float) -> None:
    world.clock.advance(timedelta(**time))
    world.settle(days=1)


def test_a_rejected_invoice_is_one_problem_with_its_reason_and_what_is_open_of_its_bill() -> None:
    world, _ = in_workflow()
    act(world, "reject_invoice", reason="Wrong cost centre")
    later(world, days=3)
    [problem] = open_problems()
    assert (problem.code, problem.actor) == ("invoice_rejected", "customer AP")
    assert (problem.records, problem.money) == (1, {"USD": 12050})
    assert "Wrong cost centre" in problem.cause
    assert "INV-1" in problem.cause
    assert Problem.objects.count() == 1


def test_the_problem_closes_when_the_corrected_bill_goes_to_its_approvers_again() -> None:
    world, bill_id = in_workflow()
    act(world, "reject_invoice")
    edit_bill(world, bill_id, Line=[expense_line("8", "99.00")])
    later(world, hours=1)
    assert invoice(world)["workflow_status"] == "in_workflow"
    assert open_problems() == []
    assert not StoppedInvoice.objects.exists()


@pytest.mark.parametrize("how", ["paid", "deleted"])
def test_the_problem_closes_when_nothing_is_to_be_paid_by_the_invoice_any_more(how: str) -> None:
    world, bill_id = in_workflow()
    act(world, "reject_invoice")
    if how == "paid":
        world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    else:
        world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    later(world, hours=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert open_problems() == []


def test_an_invoice_on_hold_is_a_problem_only_when_it_has_been_so_for_the_days_of_the_policy() -> None:
    world, _ = in_workflow()
    act(world, "hold_invoice")
    later(world, days=4)
    assert open_problems() == []
    later(world, days=4)
    [problem] = open_problems()
    assert (problem.code, problem.money) == ("invoice_on_hold_long", {"USD": 12050})
    act(world, "release_invoice")
    assert open_problems() == []


def test_a_shorter_policy_is_in_force_at_once_and_a_hold_that_is_rejected_becomes_the_other_problem() -> None:
    world, _ = in_workflow()
    act(world, "hold_invoice")
    later(world, days=2)
    services.set_policy(
        integration=world.integration, key="hold_days", value=1, by="olivia", why="quick approvers",
        now=world.clock.now(),
    )  # fmt: skip
    later(world, hours=1)
    assert [one.code for one in open_problems()] == ["invoice_on_hold_long"]
    act(world, "reject_invoice", reason="Twice")
    assert [one.code for one in open_problems()] == ["invoice_rejected"]


def test_approving_after_a_hold_closes_it_and_a_second_hold_counts_from_its_own_begin() -> None:
    world, _ = in_workflow()
    act(world, "hold_invoice")
    later(world, days=9)
    act(world, "release_invoice")
    act(world, "hold_invoice")
    assert open_problems() == []
    assert StoppedInvoice.objects.get().status == ON_HOLD
    later(world, days=9)
    assert len(open_problems()) == 1
    assert Problem.objects.count() == 2


@pytest.mark.parametrize(
    ("since", "days", "until"),
    [
        ("2026-03-02", 5, "2026-03-09"),
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-03-08", 2, "2026-03-10"),
    ],
)
def test_business_days_leave_out_the_weekend(since: str, days: int, until: str) -> None:
    zone = ZoneInfo("America/New_York")
    moment = datetime.fromisoformat(f"{since}T15:00").replace(tzinfo=zone)
    assert after_business_days(moment, days, zone).date().isoformat() == until


def test_coding_by_an_approver_is_left_alone_and_never_sent_over() -> None:
    world, _ = in_workflow()
    account = next(one for one in world.network.gl_accounts.values() if one["external_id"])
    codes = {line["gl_account_external_id"] for line in invoice(world)["lines"]}
    other = next(one["external_id"] for one in world.network.gl_accounts.values() if one["external_id"] not in codes)
    count = len(attempts(of_bill()))
    act(world, "recode_line", line=0, account=other)
    later(world, days=3)
    assert account
    assert invoice(world)["lines"][0]["gl_account_external_id"] == other
    assert (len(attempts(of_bill())), of_bill().state) == (count, State.SYNCED)
    approve(world)
    later(world, days=2)
    assert invoice(world)["lines"][0]["gl_account_external_id"] == other
    assert len(attempts(of_bill())) == count


def told(world: World) -> Story:
    bill = RemoteRecord.objects.select_related("tenant", "connection__app").get(pk=of_bill().remote_record_id)
    return tell(facts_of(bill), now=world.clock.now(), address=lambda *asked: "")


def test_the_page_says_where_the_invoice_stands_since_when_why_and_how_it_came_there() -> None:
    world, _ = in_workflow()
    act(world, "hold_invoice")
    held = world.clock.now()
    later(world, days=1)
    act(world, "reject_invoice", reason="Wrong cost centre")
    shown = told(world)
    assert shown.invoice is not None
    assert (shown.invoice.now.words, shown.invoice.now.reason) == ("Rejected", "Wrong cost centre")
    assert [stay.words.split(":")[0] for stay in shown.invoice.before] == ["On hold", "In workflow", "Received"]
    on_hold = shown.invoice.before[0]
    assert on_hold.since <= held < shown.invoice.now.since == on_hold.until
    assert [problem.code for problem in shown.coming.problems] == ["invoice_rejected"]


def test_what_approvers_coded_is_shown_beside_what_was_sent_and_nothing_else_of_it_is() -> None:
    world, bill_id = in_workflow()
    before = dict(world.company.bills[bill_id])
    [line] = invoice(world)["lines"]
    other = next(
        one for one in world.network.gl_accounts.values() if one["external_id"] != line["gl_account_external_id"]
    )
    assert told(world).invoice.recoded == []  # type: ignore[union-attr]
    act(world, "recode_line", line=0, account=other["external_id"])
    shown = told(world).invoice
    assert shown is not None
    [recoded] = shown.recoded
    assert other["name"] in recoded.coded
    assert recoded.sent != recoded.coded
    assert "120.50" in recoded.line
    assert world.company.bills[bill_id] == before
