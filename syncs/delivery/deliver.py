"""A slice of delivery: look up what is in doubt, claim what is due, check, send, settle.

Between two steps nothing is held: no transaction, no lock, no thread. A worker may be killed at any of them; what it
leaves is a row that says how far it came.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from connectors.base import Action, Connector, Outcome
from connectors.conversation import Effects, Job, Steps
from connectors.errors import ConnectorError, TooLate, UnexpectedResponse
from connectors.records import Kind
from syncs import leases, runs
from syncs.delivery.claim import claim
from syncs.delivery.doubt import look_up_doubtful
from syncs.delivery.images import open_images
from syncs.delivery.planned import Planned
from syncs.delivery.preflight import Checked, check_payments
from syncs.delivery.preflight_bills import check_bills
from syncs.delivery.settle import not_sent, put_off, settle, stop_for
from syncs.delivery.slice import ATTEMPT, Slice, open_slice
from syncs.delivery.verdict import write_verdicts
from syncs.leases import Lease
from syncs.models import Stream
from syncs.states import State

SLICE_SECONDS = 5.0
MARGIN_SECONDS = 2.0
FIRST_DUE = """
SELECT min(first.next_attempt_at)
FROM syncs_stream stream CROSS JOIN unnest(%(states)s::text[]) AS under_way (state) CROSS JOIN LATERAL (
    SELECT s.next_attempt_at FROM syncs_syncrecord s
    WHERE s.tenant_id = stream.tenant_id AND s.stream_id = stream.id AND s.state = under_way.state
    ORDER BY s.next_attempt_at LIMIT 1
) AS first WHERE stream.id = %(stream)s
"""
UNDER_WAY = (State.PENDING, State.SENDING, State.IN_DOUBT, State.WAITING)


def deliver_stream(stream_id: int, effects: Effects) -> Steps[None]:
    """Deliver what one stream has due, for at most a slice of time; nothing happens if somebody else is at it."""
    clock = effects.clock
    started = clock.monotonic()
    lease = leases.take(Stream, stream_id, holder=effects.holder, now=clock.now())
    if lease is None:
        return
    yield "leased"
    wait: timedelta | None = None
    while wait is None and clock.monotonic() - started <= SLICE_SECONDS:
        slice_ = open_slice(stream_id, lease, effects)
        if slice_ is None:
            break
        try:
            if seconds := slice_.talk.must_wait():  # nothing is claimed that could not be sent
                wait = timedelta(seconds=seconds)
                break
            looked_up = yield from look_up_doubtful(slice_)
        except ConnectorError as error:
            wait = stop_for(slice_, [error]) or timedelta(0)
            break
        if looked_up:
            continue  # all of a batch is looked up before any of it is sent again
        claimed_at = clock.monotonic()
        batch = claim(slice_)
        yield "claimed"
        if batch.planned:
            wait = yield from _send(slice_, batch.planned, claimed_at)
            yield "settled"
        elif not batch.ruled:
            break
    _give_back(stream_id, lease, clock.now(), wait)


def _send(slice_: Slice, planned: Sequence[Planned], claimed_at: float) -> Steps[timedelta | None]:
    """The steps from attempts that stand in our rows to their outcomes; how long the stream has to wait, if at all."""
    try:
        checked = yield from _check_apart(slice_, planned)
    except ConnectorError as error:
        return not_sent(slice_, planned, error)
    if checked.verdicts:
        with transaction.atomic():
            slice_.lease.check(slice_.now())
            slice_.talk.kept_exchanges()
            write_verdicts(slice_, checked.verdicts, now=slice_.now())
        yield "some not sent"
    if not checked.cleared:
        return None
    chunks = _chunks(slice_, checked.cleared)
    try:
        jobs = [
            (_writing(slice_, chunk, claimed_at), f"{slice_.talk.trace_id}-{place}")
            for place, chunk in enumerate(chunks)
        ]
        connector = slice_.talk.connector("")
        each = max(connector.requests_of([one.write for one in chunk]) for chunk in chunks)
        answers = yield from slice_.talk.call_all(jobs, each=each)
    except ConnectorError as error:
        return not_sent(slice_, checked.cleared, error)
    yield "sent"
    outcomes: list[tuple[Planned, Outcome, str]] = []
    for chunk, answer, (_, trace_id) in zip(chunks, answers, jobs, strict=True):
        outcomes += [(one, outcome, trace_id) for one, outcome in zip(chunk, _each(chunk, answer), strict=True)]
    late = [one for one, outcome, _ in outcomes if isinstance(outcome, TooLate)]
    wait = settle(slice_, [entry for entry in outcomes if not isinstance(entry[1], TooLate)])
    if late:
        not_sent(slice_, late, None)
    return wait


def _check_apart(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that check these; where an answer is not as documented, the one that it is about harms no other."""
    try:
        return (yield from _check(slice_, planned))
    except UnexpectedResponse as error:
        if len(planned) == 1:
            return Checked(verdicts=[put_off(slice_, planned[0], error)])
    half = len(planned) // 2
    first = yield from _check_apart(slice_, planned[:half])
    if first.cleared:  # what these take of a bill, the others would not see: they are checked when it shows
        return Checked(cleared=first.cleared, verdicts=[*first.verdicts, *(one.put_back() for one in planned[half:])])
    second = yield from _check_apart(slice_, planned[half:])
    return Checked(cleared=second.cleared, verdicts=first.verdicts + second.verdicts)


def _check(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    if slice_.kind is Kind.PAYMENT:
        return (yield from check_payments(slice_, planned))
    if slice_.kind is Kind.IMAGE:
        return (yield from open_images(slice_, planned))
    if slice_.kind in (Kind.BILL, Kind.CREDIT):
        return (yield from check_bills(slice_, planned))
    return Checked(cleared=list(planned))


def _chunks(slice_: Slice, planned: Sequence[Planned]) -> list[list[Planned]]:
    """Sets of one action each, as large as the provider takes them."""
    chunks = []
    for action in sorted({one.write.action for one in planned}):
        same = [one for one in planned if one.write.action is action]
        many = action in (Action.CREATE, Action.UPDATE)  # what is stopped is stopped one by one
        size = slice_.talk.provider.limits.batch.get(slice_.kind, 1) if many else 1
        chunks += [same[start : start + size] for start in range(0, len(same), size)]
    return chunks


def _writing(slice_: Slice, chunk: Sequence[Planned], claimed_at: float) -> Job[list[Outcome]]:
    latest = claimed_at + ATTEMPT.total_seconds() - MARGIN_SECONDS

    def write(connector: Connector) -> list[Outcome]:
        connector.session.http.latest = latest
        return connector.write([one.write for one in chunk])

    return write


def _each(chunk: Sequence[Planned], answer: list[Outcome] | ConnectorError) -> list[Outcome]:
    if isinstance(answer, ConnectorError):
        return [answer] * len(chunk)
    if len(answer) != len(chunk):
        return [UnexpectedResponse("The connector answered for another number of records.")] * len(chunk)
    return answer


def _give_back(stream_id: int, lease: Lease, now: datetime, wait: timedelta | None) -> None:
    with transaction.atomic():
        lease.check(now)  # locks the row, so that what is observed from here on finds it and makes it due
        with database.cursor() as cursor:
            cursor.execute(FIRST_DUE, {"stream": stream_id, "states": [str(state) for state in UNDER_WAY]})
            [due_at] = cursor.fetchone()
        if due_at is not None and wait is not None:
            due_at = max(due_at, now + wait)
        if due_at is None or due_at > now:
            runs.end(Stream.objects.get(pk=stream_id))
        lease.give_back(due_at=due_at, now=now)
