"""Settling: the other side's answers, or what became of a try without one, in one commit with all that follows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import transaction

from connectors.base import Outcome, Receipt
from connectors.errors import AuthError, ConnectorError
from syncs.delivery.decide import Decision, decide
from syncs.delivery.planned import Planned
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict, write_verdicts
from syncs.mirror.observe import Seen, observe
from syncs.problems.connections import stop_for_sign_in
from syncs.states import State


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
        observe_receipts(slice_, [outcome for _, outcome, _ in sent if isinstance(outcome, Receipt)])
    errors = [outcome for _, outcome, _ in sent if isinstance(outcome, ConnectorError)]
    return stop_for(slice_, errors)


def not_sent(slice_: Slice, planned: Sequence[Planned], error: ConnectorError | None) -> timedelta | None:
    """Put back what was claimed and has certainly not left; how long the stream has to wait."""
    now = slice_.now()
    decision = None if error is None else _decide(slice_, error, attempts=0)
    wait = decision.next_attempt_at if decision and decision.state is State.PENDING else now
    with transaction.atomic():
        slice_.lease.check(now)
        slice_.talk.kept_exchanges()
        write_verdicts(
            slice_,
            [
                one.verdict(
                    State.PENDING,
                    outcome="not sent",
                    uncount=True,
                    next_attempt_at=wait,
                    code=decision.code if decision else "",
                    reason=str(error or "It was too late to send it: the worker was stopped in between."),
                )
                for one in planned
            ],
            now=now,
        )
    return stop_for(slice_, [error] if error else [])


def settle_failure_of_all(slice_: Slice, doubted: Sequence[Verdict], error: ConnectorError) -> None:
    """A look-up failed: everything stays in doubt and is looked up again later."""
    now = slice_.now()
    wait = _decide(slice_, error, attempts=3).next_attempt_at or now
    with transaction.atomic():
        slice_.lease.check(now)
        slice_.talk.kept_exchanges()
        write_verdicts(
            slice_,
            [
                replace(
                    one,
                    state=State.IN_DOUBT,
                    next_attempt_at=max(wait, now + timedelta(seconds=5)),
                    outcome="in doubt",
                    reason=str(error),
                )
                for one in doubted
            ],
            now=now,
        )


def observe_receipts(slice_: Slice, receipts: Sequence[Receipt]) -> None:
    """Keep what the target showed of the records that it took, in the caller's transaction."""
    observe(
        slice_.target,
        [Seen(kind=slice_.kind, record=one.record) for one in receipts if one.record is not None],
        now=slice_.now(),
    )


def stop_for(slice_: Slice, errors: Sequence[ConnectorError]) -> timedelta | None:
    """What these errors mean for the whole connection: it needs somebody, or it has to wait."""
    waits = []
    for error in errors:
        if isinstance(error, AuthError):
            stop_for_sign_in(slice_.target, error, now=slice_.now())
        decision = _decide(slice_, error, attempts=1)
        if decision.backs_off is not None:
            waits.append(decision.backs_off)
        elif decision.pauses_connection:
            waits.append(timedelta(0))
    return max(waits) if waits else None


def _verdict(slice_: Slice, one: Planned, outcome: Outcome) -> Verdict:
    if isinstance(outcome, Receipt):
        return one.verdict(
            State.SYNCED,
            settles=True,
            fingerprint=one.claim.wanted_fingerprint,
            target_id=outcome.id,
            target_version=outcome.version,
            outcome="accepted",
        )
    decision = _decide(slice_, outcome, attempts=one.claim.attempts + 1)
    return one.verdict(
        decision.state,
        next_attempt_at=decision.next_attempt_at,
        code=decision.code,
        reason=decision.reason,
        uncount=not decision.counted,
        needs_somebody=decision.needs_somebody,
        cause_key=f"integration:{slice_.integration.pk}:{decision.code}" if decision.stops_the_stream else "",
        outcome=str(decision.state).replace("_", " "),
    )


def _decide(slice_: Slice, error: ConnectorError, *, attempts: int) -> Decision:
    clock = slice_.effects.clock
    return decide(
        error, attempts=attempts, now=clock.now(), chance=clock.chance(), doubt_until=clock.now() + slice_.doubt
    )
