"""What happens next with a bill, and when: read from where its deliveries stand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from connectors.models import Connection
from syncs.models import Feed, Stream, SyncRecord
from syncs.states import State
from syncs.story.facts import Facts
from syncs.story.mishaps import mishap
from syncs.story.outlook import Coming, at_the_network
from syncs.story.sides import Names

NOTHING_SENT = "Nothing of it is sent or stopped until somebody resumes it."
OURS = (State.PENDING, State.SENDING)


def coming(facts: Facts, names: Names, *, now: datetime) -> Coming:
    """The first thing that has to happen for the bill to go on."""
    deliveries = [facts.delivery, *(paid.delivery for paid in facts.payments)]
    known = [one.problem for one in (*deliveries, *facts.stopped) if one and one.problem]
    problems = tuple({problem.pk: problem for problem in known}.values())
    if stopped := _standstill(facts, names):
        return Coming(tone="bad", words=stopped, problems=problems)
    if (amiss := mishap(facts, names)) is not None:
        return replace(amiss, problems=problems)
    steps = (_step(delivery, target, now) for delivery, target in _in_order(facts, names))
    found = next((step for step in steps if step is not None), None) or at_the_network(facts, names)
    return replace(
        found, problems=problems, words=" ".join([*_not_read(facts, names), *_left_alone(facts, names), found.words])
    )


def _standstill(facts: Facts, names: Names) -> str:
    """Why nothing at all goes on."""
    if facts.delivery is None:
        return f"It is not delivered anywhere: no active integration takes bills from this {names.erp} connection."
    integration = facts.delivery.stream.integration
    if not integration.active:
        return "The integration is stopped. Nothing is delivered until somebody activates it."
    for connection, name in ((facts.erp, names.erp), (facts.network, names.network)):
        if connection is not None and connection.status != Connection.Status.CONNECTED:
            return (
                f"The connection to {name} {connection.get_status_display()}. {connection.attention} "
                "Everything goes on from where it stands once it works again."
            )
    stream = facts.delivery.stream
    return f"The delivery of bills is paused {_paused(stream)} {NOTHING_SENT}" if stream.paused else ""


def _paused(row: Feed | Stream) -> str:
    """By whom, and why."""
    return f"by {row.paused_by or 'a person'}: {row.paused_why or 'nobody said why'}."


def _in_order(facts: Facts, names: Names) -> Iterator[tuple[SyncRecord, str]]:
    if facts.delivery is not None:
        yield facts.delivery, names.network
    for paid in facts.payments:
        if paid.delivery is not None:
            yield paid.delivery, names.erp


def _step(delivery: SyncRecord, target: str, now: datetime) -> Coming | None:
    """What one delivery waits for; None if it is done."""
    what = delivery.stream.kind
    later = delivery.next_attempt_at if delivery.next_attempt_at and delivery.next_attempt_at > now else None
    if delivery.stream.paused and delivery.state != State.SYNCED:
        return Coming(tone="bad", words=f"The delivery of {what}s is paused {_paused(delivery.stream)} {NOTHING_SENT}")
    if delivery.state == State.HELD:
        return Coming(tone="bad", words=f"The {what} is held: {delivery.reason}")
    if delivery.state == State.IGNORED and not delivery.was_sent:
        return Coming(tone="warn", words=f"The {what} is not sent. {delivery.reason}")
    if delivery.state == State.OUT_OF_SCOPE and not delivery.was_sent:
        return Coming(tone="info", words=f"The {what} is not sent to {target}: {delivery.reason}")
    if delivery.state == State.IN_DOUBT:
        words = f"The {what} was sent to {target} and the answer was lost: it is looked up before anything else."
        return Coming(tone="warn", words=words, at=later)
    if delivery.state == State.WAITING:
        return Coming(tone="warn", words=f"The {what} waits. {delivery.reason}", at=later)
    if delivery.state in OURS:
        words = f"The {what} is sent to {target} {'later' if later else 'in a moment'}. {delivery.reason}".strip()
        return Coming(tone="info", words=words, at=later)
    return None


def _not_read(facts: Facts, names: Names) -> Iterator[str]:
    """That changes of the bill are not noticed."""
    feed = facts.feeds.get(facts.erp.pk)
    if feed is not None and feed.paused:
        yield f"Reading {names.erp} is paused {_paused(feed)} What changes there is not noticed."


def _left_alone(facts: Facts, names: Names) -> Iterator[str]:
    """What somebody ignores although it stands on the other side."""
    for delivery, target in _in_order(facts, names):
        if delivery.state == State.IGNORED and delivery.was_sent:
            what = delivery.stream.kind
            yield f"Changes of the {what} are not sent any more; it stands at {target} as it is. {delivery.reason}"
