"""What can be written to the audit, who reads it, and that nothing of it can be changed."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client

from audit.log import record
from audit.models import Event, EventOrder
from audit.verbs import VERBS, say
from tests.audit_events import NOW, TENANT, an_event, as_intruder, query, sealed_events
from tests.owner import as_owner, as_tenants


@pytest.mark.django_db
def test_an_event_is_kept_as_it_was_given() -> None:
    record(
        [
            an_event(
                verb="record_ignored",
                actor="ann",
                why="paid by hand – “twice”",
                trace_id="t1",
                data={"z": "ü", "a": [1]},
            )
        ]
    )

    event = Event.objects.get()
    assert (event.tenant_id, event.at, event.verb, event.subject_kind) == (TENANT, NOW, "record_ignored", "bill")
    assert (event.subject_id, event.actor, event.why, event.trace_id) == ("41", "ann", "paid by hand – “twice”", "t1")
    assert event.data == '{"a":[1],"z":"ü"}'
    assert event.sentence == "Bill 41 was ignored for good"


@pytest.mark.django_db
def test_a_set_is_inserted_in_its_order_by_one_transaction() -> None:
    subjects = [str(number) for number in range(500)]
    record([an_event(subject) for subject in subjects])

    assert list(Event.objects.order_by("id").values_list("subject_id", flat=True)) == subjects
    assert EventOrder.objects.filter(tenant_id=TENANT, number=None).count() == 500
    assert query("SELECT DISTINCT transaction_id = pg_current_xact_id()::text::bigint FROM audit_eventorder") == [
        (True,)
    ]


@pytest.mark.django_db
def test_an_empty_set_writes_nothing() -> None:
    record([])

    assert not Event.objects.exists()


@pytest.mark.django_db
def test_events_go_with_the_transaction_of_the_act() -> None:
    with transaction.atomic():
        record([an_event()])
        transaction.set_rollback(True)

    assert not Event.objects.exists()
    assert not EventOrder.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verb": "exploded"}, "'exploded' is no verb of the audit"),
        ({"at": datetime(2026, 11, 21)}, "no time zone"),  # noqa: DTZ001
        ({"tenant_id": 0}, "0 is no tenant"),
        ({"actor": " "}, "does not say who did it"),
        ({"verb": "record_ignored", "actor": "ann"}, "'record_ignored' by ann needs a reason"),
        ({"verb": "record_ignored", "actor": "ann", "why": "  "}, "'record_ignored' by ann needs a reason"),
    ],
)
def test_an_event_that_must_not_be_written_is_refused_with_its_whole_set(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        record([an_event(), an_event(**changes)])

    assert not Event.objects.exists()


@pytest.mark.django_db
def test_the_system_needs_no_reason_and_a_person_only_where_the_verb_says_so() -> None:
    record([an_event(verb="connection_paused"), an_event(verb="connection_resumed", actor="ann")])

    assert Event.objects.count() == 2


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_makes_a_sentence(verb: str) -> None:
    assert "stream 3" in say(verb, "stream", "3").lower()


def test_an_event_of_a_verb_that_this_version_does_not_know_can_still_be_read() -> None:
    assert say("teleported", "purchase_order", "9") == "Teleported: purchase order 9"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET why = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "TRUNCATE audit_event_from_0",
        "UPDATE audit_seal SET count = 0",
        "DELETE FROM audit_seal",
        "TRUNCATE audit_seal",
        "UPDATE audit_eventorder SET number = number + 1",
        "UPDATE audit_eventorder SET digest = 'x'",
        "UPDATE audit_eventorder SET event_id = event_id + 1",
        "DELETE FROM audit_eventorder",
        "TRUNCATE audit_eventorder",
    ],
)
def test_nothing_of_the_audit_can_be_changed_even_by_the_owner_in_raw_sql(statement: str) -> None:
    sealed_events("1", "2")
    with as_owner(), pytest.raises(DatabaseError, match="keeps what was once written"), transaction.atomic():
        query(statement)

    assert query("SELECT count(*), sum(number) FROM audit_eventorder") == [(2, 3)]
    assert query("SELECT count(*) FROM audit_event") == [(2,)]


@pytest.mark.django_db
def test_a_place_in_the_order_that_is_not_given_yet_cannot_be_moved_or_deleted() -> None:
    record([an_event()])
    for statement in ("UPDATE audit_eventorder SET tenant_id = 8", "DELETE FROM audit_eventorder"):
        with pytest.raises(DatabaseError, match="keeps what was once written"), transaction.atomic():
            query(statement)


@pytest.mark.django_db
def test_a_tenant_reads_its_own_events_and_seals_and_nothing_else() -> None:
    for tenant_id in (TENANT, 8, None):
        sealed_events("1", tenant_id=tenant_id)
    with transaction.atomic():
        query("SET LOCAL ROLE mlconnector_tenant")
        query("SELECT set_config('mlconnector.tenants', '7', true)")
        for table in ("audit_event", "audit_eventorder", "audit_seal"):
            assert query(f"SELECT tenant_id FROM {table}") == [(7,)]
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            query("SELECT * FROM audit_sealing")
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            record([an_event()])
        query("SET LOCAL ROLE mlconnector_work")


@pytest.mark.django_db
def test_without_the_setting_of_tenants_the_tenant_role_reads_nothing() -> None:
    sealed_events("1")
    sealed_events("1", tenant_id=None)
    with as_tenants():
        for table in ("audit_event", "audit_eventorder", "audit_seal"):
            assert query(f"SELECT tenant_id FROM {table}") == []


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.mark.django_db
def test_the_admin_shows_events_and_finds_them_by_subject_or_trace(operator: Client) -> None:
    record([an_event("41", trace_id="t1"), an_event("42", trace_id="t2"), an_event("43", tenant_id=None)])

    everything = operator.get("/admin/audit/event/").content.decode()
    by_subject = operator.get("/admin/audit/event/", {"q": "41"}).content.decode()
    by_trace = operator.get("/admin/audit/event/", {"q": "t2"}).content.decode()
    of_tenant = operator.get("/admin/audit/event/", {"tenant_id": "7"}).content.decode()

    sentences = [f"Bill {number} was delivered and accepted" for number in (41, 42, 43)]
    assert [sentence in everything for sentence in sentences] == [True, True, True]
    assert [sentence in by_subject for sentence in sentences] == [True, False, False]
    assert [sentence in by_trace for sentence in sentences] == [False, True, False]
    assert [sentence in of_tenant for sentence in sentences] == [True, True, False]


@pytest.mark.django_db
def test_the_admin_shows_an_event_and_a_seal_but_changes_none(operator: Client) -> None:
    sealed_events("41")
    event_id = Event.objects.get().id

    assert operator.get(f"/admin/audit/event/{event_id}/change/").status_code == 200
    assert "audit/seal" in operator.get("/admin/audit/seal/").content.decode()
    assert operator.get("/admin/audit/event/add/").status_code == 403
    assert operator.post(f"/admin/audit/event/{event_id}/change/", {"why": "x"}).status_code == 403
    assert operator.post(f"/admin/audit/event/{event_id}/delete/", {"post": "yes"}).status_code == 403
    assert Event.objects.get().why == ""


@pytest.mark.django_db
def test_data_is_read_as_the_text_that_was_written() -> None:
    record([an_event(data={"amount": "10.00"})])
    with as_intruder():
        query("""UPDATE audit_event SET data = '{ "amount" : "10.00", "amount" : 1 }'""")

    assert Event.objects.get().data == '{ "amount" : "10.00", "amount" : 1 }'
    assert json.loads(Event.objects.get().data) == {"amount": 1}
