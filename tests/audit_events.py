"""Events for tests of the audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from audit.log import NewEvent, record
from audit.seal import EVERYTHING, seal
from tests.owner import as_owner

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TENANT = 7


def an_event(subject_id: str = "41", **changes: Any) -> NewEvent:
    facts: dict[str, Any] = {
        "tenant_id": TENANT,
        "at": NOW,
        "verb": "delivered",
        "subject_kind": "bill",
        "subject_id": subject_id,
    }
    return NewEvent(**(facts | changes))


def sealed_events(*subject_ids: str, tenant_id: int | None = TENANT) -> None:
    """Events under one more seal, within the transaction of the test."""
    record([an_event(subject_id, tenant_id=tenant_id) for subject_id in subject_ids])
    seal(now=NOW, holder="test", horizon=EVERYTHING)


def query(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def as_intruder() -> Iterator[None]:
    """Somebody with all rights in the database who has turned its refusals off."""
    with as_owner():
        for table in ("audit_event", "audit_eventorder", "audit_seal"):
            query(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield
        for table in ("audit_event", "audit_eventorder", "audit_seal"):
            query(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
