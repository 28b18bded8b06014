"""Runs: what each did in numbers, how fast, how much is left, and how long they are kept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.models import Exchange
from syncs import runs, services
from syncs.admin.words import progress_in_words
from syncs.models import Feed, Stream, SyncRun
from syncs.runs import Progress
from tests.payables import edit_bill, enter_bill, enter_vendor, feed_id, stream_id, with_bill
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def feed(world: World) -> Feed:
    return Feed.objects.get(connection=world.integration.erp)


def full_readings(world: World) -> list[SyncRun]:
    return list(SyncRun.objects.filter(feed=feed(world), sweep__gt=0).order_by("id"))


def company(bills: int) -> World:
    """A world in which nothing is read yet of this many bills of one vendor."""
    world = begin()
    vendor = enter_vendor(world)
    for number in range(bills):
        enter_bill(world, vendor, number=f"INV-{number}")
    return world


def watch(world: World, slices: int) -> Iterator[Progress]:
    """How far the full reading has come after each page; a page takes a second."""
    for _ in range(slices):
        for step in world.steps("feed", feed_id(world)):
            if step != "page kept":
                continue
            world.clock.advance(timedelta(seconds=1))
            if (progress := runs.reading_progress(feed(world))) is not None:
                yield progress


def test_a_full_reading_is_one_run_with_what_it_read_and_a_delivery_one_with_what_became_of_it() -> None:
    world = company(bills=3)
    world.settle(days=0.05)
    [full] = full_readings(world)
    assert not full.under_way
    assert full.counts["read bill"] == 3
    assert full.done == sum(count for key, count in full.counts.items() if key.startswith("read "))
    [delivery] = SyncRun.objects.filter(stream_id=stream_id("bill"), counts__has_key="synced")
    assert not delivery.under_way
    assert (delivery.counts["sent"], delivery.counts["synced"]) == (3, 3)
    assert delivery.what == "delivery"


def test_nothing_is_written_for_a_poll_that_finds_nothing() -> None:
    world, _ = with_bill()
    count = SyncRun.objects.count()
    world.settle(days=0.05)
    assert SyncRun.objects.count() == count


def test_what_a_killed_worker_has_read_stays_counted() -> None:
    world = company(bills=2)
    for step in world.steps("feed", feed_id(world)):
        if step == "page kept":
            break
    [run] = full_readings(world)
    assert run.under_way
    before = run.done
    world.clock.advance(timedelta(minutes=5))
    world.settle(days=0.05)
    [run] = full_readings(world)
    assert not run.under_way
    assert run.done > before
    assert run.counts["read bill"] == 2


def test_a_first_reading_knows_the_time_left_of_a_long_kind_once_it_was_counted_by_one_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = company(bills=30)
    monkeypatch.setattr("connectors.quickbooks.sweep.PAGE", 2)
    told = [one for one in watch(world, slices=12) if one.of_kind == "bill"]
    assert Exchange.objects.filter(url__icontains="count(").count() == 1
    assert told
    assert told[0].time_left is not None
    assert [one.left for one in told] == sorted((one.left for one in told if one.left is not None), reverse=True)
    assert runs.reading_progress(feed(world)) is None


def test_a_later_full_reading_takes_the_last_one_for_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    world = company(bills=10)
    world.settle(days=0.05)
    [first] = full_readings(world)
    monkeypatch.setattr("connectors.quickbooks.sweep.PAGE", 4)
    services.read_in_full(feed=feed(world), by="olivia", now=world.clock.now())
    told = list(watch(world, slices=1))
    assert len(told) > 2
    for one in told:
        assert one.left == first.done - one.done
    progress = told[-1]
    assert progress.left is not None
    assert progress.per_second
    assert progress.time_left == timedelta(seconds=round(progress.left / progress.per_second))


def test_a_backlog_says_how_much_is_left() -> None:
    world = company(bills=4)
    bills = Stream.objects.get(kind="bill")
    services.pause(row=bills, by="olivia", why="month end", now=world.clock.now())
    world.settle(days=0.05)
    progress = runs.delivery_progress(bills, world.clock.now())
    assert progress is not None
    assert progress.left == 4
    assert progress.time_left is None
    services.resume(row=bills, by="olivia", why="done", now=world.clock.now())
    world.settle(days=0.05)
    assert runs.delivery_progress(bills, world.clock.now()) is None


def test_old_runs_are_deleted_but_for_the_last_full_reading() -> None:
    world, bill_id = with_bill()
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=0.05)
    kept = full_readings(world)[-1]
    assert SyncRun.objects.filter(feed=feed(world)).count() > 1
    assert runs.prune(world.clock.now() + timedelta(days=89)) == 0
    runs.prune(world.clock.now() + timedelta(days=91))
    assert list(SyncRun.objects.filter(feed=feed(world))) == [kept]
    assert not SyncRun.objects.filter(stream__isnull=False).exists()


def test_a_provider_that_never_counts_is_said_to_once_and_its_last_reading_is_the_estimate_after_that() -> None:
    world = company(bills=1)
    network = Feed.objects.get(connection__provider="avidxchange")
    first = SyncRun.objects.create(
        tenant=network.tenant, feed=network, sweep=1, under_way=True, counts={"read": 120},
        started_at=world.clock.now(), ended_at=world.clock.now() + timedelta(seconds=10),
    )  # fmt: skip
    network.stage, network.sweep = "bill", 1
    told = runs.reading_progress(network)
    assert told is not None
    assert (told.left, told.uncounted) == (None, True)
    assert progress_in_words(told) == "120 so far, 12 a second, this provider does not say how many there are."
    SyncRun.objects.filter(pk=first.pk).update(under_way=False)
    SyncRun.objects.create(
        tenant=network.tenant, feed=network, sweep=2, under_way=True, counts={"read": 30},
        started_at=world.clock.now(), ended_at=world.clock.now() + timedelta(seconds=10),
    )  # fmt: skip
    told = runs.reading_progress(network)
    assert told is not None
    assert (told.left, told.time_left) == (90, timedelta(seconds=30))
