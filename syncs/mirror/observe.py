"""Observing: a set of records as a provider showed them becomes remote records, and deliveries that are wanted.

The set is brought by COPY into a staging table and merged by two statements: what is replaced goes to the revisions,
what is new or changed goes to the remote records. A third writes what each stream would have to send. An answer that is
older than what is known changes nothing. The state of a delivery that is being sent or in doubt is never touched: it
only learns that more is wanted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection as database

from connectors.base import Gone
from connectors.models import Connection
from connectors.records import AnyRecord, Bill, Kind, Payment, restore
from syncs.delivery.flows import FLOWS, delivery_fingerprint
from syncs.keys import record_key, trace_id
from syncs.mirror.applications import keep_applications
from syncs.mirror.columns import body_of, columns, remote_fingerprint, version_number
from syncs.mirror.settled_elsewhere import settled_elsewhere
from syncs.models import RemoteRecord

STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS observed (
    kind text, remote_id text, version text, version_number bigint, modified_at timestamptz, fingerprint text,
    gone text, merged_into text, number text, name text, party_id text, date date, due_date date, currency text,
    amount_minor bigint, balance_minor bigint, status text, body text,
    record_key text, delivery_fingerprint text, trace_id text
) ON COMMIT DELETE ROWS;
DELETE FROM observed;
"""
STAGED = (
    "kind, remote_id, version, version_number, modified_at, fingerprint, gone, merged_into, number, name, party_id, "
    "date, due_date, currency, amount_minor, balance_minor, status"
)

NEWER = """
(CASE WHEN o.version_number IS NOT NULL AND r.version_number IS NOT NULL THEN o.version_number >= r.version_number
      ELSE coalesce(o.modified_at >= r.modified_at, true) END)
"""

KEEP_REPLACED = f"""
WITH old AS (
    SELECT r.* FROM syncs_remoterecord r
    JOIN observed o ON o.kind = r.kind AND o.remote_id = r.remote_id
    WHERE r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s AND r.fingerprint <> o.fingerprint AND {NEWER}
    FOR UPDATE OF r
)
INSERT INTO syncs_remote_revision
    (tenant_id, remote_record_id, revision, version, fingerprint, gone, observed_at, trace_id, body)
SELECT tenant_id, id, revision, version, fingerprint, gone, seen_at, '', body FROM old
"""

MERGE = f"""
INSERT INTO syncs_remoterecord AS r
    (tenant_id, connection_id, {STAGED}, body, seen_at, revision, sweep)
SELECT %(tenant)s, %(connection)s, {STAGED}, body::json, %(now)s, 1, %(sweep)s FROM observed
ON CONFLICT (tenant_id, connection_id, kind, remote_id) DO UPDATE SET
    ({STAGED}, body, seen_at, revision, sweep) = (
        SELECT {", ".join("o." + name.strip() for name in STAGED.split(","))}, o.body::json, %(now)s,
               r.revision + (r.fingerprint <> o.fingerprint)::int, GREATEST(r.sweep, %(sweep)s)
        FROM observed o WHERE o.kind = excluded.kind AND o.remote_id = excluded.remote_id
    )
WHERE (r.fingerprint <> excluded.fingerprint OR r.sweep < %(sweep)s)
  AND {NEWER.replace("o.", "excluded.")}
"""

WANT = """
INSERT INTO syncs_syncrecord AS s
    (tenant_id, stream_id, remote_record_id, state, record_key, wanted, sent, settled, wanted_fingerprint,
     settled_fingerprint, trace_id, attempts, next_attempt_at, target_id, target_version, waiting_kind, waiting_id,
     code, reason)
SELECT r.tenant_id, stream.id, r.id, 'pending', o.record_key, 1, 0, 0, o.delivery_fingerprint,
       '', o.trace_id, 0, %(now)s, '', '', '', '', '', ''
FROM observed o
JOIN syncs_remoterecord r ON r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s
    AND r.kind = o.kind AND r.remote_id = o.remote_id AND r.fingerprint = o.fingerprint
JOIN syncs_stream stream ON stream.tenant_id = %(tenant)s AND stream.kind = o.kind
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active
    AND (CASE stream.kind {sources} END) = %(connection)s
WHERE o.delivery_fingerprint <> ''
ON CONFLICT (tenant_id, stream_id, remote_record_id) DO UPDATE SET
    wanted = s.wanted + 1, wanted_fingerprint = excluded.wanted_fingerprint, trace_id = excluded.trace_id, attempts = 0,
    state = CASE WHEN s.state IN ('sending', 'in_doubt', 'ignored') THEN s.state ELSE 'pending' END,
    next_attempt_at = CASE WHEN s.state IN ('sending', 'in_doubt', 'ignored') THEN s.next_attempt_at ELSE %(now)s END
WHERE s.wanted_fingerprint <> excluded.wanted_fingerprint
RETURNING stream_id
""".format(
    sources=" ".join(
        f"WHEN '{flow.kind}' THEN {'i.erp_id' if flow.source == 'erp' else 'i.ap_network_id'}"
        for flow in FLOWS.values()
    )
)

NOTHING = Decimal(0)
DUE = "UPDATE syncs_stream SET due_at = LEAST(coalesce(due_at, %s), %s) WHERE id = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What came of it: remote records that are new, changed or seen in a new sweep, and deliveries wanted anew."""

    changed: int
    wanted: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One record as shown, and whether the provider says that it is gone."""

    kind: Kind
    record: AnyRecord
    gone: str = ""
    merged_into: str = ""


def observe(connection: Connection, seen: Sequence[Seen], *, now: datetime, sweep: int = 0) -> Observed:
    """Keep what was shown, in the caller's transaction; what it changed.

    `sweep` is the number of the full reading that these belong to, 0 for what was seen otherwise.
    """
    if not seen:
        return Observed(changed=0, wanted=0)
    latest = {(one.kind, one.record.id): one for one in seen}
    values: dict[str, int | datetime] = {
        "tenant": connection.tenant_id,
        "connection": connection.pk,
        "now": now,
        "sweep": sweep,
    }
    elsewhere = settled_elsewhere(connection, [one.record for one in latest.values() if isinstance(one.record, Bill)])
    with database.cursor() as cursor:
        cursor.execute(STAGING)
        with cursor.copy("COPY observed FROM STDIN") as copy:
            for one in latest.values():
                copy.write_row(_row(connection, one, elsewhere.get(one.record.id, NOTHING)))
        cursor.execute(KEEP_REPLACED, values)
        cursor.execute(MERGE, values)
        changed = cursor.rowcount
        cursor.execute(WANT, values)
        streams = [stream_id for (stream_id,) in cursor.fetchall()]
        cursor.execute(DUE, [now, now, sorted(set(streams))])
    keep_applications(connection, [one.record for one in latest.values() if isinstance(one.record, Payment)])
    return Observed(changed=changed, wanted=len(streams))


def observe_gone(connection: Connection, gone: Iterable[Gone], *, now: datetime) -> Observed:
    """Mark records that the provider says are no more; what was last known of them stays."""
    known: list[Seen] = []
    for one in gone:
        remote = RemoteRecord.objects.filter(connection=connection, kind=one.kind, remote_id=one.id, gone="").first()
        if remote is not None:
            known.append(
                Seen(
                    kind=one.kind,
                    record=restore(one.kind, remote.body),
                    gone="merged" if one.merged_into else "deleted",
                    merged_into=one.merged_into,
                )
            )
    return observe(connection, known, now=now)


def _row(connection: Connection, seen: Seen, elsewhere: Decimal) -> tuple[object, ...]:
    record, body, typed = seen.record, body_of(seen.record), columns(seen.record)
    key = record_key(connection.provider, connection.account_id, seen.kind, record.id)
    wish = delivery_fingerprint(record, gone=bool(seen.gone), unexplained=elsewhere) if seen.kind in FLOWS else ""
    return (
        str(seen.kind),
        record.id,
        record.version,
        version_number(record.version),
        record.modified_at,
        remote_fingerprint(body, seen.gone),
        seen.gone,
        seen.merged_into,
        typed.number,
        typed.name,
        typed.party_id,
        typed.date,
        typed.due_date,
        typed.currency,
        typed.amount_minor,
        typed.balance_minor,
        typed.status,
        body.decode(),
        key,
        wish,
        trace_id(key + wish, 0),
    )
