"""Rows that a provider showed and that could not be read: kept with the reason and a problem until they can be."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from connectors.base import Gone, Unreadable
from connectors.models import Connection
from connectors.records import Kind
from syncs.mirror.observe import Seen
from syncs.models import UnreadableRow
from syncs.problems.causes import Cause, open_problem, resolve_problems

KEPT_OF_A_ROW = 4_000


def keep_unreadable(
    connection: Connection,
    readable: Sequence[Seen],
    unreadable: Sequence[Unreadable],
    gone: Sequence[Gone],
    *,
    now: datetime,
) -> None:
    """Keep what could not be read and let go what can be read again or is gone, in the caller's transaction."""
    if not (readable or unreadable or gone):
        return
    rows = UnreadableRow.objects.filter(connection=connection)
    cause_key = f"unreadable:{connection.pk}"
    if rows.exists():
        _let_go(connection, [*((one.kind, one.record.id) for one in readable), *((one.kind, one.id) for one in gone)])
        if not unreadable and not rows.exists():
            resolve_problems(connection.tenant_id, [cause_key], now=now)
    for row in unreadable:
        UnreadableRow.objects.update_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            kind=row.kind,
            remote_id=_text(row.id),
            defaults={"why": _text(row.why), "raw": _text(row.raw)[:KEPT_OF_A_ROW], "seen_at": now},
        )
    if unreadable:
        cause = Cause(
            tenant_id=connection.tenant_id,
            connection_id=connection.pk,
            provider=connection.provider,
            code="unreadable_row",
            cause_key=cause_key,
            detail=_text(f"The first is {unreadable[0].kind} {unreadable[0].id}: {unreadable[0].why}"),
        )
        open_problem(cause, now=now)


def _let_go(connection: Connection, settled: Sequence[tuple[Kind, str]]) -> None:
    these = Q(pk__in=[])
    for kind in {kind for kind, _ in settled}:
        these |= Q(kind=kind, remote_id__in=[_text(id) for of, id in settled if of == kind])
    UnreadableRow.objects.filter(these, connection=connection).delete()


def _text(shown: str) -> str:
    """The text without what no column of text can hold."""
    return shown.replace("\x00", "")
