"""What waits for another record goes in the moment that it is there, and is never forgotten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from connectors.conversation import finish
from syncs.delivery.verdict import WRITE
from syncs.models import Problem, SyncRecord
from syncs.states import State
from tests.payables import (
    VENDORS,
    attempts,
    deliver,
    enter_bill,
    enter_vendor,
    feed_id,
    of_bill,
    of_vendor,
    open_problems,
    read,
    run_until,
    verbs,
    worker,
)
from tests.simulation.world import World, begin
from tests.webhooks import let_announce, tell

pytestmark = pytest.mark.django_db
TOO_LONG = "N" * 60


def held(record: SyncRecord) -> tuple[str, str]:
    assert record.state == State.HELD, f"{record}: {record.reason}"
    assert record.problem is not None
    assert record.problem.resolved_at is None
    return record.code, record.reason


def vendor_that_is_refused(world: World) -> str:
    """A vendor that the network does not take."""
    return enter_vendor(world, "Acme Paper", BillAddr={"Line1": "1 Main St", "Country": "A country of a long name" * 6})


# Waiting.


def test_a_bill_waits_for_its_vendor_and_goes_in_the_moment_that_the_vendor_is_there() -> None:
    world = begin()
    enter_bill(world, enter_vendor(world))
    read(world)
    deliver(world, "account")
    deliver(world, "bill")
    bill = of_bill()
    assert (bill.state, bill.waiting_kind, bill.waiting_id) == (State.WAITING, "vendor", "1")
    assert "Acme Paper" in bill.reason
    assert attempts(bill) == []
    deliver(world, "vendor")
    assert (of_bill().state, of_bill().next_attempt_at) == (State.PENDING, of_vendor().synced_at)
    deliver(world, "bill")
    assert of_bill().state == State.SYNCED
    assert verbs(of_bill()) == ["delivery_waiting", "attempt_started", "delivered"]


def test_a_bill_seen_before_its_vendor_waits_for_it_once_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    world = begin()
    world.settle(days=1)
    let_announce(monkeypatch)
    tell(("bill", enter_bill(world, enter_vendor(world))))
    run_until(world.steps("feed", feed_id(world)), "hinted kept")
    deliver(world, "bill")
    assert (of_bill().state, of_bill().code) == (State.WAITING, "reference_unknown")
    world.clock.advance(timedelta(hours=1))
    read(world)
    deliver(world, "bill")
    assert (of_bill().state, of_bill().code) == (State.WAITING, "waiting")
    world.settle(days=1)
    assert (of_bill().state, open_problems()) == (State.SYNCED, [])


def test_a_bill_that_waits_is_looked_at_again_and_again_without_filling_the_audit() -> None:
    world = begin()
    enter_bill(world, vendor_that_is_refused(world))
    world.settle(days=1)
    said = verbs(of_bill())
    for _ in range(3):
        world.clock.advance(timedelta(hours=2))
        deliver(world, "bill")
    assert verbs(of_bill()) == said
    assert of_bill().next_attempt_at is not None


def test_a_held_vendors_bills_share_its_problem_and_show_their_money() -> None:
    world = begin()
    vendor = vendor_that_is_refused(world)
    enter_bill(world, vendor, "100.10", "INV-1")
    enter_bill(world, vendor, "20.20", "INV-2")
    world.settle(days=1)
    assert of_vendor().state == State.HELD
    [problem] = open_problems()
    assert [record.problem_id for record in (of_vendor(), of_bill("INV-1"), of_bill("INV-2"))] == [problem.pk] * 3
    assert (problem.records, problem.money) == (3, {"USD": 12030})
    assert of_bill().state == State.WAITING


def test_when_a_held_vendor_is_corrected_its_bills_go_and_the_problem_closes() -> None:
    world = begin()
    vendor = vendor_that_is_refused(world)
    enter_bill(world, vendor)
    world.settle(days=1)
    address = {"Line1": "1 Main St", "Country": "US"}
    world.person(world.quickbooks, "edit", entity="Vendor", identity=vendor, changes={"BillAddr": address})
    world.settle(days=1)
    assert (of_vendor().state, of_bill().state) == (State.SYNCED, State.SYNCED)
    assert open_problems() == []
    [closed] = Problem.objects.all()
    assert (closed.records, closed.money) == (0, {})
    assert len(world.network.invoices) == 1


def test_a_problem_that_only_the_waiting_bill_still_named_closes_when_the_bill_is_released() -> None:
    world = begin()
    vendor = vendor_that_is_refused(world)
    enter_bill(world, vendor)
    world.settle(days=1)
    address = {"Line1": "1 Main St", "Country": "US"}
    world.person(world.quickbooks, "edit", entity="Vendor", identity=vendor, changes={"BillAddr": address})
    world.avidxchange.refuse_in_application(VENDORS, 503, "maintenance")
    world.settle(days=1)
    assert [attempt.outcome for attempt in attempts(of_vendor())] == ["held", "absent", "accepted"]
    assert (of_vendor().state, of_bill().state) == (State.SYNCED, State.SYNCED)
    assert open_problems() == []


def test_a_bill_that_waits_on_moves_to_the_problem_that_holds_its_vendor_now_and_leaves_none_behind() -> None:
    world = begin()
    vendor = vendor_that_is_refused(world)
    enter_bill(world, vendor)
    world.settle(days=1)
    address = {"Line1": "1 Main St", "Country": "US"}
    world.person(world.quickbooks, "edit", entity="Vendor", identity=vendor, changes={"BillAddr": address})
    world.avidxchange.refuse_in_application(VENDORS, 503, "maintenance")
    world.avidxchange.refuse_in_application(VENDORS, 400, "field_invalid")
    world.settle(days=1)
    [problem] = open_problems()
    assert (problem.code, problem.records) == (of_vendor().code, 2)
    assert [attempt.outcome for attempt in attempts(of_vendor())] == ["held", "absent", "held"]


def test_a_bill_held_later_than_it_began_to_wait_joins_the_vendors_problem() -> None:
    world = begin()
    enter_bill(world, vendor_that_is_refused(world))
    read(world)
    deliver(world, "account")
    deliver(world, "bill")
    assert (of_bill().state, of_bill().problem) == (State.WAITING, None)
    deliver(world, "vendor")
    assert of_bill().problem_id == of_vendor().problem_id is not None
    [problem] = open_problems()
    assert problem.money == {"USD": 12050}


def test_a_bill_whose_vendor_settles_while_it_goes_to_wait_is_not_forgotten() -> None:
    world = begin()
    enter_bill(world, enter_vendor(world))
    read(world)
    deliver(world, "account")

    other = worker(world, "vendor", "other")
    run_until(other, "sent")

    def settle_between(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Another worker's commit, after our look at the vendor and before we write that the bill waits for it."""
        if sql == WRITE and not settled:
            settled.append(True)
            finish(other)
        return execute(sql, params, many, context)

    settled: list[bool] = []
    with database.execute_wrapper(settle_between):
        deliver(world, "bill")
    assert (of_vendor().state, of_bill().state) == (State.SYNCED, State.WAITING)
    world.clock.advance(timedelta(hours=2))
    world.settle(days=1)
    assert of_bill().state == State.SYNCED


def test_a_bill_whose_vendor_is_left_out_while_it_waits_is_held_and_says_so() -> None:
    world = begin()
    vendor = enter_vendor(world)
    enter_bill(world, vendor)
    world.avidxchange.drop_request("POST /vendors/batch", times=10_000)
    world.settle(days=0.05)
    assert of_bill().state == State.WAITING
    world.person(world.quickbooks, "deactivate", entity="Vendor", identity=vendor)
    for _ in range(4):
        world.settle(days=1)
        world.clock.advance(timedelta(hours=1))
    assert of_vendor().code == "inactive"
    code, reason = held(of_bill())
    assert code == "reference_left_out"
    assert "Acme Paper" in reason
    [problem] = open_problems()
    assert problem.money == {"USD": 12050}
    world.avidxchange.clear_faults()
    world.person(world.quickbooks, "edit", entity="Vendor", identity=vendor, changes={"Active": True})
    world.settle(days=1)
    assert (of_vendor().state, of_bill().state) == (State.SYNCED, State.SYNCED)
    assert open_problems() == []


def test_a_bill_waits_while_its_vendor_is_being_made_inactive_and_is_then_refused() -> None:
    world = begin()
    vendor = enter_vendor(world)
    world.settle(days=1)
    enter_bill(world, vendor)
    world.person(world.quickbooks, "deactivate", entity="Vendor", identity=vendor)
    world.clock.advance(timedelta(minutes=5))
    read(world)
    run_until(worker(world, "vendor"), "claimed")  # and dies
    deliver(world, "bill")
    assert of_bill().state == State.WAITING
    assert world.network.invoices == {}

    world.clock.advance(timedelta(minutes=10))
    world.settle(days=1)
    assert (of_bill().state, of_bill().code) == (State.HELD, "vendor_inactive")
