"""What cannot be read is shown and harms nothing else, until it can be read or is gone."""

from datetime import timedelta

import pytest

from connectors.simulators import Response
from syncs.models import Problem, RemoteRecord, SyncRecord, SyncRun, UnreadableRow
from syncs.states import State
from tests.payables import (
    Damaged,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    feed_id,
    invoice,
    of_bill,
    of_payment,
    open_problems,
    postings,
    with_bill,
    with_payment,
)
from tests.simulation.world import begin

pytestmark = pytest.mark.django_db


def bill_record(number: str = "INV-1") -> RemoteRecord:
    return RemoteRecord.objects.get(connection__provider="quickbooks", kind="bill", number=number)


# What cannot be read.


def test_a_row_that_cannot_be_read_is_shown_and_its_page_goes_on_until_it_can() -> None:
    world = begin()
    vendor = enter_vendor(world)
    good, bad = enter_bill(world, vendor, number="GOOD"), enter_bill(world, vendor, number="BAD")
    damaged = Damaged(world, bad, "TxnDate")
    world.settle(days=1)
    assert bill_record("GOOD").remote_id == good
    [row] = UnreadableRow.objects.all()
    assert (row.kind, row.remote_id) == ("bill", bad)
    assert "BAD" in row.raw
    [problem] = open_problems()
    assert problem.code == "unreadable_row"
    damaged.repaired = True
    edit_bill(world, bad, PrivateNote="repaired")
    world.settle(days=1)
    assert not UnreadableRow.objects.exists()
    assert open_problems() == []
    assert of_bill("BAD").state == State.SYNCED


def test_a_row_that_could_not_be_read_and_is_deleted_is_shown_no_more() -> None:
    world = begin()
    bad = enter_bill(world, enter_vendor(world))
    Damaged(world, bad, "TxnDate")
    world.settle(days=1)
    assert len(open_problems()) == 1
    world.person(world.quickbooks, "delete_bill", bill_id=bad)
    world.settle(days=1)
    assert not UnreadableRow.objects.exists()
    assert open_problems() == []


def test_a_record_that_becomes_unreadable_is_not_taken_for_deleted() -> None:
    world, bill_id = with_bill()
    Damaged(world, bill_id, "TxnDate")
    world.clock.advance(timedelta(days=2))
    world.settle(days=1)
    assert bill_record().gone == ""
    assert invoice(world)["workflow_status"] == "received"


@pytest.mark.parametrize(
    ("field", "value"),
    [("check_number", "12\x0034"), ("currency", "US DOLLARS"), ("amount", "1e30"), ("status", "iss\x00ued")],
)
def test_a_value_that_our_rows_cannot_hold_harms_no_other_row(field: str, value: str) -> None:
    world, bill_id, payment_id = with_payment()
    execute(world, payment_id)
    world.person(world.avidxchange, "misreport", kind="payment", id=payment_id, field=field, value=value)
    world.settle(days=1)
    record = SyncRecord.objects.filter(stream__kind="payment").first()
    assert postings(world, bill_id) == []
    assert UnreadableRow.objects.exists() or (record is not None and record.state == State.HELD)
    assert len(open_problems()) == 1
    world.person(world.avidxchange, "keep_promises", kind="payment", id=payment_id)
    world.settle(days=1)
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


@pytest.mark.parametrize("body", [b"\x00\x00not json", b"<html>\x00</html>", b"\xff\xfe", b"[]", b"null"])
def test_an_answer_that_is_no_answer_is_a_problem_of_the_feed_until_it_reads_again(body: bytes) -> None:
    world, bill_id = with_bill()
    world.quickbooks.refuse("GET /cdc", Response(status=200, body=body), times=10_000)
    world.settle(days=0.1)
    [problem] = open_problems()
    assert problem.cause_key == f"feed:{feed_id(world)}"
    assert SyncRun.objects.exclude(error="").exists()
    world.quickbooks.clear_faults()
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"
    assert open_problems() == []
    assert Problem.objects.count() == 1
