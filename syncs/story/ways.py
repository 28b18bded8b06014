"""How a bill and its payments went over: an entry for each step of their deliveries, as the audit has it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from audit.models import Event
from connectors.base import Action
from connectors.conversation import BUDGET_SPENT
from connectors.records import Kind, Payment, Phase, restore
from syncs.delivery.verdict import NEVER_LEFT
from syncs.models import Attempt, SyncRecord
from syncs.problems.catalogue import fault
from syncs.story.entries import Entry, Pointer, Rank
from syncs.story.facts import Facts, Paid
from syncs.story.paying import method_of
from syncs.story.sides import Names, left

SENT = {"create": "Sent to", "update": "Change sent to", "void": "Void sent to", "withdraw": "Withdrawal sent to"}
ACCEPTED = {"update": "Change accepted by", "withdraw": "Taken back at"}
STEPS: Mapping[str, tuple[str, str]] = {
    "delivery_absent": ("It had not arrived at {target}: it is sent again", "warn"),
    "delivery_retried": ("It did not go through: it is tried again", "warn"),
    "delivery_taken_back": ("Voided in {target}, to be posted anew", "warn"),
    "delivery_left": ("Left as it stands in {target}: the books are closed for its day", "info"),
    "delivery_held": ("Held: it needs a person", "bad"),
    "delivery_in_doubt": ("The answer of {target} was lost: it is looked up before anything else", "warn"),
    "delivery_waiting": ("Waits for another record", "warn"),
    "out_of_scope": ("Left out of scope by a rule", "none"),
    "record_replayed": ("Sent back to be delivered", "info"),
    "record_released": ("Released: what it waited for was decided", "info"),
    "record_linked": ("Linked to what stands in {target} already: nothing is written", "good"),
    "post_asked": ("Asked to be posted anyway: another person has to confirm", "warn"),
    "post_confirmed": ("Confirmed by another person: it is posted anyway", "info"),
    "record_ignored": ("Ignored for good", "warn"),
    "record_unignored": ("Ignored no longer", "info"),
}
NOT_SENT: Mapping[str, tuple[str, str]] = {
    "delivery_retried": ("Not sent: it is tried again", "warn"),
    "delivery_held": ("Not sent and held: it needs a person", "bad"),
    "delivery_skipped": ("Looked at once more, and left as it is at {target}", "none"),
    "out_of_scope": ("Not sent: left out of scope by a rule", "none"),
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event of one delivery, with its attempt; `before` is the payment that was brought over last before it."""

    facts: Facts
    event: Event
    delivery: SyncRecord
    attempt: Attempt | None
    data: Mapping[str, Any]
    target: str
    before: Payment | None

    @property
    def payment(self) -> Payment | None:
        """What was to be posted, if this is about a payment."""
        record = restore(Kind.PAYMENT, self.attempt.body) if self.attempt and self.is_payment else None
        return record if isinstance(record, Payment) else None

    @property
    def is_payment(self) -> bool:
        return bool(self.delivery.stream.kind == Kind.PAYMENT)

    @property
    def went(self) -> bool:
        """Whether its attempt was sent, or may have been."""
        return self.attempt is None or left(self.attempt)

    @property
    def said(self) -> Any:
        """What was said over HTTP."""
        return self.facts.exchanges.get(self.attempt.pk, ()) if self.attempt is not None else ()


def way_entries(facts: Facts, names: Names) -> Iterator[Entry]:
    """Everything that was done to bring them over."""
    deliveries = [one for one in (facts.delivery, *(paid.delivery for paid in facts.payments)) if one is not None]
    by_id = {str(one.pk): one for one in deliveries}
    brought: dict[int, Payment] = {}
    waits: dict[int, Entry] = {}
    for event in facts.events:
        data, delivery = msgspec.json.decode(event.data), by_id[event.subject_id]
        step = Step(
            facts=facts,
            event=event,
            delivery=delivery,
            attempt=facts.attempts.get(data.get("attempt") or 0),
            data=data,
            target=names.erp if delivery.stream.kind == Kind.PAYMENT else names.network,
            before=brought.get(delivery.pk),
        )
        if data.get("code") == BUDGET_SPENT:
            waits.setdefault(delivery.pk, _waited(step))
        elif (entry := _entry(step)) is not None:
            if delivery.pk in waits:
                yield replace(waits.pop(delivery.pk), until=entry.at)
            yield entry
        if event.verb in ("delivered", "delivery_found") and step.payment and step.went:
            brought[delivery.pk] = step.payment
    yield from waits.values()


def _waited(step: Step) -> Entry:
    """That it waits until we may ask again: nothing is amiss, and it is told once however often it was looked at."""
    return Entry(
        at=step.event.at,
        rank=Rank.OURS,
        tone="none",
        title=f"{'Payment: waits' if step.is_payment else 'Waits'} for its turn",
        words=[f"We have asked {step.target} as often as it allows for the moment."],
        until=step.delivery.next_attempt_at,
    )


def _entry(step: Step) -> Entry | None:
    verb, attempt = step.event.verb, step.attempt
    if verb == "attempt_started":
        return _sent(step) if step.went else None
    if verb in ("delivered", "delivery_found"):
        return _accepted(step)
    unsent = attempt is not None and attempt.outcome in NEVER_LEFT
    steps = NOT_SENT if unsent and verb in NOT_SENT else STEPS
    if verb not in steps:
        return None
    title, tone = steps[verb]
    title = title.format(target=step.target)
    return Entry(
        at=step.event.at,
        rank=Rank.OURS,
        tone=tone,
        title=f"Payment: {title[:1].lower()}{title[1:]}" if step.is_payment else title,
        words=[word for word in (_reason(step), step.event.why) if word],
        by="" if step.event.actor == "system" else step.event.actor,
        exchanges=step.said if verb not in ("delivery_waiting", "delivery_absent") else (),
    )


def _sent(step: Step) -> Entry:
    attempt = step.attempt
    title = f"{SENT.get(attempt.action if attempt else 'create', 'Sent to')} {step.target}"
    if step.payment:
        title = f"{_subject(step.payment)}: {title[:1].lower()}{title[1:]}"
    return Entry(
        at=step.event.at,
        rank=Rank.OURS,
        stage="" if step.is_payment else "sent",
        title=title,
        words=_posted_as(step),
        pointers=[Pointer(what="request key", id=attempt.request_key)] if attempt else [],
    )


def _accepted(step: Step) -> Entry:
    pointers = [
        Pointer(
            what="bill payment" if step.is_payment else "invoice",
            id=step.data.get("target") or step.delivery.target_id,
            connection_id=step.facts.erp.pk if step.is_payment else step.delivery.stream.integration.ap_network_id,
            kind=step.delivery.stream.kind,
        ),
        Pointer(what="version", id=step.data.get("version") or ""),
    ]
    return Entry(
        at=step.event.at,
        rank=Rank.OURS,
        stage=_stage(step),
        tone="good",
        title=_accepted_title(step),
        pointers=[pointer for pointer in pointers if pointer.id],
        exchanges=step.said,
    )


def _accepted_title(step: Step) -> str:
    found, action = step.event.verb == "delivery_found", step.attempt.action if step.attempt else ""
    if step.payment:
        done = "posted in"
        if action == Action.VOID:
            done = "voided already in" if found and not step.went else "voided in"
        elif found:
            done = "found in" if step.went else "found before it was sent, in"
        elif step.before and step.before.phase is step.payment.phase:
            done = "updated in"
        return f"{_subject(step.payment)}: {done} {step.target}"
    if found:
        return f"Found at {step.target}, where the lost answer had left it"
    return f"{ACCEPTED.get(action, 'Accepted by')} {step.target}"


def _stage(step: Step) -> str:
    if not step.is_payment:
        return "accepted"
    paid = _paid(step)
    executed = step.payment is not None and step.payment.phase is Phase.EXECUTED
    first = step.before is None or step.before.phase is not Phase.EXECUTED
    return "posted" if executed and first and step.went and paid and paid.stands and paid.is_posted else ""


def _paid(step: Step) -> Paid | None:
    own = (paid for paid in step.facts.payments if paid.delivery and paid.delivery.pk == step.delivery.pk)
    return next(own, None)


def _reason(step: Step) -> str:
    """Why, in the words of that time where they are known."""
    attempt, delivery, code = step.attempt, step.delivery, step.data.get("code") or ""
    if attempt is not None and attempt.message and attempt.code == code:
        return attempt.message
    if code and code == delivery.code and delivery.reason:
        return delivery.reason
    known = fault(code) if code else None
    return known.cause if known and known.code == code else code.replace("_", " ")


def _subject(payment: Payment) -> str:
    return "Pending payment" if payment.phase is Phase.PENDING else "Payment"


def _posted_as(step: Step) -> list[str]:
    payment, before = step.payment, step.before
    if payment is None or step.attempt is None:
        return []
    if step.attempt.action == Action.VOID:
        return ["The bill opens again."]
    account = payment.funding_account.id if payment.funding_account else "no account"
    if payment.phase is Phase.PENDING:
        return [f"Pending, against payments in transit (account {account})."]
    cleared = [f"Cleared date: {payment.cleared_date:%-d %b %Y}."] if payment.cleared_date else []
    if before and before.phase is payment.phase and cleared and not before.cleared_date:
        return cleared
    return [f"Executed, by {method_of(payment)}, from account {account}.", *cleared]
