"""What each side showed of a bill and its invoice: an entry for each change that means something."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Action
from connectors.conversation import BUDGET_SPENT
from connectors.records import Bill, Kind, Payment, restore
from connectors.registry import connector_class
from syncs.delivery.verdict import NEVER_LEFT
from syncs.models import Attempt
from syncs.story.entries import Entry, Pointer, Rank
from syncs.story.facts import Facts, Seen

WORKFLOW: Mapping[str, tuple[str, str]] = {
    "received": ("Received", "none"),
    "in_workflow": ("In workflow: waiting for its approvers", "info"),
    "on_hold": ("On hold", "warn"),
    "approved": ("Approved", "good"),
    "rejected": ("Rejected", "bad"),
    "error": ("Found unusable", "bad"),
    "cancelled": ("Cancelled", "warn"),
}
COMPARED = {"number": "number", "amount": "amount", "date": "date", "due_date": "due date", "memo": "memo"}
SKEW = timedelta(minutes=2)  # how far a provider's clock may be behind ours


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
    changed_at: datetime
    seen_at: datetime
    gone: str = ""

    @property
    def rank(self) -> Rank:
        """What we saw only after the second in which it happened cannot be why we did something in that second."""
        in_time = _second(self.seen_at) <= self.changed_at
        return Rank.CAUSE if in_time else Rank.LATER


def left(attempt: Attempt) -> bool:
    """Whether the attempt was sent, or may have been: not what was put back, nor what was found before it was sent."""
    found_first = attempt.outcome == "found" and attempt.ended_at is not None and attempt.ended_at <= attempt.deadline
    waited = attempt.code == BUDGET_SPENT
    return attempt.outcome not in NEVER_LEFT and not found_first and not waited


def shown(seen: Seen, kind: Kind) -> list[Shown]:
    """The states of an object, oldest first; the provider's own time of change where it gives one that can be."""
    rows = [
        *((row.body, row.observed_at, row.gone) for row in seen.earlier),
        (seen.record.body, seen.record.seen_at, seen.record.gone),
    ]
    states = []
    for body, seen_at, gone in rows:
        record = restore(kind, body)
        assert isinstance(record, Bill | Payment)
        changed_at = min(record.modified_at, seen_at) if record.modified_at and not gone else seen_at
        states.append(Shown(record=record, changed_at=changed_at, seen_at=seen_at, gone=gone))
    return states


def bill_entries(facts: Facts, names: Names) -> Iterator[Entry]:
    """What the ERP showed of the bill."""
    states = shown(facts.bill, Kind.BILL)
    first, bill = states[0], states[0].record
    assert isinstance(bill, Bill)
    known = [first.seen_at, *(event.at for event in facts.events[:1])]
    yield Entry(
        at=min(known),
        stage="seen",
        tone="none",
        title=f"Seen in {names.erp}",
        words=[
            f"Bill {bill.number} of {facts.vendor} over {bill.amount:,} {bill.currency}"
            + (f", due {bill.due_date:%-d %b %Y}." if bill.due_date else ".")
        ],
        pointers=[pointer(facts.bill, "bill", Kind.BILL)],
    )
    for before, after in zip(states, states[1:], strict=False):
        if after.gone:
            yield Entry(at=after.seen_at, tone="bad", title=f"{after.gone.capitalize()} in {names.erp}")
        else:
            yield from _changed(facts, before.record, after, names)


def _changed(facts: Facts, before: Bill | Payment, after: Shown, names: Names) -> Iterator[Entry]:
    record = after.record
    assert isinstance(before, Bill)
    assert isinstance(record, Bill)
    if words := _changes(before, record):
        yield Entry(at=after.changed_at, rank=after.rank, tone="none", title=f"Changed in {names.erp}", words=words)
    if before.balance != record.balance:
        yield Entry(
            at=_after_our_posting(facts, after.changed_at),
            rank=Rank.EFFECT,
            tone="none",
            title=f"Open balance in {names.erp}: {record.balance:,} {record.currency}",
            words=[f"It was {before.balance:,} {before.currency}."],
        )


def _changes(before: Bill, after: Bill) -> list[str]:
    words = [
        f"{words[:1].upper()}{words[1:]}: {_value(before, name)} → {_value(after, name)}."
        for name, words in COMPARED.items()
        if getattr(before, name) != getattr(after, name)
    ]
    if before.vendor != after.vendor:
        words.append("Another vendor.")
    if before.lines != after.lines:
        words.append("Its lines or their accounts changed.")
    return words


def _value(bill: Bill, name: str) -> str:
    return f"{bill.amount:,} {bill.currency}" if name == "amount" else str(getattr(bill, name) or "none")


def _after_our_posting(facts: Facts, moment: datetime) -> datetime:
    """The moment of a change of the balance, but never before the posting of ours that made it was through."""
    payments = {paid.delivery.pk for paid in facts.payments if paid.delivery}
    ends = [one.ended_at for one in facts.attempts.values() if one.sync_record_id in payments and left(one)]
    return min((end for end in ends if end and timedelta(0) <= end - moment <= SKEW), default=moment)


def invoice_entries(facts: Facts, names: Names) -> Iterator[Entry]:
    """What the network showed of the invoice: each step of its workflow."""
    if facts.invoice is None:
        return
    word, states = "", shown(facts.invoice, Kind.BILL)
    since: datetime | None = None
    last = states[-1].record
    stands = isinstance(last, Bill) and last.status == "approved" and not states[-1].gone
    for state in states:
        record = state.record
        assert isinstance(record, Bill)
        if state.gone:
            yield Entry(at=state.seen_at, tone="bad", title=f"{state.gone.capitalize()} at {names.network}")
        elif record.status != word:
            cause = None if word and record.status != "cancelled" else _sent_at(facts, withdrawn=bool(word))
            word = record.status
            title, tone = WORKFLOW.get(word, (f"Status {word or 'not given'}", "warn"))
            at, rank = _moment(facts, state, since)
            since = state.changed_at
            yield Entry(
                at=max(at, cause) if cause else at,
                rank=Rank.EFFECT if cause and _second(at) <= _second(cause) else rank,
                stage="approved" if stands and word == "approved" else "",
                tone=tone,
                title=f"{title} at {names.network}",
                words=[record.status_reason] if record.status_reason else [],
                pointers=[pointer(facts.invoice, "invoice", Kind.BILL)],
            )


def _moment(facts: Facts, state: Shown, since: datetime | None) -> tuple[datetime, Rank]:
    """When it came to this, and what it comes before: what was paid had been approved, also if we saw both at once."""
    firsts = [shown(paid.payment, Kind.PAYMENT)[0].changed_at for paid in facts.payments]
    paid_at = min((first for first in firsts if since is None or first >= since), default=None)
    if state.record.status != "approved" or paid_at is None or _second(paid_at) > _second(state.changed_at):
        return state.changed_at, state.rank
    return min(state.changed_at, paid_at), Rank.CAUSE


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _sent_at(facts: Facts, *, withdrawn: bool) -> datetime | None:
    """When we sent the bill for the first time, or what takes it back."""
    own = [one for one in facts.attempts.values() if facts.delivery and one.sync_record_id == facts.delivery.pk]
    times = [one.started_at for one in own if left(one) and (one.action == Action.WITHDRAW) is withdrawn]
    return min(times, default=None)


def pointer(seen: Seen, what: str, kind: Kind) -> Pointer:
    """Where the object is found in the provider's own product."""
    return Pointer(what=what, id=seen.record.remote_id, connection_id=seen.record.connection_id, kind=kind)
