"""Acts of the tables' owner, for tests that need more rights than the application has."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations


@contextmanager
def as_owner() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {settings.WORK_ROLE}")


@contextmanager
def as_tenants(*ids: int) -> Iterator[None]:
    """What the API and finance may see: the rows of these tenants."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {settings.TENANT_ROLE}")
        cursor.execute("SELECT set_config('mlconnector.tenants', %s, false)", [",".join(map(str, ids))])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('mlconnector.tenants', '', false)")
            cursor.execute(f"SET ROLE {settings.WORK_ROLE}")


def flush_as_owner(operations: BaseDatabaseOperations, statements: list[str]) -> None:
    """Empties the tables after a test that committed; the refusals of append-only tables are off meanwhile."""
    with as_owner(), operations.connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, coalesce(inhparent, tgrelid)::regclass::text "
            "FROM pg_trigger LEFT JOIN pg_inherits ON inhrelid = tgrelid WHERE tgname = 'refuse_truncate'"
        )
        emptied = " ".join(statements)
        tables = [table for table, whole in cursor.fetchall() if f'"{whole}"' in emptied]
        cursor.execute("SET lock_timeout = '20s'")  # a connection that a test has left open is an error, not a halt
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER refuse_truncate")
        for statement in statements:
            cursor.execute(statement)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER refuse_truncate")
        cursor.execute("RESET lock_timeout")
