"""How a bill and its payments went over: an entry for each step of their deliveries, as the audit has it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from audit.models import Event
from connectors.records import Kind, Payment, Phase, restore
from syncs.models import Attempt, SyncRecord
from syncs.problems.catalogue import fault
from syncs.story.entries import Entry, Pointer
from syncs.story.facts import Facts
from syncs.story.sides import Names, method_of

SENT = {"create": "Sent to", "update": "Change sent to", "void": "Void sent to", "withdraw": "Withdrawal sent to"}
STEPS: Mapping[str, tuple[str, str]] = {
    "delivery_absent": ("It had not arrived at {target}: it is sent again", "warn"),
    "delivery_retried": ("It did not go through: it is tried again", "warn"),
    "delivery_held": ("Held: it needs a person", "bad"),
    "delivery_in_doubt": ("The answer of {target} was lost: it is looked up before anything else", "warn"),
    "delivery_waiting": ("Waits for another record", "warn"),
    "delivery_skipped": ("Nothing had to be sent to {target}", "none"),
    "out_of_scope": ("Left out of scope by a rule", "none"),
    "record_replayed": ("Sent back to be delivered", "info"),
    "record_released": ("Released: what it waited for was decided", "info"),
    "record_ignored": ("Ignored for good", "warn"),
    "record_unignored": ("Ignored no longer", "info"),
}


def way_entries(facts: Facts, names: Names) -> Iterator[Entry]:
    """Everything that was done to bring them over."""
    deliveries = [one for one in (facts.delivery, *(paid.delivery for paid in facts.payments)) if one is not None]
    by_id = {str(one.pk): one for one in deliveries}
    for event in facts.events:
        entry = _entry(facts, names, event, by_id[event.subject_id])
        if entry is not None:
            yield entry


def _entry(facts: Facts, names: Names, event: Event, delivery: SyncRecord) -> Entry | None:
    data = msgspec.json.decode(event.data)
    attempt = facts.attempts.get(data.get("attempt") or 0)
    is_payment = delivery.stream.kind == Kind.PAYMENT
    target = names.erp if is_payment else names.network
    subject = "Payment: " if is_payment else ""
    if event.verb == "attempt_started":
        return _sent(event, attempt, is_payment, target)
    if event.verb in ("delivered", "delivery_found"):
        return _accepted(facts, event, attempt, delivery, target, data)
    if event.verb not in STEPS:
        return None
    title, tone = STEPS[event.verb]
    title = title.format(target=target)
    return Entry(
        at=event.at,
        rank=6,
        tone=tone,
        title=subject + (title[:1].lower() + title[1:] if subject else title),
        words=[word for word in (_reason(delivery, attempt, data), event.why) if word],
        by="" if event.actor == "system" else event.actor,
        exchanges=_said(facts, attempt) if event.verb not in ("delivery_waiting", "delivery_absent") else (),
    )


def _sent(event: Event, attempt: Attempt | None, is_payment: bool, target: str) -> Entry:
    action = attempt.action if attempt else "create"
    title = f"{SENT.get(action, 'Sent to')} {target}"
    if is_payment and attempt is not None:
        title = f"{_subject(attempt)}: {title[:1].lower()}{title[1:]}"
    return Entry(
        at=event.at,
        rank=5 if is_payment else 1,
        stage="" if is_payment else "sent",
        title=title,
        words=[_posted_as(attempt)] if is_payment and attempt else [],
        pointers=[Pointer(what="request key", id=attempt.request_key)] if attempt else [],
    )


def _accepted(
    facts: Facts, event: Event, attempt: Attempt | None, delivery: SyncRecord, target: str, data: dict[str, Any]
) -> Entry:
    found = event.verb == "delivery_found"
    is_payment = delivery.stream.kind == Kind.PAYMENT
    connection_id = facts.erp.pk if is_payment else delivery.stream.integration.ap_network_id
    posted = is_payment and attempt is not None and _phase(attempt) is Phase.EXECUTED and attempt.action != "void"
    if is_payment and attempt is not None:
        done = "voided in" if attempt.action == "void" else "found in" if found else "posted in"
        title = f"{_subject(attempt)}: {done} {target}"
    else:
        title = f"Found at {target}, where the lost answer had left it" if found else f"Accepted by {target}"
    pointers = [
        Pointer(
            what="bill payment" if is_payment else "invoice",
            id=data.get("target") or delivery.target_id,
            connection_id=connection_id,
            kind=delivery.stream.kind,
        ),
        Pointer(what="version", id=data.get("version") or ""),
    ]
    return Entry(
        at=event.at,
        rank=6 if is_payment else 2,
        stage=("posted" if posted else "") if is_payment else "accepted",
        tone="good",
        title=title,
        pointers=[pointer for pointer in pointers if pointer.id],
        exchanges=_said(facts, attempt),
    )


def _said(facts: Facts, attempt: Attempt | None) -> Any:
    return facts.exchanges.get(attempt.pk, ()) if attempt is not None else ()


def _reason(delivery: SyncRecord, attempt: Attempt | None, data: dict[str, Any]) -> str:
    """Why, in the words of that time where they are known."""
    code = data.get("code") or ""
    if attempt is not None and attempt.message and attempt.code == code:
        return attempt.message
    if code and code == delivery.code and delivery.reason:
        return delivery.reason
    known = fault(code) if code else None
    return known.cause if known and known.code == code else code.replace("_", " ")


def _subject(attempt: Attempt) -> str:
    return "Pending payment" if _phase(attempt) is Phase.PENDING else "Payment"


def _phase(attempt: Attempt) -> Phase:
    payment = restore(Kind.PAYMENT, attempt.body)
    assert isinstance(payment, Payment)
    return payment.phase


def _posted_as(attempt: Attempt) -> str:
    payment = restore(Kind.PAYMENT, attempt.body)
    assert isinstance(payment, Payment)
    if attempt.action == "void":
        return "The bill opens again."
    account = payment.funding_account.id if payment.funding_account else "no account"
    if payment.phase is Phase.PENDING:
        return f"Pending, against payments in transit (account {account})."
    return f"Executed, by {method_of(payment)}, from account {account}."
