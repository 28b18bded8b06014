"""The order of events, their seals, and what a verification finds."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from audit import seal as sealing
from audit.export import examine_export, verify_export, write_export
from audit.log import INSERT, columns, record
from audit.models import EventOrder, Seal, Sealing
from audit.seal import EVERYTHING, seal, tenants_to_seal
from audit.verify import examine, read_chain, tenants_to_verify, verify
from tests.audit_events import NOW, TENANT, an_event, as_intruder, query, sealed_events
from tests.owner import as_owner, as_tenants

LATER = NOW + timedelta(hours=1)


def numbered_subjects(tenant_id: int = TENANT) -> list[tuple[int, str]]:
    return query(
        "SELECT number, subject_id FROM audit_eventorder o JOIN audit_event e ON e.id = event_id"
        " WHERE o.tenant_id = %s AND number IS NOT NULL ORDER BY number",
        [tenant_id],
    )


def seal_now() -> list[tuple[int, int, int, int]]:
    return [(each.tenant_id, each.number, each.first, each.last) for each in seal(now=NOW, holder="test")]


def exported() -> str:
    stream = io.StringIO()
    write_export(TENANT, read_chain(TENANT), stream)
    return stream.getvalue()


def sentences(findings: list[Any]) -> list[str]:
    return [finding.sentence for finding in findings]


@pytest.fixture
def other(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """A second connection with a transaction of its own."""
    yield from a_connection()


@pytest.fixture
def late(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """And a third."""
    yield from a_connection()


def a_connection() -> Iterator[BaseDatabaseWrapper]:
    second = connection.copy()
    second.set_autocommit(False)
    yield second
    second.rollback()
    second.close()


def record_on(second: BaseDatabaseWrapper, subject_id: str) -> None:
    with second.cursor() as cursor:
        cursor.execute(INSERT, columns([an_event(subject_id)]))


def test_nothing_is_numbered_that_an_older_transaction_could_still_come_before(other: BaseDatabaseWrapper) -> None:
    record_on(other, "earlier id, committed later")
    record([an_event("later id, committed first")])

    assert seal_now() == []
    other.commit()

    assert seal_now() == [(TENANT, 1, 1, 2)]
    assert numbered_subjects() == [(1, "earlier id, committed later"), (2, "later id, committed first")]


def test_numbers_are_gapless_in_the_order_of_commits_where_ids_are_not(
    other: BaseDatabaseWrapper, late: BaseDatabaseWrapper
) -> None:
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
    record_on(late, "earlier id, committed later")
    record_on(other, "later id, committed first")
    other.commit()

    assert seal_now() == [(TENANT, 1, 1, 1)]
    late.commit()
    assert seal_now() == [(TENANT, 2, 2, 2)]

    assert numbered_subjects() == [(1, "later id, committed first"), (2, "earlier id, committed later")]
    assert query("SELECT event_id > lead(event_id) OVER (ORDER BY number) FROM audit_eventorder LIMIT 1") == [(True,)]
    assert verify(TENANT, now=NOW) == []


@pytest.mark.django_db(transaction=True)
def test_a_transaction_in_another_database_of_the_server_holds_nothing_back() -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() != (connection.settings_dict["NAME"],)
        cursor.execute("SELECT pg_current_xact_id()")
        record([an_event()])

        assert seal_now() == [(TENANT, 1, 1, 1)]


def test_an_event_that_was_rolled_back_leaves_no_gap(other: BaseDatabaseWrapper) -> None:
    record_on(other, "rolled back")
    other.rollback()
    record([an_event("kept")])

    assert seal_now() == [(TENANT, 1, 1, 1)]
    assert numbered_subjects() == [(1, "kept")]


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_seal_once() -> None:
    barrier = Barrier(2, timeout=30)

    def run(holder: str) -> int:
        barrier.wait()
        try:
            return sum(each.count for each in seal(now=NOW, holder=holder))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for round_of in range(1, 6):
            record([an_event(str(number)) for number in range(20)])
            assert sum(pool.map(run, ["one", "two"])) == 20
            assert Seal.objects.count() == round_of
    assert EventOrder.objects.filter(number=None).count() == 0
    assert verify(TENANT, now=NOW) == []


def test_a_tenant_that_another_is_sealing_is_left_out_without_waiting(other: BaseDatabaseWrapper) -> None:
    seal(now=NOW, holder="test", horizon=EVERYTHING, tenant_ids=[TENANT])
    record([an_event()])
    with other.cursor() as cursor:
        lease: dict[str, Any] = {"tenant_id": TENANT, "holder": "other", "now": NOW, "until": LATER}
        cursor.execute(sealing.TAKE_LEASE, lease)

    assert seal(now=NOW, holder="test", horizon=EVERYTHING) == []


@pytest.mark.django_db
def test_a_lease_that_ran_out_is_taken_over_under_a_higher_fence() -> None:
    record([an_event()])
    Sealing.objects.create(tenant_id=TENANT, holder="killed", fence=4, until=NOW + timedelta(seconds=1))

    assert seal(now=NOW, holder="test", horizon=EVERYTHING) == []
    assert len(seal(now=NOW + timedelta(seconds=1), holder="test", horizon=EVERYTHING)) == 1
    assert Sealing.objects.get().fence == 5


@pytest.mark.django_db
def test_a_backlog_is_sealed_in_pieces_of_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_EVENTS", 4)
    record([an_event(str(number)) for number in range(10)])

    seals = seal(now=NOW, holder="test", horizon=EVERYTHING)

    assert [(each.first, each.last) for each in seals] == [(1, 4), (5, 8), (9, 10)]
    assert [each.previous_hash for each in seals[1:]] == [each.hash for each in seals[:-1]]
    assert numbered_subjects() == [(number + 1, str(number)) for number in range(10)]
    assert Sealing.objects.get().until == NOW
    assert verify(TENANT, now=LATER) == []


@pytest.mark.django_db
def test_every_tenant_has_its_own_numbers_and_the_installation_is_tenant_0() -> None:
    record([an_event(tenant_id=None), an_event(), an_event(tenant_id=8), an_event()])

    assert tenants_to_seal() == [0, TENANT, 8]
    assert {each.tenant_id: each.count for each in seal(now=NOW, holder="test", horizon=EVERYTHING)} == {
        0: 1,
        7: 2,
        8: 1,
    }
    assert tenants_to_seal() == []
    assert tenants_to_verify() == [0, TENANT, 8]
    assert [verify(tenant_id, now=LATER) for tenant_id in (0, TENANT, 8)] == [[], [], []]


@pytest.mark.django_db
def test_an_event_written_before_a_restored_backup_is_sealed_too() -> None:
    with as_intruder():
        query("INSERT INTO audit_event SELECT 5, 7, %s, 'delivered', 'bill', '41', 'system', '', '', '{}'", [NOW])
        query("INSERT INTO audit_eventorder VALUES (5, 7, 4000000000000)")

    assert seal_now() == [(TENANT, 1, 1, 1)]


@pytest.mark.django_db
def test_a_tenant_may_verify_and_export_itself() -> None:
    sealed_events("1", "2")
    with as_tenants(TENANT):
        assert verify(TENANT, now=LATER) == []
        assert verify_export(exported().splitlines()) == []


TAMPERINGS = {
    "UPDATE audit_event SET why = 'because' WHERE subject_id = '2'": "event ID (number 2) is not what was sealed",
    "UPDATE audit_event SET at = at + interval '1 us' WHERE subject_id = '2'": "event ID (number 2) is not what",
    "UPDATE audit_event SET data = '{} ' WHERE subject_id = '2'": "event ID (number 2) is not what was sealed",
    "UPDATE audit_event SET tenant_id = 8 WHERE subject_id = '2'": "event ID (number 2) is not what was sealed",
    "DELETE FROM audit_event WHERE subject_id = '2'": "event ID (number 2) is gone although its partition",
    "DELETE FROM audit_eventorder WHERE number = 1": "event number 1 is missing",
    "DELETE FROM audit_eventorder WHERE number = 2": "seal 1 covers 2 events, numbers 1 to 2; 1 are there",
    "UPDATE audit_eventorder SET number = 99 WHERE number = 4": "events number 99 to 99 are numbered but outside",
    "UPDATE audit_eventorder SET digest = '\\x00' WHERE number = 2": "seal 1 does not match its events",
    "DELETE FROM audit_seal WHERE number = 2": "events number 3 to 4 are numbered but outside every seal",
    "DELETE FROM audit_seal WHERE number = 1": "seal 2 comes after seal 0: a seal is missing or doubled",
    "UPDATE audit_seal SET at = at + interval '1 day' WHERE number = 1": "seal 1 was changed after it was written",
    "UPDATE audit_seal SET previous_hash = 'x' WHERE number = 2": "seal 2 does not follow from the seal before it",
    "UPDATE audit_seal SET root_hash = 'x' WHERE number = 2": "seal 2 does not match its events",
    "UPDATE audit_seal SET count = 3 WHERE number = 2": "seal 2 covers 3 events, numbers 3 to 4; 2 are there",
    "INSERT INTO audit_event SELECT id + 1000, tenant_id, at, verb, subject_kind, 'forged', actor, why, trace_id, data"
    " FROM audit_event WHERE subject_id = '2'": "have no place in the order",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("tampering", "expected"), TAMPERINGS.items())
def test_what_an_intruder_changed_is_found(tampering: str, expected: str) -> None:
    sealed_events("1", "2")
    sealed_events("3", "4")
    event_id = query("SELECT event_id FROM audit_eventorder WHERE number = 2")[0][0]
    with as_intruder():
        query(tampering)

    found = sentences(verify(TENANT, now=LATER))
    assert any(expected.replace("ID", str(event_id)) in sentence for sentence in found), found


@pytest.mark.django_db
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_event SET why = 'because' WHERE subject_id = '2'",
        "DELETE FROM audit_event WHERE subject_id = '2'",
        "DELETE FROM audit_eventorder WHERE number = 2",
        "DELETE FROM audit_seal WHERE number = 1",
    ],
)
def test_an_outsider_finds_it_in_an_export(tampering: str) -> None:
    sealed_events("1", "2")
    sealed_events("3", "4")
    assert verify_export(exported().splitlines()) == []
    with as_intruder():
        query(tampering)

    assert verify_export(exported().splitlines()) != []


@pytest.mark.django_db
def test_events_swapped_within_a_seal_are_found() -> None:
    sealed_events("1", "2")
    with as_intruder():
        query("UPDATE audit_eventorder SET number = number + 10")
        query("UPDATE audit_eventorder SET number = 13 - number")

    assert sentences(verify(TENANT, now=LATER)) == [
        "seal 1 does not match its events: one was exchanged, or their order was changed"
    ]


@pytest.mark.django_db
def test_an_event_that_nobody_seals_is_found_once_it_is_old() -> None:
    record([an_event()])
    query("UPDATE audit_eventorder SET transaction_id = 3")

    assert verify(TENANT, now=NOW + timedelta(seconds=30)) == []
    assert sentences(verify(TENANT, now=LATER)) == [
        "1 events are older than 0:01:00 and not sealed: no sealer is at work"
    ]


def test_an_open_transaction_that_keeps_events_from_being_sealed_is_named(other: BaseDatabaseWrapper) -> None:
    record_on(other, "not committed")
    record([an_event()])

    assert "is still open in the database" in sentences(verify(TENANT, now=LATER))[0]


@pytest.mark.django_db
def test_an_event_that_vanished_before_it_was_sealed_is_found() -> None:
    record([an_event()])
    with as_intruder():
        query("DELETE FROM audit_event")

    assert seal(now=NOW, holder="test", horizon=EVERYTHING) == []
    assert sentences(verify(TENANT, now=NOW)) == ["1 events are gone that were not sealed yet"]


@pytest.mark.django_db
def test_a_dropped_partition_leaves_its_seals_and_is_no_finding() -> None:
    record([an_event("1"), an_event("2"), an_event("3")])
    with as_intruder():
        query("UPDATE audit_event SET id = id + 10000000 WHERE subject_id = '3'")
        query(
            "UPDATE audit_eventorder SET event_id = event_id + 10000000"
            " WHERE event_id = (SELECT max(event_id) FROM audit_eventorder)"
        )
    seal(now=NOW, holder="test", horizon=EVERYTHING)
    with as_owner():
        query("DROP TABLE audit_event_from_0")

    examination = examine(TENANT, now=LATER)
    assert (examination.events, examination.archived, examination.last_archived) == (3, 2, 2)
    assert "2 events, up to number 2, are archived" in examination.summary()
    assert examination.findings == []
    assert examine_export(exported().splitlines()).archived == 2
    assert verify_export(exported().splitlines()) == []


@pytest.mark.django_db
def test_findings_without_end_are_cut_at_a_hundred() -> None:
    sealed_events(*map(str, range(150)))
    with as_intruder():
        query("UPDATE audit_event SET actor = 'nobody'")

    found = sentences(verify(TENANT, now=LATER))
    assert len(found) == 101
    assert found[-1] == "there is more; only the first 100 findings are listed"


def changed(lines: list[str], place: int, **values: Any) -> list[str]:
    line = json.loads(lines[place])
    next(iter(line.values())).update(values)
    return [*lines[:place], json.dumps(line), *lines[place + 1 :]]


@pytest.mark.django_db
def test_a_damaged_export_is_explained_in_plain_words() -> None:
    sealed_events("1", "2")
    lines = exported().splitlines()

    assert sentences(verify_export([])) == [
        "this is no export of an audit: the first line does not say 'ml-connector audit, 1'"
    ]
    assert "this is no export" in sentences(verify_export(["[1]"]))[0]
    assert sentences(verify_export(lines[:-1])) == ["the file has no last line: it was cut off"]
    assert "line 6 comes after the last line" in sentences(verify_export([*lines, lines[1]]))
    assert "the last line counts" in sentences(verify_export(changed(lines, 4, events=3)))[0]
    assert "line 2 cannot be read" in sentences(verify_export([lines[0], "{", *lines[2:]]))[-1]
    damages: list[dict[str, Any]] = [{"number": "1"}, {"digest": "xyz"}, {"event": []}, {"unheard": 1}]
    for wrong in damages:
        assert "line 2 cannot be read" in sentences(verify_export(changed(lines, 1, **wrong)))[-1], wrong


@pytest.mark.django_db
def test_an_outsider_verifies_an_export_with_nothing_but_python(tmp_path: Path) -> None:
    sealed_events("1", "2")
    file = tmp_path / "audit.jsonl"
    call_command("verify_audit", tenant=TENANT, export=file, stdout=io.StringIO())

    def run() -> tuple[int, str]:
        command = [sys.executable, "-S", "-m", "audit.export", str(file)]
        root = Path(sealing.__file__).parent.parent
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    status, output = run()
    assert (status, output.split(",")[0]) == (0, "tenant 7: 2 events")
    file.write_text(file.read_text().replace('"why":""', '"why":"x"', 1))
    status, output = run()
    assert status == 1
    assert "is not what was sealed" in output


@pytest.mark.django_db
def test_the_command_says_that_all_is_well_or_what_is_not(tmp_path: Path) -> None:
    def run(**options: Any) -> str:
        stream = io.StringIO()
        call_command("verify_audit", stdout=stream, **options)
        return stream.getvalue()

    sealed_events("1", "2")
    sealed_events("3", tenant_id=None)
    file = tmp_path / "audit.jsonl"

    assert "tenant 0: 1 events, 1 seals" in run()
    assert "the audit is whole" in run(tenant=TENANT, export=file)
    assert "the audit is whole" in run(file=file)
    with as_intruder():
        query("UPDATE audit_event SET why = 'x' WHERE tenant_id = 7")
    with pytest.raises(CommandError, match="2 findings: the audit is not whole"):
        run()
    assert "the audit is whole" in run(tenant=0)
    with pytest.raises(CommandError, match="There is no tenant 77"):
        run(tenant=77)
    with pytest.raises(CommandError, match="No such file"):
        run(file=tmp_path / "nothing")
    with pytest.raises(CommandError, match="say which with --tenant"):
        run(export=file)
    with pytest.raises(CommandError, match="says itself whose it is"):
        run(file=file, tenant=3)
