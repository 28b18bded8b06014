"""Whoever locks several rows locks them in one order, so that nobody waits for somebody who waits for them."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import connections, transaction
from msgspec.structs import replace

from connectors.models import Connection
from connectors.records import Kind, Payment, restore
from syncs import leases
from syncs.delivery.slice import open_slice
from syncs.delivery.verdict import Verdict, write_verdicts
from syncs.mirror.observe import Seen, observe
from syncs.models import RemoteRecord, Stream, SyncRecord
from syncs.states import State
from tests.payables import deliver, enter_bill, enter_vendor, of_bill, of_payment, of_vendor, read, with_posting
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db(transaction=True)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def shown_again_by_the_erp(world: World) -> tuple[Connection, Seen]:
    """A posting of ours as its feed would show it after somebody has changed it."""
    remote = RemoteRecord.objects.get(kind=Kind.PAYMENT, connection__provider="quickbooks")
    posting = restore(Kind.PAYMENT, remote.body)
    assert isinstance(posting, Payment)
    changed = replace(posting, version=str(int(posting.version) + 1), memo=posting.memo + " seen by Jo")
    return remote.connection, Seen(kind=Kind.PAYMENT, record=changed)


def somebody_waits() -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with database.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return True
        time.sleep(0.02)
    return False


def test_a_reading_waits_for_the_stream_before_it_touches_the_record_that_the_stream_may_want_next() -> None:
    world, _, payment_id = with_posting()
    connection, seen = shown_again_by_the_erp(world)
    remote = RemoteRecord.objects.get(connection=connection, kind=Kind.PAYMENT)

    def read() -> None:
        try:
            with transaction.atomic():
                observe(connection, [seen], now=world.clock.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():  # a slice of delivery: its stream first, then what the other side showed it
            Stream.objects.select_for_update().get(kind=Kind.PAYMENT)
            reading = pool.submit(read)
            assert somebody_waits()
            with database.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            RemoteRecord.objects.filter(pk=remote.pk).update(seen_at=world.clock.now())
        reading.result(timeout=10)
    assert RemoteRecord.objects.get(pk=remote.pk).version == seen.record.version
    assert of_payment(payment_id).state == "pending"


def test_what_is_settled_waits_for_the_stream_before_it_releases_what_waited_there() -> None:
    world = begin()
    enter_bill(world, enter_vendor(world))
    read(world)
    deliver(world, "account")
    deliver(world, "bill")
    assert of_bill().state == State.WAITING

    vendors = Stream.objects.get(kind=Kind.VENDOR)
    lease = leases.take(Stream, vendors.pk, holder="worker", now=world.clock.now())
    assert lease is not None
    slice_ = open_slice(vendors.pk, lease, world.effects("worker"))
    assert slice_ is not None
    vendor = of_vendor()
    there = Verdict(id=vendor.pk, revision=1, state=State.SYNCED, trace_id="", settles=True, target_id="ven_1")

    def settle_vendor() -> None:
        try:
            with transaction.atomic():
                lease.check(world.clock.now())
                write_verdicts(slice_, [there], now=world.clock.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():  # a reading: the stream of bills first, then a bill that waits in it
            Stream.objects.select_for_update().get(kind=Kind.BILL)
            settling = pool.submit(settle_vendor)
            assert somebody_waits()
            with database.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            SyncRecord.objects.filter(pk=of_bill().pk).update(trace_id="read meanwhile")
        settling.result(timeout=10)
    assert of_bill().state == State.PENDING
    assert of_bill().trace_id == "read meanwhile"
