"""Keeping one page: its records, what is gone, what could not be read, and one event for all of it."""

from datetime import datetime

from django.db.models import Q

from audit.log import NewEvent, record
from connectors.base import Page
from connectors.models import Connection
from connectors.records import Kind, canonical
from syncs.keys import fingerprint
from syncs.mirror.columns import columns
from syncs.mirror.observe import Seen, observe, observe_gone
from syncs.models import UnreadableRow


def keep_page(connection: Connection, page: Page, *, now: datetime, sweep: int, trace_id: str) -> dict[str, int]:
    """Keep everything a page showed, in the caller's transaction; counts for the run."""
    seen, unreadable = [], [(row.kind, row.id, row.why, row.raw) for row in page.unreadable]
    for kind, shown in page.records:
        try:
            columns(shown)
        except ValueError as error:
            unreadable.append((kind, shown.id, str(error), canonical(shown).decode()))
        else:
            seen.append(Seen(kind=kind, record=shown))
    shown_now = observe(connection, seen, now=now, sweep=sweep)
    gone_now = observe_gone(connection, page.gone, now=now)
    changed, wanted = shown_now.changed + gone_now.changed, shown_now.wanted + gone_now.wanted
    _keep_unreadable(connection, seen, unreadable, now)
    if changed or unreadable:
        digest = fingerprint(*(canonical(one.record) for one in seen), *(gone.id for gone in page.gone))
        record(
            [
                NewEvent(
                    tenant_id=connection.tenant_id,
                    at=now,
                    verb="page_read",
                    subject_kind="connection",
                    subject_id=str(connection.pk),
                    trace_id=trace_id,
                    data={
                        "records": len(seen),
                        "gone": len(page.gone),
                        "unreadable": len(unreadable),
                        "digest": digest,
                    },
                )
            ]
        )
    return {
        "read": len(seen),
        "changed": changed,
        "gone": gone_now.changed,
        "unreadable": len(unreadable),
        "wanted": wanted,
    }


def _keep_unreadable(
    connection: Connection, seen: list[Seen], unreadable: list[tuple[Kind, str, str, str]], now: datetime
) -> None:
    rows = UnreadableRow.objects.filter(connection=connection)
    if rows.exists():
        readable = Q(pk__in=[])
        for kind in {one.kind for one in seen}:
            readable |= Q(kind=kind, remote_id__in=[one.record.id for one in seen if one.kind == kind])
        rows.filter(readable).delete()
    for kind, remote_id, why, raw in unreadable:
        UnreadableRow.objects.update_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            kind=kind,
            remote_id=remote_id,
            defaults={"why": why, "raw": raw[:4000], "seen_at": now},
        )
