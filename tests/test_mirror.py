"""Reading: what a provider shows becomes remote records, once, in order, with its cursor; what it hides is found."""

from dataclasses import replace as dataclass_replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.conversation import finish
from connectors.models import Connection
from connectors.records import Bill, Kind, Payment, restore
from syncs.mirror.observe import Seen, observe
from syncs.models import Application, Feed, RemoteRecord, RemoteRevision, SyncRecord
from syncs.services import read_in_full
from syncs.states import State
from tests.payables import (
    edit_bill,
    enter_bill,
    enter_vendor,
    feed_id,
    invoice,
    of_bill,
    read,
    run_until,
    with_bill,
    with_payment,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def bill_record(number: str = "INV-1") -> RemoteRecord:
    return RemoteRecord.objects.get(connection__provider="quickbooks", kind="bill", number=number)


def feed(provider: str = "quickbooks") -> Feed:
    return Feed.objects.get(connection__provider=provider)


def seen(record: RemoteRecord, **changes: Any) -> Seen:
    kind = Kind(record.kind)
    return Seen(kind=kind, record=replace(restore(kind, record.body), **changes))


def show(world: World, *records: Seen, provider: str = "quickbooks") -> None:
    observe(Connection.objects.get(provider=provider), records, now=world.clock.now())


# Versions.


def test_an_answer_that_is_older_than_what_is_known_changes_nothing() -> None:
    world, bill_id = with_bill()
    older = seen(bill_record())
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    known, wanted = bill_record(), of_bill().wanted
    show(world, older)
    assert (bill_record().fingerprint, bill_record().revision) == (known.fingerprint, known.revision)
    assert (of_bill().wanted, of_bill().state) == (wanted, State.SYNCED)
    assert RemoteRevision.objects.filter(remote_record_id=known.pk).count() == 1


def test_an_older_answer_about_a_payment_does_not_bring_back_what_it_paid_then() -> None:
    world, bill_id, payment_id = with_payment()
    world.settle(days=1)
    older = RemoteRecord.objects.get(connection__provider="avidxchange", kind="payment")
    part = restore(Kind.PAYMENT, older.body)
    assert isinstance(part, Payment)
    less = replace(part.applications[0], gross=Decimal("1.00"), net=Decimal("1.00"))
    show(world, seen(older, version="0", applications=(less,)), provider="avidxchange")
    [application] = Application.objects.filter(payment=older)
    assert application.gross_minor == 12050


def test_every_body_that_was_replaced_is_kept_with_its_revision() -> None:
    world, bill_id = with_bill()
    for day in ("2026-04-10", "2026-04-20"):
        edit_bill(world, bill_id, DueDate=day)
        world.settle(days=1)
    record = bill_record()
    kept = RemoteRevision.objects.filter(remote_record_id=record.pk).order_by("revision")
    assert [row.revision for row in kept] == [1, 2]
    assert record.revision == 3
    second = restore(Kind.BILL, kept[1].body)
    assert isinstance(second, Bill)
    assert str(second.due_date) == "2026-04-10"


def test_reading_the_same_again_writes_nothing() -> None:
    world, _ = with_bill()
    world.clock.advance(timedelta(days=2))
    world.settle(days=1)  # what we wrote is read back by now
    before = {row.pk: (row.revision, row.seen_at) for row in RemoteRecord.objects.all()}
    records = SyncRecord.objects.count()
    world.clock.advance(timedelta(days=2))
    world.settle(days=1)
    assert {row.pk: (row.revision, row.seen_at) for row in RemoteRecord.objects.all()} == before
    assert (SyncRecord.objects.count(), RemoteRevision.objects.count()) == (records, 0)


@pytest.mark.parametrize("state", [State.SENDING, State.IN_DOUBT])
def test_observing_never_touches_a_delivery_that_is_being_sent_or_in_doubt(state: State) -> None:
    world, _ = with_bill()
    later = world.clock.now() + timedelta(minutes=2)
    SyncRecord.objects.filter(pk=of_bill().pk).update(state=state, next_attempt_at=later, attempt_id=1)
    show(world, seen(bill_record(), version="9", number="INV-1", due_date=None))
    record = of_bill()
    assert (record.state, record.next_attempt_at, record.attempt_id) == (state, later, 1)
    assert record.wanted == 2


def test_an_ignored_record_learns_what_changes_and_stays_ignored() -> None:
    world, _ = with_bill()
    SyncRecord.objects.filter(pk=of_bill().pk).update(state=State.IGNORED, next_attempt_at=None)
    show(world, seen(bill_record(), version="9", due_date=None))
    assert (of_bill().state, of_bill().wanted, of_bill().next_attempt_at) == (State.IGNORED, 2, None)


# What is gone.


def test_a_deletion_that_the_changes_tell_marks_the_record_as_gone() -> None:
    world, bill_id = with_bill()
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    world.clock.advance(timedelta(minutes=5))
    read(world)
    assert bill_record().gone == "deleted"
    assert restore(Kind.BILL, bill_record().body).id == bill_id
    assert feed().stage == ""


def test_a_deletion_that_no_change_tells_is_found_by_the_comparison() -> None:
    world, bill_id = with_bill()
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    Feed.objects.filter(connection__provider="quickbooks").update(due_at=None)
    world.clock.advance(timedelta(days=40))  # QuickBooks has forgotten the deletion by now
    Feed.objects.filter(connection__provider="quickbooks").update(due_at=world.clock.now())
    world.settle(days=1)
    assert bill_record().gone == "deleted"
    assert invoice(world)["workflow_status"] == "cancelled"


def test_a_bill_of_which_no_change_was_told_is_found_by_the_nightly_comparison() -> None:
    world, bill_id = with_bill()
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.company.bills[bill_id]["MetaData"]["LastUpdatedTime"] = "2020-01-01T00:00:00-08:00"
    world.settle(days=0.1)
    world.clock.advance(timedelta(days=1))
    world.settle(days=1)
    assert str(bill_record().due_date) == "2026-04-30"
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"


def test_a_record_that_a_reading_missed_is_not_gone_if_it_is_there_when_asked_for() -> None:
    world, bill_id = with_bill()
    RemoteRecord.objects.filter(kind="bill").update(sweep=0)
    world.quickbooks.fault("GET /query", no_bills_in(world), times=1000)
    read_in_full(feed=feed(), by="olivia", now=world.clock.now())
    read(world)
    read(world)
    assert bill_record().gone == ""
    assert bill_record().sweep == feed().sweep


def no_bills_in(world: World) -> Any:
    """A full reading in which the bill has slipped from one page to another; asked for by id it is there."""

    def act(request: Any, proceed: Any) -> Any:
        answer = proceed()
        if "from Bill orderby" in request.argument("query"):
            return dataclass_replace(answer, body=b'{"QueryResponse": {}, "time": "2026-03-02T06:00:00-08:00"}')
        return answer

    return act


# Pages and cursors.


def test_a_page_and_its_cursor_are_kept_together_or_not_at_all() -> None:
    world = begin()
    enter_bill(world, enter_vendor(world))
    steps = world.steps("feed", feed_id(world))
    run_until(steps, "page read")
    steps.close()
    assert not RemoteRecord.objects.exists()
    assert (feed().stage, feed().cursor, feed().sweep) == ("", {}, 0)
    world.clock.advance(timedelta(seconds=11))
    run_until(world.steps("feed", feed_id(world)), "page kept")
    assert RemoteRecord.objects.exists()
    assert (feed().stage, feed().sweep) == ("vendor", 1) or feed().stage == "account"


def test_changes_read_and_not_kept_are_read_again() -> None:
    world, bill_id = with_bill()
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.clock.advance(timedelta(minutes=5))
    before = feed().changes_cursor
    steps = world.steps("feed", feed_id(world))
    run_until(steps, "page read")
    steps.close()
    assert feed().changes_cursor == before
    world.clock.advance(timedelta(seconds=11))
    read(world)
    assert str(bill_record().due_date) == "2026-04-30"
    assert feed().changes_cursor != before


def test_a_reading_that_dies_in_the_middle_goes_on_from_its_last_page() -> None:
    world = begin()
    enter_bill(world, enter_vendor(world))
    for _ in range(40):
        steps = world.steps("feed", feed_id(world))
        for step in steps:
            if step == "page kept":
                break
        steps.close()
        world.clock.advance(timedelta(seconds=11))
    assert feed().stage == ""
    assert feed().sweep == 1
    assert bill_record().sweep == 1


def test_a_full_reading_that_somebody_asks_for_while_a_page_is_on_its_way_is_made() -> None:
    world, _ = with_bill()
    world.clock.advance(timedelta(minutes=5))
    steps = world.steps("feed", feed_id(world))
    run_until(steps, "page read")
    read_in_full(feed=feed(), by="olivia", now=world.clock.now())
    finish(steps)
    world.settle(days=0.1)
    assert feed().sweep == 2
