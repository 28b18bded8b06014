"""Keeping one page: its records, what is gone, what could not be read, and one event for all of it."""

from collections.abc import Sequence
from datetime import datetime

from audit.log import NewEvent, record
from connectors.base import Page, Unreadable
from connectors.models import Connection
from connectors.records import AnyRecord, Kind, canonical
from syncs.keys import fingerprint
from syncs.mirror.columns import columns
from syncs.mirror.observe import Seen, observe, observe_gone
from syncs.mirror.unreadable import keep_unreadable


def keep_page(connection: Connection, page: Page, *, now: datetime, sweep: int, trace_id: str) -> dict[str, int]:
    """Keep everything a page showed, in the caller's transaction; counts for the run."""
    seen, finer = _told_apart(page.records)
    unreadable = [*page.unreadable, *finer]
    shown = observe(connection, seen, now=now, sweep=sweep)
    gone = observe_gone(connection, page.gone, now=now)
    keep_unreadable(connection, seen, unreadable, now=now)
    counts = {
        "read": len(seen),
        "changed": shown.changed + gone.changed,
        "gone": gone.changed,
        "unreadable": len(unreadable),
        "wanted": shown.wanted + gone.wanted,
    }
    if counts["changed"] or unreadable:
        digest = fingerprint(*(canonical(one.record) for one in seen), *(one.id for one in page.gone))
        event = NewEvent(
            tenant_id=connection.tenant_id,
            at=now,
            verb="page_read",
            subject_kind="connection",
            subject_id=str(connection.pk),
            trace_id=trace_id,
            data={**counts, "digest": digest},
        )
        record([event])
    return counts


def _told_apart(records: Sequence[tuple[Kind, AnyRecord]]) -> tuple[list[Seen], list[Unreadable]]:
    """What can be kept, and what cannot because an amount is finer than its currency."""
    seen, unreadable = [], []
    for kind, shown in records:
        try:
            columns(shown)
        except ValueError as error:
            unreadable.append(Unreadable(kind=kind, id=shown.id, raw=canonical(shown).decode(), why=str(error)))
        else:
            seen.append(Seen(kind=kind, record=shown))
    return seen, unreadable
