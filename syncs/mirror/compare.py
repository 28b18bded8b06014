"""The comparison: what a complete reading did not show is asked for by id, and is gone only if it is not there."""

from django.db import transaction

from connectors.base import Gone
from connectors.conversation import Conversation, Steps, fetching
from connectors.records import Kind
from syncs.leases import Lease
from syncs.mirror.hinted import note_untold
from syncs.mirror.observe import Seen, as_gone, observe
from syncs.models import Feed, RemoteRecord, UnreadableRow

AT_ONCE = 100


def observe_absent(feed: Feed, lease: Lease, conversation: Conversation) -> Steps[None]:
    """Settle what this sweep has not shown of the kind that it has just read completely."""
    kind, clock = Kind(feed.stage), conversation.effects.clock
    ours = RemoteRecord.objects.filter(tenant_id=feed.tenant_id, connection=feed.connection, kind=kind)
    # What is there and cannot be read is shown elsewhere; asking for it again would not make it readable.
    unreadable = UnreadableRow.objects.filter(connection=feed.connection, kind=kind).values("remote_id")
    while True:
        missing = list(
            ours.filter(sweep__lt=feed.sweep, gone="")
            .exclude(remote_id__in=unreadable)
            .order_by("id")
            .values_list("remote_id", flat=True)[:AT_ONCE]
        )
        if not missing:
            return
        found = yield from conversation.call(fetching(kind, missing))
        yield "absent asked for"
        now = clock.now()
        with transaction.atomic():
            lease.check(now)
            there = [one for record in found.values() if (one := Seen(kind=kind, record=record)).fits]
            gone = [Gone(kind=kind, id=remote_id) for remote_id in missing if remote_id not in found]
            observe(feed.connection, [*there, *as_gone(feed.connection, gone)], now=now, sweep=feed.sweep)
            ours.filter(remote_id__in=missing).update(sweep=feed.sweep)
            note_untold(feed, now=now)
            conversation.kept_exchanges()
