"""What happens next with a bill, and when: read from where its deliveries stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.models import Connection
from connectors.records import Phase
from syncs.models import Feed, Problem, SyncRecord
from syncs.states import State
from syncs.story.facts import Facts
from syncs.story.sides import Names

OURS = (State.PENDING, State.SENDING)
STOPPED = ("rejected", "cancelled", "error")


@dataclass(frozen=True, kw_only=True)
class Coming:
    """What happens next, in words; `at` is when, where that is known; `problems` are what stands in the way."""

    tone: str
    words: str
    at: datetime | None = None
    problems: tuple[Problem, ...] = ()


def coming(facts: Facts, names: Names, *, now: datetime) -> Coming:
    """The first thing that has to happen for the bill to go on."""
    deliveries = [facts.delivery, *(paid.delivery for paid in facts.payments)]
    problems = tuple({one.problem.pk: one.problem for one in deliveries if one and one.problem}.values())
    if stopped := _standstill(facts, names):
        return Coming(tone="bad", words=stopped, problems=problems)
    for delivery, target in _in_order(facts, names):
        if (step := _step(delivery, target, now)) is not None:
            return Coming(tone=step.tone, words=step.words, at=step.at, problems=problems)
    return _at_the_network(facts, names)


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
    return "The delivery of bills is paused by a person." if facts.delivery.stream.paused else ""


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
    if delivery.state == State.HELD:
        return Coming(tone="bad", words=f"The {what} is held: {delivery.reason}")
    if delivery.state == State.IGNORED:
        return Coming(tone="warn", words=f"The {what} is not sent. {delivery.reason}")
    if delivery.state == State.OUT_OF_SCOPE and not delivery.settled:
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


def _at_the_network(facts: Facts, names: Names) -> Coming:
    """All that we have to do is done: what people and the network do next."""
    feed = facts.feeds.get(facts.network.pk) if facts.network else None
    phases = [paid.payment.record.status for paid in facts.payments]
    balance = facts.bill.record.balance_minor
    if Phase.EXECUTED in phases and not balance:
        return Coming(tone="good", words=f"Nothing: the bill is paid, and the payment stands in {names.erp}.")
    if Phase.EXECUTED in phases:
        return _looking(f"The rest of the bill waits to be paid at {names.network}.", feed)
    if Phase.PENDING in phases:
        return _looking(f"{names.network} has released the payment; it is posted as paid once it is executed.", feed)
    word = facts.invoice.record.status if facts.invoice else ""
    if word in STOPPED:
        return Coming(tone="warn", words=f"Nothing: at {names.network} it is {word}. Somebody decides what to do.")
    if word == "approved":
        return _looking(f"It is approved and waits to be paid at {names.network}.", feed)
    return _looking(f"It waits for its approvers at {names.network}.", feed)


def _looking(words: str, feed: Feed | None) -> Coming:
    at = feed.due_at if feed else None
    return Coming(tone="info", words=f"{words} We look again:" if at else words, at=at)
