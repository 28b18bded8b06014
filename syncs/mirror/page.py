"""Keeping one page: its records, what is gone, what could not be read, and one event for all of it."""

from collections.abc import Sequence
from datetime import datetime

from audit.log import NewEvent, record
from connectors.base import Page, Unreadable
from connectors.models import Connection
from connectors.records import AnyRecord, Kind
from syncs.keys import fingerprint
from syncs.mirror.invoices import keep_stopped
from syncs.mirror.observe import Seen, as_gone, observe
from syncs.mirror.rereads import time_rereads
from syncs.mirror.unreadable import keep_unreadable


def keep_page(connection: Connection, page: Page, *, now: datetime, sweep: int, trace_id: str) -> dict[str, int]:
    """Keep everything a page showed, in the caller's transaction; counts for the run."""
    seen, finer = _told_apart(page.records)
    unreadable = [*page.unreadable, *finer]
    gone = as_gone(connection, page.gone)
    observed = observe(connection, [*seen, *gone], now=now, sweep=sweep)
    keep_unreadable(connection, seen, unreadable, page.gone, now=now)
    keep_stopped(connection, seen, now=now)
    time_rereads(connection, seen, now=now)
    counts = {
        "read": len(seen),
        "changed": observed.changed,
        "gone": len(gone),
        "unreadable": len(unreadable),
        "wanted": observed.wanted,
    }
    if counts["changed"] or unreadable:
        digest = fingerprint(*(one.fingerprint for one in seen), *(one.id for one in page.gone))
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
    """What can be kept, and what no row of ours can hold."""
    seen, unreadable = [], []
    for one in (Seen(kind=kind, record=shown) for kind, shown in records):
        try:
            _ = one.columns
        except ValueError as error:
            unreadable.append(Unreadable(kind=one.kind, id=one.record.id, raw=one.body.decode(), why=str(error)))
        else:
            seen.append(one)
    return seen, unreadable
