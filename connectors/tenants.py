"""Whose rows may be seen: a short transaction as the tenant role, in which the database shows these tenants only."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

TENANT_ROLE = "mlconnector_tenant"


@contextmanager
def scope(tenant_ids: Iterable[int]) -> Iterator[None]:
    """Run as the tenant role over these tenants; outside it that role sees nothing. Never call a provider inside."""
    listed = ",".join(str(int(tenant_id)) for tenant_id in tenant_ids)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute(f"SET LOCAL ROLE {TENANT_ROLE}")
        cursor.execute("SELECT set_config('mlconnector.tenants', %s, true)", [listed])
        yield
        cursor.execute(f'SET LOCAL ROLE "{before}"')
        cursor.execute("SELECT set_config('mlconnector.tenants', '', true)")
