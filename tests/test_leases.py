"""Workers that die, sleep, run twice or too late: what was begun is finished once, under a lease or not at all."""

from datetime import timedelta

import pytest

from connectors.conversation import finish
from connectors.models import Exchange
from syncs import leases, scheduler
from syncs.leases import LeaseLost
from syncs.models import Feed, RemoteRecord, Stream, SyncRecord
from syncs.states import State
from tests.payables import (
    BILLS,
    PAYMENT_POST,
    attempts,
    deliver,
    enter_bill,
    enter_vendor,
    feed_id,
    of_bill,
    of_payment,
    postings,
    read,
    requests,
    run_until,
    stream_id,
    verbs,
    with_payment,
    worker,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db
LATER = timedelta(seconds=11)  # than a lease lasts


def with_payment_due() -> tuple[World, str, str]:
    """A released payment that is read and waits to be posted."""
    world, bill_id, payment_id = with_payment()
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    assert of_payment(payment_id).state == State.PENDING
    return world, bill_id, payment_id


def with_bill_due() -> World:
    """A bill whose vendor is at the network, read and waiting to be sent."""
    world = begin()
    vendor = enter_vendor(world)
    world.settle(days=1)
    enter_bill(world, vendor)
    world.clock.advance(timedelta(minutes=5))
    read(world)
    assert of_bill().state == State.PENDING
    return world


def test_a_lease_is_taken_by_one_and_by_another_only_when_it_is_over() -> None:
    world = begin()
    now, row = world.clock.now(), stream_id("bill")
    first = leases.take(Stream, row, holder="one", now=now)
    assert first is not None
    assert leases.take(Stream, row, holder="two", now=now + timedelta(seconds=9)) is None
    second = leases.take(Stream, row, holder="two", now=now + LATER)
    assert second is not None
    assert second.fence == first.fence + 1
    with pytest.raises(LeaseLost):
        first.check(now + LATER)
    second.check(now + LATER)


def test_who_lost_a_lease_cannot_give_it_back() -> None:
    world = begin()
    now, row = world.clock.now(), stream_id("bill")
    first = leases.take(Stream, row, holder="one", now=now)
    second = leases.take(Stream, row, holder="two", now=now + LATER)
    assert first is not None
    assert second is not None
    first.give_back(due_at=None, now=now)
    kept = Stream.objects.get(pk=row)
    assert (kept.holder, kept.fence, kept.due_at is None) == ("two", second.fence, False)
    assert kept.lease_until is not None


def test_every_commit_carries_the_lease_on() -> None:
    world = begin()
    now, row = world.clock.now(), stream_id("bill")
    lease = leases.take(Stream, row, holder="one", now=now)
    assert lease is not None
    lease.check(now + timedelta(seconds=9))
    assert leases.take(Stream, row, holder="two", now=now + timedelta(seconds=15)) is None


def test_a_paused_row_is_worked_on_by_nobody() -> None:
    world = with_bill_due()
    Stream.objects.filter(kind="bill").update(paused=True)
    deliver(world, "bill")
    assert of_bill().state == State.PENDING
    assert requests(world.avidxchange, BILLS) == 0


def test_two_workers_on_one_stream_send_each_bill_once() -> None:
    world = with_bill_due()
    first, second = worker(world, "bill", "one"), worker(world, "bill", "two")
    run_until(first, "leased")
    finish(second)
    finish(first)
    assert len(attempts(of_bill())) == 1
    assert requests(world.avidxchange, BILLS) == 1
    assert Stream.objects.get(kind="bill").lease_until is None


def test_a_wake_up_that_comes_twice_does_everything_once() -> None:
    world, bill_id, payment_id = with_payment_due()
    woken: list[tuple[str, int]] = []
    scheduler.tick(world.clock.now(), wake=lambda what, row: woken.append((what, row)))
    assert ("stream", stream_id("payment")) in woken
    for what, row in [*woken, *woken]:
        finish(world.steps(what, row))
    assert len(attempts(of_payment(payment_id))) == 1
    assert len(postings(world, bill_id)) == 1


def test_a_wake_up_that_is_lost_is_given_again() -> None:
    world, bill_id, payment_id = with_payment_due()
    lost: list[tuple[str, int]] = []

    def tick() -> list[tuple[str, int]]:
        woken: list[tuple[str, int]] = []
        scheduler.tick(world.clock.now(), wake=lambda what, row: woken.append((what, row)))
        return woken

    lost += tick()
    assert ("stream", stream_id("payment")) in lost
    assert tick() == []
    world.clock.advance(scheduler.WAKE_AGAIN)
    assert ("stream", stream_id("payment")) in tick()


@pytest.mark.parametrize("step", ["claimed", "looked for our marks", "bills fetched"])
def test_a_worker_paused_past_its_deadline_sends_nothing(step: str) -> None:
    world, bill_id, payment_id = with_payment_due()
    late = worker(world, "payment")
    run_until(late, step)
    world.clock.advance(timedelta(seconds=19))
    run_until(late, "settled")
    assert requests(world.quickbooks, PAYMENT_POST) == 0
    [attempt] = attempts(of_payment(payment_id))
    assert attempt.outcome == "not sent"
    assert (of_payment(payment_id).state, of_payment(payment_id).attempts) == (State.PENDING, 0)
    late.close()
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1


def test_a_bill_claimed_by_a_worker_that_slept_too_long_is_not_sent_by_it() -> None:
    world = with_bill_due()
    late = worker(world, "bill")
    run_until(late, "claimed")
    world.clock.advance(timedelta(seconds=19))
    run_until(late, "settled")
    assert requests(world.avidxchange, BILLS) == 0
    assert of_bill().state == State.PENDING


def test_a_worker_whose_lease_was_taken_commits_nothing_of_what_it_learned() -> None:
    world, bill_id, payment_id = with_payment_due()
    first = worker(world, "payment", "one")
    run_until(first, "sent")
    world.clock.advance(LATER)
    second = worker(world, "payment", "two")
    run_until(second, "leased")
    before = (verbs(of_payment(payment_id)), Exchange.objects.count())
    with pytest.raises(LeaseLost):
        finish(first)
    record = of_payment(payment_id)
    assert (record.state, record.target_id, record.settled) == (State.SENDING, "", 0)
    assert (verbs(record), Exchange.objects.count()) == before
    finish(second)
    assert requests(world.quickbooks, PAYMENT_POST) == 1
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1
    assert of_payment(payment_id).state == State.SYNCED


def test_a_worker_whose_lease_was_taken_before_it_claims_claims_nothing() -> None:
    world = with_bill_due()
    first = worker(world, "bill", "one")
    run_until(first, "leased")
    world.clock.advance(LATER)
    finish(worker(world, "bill", "two"))
    with pytest.raises(LeaseLost):
        finish(first)
    assert len(attempts(of_bill())) == 1
    assert requests(world.avidxchange, BILLS) == 1


def test_a_reader_whose_lease_was_taken_keeps_nothing_of_its_page() -> None:
    world = begin()
    enter_vendor(world)
    first = world.steps("feed", feed_id(world), "one")
    run_until(first, "page read")
    world.clock.advance(LATER)
    run_until(world.steps("feed", feed_id(world), "two"), "leased")
    with pytest.raises(LeaseLost):
        finish(first)
    assert not RemoteRecord.objects.exists()
    assert Feed.objects.get(connection__provider="quickbooks").stage == ""


@pytest.mark.parametrize(
    "step",
    ["leased", "claimed", "looked for our marks", "bills fetched", "payments on the bills fetched", "sent", "settled"],
)
def test_a_worker_killed_at_any_step_of_a_posting_leaves_one_payment(step: str) -> None:
    world, bill_id, payment_id = with_payment_due()
    run_until(worker(world, "payment"), step)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert of_payment(payment_id).target_id == posted["Id"]
    assert len({attempt.request_key for attempt in attempts(of_payment(payment_id))}) == 1


@pytest.mark.parametrize("step", ["claimed", "sent", "settled"])
def test_a_worker_killed_around_the_send_of_a_bill_leaves_one_invoice(step: str) -> None:
    world = with_bill_due()
    run_until(worker(world, "bill"), step)
    world.settle(days=1)
    [invoice] = world.network.invoices.values()
    assert (of_bill().target_id, invoice["version"]) == (invoice["id"], 1)
    assert not SyncRecord.objects.filter(state=State.SENDING).exists()
