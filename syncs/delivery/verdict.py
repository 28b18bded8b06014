"""A verdict: where one delivery stands after a step, and the one statement that writes a set of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection as database

from audit.log import NewEvent, record
from syncs import runs
from syncs.delivery.slice import Slice
from syncs.models import SyncRecord
from syncs.problems.causes import Cause, open_problem, recount
from syncs.states import State, stays_held
from syncs.streams import lock_streams, make_due

WRITE = f"""
UPDATE syncs_syncrecord s SET
    state = CASE WHEN s.wanted > v.revision AND v.state NOT IN ('in_doubt', 'sending') AND NOT {stays_held("v")}
        THEN 'pending' ELSE v.state END,
    next_attempt_at = CASE WHEN s.wanted > v.revision AND v.state NOT IN ('in_doubt', 'sending', 'pending') THEN %(now)s
        ELSE v.next_attempt_at END,
    code = CASE WHEN s.wanted > v.revision AND v.code = 'settled_by_us' THEN '' ELSE v.code END,
    reason = v.reason, waiting_kind = v.waiting_kind, waiting_id = v.waiting_id,
    problem_id = v.problem_id,
    attempts = CASE WHEN v.settles THEN 0 WHEN v.uncount THEN GREATEST(0, s.attempts - 1) ELSE s.attempts END,
    target_id = CASE WHEN v.unlinks THEN '' ELSE coalesce(nullif(v.target_id, ''), s.target_id) END,
    target_version = CASE WHEN v.unlinks THEN '' ELSE coalesce(nullif(v.target_version, ''), s.target_version) END,
    taken_back = coalesce(nullif(v.taken_back, ''), s.taken_back),
    settled = CASE WHEN v.settles THEN v.revision ELSE s.settled END,
    settled_fingerprint = CASE WHEN v.settles THEN v.fingerprint WHEN v.unsettles THEN ''
        ELSE s.settled_fingerprint END,
    wanted_fingerprint = CASE WHEN v.settles AND s.wanted = v.revision THEN v.fingerprint ELSE s.wanted_fingerprint END,
    synced_at = CASE WHEN v.settles THEN %(now)s ELSE s.synced_at END,
    attempt_id = CASE WHEN v.state IN ('sending', 'in_doubt') THEN s.attempt_id END
FROM unnest(
    %(id)s::bigint[], %(attempt_id)s::bigint[], %(revision)s::int[], %(state)s::text[],
    %(next_attempt_at)s::timestamptz[], %(code)s::text[], %(reason)s::text[], %(waiting_kind)s::text[],
    %(waiting_id)s::text[], %(problem_id)s::bigint[],
    %(uncount)s::bool[], %(target_id)s::text[], %(target_version)s::text[], %(settles)s::bool[], %(unsettles)s::bool[],
    %(fingerprint)s::text[], %(unlinks)s::bool[], %(taken_back)s::text[]
) AS v (id, attempt_id, revision, state, next_attempt_at, code, reason, waiting_kind, waiting_id, problem_id, uncount,
        target_id, target_version, settles, unsettles, fingerprint, unlinks, taken_back)
WHERE s.id = v.id AND (v.attempt_id IS NULL OR s.attempt_id = v.attempt_id)
"""

END_ATTEMPTS = """
UPDATE syncs_attempt a SET ended_at = %(now)s, outcome = v.outcome, code = v.code, message = v.reason,
    exchange_id = coalesce(a.exchange_id, v.exchange_id)
FROM unnest(
    %(attempt_id)s::bigint[], %(outcome)s::text[], %(code)s::text[], %(reason)s::text[], %(exchange_id)s::bigint[]
) AS v (id, outcome, code, reason, exchange_id)
WHERE a.id = v.id AND a.tenant_id = %(tenant)s
"""

FREED = """
WITH done AS (
    SELECT r.kind, r.remote_id, done.target_id FROM syncs_syncrecord done
    JOIN syncs_remoterecord r ON r.id = done.remote_record_id
    WHERE done.id = ANY(%(ids)s) AND (done.target_id <> '' OR done.state = 'out_of_scope')
)
    SELECT s.id, s.stream_id FROM done
    JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.state = 'waiting'
        AND s.waiting_kind = done.kind AND s.waiting_id = done.remote_id
    JOIN syncs_stream stream ON stream.id = s.stream_id AND stream.integration_id = %(integration)s
    UNION ALL
    SELECT s.id, s.stream_id FROM syncs_stream stream
    JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.stream_id = stream.id AND s.state = 'held'
        AND s.code IN ('reference_unknown', 'reference_left_out')
    JOIN done ON s.waiting_kind = done.kind AND s.waiting_id IN (done.remote_id, done.target_id)
    WHERE stream.integration_id = %(integration)s
    UNION ALL
    SELECT s.id, s.stream_id FROM syncs_stream stream
    JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.stream_id = stream.id AND s.state = 'out_of_scope'
        AND s.code = 'reference_left_out'
    JOIN done ON s.waiting_kind = done.kind AND s.waiting_id = done.remote_id
    WHERE stream.integration_id = %(integration)s AND stream.kind = 'image'
"""
RELEASE = """
UPDATE syncs_syncrecord s SET state = 'pending', next_attempt_at = %(now)s, waiting_kind = '', waiting_id = '',
    code = '', reason = '', problem_id = CASE s.state WHEN 'held' THEN s.problem_id END
FROM syncs_syncrecord was
WHERE s.id = ANY(%(freed)s) AND s.state IN ('waiting', 'held', 'out_of_scope') AND was.id = s.id
RETURNING was.problem_id
"""

INSIDE = """
SELECT s.id, s.stream_id FROM syncs_syncrecord bill
JOIN syncs_stream stream ON stream.integration_id = %(integration)s AND stream.kind = 'image'
JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.stream_id = stream.id AND s.target_id = bill.target_id
    AND s.state = 'synced'
WHERE bill.id = ANY(%(ids)s)
"""
SEND_AGAIN = """
UPDATE syncs_syncrecord s SET state = 'pending', wanted = s.wanted + 1, settled_fingerprint = '', attempts = 0,
    next_attempt_at = %(now)s
WHERE s.id = ANY(%(ids)s) AND s.state = 'synced'
"""

SHARE_PROBLEM = """
UPDATE syncs_syncrecord s SET problem_id = held.problem_id
FROM syncs_syncrecord held, syncs_remoterecord r, syncs_stream stream, syncs_syncrecord was
WHERE held.id = ANY(%(ids)s) AND r.id = held.remote_record_id AND s.tenant_id = held.tenant_id AND s.state = 'waiting'
  AND was.id = s.id AND s.waiting_kind = r.kind AND s.waiting_id = r.remote_id
  AND stream.id = s.stream_id AND stream.integration_id = %(integration)s
RETURNING was.problem_id
"""

NEVER_LEFT = ("not sent", "not needed")
VERBS = {
    State.SYNCED: "delivered",
    State.PENDING: "delivery_retried",
    State.HELD: "delivery_held",
    State.IN_DOUBT: "delivery_in_doubt",
    State.WAITING: "delivery_waiting",
    State.OUT_OF_SCOPE: "out_of_scope",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Where one delivery stands now; `settles` says that the other side holds this revision for sure, `unsettles` that
    nobody knows what it holds, `unlinks` that it holds nothing any more; `taken_back` is empty where nothing new is.

    `cause_key` groups records into one problem where somebody is needed; it is the record itself unless said otherwise.
    `replaces_all` says that a change went over which replaces all that stands there, also what travelled inside of it.
    `said_before` says that nothing is new about it: the audit has it already.
    """

    id: int
    revision: int
    state: State
    trace_id: str
    attempt_id: int | None = None
    outcome: str = ""
    verb: str = ""
    next_attempt_at: datetime | None = None
    code: str = ""
    reason: str = ""
    waiting_kind: str = ""
    waiting_id: str = ""
    problem_id: int | None = None
    uncount: bool = False
    target_id: str = ""
    target_version: str = ""
    settles: bool = False
    unsettles: bool = False
    fingerprint: str = ""
    unlinks: bool = False
    taken_back: str = ""
    exchange_id: int | None = None
    needs_somebody: bool = False
    cause_key: str = ""
    replaces_all: bool = False
    said_before: bool = False


def write_verdicts(slice_: Slice, verdicts: Sequence[Verdict], *, now: datetime) -> None:
    """Write a set of verdicts with everything that follows from them, in the caller's transaction."""
    if not verdicts:
        return
    ids = [verdict.id for verdict in verdicts]
    touched: set[int | None] = {*SyncRecord.objects.filter(pk__in=ids).values_list("problem_id", flat=True)}
    verdicts = _with_problems(slice_, verdicts, now)
    with database.cursor() as cursor:
        cursor.execute(WRITE, {"now": now, **_arrays(verdicts, WRITTEN)})
        ended = [verdict for verdict in verdicts if verdict.attempt_id is not None]
        cursor.execute(END_ATTEMPTS, {"now": now, "tenant": slice_.tenant_id, **_arrays(ended, ENDED)})
        concerned = {"tenant": slice_.tenant_id, "integration": slice_.integration.pk}
        cursor.execute(FREED, {"ids": ids, **concerned})
        freed = dict(cursor.fetchall())
        cursor.execute(INSIDE, {"ids": [one.id for one in verdicts if one.replaces_all], **concerned})
        inside = dict(cursor.fetchall())
        if streams := {*freed.values(), *inside.values()}:
            lock_streams(streams)
            cursor.execute(RELEASE, {"now": now, "freed": list(freed)})
            touched |= {problem_id for (problem_id,) in cursor.fetchall()}
            cursor.execute(SEND_AGAIN, {"now": now, "ids": list(inside)})
            make_due(streams, now=now)
        held = [verdict.id for verdict in verdicts if verdict.state is State.HELD]
        if held:
            cursor.execute(SHARE_PROBLEM, {"ids": held, "integration": slice_.integration.pk})
            touched |= {problem_id for (problem_id,) in cursor.fetchall()}
    touched |= {verdict.problem_id for verdict in verdicts}
    recount([one for one in touched if one is not None], now=now)
    runs.note(slice_.stream, _counts(verdicts), started=slice_.lease.taken_at, now=now)
    record([_event(slice_, verdict, now) for verdict in verdicts if not verdict.said_before])


def _counts(verdicts: Sequence[Verdict]) -> Counter[str]:
    """What the run adds up: how many were dealt with, how many of them were sent, and where they stand."""
    sent = sum(one.attempt_id is not None and one.outcome not in NEVER_LEFT for one in verdicts)
    return Counter({runs.DONE: len(verdicts), "sent": sent}) + Counter(str(one.state) for one in verdicts)


WRITTEN = (
    "id",
    "attempt_id",
    "revision",
    "state",
    "next_attempt_at",
    "code",
    "reason",
    "waiting_kind",
    "waiting_id",
    "problem_id",
    "uncount",
    "target_id",
    "target_version",
    "settles",
    "unsettles",
    "fingerprint",
    "unlinks",
    "taken_back",
)
ENDED = ("attempt_id", "outcome", "code", "reason", "exchange_id")


def _arrays(verdicts: Sequence[Verdict], names: Sequence[str]) -> dict[str, list[object]]:
    return {
        name: [str(value) if isinstance(value := getattr(verdict, name), State) else value for verdict in verdicts]
        for name in names
    }


def _with_problems(slice_: Slice, verdicts: Sequence[Verdict], now: datetime) -> list[Verdict]:
    """Those that need somebody name their problem; however many share a cause, it is opened once."""
    opened: dict[tuple[str, str], int] = {}
    named = []
    for verdict in verdicts:
        if verdict.needs_somebody:
            cause_key = verdict.cause_key or f"record:{verdict.id}"
            if (verdict.code, cause_key) not in opened:
                opened[verdict.code, cause_key] = _problem(slice_, verdict, cause_key, now)
            verdict = replace(verdict, problem_id=opened[verdict.code, cause_key])
        named.append(verdict)
    return named


def _problem(slice_: Slice, verdict: Verdict, cause_key: str, now: datetime) -> int:
    cause = Cause(
        tenant_id=slice_.tenant_id,
        integration_id=slice_.integration.pk,
        provider=slice_.target.provider,
        code=verdict.code,
        cause_key=cause_key,
        detail=verdict.reason,
    )
    return open_problem(cause, now=now).pk


def _event(slice_: Slice, verdict: Verdict, now: datetime) -> NewEvent:
    return NewEvent(
        tenant_id=slice_.tenant_id,
        at=now,
        verb=verdict.verb or VERBS[verdict.state],
        subject_kind="sync_record",
        subject_id=str(verdict.id),
        trace_id=verdict.trace_id,
        data={
            "revision": verdict.revision,
            "code": verdict.code,
            "attempt": verdict.attempt_id,
            "target": verdict.target_id,
            "version": verdict.target_version,
        },
    )
