"""What a feed sees to when it has read all changes: what "final" hides, and what has been standing for too long.

Whatever is due for it stands in rows, so a feed that does not run is late and forgets nothing.
"""

from datetime import datetime

from django.db import transaction

from connectors.base import Page
from connectors.conversation import Conversation, Steps, fetching
from connectors.records import AnyRecord, Kind
from connectors.registry import connector_class
from syncs.delivery.linked import look_at_links
from syncs.leases import Lease
from syncs.mirror.invoices import review_stopped
from syncs.mirror.page import keep_page
from syncs.mirror.rereads import DAILY
from syncs.models import Feed, Reread
from syncs.problems.leaving import review_left

AT_ONCE = 50


def look_after(feed: Feed, lease: Lease, conversation: Conversation, *, until: float) -> Steps[None]:
    """The steps that end a feed's slice; what has no time before `until`, a later slice does."""
    clock, connection = conversation.effects.clock, feed.connection
    of_network = connector_class(connection.provider).role == "ap_network"
    if of_network:
        yield from _read_again(feed, lease, conversation, until)
    with transaction.atomic():
        now = clock.now()
        lease.check(now)
        if of_network:
            review_stopped(connection, now=now)
        else:
            look_at_links(connection, now=now)
        review_left(connection, now=now)
    yield "looked after"


def _read_again(feed: Feed, lease: Lease, conversation: Conversation, until: float) -> Steps[None]:
    """The steps that fetch the payments that are due for it, a call for each set, as long as there is time."""
    clock = conversation.effects.clock
    while clock.monotonic() <= until and (due := _due(feed, clock.now())):
        shown = yield from conversation.call(fetching(Kind.PAYMENT, list(due)))
        yield "payments read again"
        now = clock.now()
        with transaction.atomic():
            lease.check(now)
            _keep(feed, conversation.trace_id, due, shown, now)
            conversation.kept_exchanges()
        yield "payments kept"


def _due(feed: Feed, now: datetime) -> dict[str, int]:
    """The payments that are due, by id, with the rows that say so."""
    rows = Reread.objects.filter(tenant_id=feed.tenant_id, connection=feed.connection, due_at__lte=now)
    return dict(rows.order_by("due_at", "pk").values_list("remote_record__remote_id", "pk")[:AT_ONCE])


def _keep(feed: Feed, trace_id: str, due: dict[str, int], shown: dict[str, AnyRecord], now: datetime) -> None:
    """What was shown gets its next time with its page; what was not is asked for again in a day."""
    Reread.objects.filter(pk__in=[pk for id, pk in due.items() if id in shown]).delete()
    Reread.objects.filter(pk__in=[pk for id, pk in due.items() if id not in shown]).update(due_at=now + DAILY)
    page = Page(records=[(Kind.PAYMENT, record) for record in shown.values()], cursor={}, more=False)
    keep_page(feed.connection, page, now=now, sweep=0, trace_id=trace_id)
