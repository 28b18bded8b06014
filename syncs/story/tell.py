"""Telling a bill's story out of its facts: entries in order of time, the stages, and what comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.records import from_minor_units
from syncs.story.coming import coming
from syncs.story.entries import Entry, Pointer, in_order
from syncs.story.facts import Facts
from syncs.story.invoice import Invoice, invoice_of
from syncs.story.lines import Lines, lines_told
from syncs.story.outlook import Coming
from syncs.story.paying import payment_entries
from syncs.story.sides import Names, bill_entries, invoice_entries
from syncs.story.ways import way_entries

Address = Callable[[int, str, str], str]
STAGES = ("seen", "sent", "accepted", "approved", "paid", "posted", "cleared")
ONCE = ("seen", "sent", "accepted")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One of the stages: reached at a time, or not yet."""

    name: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """A bill's story as the page shows it; what is gone has no balance."""

    facts: Facts
    names: Names
    stages: Sequence[Stage]
    coming: Coming
    entries: Sequence[Entry]
    amount: str
    balance: str
    lines: Lines
    invoice: Invoice | None = None


def tell(facts: Facts, *, now: datetime, address: Address) -> Story:
    """The whole story; `facts` came with everything that it needs, `address` knows pages in providers' products."""
    names = Names.of(facts)
    tellers = (bill_entries, invoice_entries, payment_entries, way_entries)
    entries = in_order(entry for teller in tellers for entry in teller(facts, names))
    entries = [replace(entry, pointers=[_with_page(one, address) for one in entry.pointers]) for entry in entries]
    bill, invoice = facts.bill.record, invoice_of(facts)
    return Story(
        facts=facts,
        names=names,
        stages=[Stage(name=name, at=_reached(entries, name)) for name in STAGES],
        coming=coming(facts, names, now=now),
        entries=entries,
        invoice=invoice,
        lines=lines_told(facts, invoice.recoded if invoice else ()),
        amount=money(bill.amount_minor, bill.currency),
        balance="" if bill.gone else money(bill.balance_minor, bill.currency),
    )


def money(minor: int | None, currency: str) -> str:
    """An amount for people."""
    return "" if minor is None else f"{from_minor_units(minor, currency):,} {currency}"


def _with_page(pointer: Pointer, address: Address) -> Pointer:
    return replace(pointer, url=address(pointer.connection_id, pointer.kind, pointer.id)) if pointer.kind else pointer


def _reached(entries: Sequence[Entry], stage: str) -> datetime | None:
    """When it got there: for what may be taken back and come again, the last time."""
    times = [entry.at for entry in entries if entry.stage == stage]
    return (times[0] if stage in ONCE else times[-1]) if times else None
