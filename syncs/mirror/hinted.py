"""What webhooks named: fetched by id, many with one call, and kept as a page; and what a reading found untold.

A hint is settled in the commit that keeps what was fetched for it, so it survives whoever dies. What came while a fetch
was under way is fetched again: the answer may be older. Nothing that is known is lowered: an older version changes
nothing, and what the provider does not show any more is gone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce

from connectors.base import Gone, Page
from connectors.conversation import Conversation, Steps, fetching
from connectors.errors import UnexpectedResponse
from connectors.models import Connection, Hint
from connectors.records import AnyRecord, Kind
from connectors.registry import connector_class
from syncs import runs
from syncs.delivery.flows import FLOWS
from syncs.leases import Lease
from syncs.mirror.failure import reading_succeeded
from syncs.mirror.page import keep_page
from syncs.mirror.polling import are_healthy
from syncs.models import Feed, RemoteRecord

AT_ONCE = 200  # hints
IDS_AT_ONCE = 100
ON_ITS_WAY = timedelta(minutes=15)  # providers gather webhooks for some minutes
CLOCKS_DIFFER = timedelta(minutes=5)


def fetch_hinted(feed: Feed, lease: Lease, conversation: Conversation) -> Steps[bool]:
    """Fetch what waits, one call's worth of one kind; whether there was anything."""
    pending = list(_pending(feed).order_by("id")[:AT_ONCE])
    if not pending:
        _wait_for_more(feed)
        return False
    kind = min((Kind(hint.kind) for hint in pending), key=lambda kind: FLOWS[kind].rank if kind in FLOWS else 0)
    ids = list(dict.fromkeys(hint.remote_id for hint in pending if hint.kind == kind))[:IDS_AT_ONCE]
    settled = [hint for hint in pending if hint.kind == kind and hint.remote_id in ids]
    try:
        found = yield from conversation.call(fetching(kind, ids))
    except UnexpectedResponse:
        # One of them cannot be read. Reading the changes names it and shows the others.
        _leave_to_changes(feed, lease, conversation, settled)
        return True
    yield "hinted fetched"
    _keep(feed, lease, conversation, kind, ids, found, settled)
    return True


def note_untold(feed: Feed, *, now: datetime) -> None:
    """Doubt webhooks if what was kept just now is a change that none had told, in the caller's transaction.

    What carries our own key is ours; what changed in the last minutes may still be told.
    """
    connection = feed.connection
    if connection.webhook_at is None:
        return
    told = Hint.objects.filter(
        tenant_id=feed.tenant_id,
        connection=connection,
        kind=OuterRef("kind"),
        remote_id=OuterRef("remote_id"),
        received_at__gte=Coalesce(OuterRef("changed_at"), Value(now - timedelta(days=1))),
    )
    changed = Case(When(gone="", then=F("modified_at") - Value(CLOCKS_DIFFER)), output_field=DateTimeField())
    kept = RemoteRecord.objects.filter(
        tenant_id=feed.tenant_id,
        connection=connection,
        kind__in=connector_class(connection.provider).announces,
        seen_at=now,
        key="",
    )
    untold = kept.exclude(modified_at__gt=now - ON_ITS_WAY).annotate(changed_at=changed)
    if untold.filter(~Exists(told)).exists():
        doubt_webhooks(connection, now)


def webhooks_are_healthy(connection: Connection, now: datetime) -> bool:
    """Whether webhooks tell of this company's changes soon enough that asking for them may wait."""
    return are_healthy(webhook_at=connection.webhook_at, doubted_at=connection.doubted_at, now=now)


def doubt_webhooks(connection: Connection, now: datetime) -> None:
    """Do not rely on webhooks until a night's comparison has found nothing that they missed."""
    connection.doubted_at = now
    Connection.objects.filter(pk=connection.pk).exclude(webhook_at=None).update(doubted_at=now)


def _pending(feed: Feed) -> QuerySet[Hint]:
    return Hint.objects.filter(tenant_id=feed.tenant_id, connection_id=feed.connection_id, settled_at=None)


def _keep(
    feed: Feed,
    lease: Lease,
    conversation: Conversation,
    kind: Kind,
    ids: Sequence[str],
    found: dict[str, AnyRecord],
    settled: Sequence[Hint],
) -> None:
    now = conversation.effects.clock.now()
    merged = {hint.remote_id: hint.merged_into for hint in settled if hint.merged_into}
    page = Page(
        records=[(kind, record) for record in found.values()],
        gone=[Gone(kind=kind, id=id, merged_into=merged.get(id, "")) for id in ids if id not in found],
        cursor={},
        more=False,
    )
    with transaction.atomic():
        lease.check(now)
        counts = keep_page(feed.connection, page, now=now, sweep=0, trace_id=conversation.trace_id)
        Feed.objects.filter(pk=feed.pk).update(records_read=F("records_read") + counts["read"])
        conversation.kept_exchanges()
        if counts["changed"] or counts["unreadable"]:
            runs.note(feed, counts, started=lease.taken_at, now=now)
            if not feed.stage:
                runs.end(feed)
        _settle(feed, settled, now)
        reading_succeeded(feed, now)


def _settle(feed: Feed, settled: Sequence[Hint], now: datetime) -> None:
    """Nothing is to be fetched for these any more; what was merged is known to be, also where it is still there."""
    for hint in settled:
        if hint.merged_into:
            ours = RemoteRecord.objects.filter(tenant_id=feed.tenant_id, connection_id=feed.connection_id)
            merged = ours.filter(kind=hint.kind, remote_id=hint.remote_id).exclude(gone="", status="active")
            merged.update(merged_into=hint.merged_into)
    Hint.objects.filter(pk__in=[hint.pk for hint in settled]).update(settled_at=now)


def _leave_to_changes(feed: Feed, lease: Lease, conversation: Conversation, settled: Sequence[Hint]) -> None:
    now = conversation.effects.clock.now()
    with transaction.atomic():
        lease.check(now)
        conversation.kept_exchanges()
        _settle(feed, settled, now)
        Feed.objects.filter(pk=feed.pk).update(due_at=now)


def _wait_for_more(feed: Feed) -> None:
    """Nothing waits any more, unless something came just now: whoever brings it holds the connection's row."""
    if feed.connection.hinted_at is None:
        return
    rows = Connection.objects.filter(pk=feed.connection_id)
    with transaction.atomic():
        list(rows.order_by().select_for_update(no_key=True).values_list("pk", flat=True))
        if not _pending(feed).exists():
            rows.update(hinted_at=None)
