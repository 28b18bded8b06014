"""What is due, and waking it: the only caller of django-q2.

A wake-up is a hint. It may be lost or come twice: what is due stays due in its row until a slice has dealt with it, and
a row that was woken is woken again when nothing has come of it for a while.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django_q.tasks import async_task

from connectors.upkeep import take_due

WAKE_AGAIN = timedelta(seconds=10)
AT_ONCE = 50

DUE = """
WITH due AS (
    SELECT 'feed' AS what, f.id, f.tenant_id, f.due_at FROM syncs_feed f
    JOIN connectors_connection c ON c.id = f.connection_id AND c.status = 'connected'
    JOIN connectors_tenant t ON t.id = f.tenant_id AND t.active
    WHERE f.due_at <= %(now)s AND NOT f.paused AND (f.woken_until IS NULL OR f.woken_until <= %(now)s)
      AND (f.lease_until IS NULL OR f.lease_until <= %(now)s)
    UNION ALL
    SELECT 'feed', f.id, f.tenant_id, c.hinted_at FROM connectors_connection c
    JOIN syncs_feed f ON f.tenant_id = c.tenant_id AND f.connection_id = c.id AND f.failures = 0
    JOIN connectors_tenant t ON t.id = f.tenant_id AND t.active
    WHERE c.hinted_at <= %(now)s AND c.status = 'connected' AND (f.due_at IS NULL OR f.due_at > %(now)s)
      AND NOT f.paused AND (f.woken_until IS NULL OR f.woken_until <= %(now)s)
      AND (f.lease_until IS NULL OR f.lease_until <= %(now)s)
    UNION ALL
    SELECT 'stream', s.id, s.tenant_id, s.due_at FROM syncs_stream s
    JOIN syncs_integration i ON i.id = s.integration_id AND i.active
    JOIN connectors_connection e ON e.id = i.erp_id AND e.status = 'connected'
    JOIN connectors_connection n ON n.id = i.ap_network_id AND n.status = 'connected'
    JOIN connectors_tenant t ON t.id = s.tenant_id AND t.active
    WHERE s.due_at <= %(now)s AND NOT s.paused AND (s.woken_until IS NULL OR s.woken_until <= %(now)s)
      AND (s.lease_until IS NULL OR s.lease_until <= %(now)s)
), fair AS (
    SELECT what, id, row_number() OVER (PARTITION BY tenant_id ORDER BY due_at, what, id) AS turn, due_at FROM due
), chosen AS (
    SELECT what, id FROM fair ORDER BY turn, due_at, what, id LIMIT %(at_once)s
), feeds AS (
    UPDATE syncs_feed f SET woken_until = %(until)s FROM chosen
    WHERE chosen.what = 'feed' AND f.id = chosen.id AND (f.woken_until IS NULL OR f.woken_until <= %(now)s)
    RETURNING f.id
), streams AS (
    UPDATE syncs_stream s SET woken_until = %(until)s FROM chosen
    WHERE chosen.what = 'stream' AND s.id = chosen.id AND (s.woken_until IS NULL OR s.woken_until <= %(now)s)
    RETURNING s.id
)
SELECT 'feed', id FROM feeds UNION ALL SELECT 'stream', id FROM streams ORDER BY 1, 2
"""
TASKS = {
    "feed": "syncs.tasks.read",
    "stream": "syncs.tasks.deliver",
    "sign-in": "syncs.tasks.look_after_sign_in",
}

Wake = Callable[[str, int], None]


def tick(now: datetime, *, wake: Wake) -> int:
    """Wake what is due, at most one slice of each, in turns over the tenants; how many were woken."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "until": now + WAKE_AGAIN, "at_once": AT_ONCE})
        due = cursor.fetchall()
        for what, row_id in due:
            wake(what, row_id)
    return len(due)


def tick_sign_ins(now: datetime, *, wake: Wake) -> int:
    """Wake the connections whose sign-in is to be looked after; how many were woken."""
    with transaction.atomic():
        due = take_due(now)
        for connection_id in due:
            wake("sign-in", connection_id)
    return len(due)


def enqueue(what: str, row_id: int) -> None:
    """Ask django-q2 to run one slice; it commits or rolls back with the caller."""
    async_task(TASKS[what], row_id)
