"""Settling: the other side's answers, or what became of a try without one, in one commit with all that follows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from connectors.base import Action, Outcome, Receipt, Write
from connectors.errors import AuthError, ConnectorError, RecordRejected, UnexpectedResponse
from connectors.records import Kind, Payment, Phase, kind_of
from syncs.delivery.decide import STREAM_STOPS_FOR, Decision, backoff, decide
from syncs.delivery.planned import LOCKED, NOT_FOUND, PERIOD_CLOSED, Planned
from syncs.delivery.recheck import look_again
from syncs.delivery.reposts import is_first_half, to_be_posted_anew
from syncs.delivery.slice import ATTEMPT, Slice
from syncs.delivery.verdict import Verdict, write_verdicts
from syncs.mirror.observe import Seen, observe
from syncs.problems.connections import stop_for_sign_in
from syncs.states import State

TRIES_OF_WHAT_MOVED = 2


def settle(slice_: Slice, sent: Sequence[tuple[Planned, Outcome, str]]) -> timedelta | None:
    """Write what became of each; how long the stream has to wait before anything more is sent, if at all.

    Each outcome comes with the trace id of the exchange that brought it.
    """
    now = slice_.now()
    with transaction.atomic():
        slice_.lease.check(now)
        exchanges = slice_.talk.kept_exchanges()
        verdicts = [
            replace(_verdict(slice_, one, outcome), exchange_id=exchanges.get(trace_id))
            for one, outcome, trace_id in sent
        ]
        write_verdicts(slice_, verdicts, now=now)
        receipts = [(one.write, outcome) for one, outcome, _ in sent if isinstance(outcome, Receipt)]
        observe_receipts(slice_, [(write, receipt) for write, receipt in receipts if receipt.id])
    errors = [outcome for _, outcome, _ in sent if isinstance(outcome, ConnectorError)]
    return stop_for(slice_, errors)


def not_sent(slice_: Slice, planned: Sequence[Planned], error: ConnectorError | None) -> timedelta | None:
    """Put back what was claimed and has certainly not left; how long the stream has to wait."""
    now = slice_.now()
    with transaction.atomic():
        slice_.lease.check(now)
        slice_.talk.kept_exchanges()
        write_verdicts(slice_, [_put_back(slice_, one, error, now) for one in planned], now=now)
    return stop_for(slice_, [error] if error else [])


def _put_back(slice_: Slice, one: Planned, error: ConnectorError | None, now: datetime) -> Verdict:
    if error is None:
        reason = "It was too late to send it: the worker was stopped in between."
        return one.put_back(now, reason=reason)
    decision = _decide(slice_, error, attempts=one.claim.attempts + 1)
    again = now + backoff(one.claim.attempts + 1, 1.0)  # a read was refused: whatever it was about, nothing has left
    return one.put_back(
        decision.next_attempt_at if decision.state is State.PENDING else again,
        uncount=not decision.counted,
        code=decision.code,
        reason=decision.reason,
        needs_somebody=decision.needs_somebody,
        cause_key=f"integration:{slice_.integration.pk}:{decision.code}",
    )


def put_off(slice_: Slice, one: Planned, error: UnexpectedResponse) -> Verdict:
    """Nothing was sent, since what it rests on cannot be read; somebody is told, and it is tried again."""
    code = error.code or "unexpected_answer"
    return one.put_back(
        slice_.now() + STREAM_STOPS_FOR,
        code=code,
        reason=str(error),
        needs_somebody=True,
        cause_key=f"integration:{slice_.integration.pk}:{code}",
    )


def wait_after(slice_: Slice, error: ConnectorError) -> datetime:
    """When to ask again after a look-up that failed with this."""
    now = slice_.now()
    return max(_decide(slice_, error, attempts=3).next_attempt_at or now, now + timedelta(seconds=5))


def observe_receipts(slice_: Slice, taken: Sequence[tuple[Write, Receipt]]) -> None:
    """Keep what the target showed of the records that it took, in the caller's transaction.

    What its feed has shown since they were sent is looked at now.
    """
    if not taken:
        return
    shown = [record for _, one in taken for record in (one.pieces or (one.record,))]
    seen = [Seen(kind=kind_of(record), record=record) for record in shown if record is not None]
    observe(slice_.target, [one for one in seen if one.fits], now=slice_.now())  # its feed shows the others
    keys = [write.record_key for write, _ in taken]
    since = min(write.sent_at for write, _ in taken if write.sent_at is not None)
    look_again(slice_.target, [slice_.stream.pk], keys, now=slice_.now(), since=since)


def stop_for(slice_: Slice, errors: Sequence[ConnectorError]) -> timedelta | None:
    """What these errors mean for the whole connection: it needs somebody, or it has to wait."""
    waits = []
    for error in errors:
        decision = _decide(slice_, error, attempts=1)
        if decision.backs_off is not None:
            waits.append(decision.backs_off)
        if decision.pauses_connection and isinstance(error, AuthError):
            stop_for_sign_in(slice_.target, error, now=slice_.now())
            waits.append(timedelta(0))
    return max(waits) if waits else None


def _verdict(slice_: Slice, one: Planned, outcome: Outcome) -> Verdict:
    if isinstance(outcome, Receipt):
        if is_first_half(one.write):
            taken = one.verdict(State.PENDING, outcome="accepted", target_id=outcome.id)
            return to_be_posted_anew(taken, at=slice_.now())
        if not outcome.id:
            return one.left_out()
        taken = one.stands(target_id=outcome.id, target_version=outcome.version, outcome="accepted")
        return replace(taken, replaces_all=replaces_all(slice_, one.write))
    assert one.write.sent_at is not None
    if isinstance(outcome, RecordRejected) and (again := _tried_otherwise(slice_, one, outcome.code)):
        return one.verdict(
            State.PENDING, outcome="refused", code=outcome.code, reason=str(outcome), next_attempt_at=again
        )  # fmt: skip
    if isinstance(outcome, RecordRejected) and outcome.code == PERIOD_CLOSED and one.only_told:
        return one.left_as_it_stands(outcome="refused")
    decision = _decide(slice_, outcome, attempts=one.claim.attempts + 1, deadline=one.write.sent_at + ATTEMPT)
    code, reason = decision.code, decision.reason
    if decision.state is State.HELD and one.ruling.code == "payment_reversed":
        code, reason = _reversal_refused(one, reason)
    return one.verdict(
        decision.state,
        next_attempt_at=decision.next_attempt_at,
        code=code,
        reason=reason,
        uncount=not decision.counted,
        needs_somebody=decision.needs_somebody,
        cause_key=f"integration:{slice_.integration.pk}:{decision.code}" if decision.stops_the_stream else "",
        outcome=str(decision.state).replace("_", " "),
    )


def _reversal_refused(one: Planned, reason: str) -> tuple[str, str]:
    if (
        one.claim.target_status == Phase.REVERSED
        and isinstance(one.write.record, Payment)
        and one.write.record.refunded
    ):
        return "refund_refused", f"It was refunded, and what took it back in the ERP cannot be changed. {reason}"
    return "reversal_refused", f"{one.ruling.reason} The ERP shows its bills as paid. {reason}"


def _tried_otherwise(slice_: Slice, one: Planned, refused: str) -> datetime | None:
    """When a try that looks at everything anew will be another one, if it will."""
    if refused == LOCKED and one.write.link is not None:
        return slice_.now()
    if refused == NOT_FOUND and one.write.kind is Kind.PAYMENT and one.claim.attempts < TRIES_OF_WHAT_MOVED:
        return slice_.now() + backoff(one.claim.attempts + 1, 1.0)
    return None


def replaces_all(slice_: Slice, write: Write) -> bool:
    """Whether this change of a bill took away the file that had travelled inside of it."""
    of_bill = write.kind in (Kind.BILL, Kind.CREDIT) and write.action is Action.UPDATE
    return of_bill and slice_.talk.connector("").images_in_bills


def _decide(slice_: Slice, error: ConnectorError, *, attempts: int, deadline: datetime | None = None) -> Decision:
    clock = slice_.effects.clock
    now = clock.now()
    doubt_until = max(now, deadline or now) + slice_.doubt
    return decide(error, attempts=attempts, now=now, chance=clock.chance(), doubt_until=doubt_until)
