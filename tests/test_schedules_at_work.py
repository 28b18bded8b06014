"""Schedules at work: what waits for its time, what never does, and people who pause, resume and do it at once."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from connectors.simulators import Response
from syncs import services
from syncs.models import Feed, ScheduleRow, Stream
from syncs.schedules import BusinessDays, Cycle, Every, Schedule
from syncs.states import State
from tests.payables import (
    PAYMENT_POST,
    attempts,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    of_vendor,
    open_problems,
    postings,
    verbs,
    with_bill,
    with_payment,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db
WHO = {"by": "olivia", "why": "as agreed"}
TUESDAYS_AND_FRIDAYS = Cycle(times=("14:00",), weekdays=(1, 4))
TUESDAY = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)  # 14:00 in New York; the stories begin on the Monday before
FRIDAY = datetime(2026, 3, 6, 19, 0, tzinfo=UTC)


def schedule(world: World, row: Feed | Stream, rule: Schedule | None) -> ScheduleRow | None:
    return services.set_schedule(row=row, schedule=rule, now=world.clock.now(), **WHO)


def stream(kind: str) -> Stream:
    return Stream.objects.get(kind=kind)


def until(world: World, moment: datetime) -> None:
    """Nobody does anything until this moment; then what is due is done."""
    world.clock.advance(moment - world.clock.now())
    world.settle(days=0.01)


def payment_on_a_schedule() -> tuple[World, str, str]:
    world, bill_id, payment_id = with_payment()
    schedule(world, stream("payment"), TUESDAYS_AND_FRIDAYS)
    world.settle(days=0.1)
    return world, bill_id, payment_id


def test_a_payment_is_posted_at_its_time_and_says_until_then_what_it_waits_for() -> None:
    world, bill_id, payment_id = payment_on_a_schedule()
    record = of_payment(payment_id)
    assert (record.state, record.next_attempt_at) == (State.PENDING, TUESDAY)
    assert record.reason == "Waits for its schedule: Tuesdays and Fridays at 14:00."
    assert not postings(world, bill_id)
    assert not open_problems()
    until(world, TUESDAY - timedelta(minutes=30))
    assert not postings(world, bill_id)
    until(world, TUESDAY + timedelta(minutes=5))
    assert len(postings(world, bill_id)) == 1
    assert of_payment(payment_id).state == State.SYNCED
    assert verbs(record).count("delivery_scheduled") == 1


def test_a_payment_that_is_taken_back_before_its_time_is_never_posted_and_does_not_wait_for_it() -> None:
    world, bill_id, payment_id = payment_on_a_schedule()
    world.person(world.avidxchange, "void_payment", payment_id=payment_id, reason="Wrong vendor")
    until(world, world.clock.now() + timedelta(minutes=30))
    assert world.clock.now() < TUESDAY
    assert of_payment(payment_id).state == State.OUT_OF_SCOPE
    until(world, FRIDAY + timedelta(minutes=5))
    assert not postings(world, bill_id)


def test_what_becomes_of_a_posted_payment_does_not_wait_for_the_schedule() -> None:
    world, bill_id, payment_id = payment_on_a_schedule()
    until(world, TUESDAY + timedelta(minutes=30))
    execute(world, payment_id)
    until(world, world.clock.now() + timedelta(minutes=30))
    assert of_payment(payment_id).settled == of_payment(payment_id).wanted
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    until(world, world.clock.now() + timedelta(minutes=30))
    assert world.clock.now() < FRIDAY
    assert not any(one["TotalAmt"] for one in postings(world, bill_id))
    assert of_payment(payment_id).state == State.SYNCED


def test_a_new_bill_waits_for_its_time_and_a_change_or_a_deletion_of_a_sent_one_does_not() -> None:
    world, bill_id = with_bill()
    schedule(world, stream("bill"), TUESDAYS_AND_FRIDAYS)
    other = enter_bill(world, enter_vendor(world, "Harbor Freight"), number="INV-2")
    edit_bill(world, bill_id, DueDate="2026-04-30")
    until(world, world.clock.now() + timedelta(minutes=30))
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"
    assert of_bill("INV-2").next_attempt_at == TUESDAY
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    world.person(world.quickbooks, "delete_bill", bill_id=other)
    until(world, world.clock.now() + timedelta(hours=1))
    assert invoice(world)["workflow_status"] == "cancelled"
    until(world, TUESDAY + timedelta(minutes=5))
    assert len(world.network.invoices) == 1


def test_what_fails_at_its_time_is_tried_again_soon_not_at_the_next_time() -> None:
    world, bill_id, payment_id = payment_on_a_schedule()
    world.quickbooks.drop_request(PAYMENT_POST, times=2)
    until(world, TUESDAY)
    until(world, TUESDAY + timedelta(hours=2))
    assert len(postings(world, bill_id)) == 1
    assert len(attempts(of_payment(payment_id))) > 1


def test_delivering_now_does_not_wait_and_doing_it_twice_sends_nothing_twice() -> None:
    world, bill_id, payment_id = payment_on_a_schedule()
    payments = stream("payment")
    with pytest.raises(ValidationError):
        services.deliver_now(stream=payments, by="olivia", why=" ", now=world.clock.now())
    assert services.deliver_now(stream=payments, now=world.clock.now(), **WHO) == 1
    assert services.deliver_now(stream=payments, now=world.clock.now(), **WHO) == 0
    world.settle(days=0.02)
    assert len(postings(world, bill_id)) == 1
    assert len(attempts(of_payment(payment_id))) == 1
    asked = Event.objects.filter(verb="stream_run_asked").order_by("id")
    assert [(one.actor, one.why) for one in asked] == [("olivia", "as agreed")] * 2


def test_another_schedule_a_holiday_or_none_times_anew_what_waits() -> None:
    world, bill_id, payment_id = payment_on_a_schedule()
    services.set_holidays(tenant=world.tenant, days={date(2026, 3, 3): "Town meeting"}, now=world.clock.now(), **WHO)
    world.settle(days=0.01)
    assert of_payment(payment_id).next_attempt_at == TUESDAY + timedelta(days=1)
    schedule(world, stream("payment"), BusinessDays(times=("20:00",)))
    world.settle(days=0.01)
    assert of_payment(payment_id).next_attempt_at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
    schedule(world, stream("payment"), None)
    world.settle(days=0.01)
    assert len(postings(world, bill_id)) == 1
    assert not ScheduleRow.objects.exists()
    changes = Event.objects.filter(verb="schedule_changed").order_by("id").values_list("data", flat=True)
    assert [json.loads(change)["schedule"] for change in changes] == [
        "Tuesdays and Fridays at 14:00",
        "business days at 20:00",
        "the default",
    ]


def test_an_interval_of_a_stream_collects_what_comes_in_between() -> None:
    world = begin()
    world.settle(days=0.05)
    schedule(world, stream("vendor"), Every(seconds=7200))
    enter_vendor(world, "Acme Paper")
    until(world, world.clock.now() + timedelta(minutes=20))
    enter_vendor(world, "Harbor Freight")
    until(world, world.clock.now() + timedelta(minutes=20))
    first, second = of_vendor("Acme Paper"), of_vendor("Harbor Freight")
    assert first.next_attempt_at == second.next_attempt_at
    until(world, world.clock.now() + timedelta(hours=2))
    assert of_vendor("Acme Paper").state == of_vendor("Harbor Freight").state == State.SYNCED


def test_a_schedule_that_cannot_be_is_refused_and_changes_nothing() -> None:
    world = begin()
    with pytest.raises(ValidationError) as refused:
        schedule(world, stream("bill"), Every(seconds=1))
    assert "at least a minute" in refused.value.message_dict["schedule"][0]
    assert not ScheduleRow.objects.exists()


def test_a_feed_is_read_by_its_schedule_and_compared_every_night_all_the_same() -> None:
    world = begin()
    world.settle(days=0.05)
    feed = world.integration.erp.feed
    schedule(world, feed, Cycle(times=("06:00",), weekdays=(4,)))
    feed.refresh_from_db()
    assert feed.due_at == feed.full_after
    sweep, full_after = feed.sweep, feed.full_after
    assert full_after is not None
    schedule(world, feed, BusinessDays(times=("12:00",)))
    feed.refresh_from_db()
    assert feed.due_at == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    until(world, full_after + timedelta(minutes=5))
    feed.refresh_from_db()
    assert feed.sweep == sweep + 1
    assert feed.due_at == datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
    schedule(world, feed, None)
    feed.refresh_from_db()
    assert feed.due_at == world.clock.now() + timedelta(seconds=feed.interval_seconds)


@pytest.mark.parametrize("fails", [False, True])
def test_another_schedule_puts_off_no_reading_that_was_due_or_is_tried_again(fails: bool) -> None:
    world = begin()
    world.settle(days=0.05)
    feed = world.integration.erp.feed
    enter_vendor(world)
    services.read_now(feed=feed, now=world.clock.now(), **WHO)
    if fails:
        world.quickbooks.refuse("GET /cdc", Response(status=503), times=1000)
        world.work()
    feed.refresh_from_db()
    assert feed.failures == fails
    world.clock.advance(timedelta(seconds=1))
    schedule(world, feed, TUESDAYS_AND_FRIDAYS)
    world.quickbooks.clear_faults()
    until(world, world.clock.now() + timedelta(minutes=5))
    assert len(world.network.vendors) == 1
    feed.refresh_from_db()
    assert feed.due_at == min(TUESDAY, feed.full_after or TUESDAY)


def test_a_paused_feed_reads_nothing_until_it_is_resumed_and_pressing_twice_does_no_more() -> None:
    world = begin()
    world.settle(days=0.05)
    feed = world.integration.erp.feed
    assert services.pause(row=feed, now=world.clock.now(), **WHO)
    assert not services.pause(row=feed, by="peter", why="me too", now=world.clock.now())
    feed.refresh_from_db()
    assert (feed.paused_by, feed.paused_why, feed.paused_at) == ("olivia", "as agreed", world.clock.now())
    with pytest.raises(ValidationError, match="olivia has paused it"):
        services.read_now(feed=feed, by="peter", now=world.clock.now())
    enter_vendor(world)
    world.settle(days=0.1)
    assert not world.network.vendors
    assert services.resume(row=feed, now=world.clock.now(), **WHO)
    assert not services.resume(row=feed, now=world.clock.now(), **WHO)
    world.settle(days=0.1)
    assert len(world.network.vendors) == 1
    feed.refresh_from_db()
    assert (feed.paused_by, feed.paused_at) == ("", None)
    told = Event.objects.filter(subject_kind="feed").order_by("id").values_list("verb", flat=True)
    assert list(told) == ["feed_paused", "feed_resumed"]
