"""Observing: a set of records as a provider showed them becomes remote records, and deliveries that are wanted.

What is known just so already is left alone. The rest is brought by COPY into a staging table and merged by two
statements: what is replaced goes to the revisions, what is new or changed goes to the remote records. A third writes
what each stream would have to send. An answer that is older than what is known changes nothing. The state of a delivery
that is being sent or in doubt is never touched: it only learns that more is wanted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import connection as database

from connectors.base import Gone
from connectors.models import Connection
from connectors.records import AnyRecord, Kind, Payable, Payment, canonical, restore
from syncs.delivery.files import look_at_files, streams_of_files
from syncs.delivery.flows import FLOWS, delivery_fingerprint
from syncs.delivery.recheck import look_again
from syncs.keys import fingerprint, record_key, trace_id
from syncs.mirror.applications import keep_applications
from syncs.mirror.columns import Columns, columns, version_number
from syncs.mirror.news import streams_of, tell_news
from syncs.mirror.settled_elsewhere import settled_elsewhere
from syncs.mirror.staging import KEPT, KEPT_ANEW, Staged, bring
from syncs.models import RemoteRecord
from syncs.states import stays_held
from syncs.streams import lock_streams, make_due

NEWER = """
(CASE WHEN o.version_number IS NOT NULL AND r.version_number IS NOT NULL THEN o.version_number >= r.version_number
      ELSE coalesce(o.modified_at >= r.modified_at, true) END)
"""

# The ids stand here beside the join because the planner, which knows nothing of the staging table, would read them all.
THESE = """
r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s AND r.kind = ANY(%(kinds)s) AND r.remote_id = ANY(%(ids)s)
"""

KEEP_REPLACED = f"""
WITH old AS (
    SELECT r.* FROM syncs_remoterecord r
    JOIN observed o ON o.kind = r.kind AND o.remote_id = r.remote_id
    WHERE {THESE} AND r.fingerprint <> o.fingerprint AND {NEWER}
    FOR UPDATE OF r
)
INSERT INTO syncs_remote_revision
    (tenant_id, remote_record_id, revision, version, fingerprint, gone, observed_at, trace_id, body)
SELECT tenant_id, id, revision, version, fingerprint, gone, seen_at, '', body FROM old
"""

MERGE = f"""
INSERT INTO syncs_remoterecord AS r
    (tenant_id, connection_id, {KEPT}, body, seen_at, revision, sweep)
SELECT %(tenant)s, %(connection)s, {KEPT}, body::json, %(now)s, 1, %(sweep)s FROM observed
ON CONFLICT (tenant_id, connection_id, kind, remote_id) DO UPDATE SET
    ({KEPT}, body, seen_at, revision, sweep) = ROW (
        {KEPT_ANEW}, excluded.body, excluded.seen_at, r.revision + 1, GREATEST(r.sweep, excluded.sweep))
WHERE r.fingerprint <> excluded.fingerprint AND {NEWER.replace("o.", "excluded.")}
"""

SEEN_AGAIN = """
UPDATE syncs_remoterecord SET sweep = %(sweep)s
WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s AND kind = ANY(%(kinds)s)
  AND remote_id = ANY(%(known)s) AND sweep < %(sweep)s
"""

# A bill that was withdrawn while our own posting settled it is wanted as before once that is taken back.
OPEN_WITHDRAWN = """
EXISTS (
    SELECT FROM syncs_remoterecord bill
    JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.kind IN ('bill', 'credit')
    JOIN syncs_integration i ON i.id = stream.integration_id
    JOIN syncs_remoterecord there ON there.tenant_id = s.tenant_id AND there.connection_id = i.ap_network_id
        AND there.kind = stream.kind AND there.remote_id = s.target_id AND there.status = 'cancelled'
    WHERE bill.id = s.remote_record_id AND bill.gone = '' AND bill.balance_minor > 0
)
"""

WANT = f"""
INSERT INTO syncs_syncrecord AS s
    (tenant_id, stream_id, remote_record_id, state, record_key, wanted, sent, settled, wanted_fingerprint,
     settled_fingerprint, trace_id, attempts, next_attempt_at, target_id, target_version, waiting_kind, waiting_id,
     code, reason)
SELECT r.tenant_id, stream.id, r.id, 'pending', o.record_key, 1, 0, 0, o.delivery_fingerprint,
       '', o.trace_id, 0, %(now)s, '', '', '', '', '', ''
FROM observed o
JOIN syncs_remoterecord r ON r.kind = o.kind AND r.remote_id = o.remote_id AND r.fingerprint = o.fingerprint
JOIN syncs_stream stream ON stream.id = ANY(%(streams)s) AND stream.kind = o.kind
WHERE o.delivery_fingerprint <> '' AND {THESE}
ON CONFLICT (tenant_id, stream_id, remote_record_id) DO UPDATE SET
    wanted = s.wanted + 1, wanted_fingerprint = excluded.wanted_fingerprint, trace_id = excluded.trace_id, attempts = 0,
    state = CASE WHEN s.state IN ('sending', 'in_doubt', 'ignored') OR {stays_held("s")} THEN s.state
        ELSE 'pending' END,
    next_attempt_at = CASE WHEN s.state IN ('sending', 'in_doubt', 'ignored') THEN s.next_attempt_at ELSE %(now)s END,
    code = CASE WHEN s.code = 'settled_by_us' THEN '' ELSE s.code END
WHERE s.wanted_fingerprint <> excluded.wanted_fingerprint OR s.state = 'synced' AND {OPEN_WITHDRAWN}
RETURNING stream_id
"""

NOTHING = Decimal(0)
MADE_FOR = {str(Kind.LEDGER_ENTRY): str(Kind.PAYMENT)}  # what else is ours there, by what it is made for
NUL = b"\\u0000"  # as JSON spells it


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What came of it: remote records that are new, changed or seen in a new sweep, and deliveries wanted anew."""

    changed: int
    wanted: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One record as shown, and whether the provider says that it is gone; what is kept of it is made when asked for."""

    kind: Kind
    record: AnyRecord
    gone: str = ""
    merged_into: str = ""

    @cached_property
    def columns(self) -> Columns:
        """Its typed columns; ValueError for what no row can hold."""
        if NUL in self.body:
            raise ValueError("a text has a character that no text may have")
        return columns(self.record)

    @property
    def fits(self) -> bool:
        """Whether our rows can hold it."""
        try:
            return bool(self.columns)
        except ValueError:
            return False

    @cached_property
    def body(self) -> bytes:
        """Its canonical bytes."""
        return canonical(self.record)

    @cached_property
    def fingerprint(self) -> str:
        """What changes exactly when what the provider shows changes."""
        return fingerprint(self.body, self.gone)


def observe(connection: Connection, seen: Sequence[Seen], *, now: datetime, sweep: int = 0) -> Observed:
    """Keep what was shown, in the caller's transaction; what it changed.

    `sweep` is the number of the full reading that these belong to, 0 for what was seen otherwise.
    """
    if not seen:
        return Observed(changed=0, wanted=0)
    latest = {(one.kind, one.record.id): one for one in seen}
    staged = _staged(connection, latest.values())
    out, into = streams_of(connection)
    known, news = tell_news(connection, staged, out)
    values: dict[str, Any] = {
        "tenant": connection.tenant_id,
        "connection": connection.pk,
        "now": now,
        "sweep": sweep,
        "kinds": sorted({one.kind for one in staged}),
        "ids": [one.remote_id for one in news],
        "known": [one.remote_id for one in known],
        "streams": list(out.values()),
    }
    changed = wanted = 0
    if sweep and known:
        with database.cursor() as cursor:
            cursor.execute(SEEN_AGAIN, values)
            changed = cursor.rowcount
    if news:
        concerned = {one.kind for one in news}
        ours = [*{one.key for one in news if one.key}, *_keys_before(connection, news)]
        returned = [into[kind] for kind in {MADE_FOR.get(kind, kind) for kind in concerned} if ours and kind in into]
        told = [latest[Kind(one.kind), one.remote_id].record for one in news]
        files = streams_of_files(told, into)
        lock_streams([*(out[kind] for kind in concerned if kind in out), *returned, *files])
        merged, wanted = _merge(news, values)
        changed += merged
        look_again(connection, returned, ours, now=now)
        look_at_files(connection, told, out, into, now)
    shown = [latest[Kind(one.kind), one.remote_id] for one in news]
    keep_applications(connection, {one.fingerprint: one.record for one in shown if isinstance(one.record, Payment)})
    return Observed(changed=changed, wanted=wanted)


def _keys_before(connection: Connection, news: Sequence[Staged]) -> list[str]:
    """Of which payments these were said to be so far: somebody may have overwritten that."""
    posted = [one.remote_id for one in news if one.kind in (Kind.PAYMENT, Kind.LEDGER_ENTRY) and not one.key]
    if not posted:
        return []
    known = RemoteRecord.objects.filter(
        tenant_id=connection.tenant_id,
        connection=connection,
        kind__in=(Kind.PAYMENT, Kind.LEDGER_ENTRY),
        remote_id__in=posted,
    )
    return list(known.exclude(key="").values_list("key", flat=True))


def _merge(news: Sequence[Staged], values: dict[str, Any]) -> tuple[int, int]:
    """Bring what is news into the mirror; how many remote records it changed, and how many deliveries it wants."""
    with database.cursor() as cursor:
        bring(cursor, news)
        cursor.execute(KEEP_REPLACED, values)
        cursor.execute(MERGE, values)
        changed = cursor.rowcount
        cursor.execute(WANT, values)
        streams = [stream_id for (stream_id,) in cursor.fetchall()]
        make_due(set(streams), now=values["now"])
    return changed, len(streams)


def as_gone(connection: Connection, gone: Iterable[Gone]) -> list[Seen]:
    """What to observe of records that the provider says are no more: what was last known of them, and that."""
    known: list[Seen] = []
    for one in gone:
        remote = RemoteRecord.objects.filter(
            tenant_id=connection.tenant_id, connection=connection, kind=one.kind, remote_id=one.id, gone=""
        ).first()
        if remote is not None:
            known.append(
                Seen(
                    kind=one.kind,
                    record=restore(one.kind, remote.body),
                    gone="merged" if one.merged_into else "deleted",
                    merged_into=one.merged_into,
                )
            )
    return known


def _staged(connection: Connection, seen: Collection[Seen]) -> list[Staged]:
    """These as rows of the staging table, each with what would have to be delivered of it."""
    elsewhere = settled_elsewhere(connection, [one.record for one in seen if isinstance(one.record, Payable)])
    return [_row(connection, one, elsewhere.get((one.kind, one.record.id), NOTHING)) for one in seen]


def _row(connection: Connection, seen: Seen, elsewhere: Decimal) -> Staged:
    record = seen.record
    key = record_key(connection.provider, connection.account_id, seen.kind, record.id)
    wish = delivery_fingerprint(record, gone=bool(seen.gone), unexplained=elsewhere) if seen.kind in FLOWS else ""
    return Staged(
        str(seen.kind),
        record.id,
        record.version,
        version_number(record.version),
        record.modified_at,
        seen.fingerprint,
        seen.gone,
        seen.merged_into,
        *seen.columns,
        body=seen.body.decode(),
        record_key=key,
        delivery_fingerprint=wish,
        trace_id=trace_id(key + wish, 0),
    )
