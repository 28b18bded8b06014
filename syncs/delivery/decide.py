"""What becomes of a delivery that did not go through. Pure: an error in, a decision out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.errors import (
    AuthError,
    ConnectorError,
    MappingError,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    StaleVersion,
    TokenExpired,
    TransientError,
)
from syncs.states import State

FIRST_WAIT = 2.0
LONGEST_WAIT = 900.0
STREAM_STOPS_FOR = timedelta(minutes=5)
TRIES_BEFORE_A_PROBLEM = 12


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The state to go to, when to try again, whether the try counts, and what else stops.

    A record that only has to be tried again is never given up; after many tries somebody is told.
    """

    state: State
    next_attempt_at: datetime | None = None
    counted: bool = True
    code: str = ""
    reason: str = ""
    pauses_connection: bool = False
    backs_off: timedelta | None = None
    needs_somebody: bool = False
    stops_the_stream: bool = False


def decide(
    error: ConnectorError | MappingError, *, attempts: int, now: datetime, chance: float, doubt_until: datetime
) -> Decision:
    """The decision for one failed try; `doubt_until` is when the provider has certainly finished with it."""
    reason = str(error)
    if isinstance(error, StaleVersion):
        return _again(error, attempts, now, chance, first=0.5)
    if isinstance(error, MappingError | RecordRejected):
        return Decision(state=State.HELD, needs_somebody=True, code=error.code or "refused", reason=reason)
    if isinstance(error, OutcomeUnknown):
        return Decision(
            state=State.IN_DOUBT, next_attempt_at=doubt_until, code=error.code or "answer_lost", reason=reason
        )
    if isinstance(error, RateLimited):
        after = timedelta(seconds=error.retry_after)
        return Decision(
            state=State.PENDING,
            next_attempt_at=now + after,
            counted=False,
            code=error.code or "rate_limited",
            reason=reason,
            backs_off=after,
        )
    if isinstance(error, TokenExpired):  # a part of a set met it; the next try begins with a fresh token
        code = error.code or "token_expired"
        return Decision(state=State.PENDING, next_attempt_at=now, counted=False, code=code, reason=reason)
    if isinstance(error, AuthError):
        return Decision(
            state=State.PENDING,
            next_attempt_at=now,
            counted=False,
            code=error.code or "sign_in_again",
            reason=reason,
            pauses_connection=True,
        )
    if isinstance(error, TransientError):
        return _again(error, attempts, now, chance, first=FIRST_WAIT)
    return _unexpected(error, attempts, doubt_until)


def backoff(attempts: int, chance: float, *, first: float = FIRST_WAIT) -> timedelta:
    """A wait with full jitter that doubles with every try, up to a quarter of an hour."""
    return timedelta(seconds=chance * min(LONGEST_WAIT, first * 2.0 ** min(attempts, 20)))


def _unexpected(error: ConnectorError, attempts: int, doubt_until: datetime) -> Decision:
    """Not as documented: whether it happened is looked up, the whole stream waits, and we are told."""
    return Decision(
        state=State.IN_DOUBT,
        next_attempt_at=doubt_until + backoff(attempts, 1.0),
        code=error.code or "unexpected_answer",
        reason=str(error),
        needs_somebody=True,
        stops_the_stream=True,
        backs_off=STREAM_STOPS_FOR,
    )


def _again(error: ConnectorError, attempts: int, now: datetime, chance: float, *, first: float) -> Decision:
    often = attempts >= TRIES_BEFORE_A_PROBLEM
    return Decision(
        state=State.PENDING,
        next_attempt_at=now + backoff(attempts, chance, first=first),
        needs_somebody=often,
        code="tried_too_often" if often else error.code or "try_again",
        reason=str(error),
    )
