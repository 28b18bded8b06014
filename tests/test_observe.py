"""Observing: what is kept of an answer, and that an answer which shows nothing new writes nothing."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from msgspec.structs import replace

from connectors.models import Connection
from connectors.records import Application, Bill, Kind, Line, Method, Payment, Phase, Ref, restore
from syncs.mirror.observe import Observed, Seen, observe
from syncs.models import Application as ApplicationRow
from syncs.models import Integration, RemoteRecord, RemoteRevision, SyncRecord
from tests.simulation.world import BEGINNING, World, begin

pytestmark = pytest.mark.django_db
LATER = BEGINNING + timedelta(hours=1)


def bill(id: int, **changes: Any) -> Bill:
    made = Bill(
        id=str(id),
        version="0",
        number=f"INV-{id}",
        vendor=Ref(Kind.VENDOR, "1"),
        date=date(2026, 3, 1),
        currency="USD",
        amount=Decimal("10.00"),
        balance=Decimal("10.00"),
        lines=(Line(number=1, amount=Decimal("10.00"), account=Ref(Kind.ACCOUNT, "7")),),
    )
    return replace(made, **changes)


def payment(version: str, bill_id: str) -> Payment:
    return Payment(
        id="77",
        version=version,
        vendor=Ref(Kind.VENDOR, "1"),
        amount=Decimal("10.00"),
        currency="USD",
        method=Method.CHECK,
        phase=Phase.EXECUTED,
        applications=(Application(target=Ref(Kind.BILL, bill_id), gross=Decimal("10.00"), net=Decimal("10.00")),),
    )


def show(connection: Connection, *records: Bill | Payment, sweep: int = 0, later: bool = False) -> Observed:
    seen = [Seen(kind=Kind.BILL if isinstance(one, Bill) else Kind.PAYMENT, record=one) for one in records]
    return observe(connection, seen, now=LATER if later else BEGINNING, sweep=sweep)


def written() -> dict[str, list[Any]]:
    """The place of every row, which each write moves."""
    with database.cursor() as cursor:
        places = {}
        for table in ("syncs_remoterecord", "syncs_syncrecord", "syncs_remote_revision"):
            cursor.execute(f"SELECT id, ctid::text FROM {table} ORDER BY id")
            places[table] = cursor.fetchall()
        return places


@pytest.fixture
def world() -> World:
    return begin()


@pytest.fixture
def erp(world: World) -> Connection:
    return world.integration.erp


def test_what_is_known_just_so_is_not_written_again(erp: Connection) -> None:
    first = show(erp, bill(1), bill(2))
    before = written()
    again = show(erp, bill(1), bill(2), later=True)
    assert (first, again) == (Observed(changed=2, wanted=2), Observed(changed=0, wanted=0))
    assert written() == before


def test_only_what_changed_is_written_and_what_it_replaced_is_kept(erp: Connection) -> None:
    show(erp, *(bill(number) for number in range(1, 6)))
    before = written()
    changed = bill(3, version="1", memo="Call first", number="INV-3b")
    assert show(erp, *(changed if number == 3 else bill(number) for number in range(1, 6)), later=True).changed == 1
    moved = set(written()["syncs_remoterecord"]) ^ set(before["syncs_remoterecord"])
    row = RemoteRecord.objects.get(remote_id="3")
    assert {id for id, _ in moved} == {row.pk}
    assert (row.revision, row.number, row.seen_at) == (2, "INV-3b", LATER)
    assert restore(Kind.BILL, row.body) == changed
    replaced = RemoteRevision.objects.get()
    assert (replaced.remote_record_id, replaced.revision, replaced.observed_at) == (row.pk, 1, BEGINNING)
    assert restore(Kind.BILL, replaced.body) == bill(3)


def test_many_changes_at_once_are_all_kept(erp: Connection) -> None:
    show(erp, *(bill(number) for number in range(300)))
    changed = [bill(number, version="1", number=f"NEW-{number}") for number in range(300)]
    assert show(erp, *changed, later=True) == Observed(changed=300, wanted=300)
    assert set(RemoteRecord.objects.values_list("number", "revision")) == {(f"NEW-{n}", 2) for n in range(300)}
    assert RemoteRevision.objects.count() == 300


def test_an_older_answer_changes_nothing(erp: Connection) -> None:
    show(erp, bill(1, version="2", memo="new"))
    before = written()
    assert show(erp, bill(1, version="1", memo="old"), later=True) == Observed(changed=0, wanted=0)
    assert written() == before


def test_an_older_answer_leaves_the_applications_of_a_payment_alone(world: World) -> None:
    show(world.integration.ap_network, payment("2", "new"))
    show(world.integration.ap_network, payment("1", "old"), later=True)
    assert list(ApplicationRow.objects.values_list("target_id", flat=True)) == ["new"]


def test_a_full_reading_marks_what_it_saw_and_leaves_when_it_was_first_seen(erp: Connection) -> None:
    show(erp, bill(1), sweep=1)
    assert show(erp, bill(1), sweep=2, later=True) == Observed(changed=1, wanted=0)
    row = RemoteRecord.objects.get()
    assert (row.sweep, row.revision, row.seen_at) == (2, 1, BEGINNING)


def test_a_known_record_is_wanted_by_a_stream_that_begins_later(world: World, erp: Connection) -> None:
    Integration.objects.update(active=False)
    assert show(erp, bill(1)) == Observed(changed=1, wanted=0)
    Integration.objects.update(active=True)
    assert show(erp, bill(1), later=True) == Observed(changed=0, wanted=1)
    assert SyncRecord.objects.get().remote_record.remote_id == "1"
    assert show(erp, bill(1), later=True) == Observed(changed=0, wanted=0)


def test_the_same_id_of_two_kinds_is_two_records(erp: Connection) -> None:
    show(erp, bill(77))
    assert show(erp, payment("0", "77"), bill(77), later=True).changed == 1
    assert set(RemoteRecord.objects.values_list("kind", "remote_id")) == {("bill", "77"), ("payment", "77")}
