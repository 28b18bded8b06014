"""Row-level security: whoever reads for a tenant sees that tenant's rows, in every table that has any."""

import pytest
from django.db import ProgrammingError, connection, transaction

from audit.seal import seal
from connectors.expiries import note_stop
from connectors.models import SignIn, Tenant
from connectors.tenants import scope
from syncs.models import (
    Decision,
    Holiday,
    Integration,
    Problem,
    Replay,
    ScheduleRow,
    StoppedInvoice,
    SyncRecord,
    UnreadableRow,
)
from tests.connecting import START, staff
from tests.populated import populate

pytestmark = pytest.mark.django_db
NEVER_READ = {
    "audit_sealing",
    "connectors_app",
    "connectors_budget",
    "connectors_hint",
    "connectors_signin",
    "connectors_token",
    "connectors_webhook_delivery",
}
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return [name for (name,) in cursor.fetchall()]


def rows(table: str) -> int | None:
    """How many rows are seen; None where the table may not be read at all."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(tenant_id) FROM {table}")
            return int(cursor.fetchone()[0])
    except ProgrammingError as error:
        if "permission denied" not in str(error):
            raise
        return None


def seen_by(*tenant_ids: int) -> dict[str, int | None]:
    with scope(tenant_ids):
        return {table: rows(table) for table in tables()}


def test_a_tenant_sees_its_own_rows_and_nobody_elses_in_every_table() -> None:
    world = populate()
    fill_the_rest(world.tenant)
    other = Tenant.objects.create(name="Other")
    own, others, nobodys = seen_by(world.tenant.pk), seen_by(other.pk), seen_by()
    assert {table for table, count in own.items() if count is None} == NEVER_READ
    readable = set(own) - NEVER_READ
    assert {table for table in readable if not own[table]} == set(), "empty: this test would say nothing about them"
    assert {table for table in readable if others[table]} == set()
    assert {table for table in readable if nobodys[table]} == set()


def test_a_tenant_sees_no_other_tenant_and_never_a_credential() -> None:
    world = populate()
    other = Tenant.objects.create(name="Other")
    with scope([other.pk]):
        assert list(Tenant.objects.values_list("name", flat=True)) == ["Other"]
    with scope([world.tenant.pk]), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        list(world.tenant.connections.all())


def test_a_scope_ends_with_its_block() -> None:
    world = populate()
    with scope([world.tenant.pk]):
        pass
    assert rows("connectors_token")


def fill_the_rest(tenant: Tenant) -> None:
    """A row in the tables that nothing has happened for."""
    made = tenant.connections.defer("credentials").first()
    assert made is not None
    UnreadableRow.objects.create(
        tenant=tenant, connection=made, kind="bill", remote_id="7", why="no SyncToken", raw="{}", seen_at=START
    )
    note_stop(made, "", START)
    SignIn.objects.create(tenant=tenant, connection=made, user=staff(), state_hash="x", expires_at=START)
    integration = Integration.objects.get(tenant=tenant)
    of = {"tenant": tenant, "stream": integration.streams.first(), "since": START}
    ScheduleRow.objects.create(**of, rule={"type": "cron", "expression": "0 6 * * *"}, changed_by="test", why="test")
    Holiday.objects.create(tenant=tenant, day=START.date())
    problem = Problem.objects.filter(tenant=tenant)[0]
    when = {"asked_at": START, "due_at": START}
    Replay.objects.create(tenant=tenant, problem=problem, asked_by="test", why="test", up_to_id=1, records=1, **when)
    delivery = SyncRecord.objects.filter(tenant=tenant)[0]
    said = {"decided_by": "test", "why": "test", "decided_at": START}
    Decision.objects.create(tenant=tenant, sync_record=delivery, what=Decision.What.LINK, **said)
    remote = delivery.remote_record
    StoppedInvoice.objects.create(
        tenant=tenant, connection=made, remote_record=remote, status="on_hold", since=START, problem=problem
    )
    seal(now=START, holder="test", horizon=2**62)
