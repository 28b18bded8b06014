"""In doubt: what was sent, or may have been, is looked up before anything else is done with it.

A look-up begins only when the attempt's deadline and the provider's own time-out have passed: then what was sent is
either there or never will be.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from django.db import connection as database
from django.db import transaction

from connectors.base import Action, Link, Receipt, Write
from connectors.conversation import Steps
from connectors.errors import ConnectorError
from connectors.records import Payable, Payment, Phase, restore
from syncs.delivery.objections import is_same_posting
from syncs.delivery.planned import NOT_CLEARED
from syncs.delivery.reposts import is_first_half, to_be_posted_anew
from syncs.delivery.settle import observe_receipts, replaces_all, wait_after
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict, write_verdicts
from syncs.states import State

AT_ONCE = 50
ASK_AGAIN = timedelta(minutes=1)
TOLD_AFTER = timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=15)  # between two looks; a tenth of how long it has been in doubt until then
NOT_AS_SENT = "not_as_sent"  # it was answered, and what was made is not what was sent

DOUBTFUL = """
SELECT s.id, s.trace_id, s.problem_id, a.id, a.revision, a.action, a.record_key, a.request_key, a.place, a.started_at,
       a.delivery_fingerprint, a.link_id, a.link_version, a.code, a.message, r.status, a.body::text,
       a.context::text
FROM syncs_syncrecord s JOIN syncs_attempt a ON a.id = s.attempt_id AND a.tenant_id = s.tenant_id
JOIN syncs_remoterecord r ON r.id = s.remote_record_id
WHERE s.tenant_id = %s AND s.stream_id = %s AND s.state IN ('sending', 'in_doubt') AND s.next_attempt_at <= %s
ORDER BY s.next_attempt_at, s.id LIMIT %s
"""


def look_up_doubtful(slice_: Slice) -> Steps[bool]:
    """Look up what is due for it; whether there was anything."""
    doubtful = _read(slice_)
    if not doubtful:
        return False
    yield "in doubt"
    try:
        found = yield from slice_.talk.call(lambda connector: connector.find([write for write, _ in doubtful]))
    except ConnectorError as error:
        _look_up_failed(slice_, doubtful, error)
        raise
    yield "looked up"
    now = slice_.now()
    with transaction.atomic():
        slice_.lease.check(now)
        looked = slice_.talk.kept_exchanges().get(slice_.talk.trace_id)
        concluded = [_conclude(slice_, write, verdict, found) for write, verdict in doubtful]
        write_verdicts(slice_, [replace(verdict, exchange_id=looked) for verdict in concluded], now=now)
        receipts = [(write, found.get(write.record_key)) for write, _ in doubtful]
        observe_receipts(slice_, [(write, receipt) for write, receipt in receipts if receipt is not None])
    return True


def _conclude(slice_: Slice, write: Write, doubted: Verdict, found: dict[str, Receipt | None]) -> Verdict:
    if write.record_key not in found:
        return _still_in_doubt(
            slice_, write, doubted, slice_.now() + ASK_AGAIN, "Whether it arrived cannot be told yet."
        )
    receipt = found[write.record_key]
    if receipt is None:
        return replace(_due_again(slice_, doubted), code="", reason="", outcome="absent", verb="delivery_absent")
    told, doubted = doubted, _linked(doubted, receipt)
    if receipt.duplicate_of:
        reason = f"{receipt.id} and {', '.join(receipt.duplicate_of)} carry the same mark."
        return replace(doubted, state=State.HELD, code="posted_twice", reason=reason, needs_somebody=True)
    if is_first_half(write):
        return to_be_posted_anew(doubted, at=slice_.now())
    if _is_withdrawn(write) or not _holds_what_was_sent(write, receipt):
        return _due_again(slice_, doubted)  # linked only: the next try brings it to what is wanted, or tells who has to
    if told.code == NOT_AS_SENT and write.action is not Action.VOID:  # a void leaves nothing to be compared
        return replace(doubted, state=State.HELD, code=told.code, reason=told.reason, needs_somebody=True)
    if told.code == NOT_CLEARED:  # by what is the policy now: it may have changed since this was sent
        return _due_again(slice_, doubted)
    again = replaces_all(slice_, write)
    return replace(doubted, state=State.SYNCED, settles=True, problem_id=None, replaces_all=again)


def _linked(doubted: Verdict, receipt: Receipt) -> Verdict:
    return replace(
        doubted,
        target_id=receipt.id,
        target_version=receipt.version,
        code="",
        reason="",
        outcome="found",
        verb="delivery_found",
    )


def _look_up_failed(slice_: Slice, doubtful: Sequence[tuple[Write, Verdict]], error: ConnectorError) -> None:
    """Everything stays in doubt and is looked up again later."""
    now, until = slice_.now(), wait_after(slice_, error)
    with transaction.atomic():
        slice_.lease.check(now)
        slice_.talk.kept_exchanges()
        verdicts = [_still_in_doubt(slice_, write, verdict, until, str(error)) for write, verdict in doubtful]
        write_verdicts(slice_, verdicts, now=now)


def _still_in_doubt(slice_: Slice, write: Write, doubted: Verdict, until: datetime, reason: str) -> Verdict:
    """Somebody is told when it stays so for long: whether money moved is not a thing to wait for in silence."""
    assert write.sent_at is not None
    age = slice_.now() - write.sent_at
    until, long = max(until, slice_.now() + min(LONGEST_WAIT, age / 10)), age >= TOLD_AFTER
    if doubted.code == NOT_AS_SENT:
        return replace(doubted, next_attempt_at=until, outcome="in doubt", needs_somebody=True)
    return replace(
        doubted,
        state=State.IN_DOUBT,
        next_attempt_at=until,
        outcome="in doubt",
        code="long_in_doubt" if long else "answer_lost",
        reason=reason,
        needs_somebody=long,
    )


def _due_again(slice_: Slice, doubted: Verdict) -> Verdict:
    # Not what was sent, and perhaps not what was settled before either, where a restored backup has forgotten more.
    return replace(doubted, state=State.PENDING, unsettles=True, next_attempt_at=slice_.now())


def _is_withdrawn(write: Write) -> bool:
    return write.action is Action.WITHDRAW and isinstance(write.record, Payable)


def _holds_what_was_sent(write: Write, receipt: Receipt) -> bool:
    """Whether what is there is what was sent: the mark of a created payment says only whose it is, and one that a
    restored backup has forgotten may be older."""
    sent, stands = write.record, receipt.record
    if write.action is Action.CREATE and isinstance(sent, Payment) and isinstance(stands, Payment):
        as_told = (sent.reference, sent.cleared_date) == (stands.reference, stands.cleared_date)
        return is_same_posting(sent, stands) and (as_told or sent.phase is not Phase.EXECUTED)
    return True


def _read(slice_: Slice) -> list[tuple[Write, Verdict]]:
    with database.cursor() as cursor:
        cursor.execute(DOUBTFUL, [slice_.tenant_id, slice_.stream.pk, slice_.now(), AT_ONCE])
        return [_restored(slice_, *row) for row in cursor.fetchall()]


def _restored(
    slice_: Slice,
    id: int,
    trace_id: str,
    problem_id: int | None,
    attempt_id: int,
    revision: int,
    action: str,
    record_key: str,
    request_key: str,
    place: int,
    started_at: datetime,
    delivered: str,
    *told: str,
) -> tuple[Write, Verdict]:
    """The write exactly as it was sent, and the verdict that it is in doubt."""
    link_id, link_version, code, message, status, body, context = told
    write = Write(
        kind=slice_.kind,
        action=Action(action),
        record=restore(slice_.kind, body),
        record_key=record_key,
        request_key=request_key,
        link=Link(id=link_id, version=link_version) if link_id else None,
        place=place,
        sent_at=started_at,
        context=msgspec.json.decode(context),
    )
    waits = isinstance(write.record, Payment) and write.record.phase is Phase.PENDING and status == Phase.EXECUTED
    return write, Verdict(
        id=id,
        revision=revision,
        state=State.IN_DOUBT,
        trace_id=trace_id,
        problem_id=problem_id,
        attempt_id=attempt_id,
        code=NOT_CLEARED if waits and code != NOT_AS_SENT else code,
        reason=message,
        fingerprint=delivered,
    )
