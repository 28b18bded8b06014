"""What happens next with a bill, and when: read from where its deliveries stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.models import Connection
from connectors.records import Kind, Payment, Phase, restore
from syncs.models import Feed, Problem, RemoteRecord, SyncRecord
from syncs.states import State
from syncs.story.facts import Facts, Paid
from syncs.story.paying import method_of
from syncs.story.sides import Names

OURS = (State.PENDING, State.SENDING)
ENDED = (State.OUT_OF_SCOPE, State.IGNORED)
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
    if (twofold := _paid_twofold(facts, names) or _gone(facts, names)) is not None:
        return replace(twofold, problems=problems)
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


def _paid_twofold(facts: Facts, names: Names) -> Coming | None:
    """Somebody has paid the bill in the ERP, and the network pays it too, or may be about to."""
    if not any(_stands(seen.record) for seen, _ in facts.elsewhere):
        return None
    by_hand = f"Somebody entered a payment of this bill in {names.erp}"
    live = [paid for paid in facts.payments if paid.stands]
    under_way = [paid for paid in live if not paid.is_posted and not _ignored(paid)]
    if under_way:
        return Coming(tone="bad", words=f"{by_hand}, and {_stop(under_way, names)}")
    invoice = facts.invoice.record if facts.invoice else None
    if invoice is None or live or facts.delivery is None or facts.delivery.state in ENDED:
        return None
    if invoice.gone or invoice.status in STOPPED:
        return Coming(tone="good", words=f"Nothing: it was paid in {names.erp}, and {names.network} does not pay it.")
    doing = f"It is taken back at {names.network}."
    if facts.delivery.state == State.HELD:
        doing = f"It could not be taken back: {facts.delivery.reason}"
    look = f"A check may be on its way already: look at {names.network}, and stop the check there if one was made."
    return Coming(tone="bad", words=f"{by_hand} while it was in approval. {doing} {look}")


def _gone(facts: Facts, names: Names) -> Coming | None:
    """The bill is no longer in the ERP: nothing of it may be paid."""
    bill, delivery = facts.bill.record, facts.delivery
    if not bill.gone or delivery is None:
        return None
    was = f"was {bill.gone} in {names.erp}"
    live = [paid for paid in facts.payments if paid.stands and not _ignored(paid)]
    if live:
        return Coming(tone="bad", words=f"The bill {was}, and {_stop(live, names)}")
    if facts.invoice is None or not delivery.target_id:
        return Coming(tone="good", words=f"Nothing: it {was} before it was sent to {names.network}.")
    if facts.invoice.record.gone or facts.invoice.record.status in STOPPED:
        return Coming(tone="good", words=f"Nothing: it {was}, and {names.network} does not pay it.")
    if delivery.state == State.HELD:
        words = f"The bill {was} and could not be taken back at {names.network}: {delivery.reason}"
        return Coming(tone="bad", words=f"{words} Cancel it there, and stop the check if one was made.")
    return Coming(tone="warn", words=f"The bill {was}; it is taken back at {names.network}.")


def _stop(payments: Sequence[Paid], names: Names) -> str:
    """What a person has to do about payments that are under way at the network, in words."""
    records = [restore(Kind.PAYMENT, paid.payment.record.body) for paid in payments]
    known = [one for one in records if isinstance(one, Payment)]
    cleared = [method_of(one) for one in known if one.cleared_date]
    under_way = [method_of(one) for one in known if not one.cleared_date]
    words = [f"{names.network} pays it too."]
    if under_way:
        late = any(one.phase is Phase.EXECUTED and not one.cleared_date for one in known)
        rest = "; what the vendor has cashed by then has to be paid back" if late else ""
        words.append(f"Stop the {' and the '.join(under_way)} at {names.network}{rest}.")
    if cleared:
        words.append(f"The {' and the '.join(cleared)} has cleared: ask the vendor to pay the money back.")
    return " ".join(words)


def _ignored(paid: Paid) -> bool:
    return paid.delivery is not None and paid.delivery.state == State.IGNORED


def _stands(payment: RemoteRecord) -> bool:
    return not payment.gone and payment.status != Phase.REVERSED


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
