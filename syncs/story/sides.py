"""What each side showed of a bill, its invoice and its payments: an entry for each change that means something."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.base import Action
from connectors.records import Bill, Kind, Payment, Phase, from_minor_units, restore
from connectors.registry import connector_class
from syncs.story.entries import Entry, Pointer
from syncs.story.facts import Facts, Paid, Seen

WORKFLOW: Mapping[str, tuple[str, str]] = {
    "received": ("Received", "none"),
    "in_workflow": ("In workflow: waiting for its approvers", "info"),
    "on_hold": ("On hold", "warn"),
    "approved": ("Approved", "good"),
    "rejected": ("Rejected", "bad"),
    "error": ("Found unusable", "bad"),
    "cancelled": ("Cancelled", "warn"),
}
COMPARED = {
    "number": "number",
    "amount": "amount",
    "balance": "open balance",
    "date": "date",
    "due_date": "due date",
    "memo": "memo",
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """What people call the two sides."""

    erp: str
    network: str

    @classmethod
    def of(cls, facts: Facts) -> "Names":
        erp = connector_class(facts.erp.provider).name
        return cls(erp=erp, network=connector_class(facts.network.provider).name if facts.network else "AP network")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One state of an object: since when, as far as we know, and when we saw it."""

    record: Bill | Payment
    revision: int
    changed_at: datetime
    seen_at: datetime
    gone: str = ""


def seen_entries(facts: Facts, names: Names) -> Iterator[Entry]:
    """Everything that was seen on either side."""
    yield from _bill(facts, names)
    if facts.invoice is not None:
        yield from _invoice(facts.invoice, names)
    for paid in facts.payments:
        yield from _payment(paid, names)
        if paid.posting is not None and not _voided_by_us(facts, paid):
            yield from _posting(paid.posting, names)
    for seen, minor in facts.elsewhere:
        yield from _paid_elsewhere(seen, minor, names)


def method_of(payment: Payment) -> str:
    """A payment as people name it: by which way, under which reference."""
    way = {"check": "check", "ach": "ACH", "card": "virtual card"}.get(payment.method, "an unknown way")
    return f"{way} {payment.reference}".strip()


def shown(seen: Seen, kind: Kind) -> list[Shown]:
    """The states of an object, oldest first; the provider's own time of change where it gives one."""
    rows = [
        *((row.body, row.revision, row.observed_at, row.gone) for row in seen.earlier),
        (seen.record.body, seen.record.revision, seen.record.seen_at, seen.record.gone),
    ]
    states = []
    for body, revision, seen_at, gone in rows:
        record = restore(kind, body)
        assert isinstance(record, Bill | Payment)
        states.append(
            Shown(
                record=record,
                revision=revision,
                changed_at=record.modified_at if record.modified_at and not gone else seen_at,
                seen_at=seen_at,
                gone=gone,
            )
        )
    return states


def _bill(facts: Facts, names: Names) -> Iterator[Entry]:
    states = shown(facts.bill, Kind.BILL)
    first, bill = states[0], states[0].record
    assert isinstance(bill, Bill)
    known = [first.seen_at, *(event.at for event in facts.events[:1])]
    yield Entry(
        at=min(known),
        rank=0,
        stage="seen",
        tone="none",
        title=f"Seen in {names.erp}",
        words=[
            f"Bill {bill.number} of {facts.vendor} over {bill.amount:,} {bill.currency}"
            + (f", due {bill.due_date:%-d %b %Y}." if bill.due_date else ".")
        ],
        pointers=[_pointer(facts.bill, "bill", Kind.BILL)],
    )
    for before, after in zip(states, states[1:], strict=False):
        if after.gone:
            yield Entry(at=after.seen_at, rank=1, tone="bad", title=f"{after.gone.capitalize()} in {names.erp}")
        elif changed := _changes(before.record, after.record):
            yield Entry(
                at=after.changed_at,
                rank=8,
                tone="none",
                title=f"Changed in {names.erp}",
                words=_and_seen(changed, after),
            )


def _changes(before: Bill | Payment, after: Bill | Payment) -> list[str]:
    assert isinstance(before, Bill)
    assert isinstance(after, Bill)
    words = [
        f"{words[:1].upper()}{words[1:]}: {getattr(before, name)} → {getattr(after, name)}."
        for name, words in COMPARED.items()
        if getattr(before, name) != getattr(after, name)
    ]
    if before.vendor != after.vendor:
        words.append("Another vendor.")
    if before.lines != after.lines:
        words.append("Its lines or their accounts changed.")
    return words


def _invoice(invoice: Seen, names: Names) -> Iterator[Entry]:
    word = ""
    for state in shown(invoice, Kind.BILL):
        record = state.record
        assert isinstance(record, Bill)
        if state.gone:
            yield Entry(at=state.seen_at, rank=3, tone="bad", title=f"{state.gone.capitalize()} at {names.network}")
        elif record.status != word:
            word = record.status
            title, tone = WORKFLOW.get(word, (f"Status {word or 'not given'}", "warn"))
            yield Entry(
                at=state.changed_at,
                rank=3,
                stage="approved" if word == "approved" else "",
                tone=tone,
                title=f"{title} at {names.network}",
                words=_and_seen([record.memo] if record.memo and word in ("rejected", "error") else [], state),
                pointers=[_pointer(invoice, "invoice", Kind.BILL)],
            )


def _payment(paid: Paid, names: Names) -> Iterator[Entry]:
    phase: Phase | None = None
    for state in shown(paid.payment, Kind.PAYMENT):
        payment = state.record
        assert isinstance(payment, Payment)
        if payment.phase is phase:
            continue
        phase = payment.phase
        titles = {
            Phase.NONE: ("Payment prepared", "none", ""),
            Phase.PENDING: ("Payment released, not executed yet", "info", ""),
            Phase.EXECUTED: (f"Paid by {method_of(payment)}", "good", "paid"),
            Phase.REVERSED: (f"Payment by {method_of(payment)} taken back", "bad", ""),
            Phase.UNKNOWN: (f'Payment has the unknown status "{payment.status}"', "warn", ""),
        }
        title, tone, stage = titles[phase]
        part = _part(paid.applied_minor, paid.payment, payment)
        yield Entry(
            at=state.changed_at,
            rank=4,
            stage=stage,
            tone=tone,
            title=f"{title} at {names.network}",
            words=_and_seen([part, f'Their word is "{payment.status}".'], state),
            pointers=[_pointer(paid.payment, "payment", Kind.PAYMENT)],
        )


def _part(applied_minor: int, seen: Seen, payment: Payment) -> str:
    applied = from_minor_units(applied_minor, seen.record.currency)
    if applied == payment.amount:
        return f"{payment.amount:,} {payment.currency}, all of it on this bill."
    return f"{applied:,} {payment.currency} of this bill, within a payment over {payment.amount:,} {payment.currency}."


def _voided_by_us(facts: Facts, paid: Paid) -> bool:
    sent = [one for one in facts.attempts.values() if paid.delivery and one.sync_record_id == paid.delivery.pk]
    return any(one.action == Action.VOID for one in sent)


def _posting(posting: Seen, names: Names) -> Iterator[Entry]:
    """What became of our posting in the ERP, when it was not us: only an end of it means something here."""
    for state in shown(posting, Kind.PAYMENT):
        assert isinstance(state.record, Payment)
        if state.gone or state.record.phase is Phase.REVERSED:
            word = state.gone or "voided"
            yield Entry(
                at=state.changed_at,
                rank=7,
                tone="warn",
                title=f"The bill payment is {word} in {names.erp}",
                pointers=[_pointer(posting, "bill payment", Kind.PAYMENT)],
            )
            return


def _paid_elsewhere(seen: Seen, minor: int, names: Names) -> Iterator[Entry]:
    state = shown(seen, Kind.PAYMENT)[-1]
    payment = state.record
    assert isinstance(payment, Payment)
    if state.gone or payment.phase is Phase.REVERSED:
        return
    yield Entry(
        at=state.changed_at,
        rank=4,
        tone="warn",
        title=f"Paid in {names.erp} by somebody else",
        words=_and_seen([_part(minor, seen, payment)], state),
        pointers=[_pointer(seen, "bill payment", Kind.PAYMENT)],
    )


def _and_seen(words: Sequence[str], state: Shown) -> list[str]:
    late = (state.seen_at - state.changed_at).total_seconds() >= 60
    return [*words, *([f"We saw it {_ago(state)} later."] if late else [])]


def _ago(state: Shown) -> str:
    minutes = int((state.seen_at - state.changed_at).total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"


def _pointer(seen: Seen, what: str, kind: Kind) -> Pointer:
    return Pointer(what=what, id=seen.record.remote_id, connection_id=seen.record.connection_id, kind=kind)
