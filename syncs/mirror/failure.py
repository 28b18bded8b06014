"""What becomes of a feed whose reading failed, and of its problem once reading works again."""

from datetime import datetime, timedelta

from django.db import transaction

from connectors.conversation import Conversation
from connectors.errors import AuthError, ConnectorError, RateLimited, TransientError
from connectors.models import Connection
from syncs import runs
from syncs.delivery.decide import backoff
from syncs.leases import Lease
from syncs.models import Feed
from syncs.problems.causes import Cause, is_open, open_problem, resolve_problems
from syncs.problems.connections import cause_key_of, stop_for_sign_in

FAILURES_BEFORE_A_PROBLEM = 6


def reading_failed(feed: Feed, lease: Lease, conversation: Conversation, error: ConnectorError) -> None:
    """Decide when to read again, and tell somebody where only a person can help."""
    clock = conversation.effects.clock
    now = clock.now()
    counted = not isinstance(error, AuthError | RateLimited)
    failures = feed.failures + counted
    wait = timedelta(seconds=error.retry_after) if isinstance(error, RateLimited) else backoff(failures, clock.chance())
    fetched_at = None if counted else now + wait
    with transaction.atomic():
        lease.check(now)
        conversation.kept_exchanges()
        Feed.objects.filter(pk=feed.pk).update(failures=failures)
        # What webhooks named waits with the rest: it is fetched first when the feed is read again.
        Connection.objects.filter(pk=feed.connection_id).exclude(hinted_at=None).update(hinted_at=fetched_at)
        runs.note(feed, {}, started=lease.taken_at, now=now, sweep=feed.sweep if feed.stage else 0, error=str(error))
        if not feed.stage:
            runs.end(feed)
        if isinstance(error, AuthError):
            stop_for_sign_in(feed.connection, error, now=now)
        elif not isinstance(error, TransientError) or failures >= FAILURES_BEFORE_A_PROBLEM:
            open_problem(_cause(feed, error), now=now)
        lease.give_back(due_at=now if isinstance(error, AuthError) else now + wait, now=now)


def reading_succeeded(feed: Feed, now: datetime) -> None:
    """Forget earlier failures, in the caller's transaction."""
    if feed.failures:
        Feed.objects.filter(pk=feed.pk).update(failures=0)
    ours, of_connection = f"feed:{feed.pk}", cause_key_of(feed.connection_id)
    if not is_open(feed.tenant_id, [ours, of_connection]):
        return
    works_now = Connection.objects.filter(pk=feed.connection_id, status=Connection.Status.CONNECTED)
    # A page that was under way when the sign-in died proves nothing. Whoever stops the connection right now holds its
    # row: we do not wait for them, since they may wait for what we hold; the next page closes what is to be closed.
    row = works_now.order_by().select_for_update(no_key=True, skip_locked=True)
    proved = bool(row.values_list("pk", flat=True))
    resolve_problems(feed.tenant_id, [ours, of_connection] if proved else [ours], now=now)


def _cause(feed: Feed, error: ConnectorError) -> Cause:
    return Cause(
        tenant_id=feed.tenant_id,
        connection_id=feed.connection_id,
        provider=feed.connection.provider,
        code=error.code or "unexpected_answer",
        cause_key=f"feed:{feed.pk}",
        detail=str(error),
    )
