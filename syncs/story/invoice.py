"""The invoice at the network: where it stands, how it came there, and what approvers coded otherwise than we sent.

What they coded is a difference, shown and nothing else: it is never written into the ERP, and never sent over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from connectors.base import Action
from connectors.records import Bill, Kind, Line, Ref, restore
from syncs.story.facts import Facts
from syncs.story.sides import WORKFLOW, shown

ACCEPTED = ("accepted", "found")
SENT = (Action.CREATE, Action.UPDATE)


@dataclass(frozen=True, kw_only=True)
class Stay:
    """One status of the invoice: from when until when, and why; `until` is empty for the one that it has."""

    words: str
    tone: str
    since: datetime
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Recoded:
    """One line that is coded otherwise than we sent it, by the number that it has in the ERP."""

    number: int
    line: str
    sent: str
    coded: str


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """What the page says of it: the status that it has, those before it, how far it is paid, and its coding."""

    now: Stay
    before: Sequence[Stay]
    payment_status: str
    recoded: Sequence[Recoded]


def invoice_of(facts: Facts) -> Invoice | None:
    """The invoice as the network shows it; None while it has shown none."""
    if facts.invoice is None:
        return None
    last = restore(Kind.BILL, facts.invoice.record.body)
    assert isinstance(last, Bill)
    stays: list[Stay] = []
    word = None
    for state in shown(facts.invoice, Kind.BILL):
        record = state.record
        assert isinstance(record, Bill)
        status = state.gone or record.status
        if status == word:
            stays[-1] = replace(stays[-1], reason=record.status_reason or stays[-1].reason)
            continue
        word, since = status, min(record.status_at or state.changed_at, state.seen_at)
        title, tone = WORKFLOW.get(status, (status.replace("_", " ").capitalize() or "Not given", "warn"))
        if stays:
            stays[-1] = replace(stays[-1], until=since)
        stays.append(Stay(words=title, tone=tone, since=since, reason=record.status_reason))
    return Invoice(
        now=stays[-1],
        before=stays[-2::-1],
        payment_status=last.payment_status.replace("_", " "),
        recoded=list(_recoded(facts, last)),
    )


def _last_sent(facts: Facts) -> Bill | None:
    """The bill as the network last took it from us, in its own ids."""
    own = [one for one in facts.attempts.values() if facts.delivery and one.sync_record_id == facts.delivery.pk]
    taken = [one for one in own if one.action in SENT and one.outcome in ACCEPTED]
    record = restore(Kind.BILL, taken[-1].body) if taken else None
    return record if isinstance(record, Bill) else None


def _recoded(facts: Facts, invoice: Bill) -> Iterator[Recoded]:
    sent = _last_sent(facts)
    if sent is None or facts.bill.record.gone or invoice.status == "cancelled":
        return
    for ours, theirs in zip_longest(sent.lines, invoice.lines):
        if ours is None or theirs is None or _differs(ours, theirs):
            line = ours or theirs
            assert line is not None
            named = f"{line.number}: {line.description or 'no text'}, {line.amount:,} {invoice.currency}"
            yield Recoded(number=line.number, line=named, sent=_coding(facts, ours), coded=_coding(facts, theirs))


def _differs(ours: Line, theirs: Line) -> bool:
    dimensions = {_code(ref) for ref in ours.dimensions} != {_code(ref) for ref in theirs.dimensions}
    return dimensions or _code(ours.account) != _code(theirs.account)


def _code(ref: Ref | None) -> str:
    """What names a code on both sides: the key that we gave it, or the network's own."""
    return (ref.key or ref.id) if ref else ""


def _coding(facts: Facts, line: Line | None) -> str:
    if line is None:
        return "no such line"
    codes = [_code(ref) for ref in (line.account, *line.dimensions)]
    return ", ".join(facts.codes.get(code, code) for code in codes if code) or "not coded"
