"""Who may do what in the database, and what it refuses to everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations import RunSQL
from django.db.migrations.state import ProjectState

from audit.schema import append_only, partitioned, tenant_policy
from connectors.management.commands.migrate import prepare_roles
from tests.owner import as_owner, as_tenants


@pytest.mark.django_db
def test_the_application_works_with_the_rights_of_a_worker() -> None:
    User.objects.create_user("someone")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user")
        assert cursor.fetchone() == ("mlconnector_work", connection.settings_dict["USER"])


def run(*operations: RunSQL) -> None:
    """What a migration does with these operations."""
    with connection.schema_editor(atomic=False) as editor:
        for operation in operations:
            operation.database_forwards("audit", editor, ProjectState(), ProjectState())


def undo(*operations: RunSQL) -> None:
    with connection.schema_editor(atomic=False) as editor:
        for operation in reversed(operations):
            operation.database_backwards("audit", editor, ProjectState(), ProjectState())


def query(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def is_refused(message: str) -> Iterator[None]:
    with pytest.raises(DatabaseError, match=message), transaction.atomic():
        yield


LETTERS = [
    *partitioned("letter", "tenant_id bigint NOT NULL, body text NOT NULL", span=10),
    *tenant_policy("letter"),
    *append_only("letter"),
]


@pytest.fixture
def letters(db: None) -> None:
    with as_owner():
        run(*LETTERS)
    query("INSERT INTO letter (tenant_id, body) SELECT 1 + n % 3, 'x' FROM generate_series(1, 6) n")


@pytest.mark.usefixtures("letters")
def test_a_tenant_reads_only_its_own_rows_and_writes_none() -> None:
    with as_tenants(2, 3):
        assert query("SELECT tenant_id, count(*) FROM letter GROUP BY 1 ORDER BY 1") == [(2, 2), (3, 2)]
        with is_refused("permission denied"):
            query("INSERT INTO letter (tenant_id, body) VALUES (2, 'forged')")
    with as_tenants():
        assert query("SELECT count(*) FROM letter") == [(0,)]


@pytest.mark.usefixtures("letters")
def test_without_the_setting_the_tenant_role_sees_nothing() -> None:
    query("SET LOCAL ROLE mlconnector_tenant")
    assert query("SELECT count(*) FROM letter") == [(0,)]


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["auth_user", "django_session", "django_q_ormq", "django_q_task", "django_cache"])
def test_the_tenant_role_reads_nothing_of_djangos_and_the_queues(table: str) -> None:
    with as_tenants(1), is_refused("permission denied"):
        query(f"SELECT * FROM {table}")


@pytest.mark.usefixtures("letters")
def test_what_was_written_is_not_changed_by_anybody() -> None:
    with is_refused("letter_from_0 keeps what was once written: UPDATE is refused"):
        query("UPDATE letter SET body = 'y'")
    with as_owner():
        with is_refused("DELETE is refused"):
            query("DELETE FROM letter WHERE id = 1")
        with is_refused("TRUNCATE is refused"):
            query("TRUNCATE letter")
        with is_refused("TRUNCATE is refused"):
            query("TRUNCATE letter_from_10")
    assert query("SELECT count(*) FROM letter WHERE body = 'x'") == [(6,)]


@pytest.mark.usefixtures("letters")
def test_an_empty_partition_is_always_ahead_of_need() -> None:
    def partitions() -> int:
        (count,) = query("SELECT count(*) FROM pg_inherits WHERE inhparent = 'letter'::regclass")[0]
        return int(count)

    assert partitions() == 2
    assert query("SELECT mlconnector_extend_partitions()") == [(0,)]
    query("INSERT INTO letter (tenant_id, body) SELECT 1, 'z' FROM generate_series(7, 19)")
    assert query("SELECT mlconnector_extend_partitions()") == [(1,)]
    query("INSERT INTO letter (tenant_id, body) SELECT 1, 'z' FROM generate_series(20, 29)")
    assert query("SELECT mlconnector_extend_partitions()") == [(1,)]
    assert partitions() == 4
    with is_refused("keeps what was once written"):
        query("UPDATE letter SET body = 'y' WHERE id = 25")


@pytest.mark.usefixtures("letters")
def test_a_partition_cannot_be_used_past_the_policies_of_its_table() -> None:
    with is_refused("permission denied"):
        query("SELECT * FROM letter_from_0")
    with as_tenants(1), is_refused("permission denied"):
        query("SELECT * FROM letter_from_0")


@pytest.mark.usefixtures("letters")
def test_every_guard_can_be_taken_back() -> None:
    with as_owner():
        undo(*LETTERS)
        assert query("SELECT to_regclass('letter')") == [(None,)]
        run(*LETTERS)


@pytest.mark.usefixtures("letters")
def test_the_tenants_are_found_by_an_index() -> None:
    with as_owner():
        query("CREATE INDEX letter_tenant ON letter (tenant_id)")
    query("SET LOCAL enable_seqscan = off")
    with as_tenants(2):
        plan = "\n".join(line for (line,) in query("EXPLAIN SELECT * FROM letter"))
    assert "Index Cond: (tenant_id = ANY" in plan


@pytest.mark.django_db
def test_migrating_again_changes_no_right_and_keeps_the_role() -> None:
    call_command("migrate", verbosity=0)
    assert query("SELECT current_user::text") == [("mlconnector_work",)]


@pytest.mark.django_db
def test_a_database_user_who_may_make_no_roles_is_told_the_statements() -> None:
    with as_owner():
        query("CREATE ROLE newcomer NOLOGIN")
        query("GRANT newcomer TO CURRENT_USER WITH SET TRUE")
        query("SET LOCAL ROLE newcomer")
        with connection.cursor() as cursor, pytest.raises(CommandError, match='GRANT mlconnector_work TO "newcomer"'):
            prepare_roles(cursor)
