"""A slice of reading: pages of one feed, each committed together with its cursor.

A feed first reads every kind in full, in the order of kinds, and then only what changed. Every night, and when the
provider cut an answer short, it reads in full again; what a complete reading no longer shows is asked for by id and,
if it is not there, gone. What webhooks named is fetched before anything else, and without reading the changes where it
is not yet time for them.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import F

from connectors.base import Connector, Page
from connectors.conversation import Conversation, Effects, Steps
from connectors.errors import ConnectorError
from connectors.models import Connection
from connectors.records import Kind
from syncs import leases, runs
from syncs.delivery.flows import FLOWS
from syncs.leases import Lease
from syncs.mirror.afterwards import look_after
from syncs.mirror.compare import observe_absent
from syncs.mirror.failure import reading_failed, reading_succeeded
from syncs.mirror.hinted import doubt_webhooks, fetch_hinted, note_untold, webhooks_are_healthy
from syncs.mirror.page import keep_page
from syncs.mirror.polling import kinds_to_compare
from syncs.mirror.unshown import observe_unshown
from syncs.models import Feed
from syncs.models.feed import COMPARE_EVERY
from syncs.timing import next_reading

SLICE_SECONDS = 5.0
COUNTED_AFTER = 20  # pages of a kind: then one request more is a twentieth of them


def read_feed(feed_id: int, effects: Effects) -> Steps[None]:
    """Read one feed for at most a slice of time; nothing happens if somebody else is reading it."""
    started = effects.clock.monotonic()
    lease = leases.take(Feed, feed_id, holder=effects.holder, now=effects.clock.now())
    if lease is None:
        return
    yield "leased"
    hinted = False
    while effects.clock.monotonic() - started <= SLICE_SECONDS:
        feed = Feed.objects.select_related("connection__app", "tenant").get(pk=feed_id)
        if not _is_readable(feed):
            break
        conversation = Conversation(
            connection=feed.connection, effects=effects, trace_id=f"feed-{feed_id}-{lease.fence}"
        )
        try:
            if (yield from fetch_hinted(feed, lease, conversation)):
                hinted = True
                yield "hinted kept"
                continue
            if hinted and not _is_due(feed, effects.clock.now()):
                break
            done = yield from _read_page(feed, lease, conversation)
            if done:
                yield from look_after(feed, lease, conversation, until=started + SLICE_SECONDS)
        except ConnectorError as error:
            reading_failed(feed, lease, conversation, error)
            return
        yield "page kept"
        if done:
            now = effects.clock.now()
            lease.give_back(due_at=next_reading(feed, now), now=now)
            return
    # What was due still is; only webhooks may have come before its time.
    now = effects.clock.now()
    lease.give_back(due_at=F("due_at") if hinted and not _is_due(feed, now) else now, now=now)


def _is_due(feed: Feed, now: datetime) -> bool:
    """Whether changes are to be read, or a full reading goes on."""
    return bool(feed.stage) or (feed.due_at is not None and feed.due_at <= now)


def _is_readable(feed: Feed) -> bool:
    return feed.tenant.active and feed.connection.status == Connection.Status.CONNECTED


def _read_page(feed: Feed, lease: Lease, conversation: Conversation) -> Steps[bool]:
    """One page and what follows from it; whether there is nothing more to read now."""
    clock = conversation.effects.clock
    _begin_sweep(feed, conversation, clock.now())
    page = yield from conversation.call(_asking_for(feed))
    yield "page read"
    pages = _keep(feed, lease, conversation, page, clock.now())
    if page.more:
        if pages == COUNTED_AFTER and feed.full_after is None:
            yield from _count(feed, lease, conversation)
        return False
    if not feed.stage:
        return not page.truncated
    if Kind(feed.stage) in page.complete:
        yield "kind read"
        yield from observe_absent(feed, lease, conversation)
        yield from observe_unshown(feed, lease, conversation)
    _begin_next_kind(feed, lease, conversation, clock.now())
    return False


def _count(feed: Feed, lease: Lease, conversation: Conversation) -> Steps[None]:
    """A kind that takes long the first time is counted, for the time left; where that fails nobody is told any."""
    count: int | None = None
    with suppress(ConnectorError):  # if it is serious the next page meets it
        count = yield from conversation.call(lambda connector: connector.count(Kind(feed.stage)))
    yield "counted"
    now = conversation.effects.clock.now()
    with transaction.atomic():
        lease.check(now)
        conversation.kept_exchanges()
        if count is not None:
            runs.expect(feed, feed.stage, count)


def _asking_for(feed: Feed) -> Callable[[Connector], Page]:
    if feed.stage:
        return lambda connector: connector.read(Kind(feed.stage), feed.cursor or None)
    return lambda connector: connector.changes(feed.changes_cursor)


def _begin_sweep(feed: Feed, conversation: Conversation, now: datetime) -> None:
    """Begin a full reading where one is due; the first page's commit keeps it."""
    if feed.stage or (feed.full_after is not None and now < feed.full_after):
        return
    if not feed.changes_cursor:
        feed.changes_cursor = conversation.connector("").start_of_changes(now)
    feed.sweep += 1
    feed.stage, feed.cursor = _kinds(feed, conversation, now)[0], {}


def _begin_next_kind(feed: Feed, lease: Lease, conversation: Conversation, now: datetime) -> None:
    in_order = _in_order(conversation.provider.reads)
    later = in_order[in_order.index(Kind(feed.stage)) + 1 :]
    following = [kind for kind in _kinds(feed, conversation, now) if kind in later]
    feed.stage, feed.cursor = (following[0] if following else ""), {}
    if not following:
        feed.full_after = now + COMPARE_EVERY
    with transaction.atomic():
        lease.check(now)
        feed.save(update_fields=["stage", "cursor", "full_after"])
        if not following:
            runs.end(feed)


def _kinds(feed: Feed, conversation: Conversation, now: datetime) -> list[Kind]:
    provider = conversation.provider
    kinds, healthy = _in_order(provider.reads), webhooks_are_healthy(feed.connection, now)
    return kinds_to_compare(kinds, provider.compare_days, healthy=healthy, sweep=feed.sweep)


def _in_order(kinds: Collection[Kind]) -> list[Kind]:
    """What flows in its order, after the terms that vendors are sent with, then the others; the same order in every
    process, which a set does not have."""
    rank = {Kind.TERM: 0, **{kind: flow.rank for kind, flow in FLOWS.items()}}
    return sorted(kinds, key=lambda kind: (rank.get(kind, len(FLOWS) + 1), kind))


def _keep(feed: Feed, lease: Lease, conversation: Conversation, page: Page, now: datetime) -> int:
    """Keep the page and its cursor; how many pages of the kind the full reading has kept so far, 0 for changes."""
    sweep = feed.sweep if feed.stage else 0
    with transaction.atomic():
        lease.check(now)
        counts = keep_page(feed.connection, page, now=now, sweep=sweep, trace_id=conversation.trace_id)
        if feed.stage:
            feed.cursor = page.cursor
        else:
            feed.changes_cursor = page.cursor
        feed.read_at = now
        if page.truncated:
            feed.full_after, feed.changes_cursor = now, {}
            doubt_webhooks(feed.connection, now)
        feed.records_read += counts["read"]
        progress = ["stage", "cursor", "changes_cursor", "sweep", "records_read", "read_at"]
        # Somebody may have asked for a full reading meanwhile: that stands unless this page asks for one itself.
        feed.save(update_fields=[*progress, "full_after"] if page.truncated else progress)
        conversation.kept_exchanges()
        if counts["changed"] and (not feed.stage or feed.sweep > 1):
            note_untold(feed, now=now)
        if feed.stage:
            counts |= {f"read {feed.stage}": counts["read"], f"pages {feed.stage}": 1}
        if feed.stage or counts["changed"] or counts["unreadable"]:
            counts = runs.note(feed, counts, started=lease.taken_at, now=now, sweep=sweep)
        if not feed.stage and not page.more:
            runs.end(feed)
        reading_succeeded(feed, now)
    return counts.get(f"pages {feed.stage}", 0)
