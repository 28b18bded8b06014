"""Claiming: what is due becomes, in one commit, either an attempt that is about to be sent or a ruling that it is not.

Nothing leaves before its attempt is committed, with both keys, its deadline and exactly what is to be sent.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db import transaction

from connectors.base import REPLACES, REQUIRED, Action, Link, Write
from connectors.errors import MappingError
from connectors.records import AnyRecord, Dimension, Image, Kind, Payable, Payment, Phase, restore
from syncs.delivery.attempts import begin_attempts
from syncs.delivery.closed import on_an_open_day, reversal_by_entry
from syncs.delivery.decided import vendors_there
from syncs.delivery.files import rejected_there
from syncs.delivery.flows import delivery_fingerprint, what_we_send
from syncs.delivery.forgotten import link_forgotten
from syncs.delivery.images import not_to_send
from syncs.delivery.linked import judge_linked, links_of
from syncs.delivery.orders import ToCome, billed_before_closed
from syncs.delivery.planned import LOCKED, Claim, Planned
from syncs.delivery.post_on import waiting_to_clear
from syncs.delivery.reposts import is_being_taken_back
from syncs.delivery.resolve import Missing, References, look_up, resolve
from syncs.delivery.reversals import as_refunded, not_yet_reversed, reversal_first, want_refunded
from syncs.delivery.scope import CHANGED_AFTER_LOCK, Circumstances, Ruling, Wish, rule
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict, write_verdicts
from syncs.keys import is_piece, piece, request_key
from syncs.mapping.codes import mapped_elsewhere
from syncs.mapping.dimensions import required_dimensions
from syncs.mirror.settled_elsewhere import NOTHING, explained
from syncs.states import State
from syncs.timing import hold_back

AT_ONCE = 200
IMAGES_AT_ONCE = 4  # their bytes are in memory together
ASK_AGAIN = timedelta(minutes=10)
LOOK_AGAIN = timedelta(hours=1)
SOON = timedelta(minutes=5)

CLAIMED = (
    "id", "record_key", "wanted", "wanted_fingerprint", "settled", "settled_fingerprint", "target_id", "target_version",
    "taken_back", "trace_id", "attempts", "code", "remote_id", "gone", "waiting_kind", "waiting_id", "problem_id",
    "target_status", "target_date", "body",
)  # fmt: skip
# By state, each by the index in its order: however many are due, few are looked at.
NEXT = """
SELECT one.id FROM unnest(ARRAY['pending', 'waiting']) AS due (state) CROSS JOIN LATERAL (
    SELECT s.id FROM syncs_syncrecord s
    WHERE s.tenant_id = %s AND s.stream_id = %s AND s.state = due.state AND s.next_attempt_at <= %s
    ORDER BY s.next_attempt_at LIMIT %s
) AS one
"""
DUE = f"""
SELECT s.id, s.record_key, s.wanted, s.wanted_fingerprint, s.settled, s.settled_fingerprint,
       s.target_id, s.target_version, s.taken_back, s.trace_id, s.attempts, s.code, r.remote_id, r.gone,
       s.waiting_kind, s.waiting_id, s.problem_id,
       coalesce(entry.status, there.status, ''), coalesce(entry.date, there.date),
       r.body::text
FROM syncs_syncrecord s JOIN syncs_remoterecord r ON r.id = s.remote_record_id
LEFT JOIN syncs_remoterecord there ON there.tenant_id = s.tenant_id AND there.connection_id = %s
    AND there.kind = r.kind AND there.remote_id = {piece("s.target_id", 1)}
LEFT JOIN LATERAL (
    SELECT made.status, made.date FROM syncs_remoterecord made
    WHERE made.tenant_id = s.tenant_id AND made.connection_id = there.connection_id AND made.kind = 'ledger_entry'
      AND made.status <> '' AND made.gone = '' AND {is_piece("made.remote_id", "s.target_id")}
    ORDER BY made.status = 'reversed' DESC LIMIT 1
) entry ON true
WHERE s.id = ANY(%s) AND s.state IN ('pending', 'waiting') AND s.next_attempt_at <= %s
ORDER BY s.next_attempt_at, s.id LIMIT %s
FOR UPDATE OF s SKIP LOCKED
"""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one claim came to."""

    planned: list[Planned] = field(default_factory=list)
    ruled: int = 0


def claim(slice_: Slice) -> Batch:
    """Claim what is due, at most a set of it; everything is committed when this returns."""
    with transaction.atomic():
        slice_.lease.check(slice_.now())
        claims = as_refunded(slice_, _lock(slice_))
        if not claims:
            return Batch()
        want_refunded(slice_, claims)
        records = [one.record for one in claims]
        ids = [one.remote_id for one in claims]
        ours = explained(slice_.source, slice_.kind, ids) if slice_.kind in (Kind.BILL, Kind.CREDIT) else {}
        known = look_up(slice_, records)
        standing = not_yet_reversed(slice_, claims)
        unsent = {**not_to_send(slice_, records), **mapped_elsewhere(slice_.codes, records)}
        bills_first = billed_before_closed(slice_, records)
        planned: list[Planned] = []
        verdicts: list[Verdict] = []
        ruled = rejected_there(slice_, claims, unsent)
        links = links_of(slice_, [one.id for one in claims])
        ruled |= {one.id: judge_linked(one, links[one.id]) for one in claims if one.id in links}
        for one in claims:
            if decided := ruled.get(one.id):
                verdicts.append(decided)
                continue
            if replaced := reversal_first(one, standing):
                verdicts.append(_wait_or_hold(slice_, one, replaced))
                continue
            if one.target_id and one.remote_id in bills_first:
                verdicts.append(_bills_first(slice_, one, bills_first[one.remote_id]))
                continue
            posted = max(ours.get(one.remote_id, NOTHING).surely, one.settled_by_us)
            step = plan(slice_, one, known, posted, unsent.get(one.remote_id, ""))
            if isinstance(step, Planned):
                planned.append(step)
            else:
                verdicts.append(step)
        planned, held_back = hold_back(slice_, planned)
        verdicts += held_back
        write_verdicts(slice_, verdicts, now=slice_.now())
        return Batch(planned=begin_attempts(slice_, planned), ruled=len(verdicts))


def plan(slice_: Slice, one: Claim, known: References, ours: Decimal, unsent: str) -> Planned | Verdict:
    """What is to be done with one claimed delivery; reads nothing and writes nothing."""
    ruling = rule(
        one.record,
        Circumstances(
            linked=bool(one.target_id),
            gone=bool(one.gone),
            explained=ours,
            policies=slice_.policies,
            locked=one.code == LOCKED,
            taken_back=is_being_taken_back(one.target_id, one.taken_back),
            unsent=unsent,
        ),
    )
    if ruling.wish is Wish.OUT_OF_SCOPE:
        return one.left_out(ruling)
    if ruling.wish is Wish.HOLD:
        return one.verdict(State.HELD, code=ruling.code, reason=ruling.reason, needs_somebody=True)
    if ruling.wish is Wish.SEND and isinstance(one.record, Payable) and one.target_status == "cancelled":
        reason = f"It was withdrawn or cancelled at the network, and {one.record.balance} of it is open."
        return one.verdict(State.HELD, code="withdrawn_open", reason=reason, needs_somebody=True)
    if one.settled_fingerprint and one.settled_fingerprint in (one.wanted_fingerprint, _as_sent(one, ruling)):
        return one.verdict(State.SYNCED, settles=True, fingerprint=one.settled_fingerprint, verb="delivery_skipped")
    try:
        write = _write(slice_, one, ruling, known)
    except Missing as missing:
        if ruling.wish is Wish.STOP and not missing.waits:
            return one.verdict(State.OUT_OF_SCOPE, code=ruling.code, reason=ruling.reason)
        return _wait_or_hold(slice_, one, missing)
    except MappingError as error:
        if ruling.wish is Wish.STOP:
            return one.verdict(State.OUT_OF_SCOPE, code=ruling.code, reason=ruling.reason)
        return one.verdict(
            State.HELD,
            code=error.code,
            reason=error.message,
            needs_somebody=True,
            cause_key=f"integration:{slice_.integration.pk}:{error.missing}",
        )
    return Planned(claim=one, ruling=ruling, explained=ours, write=write)


def _bills_first(slice_: Slice, one: Claim, first: ToCome) -> Verdict:
    """Not closed yet; nothing releases it, since a bill's slice may not lock what comes before it."""
    code, held = "bills_first", first.problem_id is not None
    return one.verdict(
        State.WAITING,
        code=code,
        reason=f"Bill {first.bill_id} for it is still to be sent first.",
        problem_id=first.problem_id,
        next_attempt_at=slice_.now() + (LOOK_AGAIN if held else SOON),
        said_before=one.code == code,
    )


def _as_sent(one: Claim, ruling: Ruling) -> str:
    """The fingerprint of what would be sent: who has settled a bill is wanted to be looked at, and is never sent."""
    return delivery_fingerprint(one.record, gone=bool(one.gone)) if ruling.wish is Wish.SEND else ""


def _write(slice_: Slice, one: Claim, ruling: Ruling, known: References) -> Write:
    """The write of this ruling; Missing or MappingError where it cannot be made."""
    action = _action(one, ruling)
    resolved = _resolved(slice_, one, ruling, known)
    stands_on = one.target_date if one.target_status == Phase.EXECUTED else None
    resolved, moved = on_an_open_day(
        resolved, closed=slice_.closed_through, policy=slice_.policies["closed_period"], stands_on=stands_on
    )
    if ruling.code == "payment_reversed":  # not where it is taken back to be posted anew
        moved = reversal_by_entry(slice_.policies, slice_.closed_through, slice_.accounts.in_transit())
    return Write(
        kind=slice_.kind,
        action=action,
        record=resolved,
        record_key=one.record_key,
        request_key=request_key(
            one.record_key, action, one.wanted, one.wanted_fingerprint, one.target_version or one.taken_back
        ),
        link=Link(id=one.target_id, version=one.target_version) if one.target_id else None,
        context={**_context(slice_, one, ruling), **moved, **({} if one.target_id else one.decided)},
    )


def _resolved(slice_: Slice, one: Claim, ruling: Ruling, known: References) -> AnyRecord:
    """The record in the other side's ids; of one that is stopped there it is known by its link, whatever is missing."""
    stops_known = ruling.wish is Wish.STOP and bool(one.target_id)
    if stops_known and not isinstance(one.record, Payment) and ruling.code != CHANGED_AFTER_LOCK:
        return one.record
    try:
        return resolve(slice_, what_we_send(one.record), known)
    except (Missing, MappingError):
        if stops_known:
            return one.record
        raise


def _context(slice_: Slice, one: Claim, ruling: Ruling) -> dict[str, str]:
    """What a write has to know beside its record: for a dimension's value, whether every line must carry one; for a
    payment with a discount, where that is booked; and what was taken back of one."""
    record, said = one.record, {"source": slice_.source_name}
    if one.taken_back:
        said[REPLACES] = one.taken_back
    if isinstance(record, Payment) and record.discounts and ruling.wish is Wish.SEND:
        said["discount_account"] = slice_.accounts.discount_account()
    if isinstance(record, Dimension):
        said[REQUIRED] = str(int(record.dimension in required_dimensions(slice_.policies)))
    return said


def _action(one: Claim, ruling: Ruling) -> Action:
    if ruling.wish is Wish.STOP:
        return Action.VOID if isinstance(one.record, Payment) else Action.WITHDRAW
    return Action.UPDATE if one.target_id else Action.CREATE


def _wait_or_hold(slice_: Slice, one: Claim, missing: Missing) -> Verdict:
    still_unknown = missing.code == one.code == "reference_unknown"
    if missing.waits and not still_unknown:
        # What it waits for releases it, but not if that was settled while we were about to write that we wait.
        wait = ASK_AGAIN if missing.code == "reference_unknown" else LOOK_AGAIN
        return one.verdict(
            State.WAITING,
            code=missing.code,
            reason=missing.reason,
            waiting_kind=missing.kind,
            waiting_id=missing.id,
            problem_id=missing.problem_id,
            next_attempt_at=slice_.now() + wait,
            said_before=one.waits_for == (missing.kind, missing.id, missing.problem_id),
        )
    # An image goes with its bill: where that is left out, nobody has to do anything about the image.
    left_out = isinstance(one.record, Image) and missing.code == "reference_left_out"
    return one.verdict(
        State.OUT_OF_SCOPE if left_out else State.HELD,
        code=missing.code,
        reason=missing.reason,
        needs_somebody=not left_out,
        waiting_kind=missing.kind,
        waiting_id=missing.id,
        cause_key=f"integration:{slice_.integration.pk}:{missing.kind}:{missing.id}",
    )


def _lock(slice_: Slice) -> list[Claim]:
    now = slice_.now()
    with database.cursor() as cursor:
        most = IMAGES_AT_ONCE if slice_.kind is Kind.IMAGE else AT_ONCE
        at_once = slice_.talk.sent_soon(slice_.talk.provider.limits.batch.get(slice_.kind, 1), most=most)
        cursor.execute(NEXT, [slice_.tenant_id, slice_.stream.pk, now, at_once])
        ids = [id for (id,) in cursor.fetchall()]
        link_forgotten(slice_, ids)
        cursor.execute(DUE, [slice_.target.pk, ids, now, at_once])
        rows = [dict(zip(CLAIMED, row, strict=True)) for row in cursor.fetchall()]
    decided = vendors_there(slice_, ids)
    claims = (_claimed(slice_.kind, {**row, "decided": decided.get(row["id"], {})}) for row in rows)
    return [waiting_to_clear(one, slice_.policies) for one in claims]


def _claimed(kind: Kind, row: dict[str, Any]) -> Claim:
    waits_for = (row.pop("waiting_kind"), row.pop("waiting_id"), row.pop("problem_id"))
    record = restore(kind, row.pop("body"))
    return Claim(**row, waits_for=waits_for, record=record)
