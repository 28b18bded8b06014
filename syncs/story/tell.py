"""Telling a bill's story out of its facts: entries in order of time, the six stages, and what comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.records import from_minor_units
from syncs.story.coming import Coming, coming
from syncs.story.entries import Entry, Pointer
from syncs.story.facts import Facts
from syncs.story.sides import Names, seen_entries
from syncs.story.ways import way_entries

Address = Callable[[int, str, str], str]
STAGES = ("seen", "sent", "accepted", "approved", "paid", "posted")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One of the six stages: reached at a time, or not yet."""

    name: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """A bill's story as the page shows it."""

    facts: Facts
    names: Names
    stages: Sequence[Stage]
    coming: Coming
    entries: Sequence[Entry]
    amount: str
    balance: str


def tell(facts: Facts, *, now: datetime, address: Address) -> Story:
    """The whole story; `facts` came with everything that it needs, `address` knows pages in providers' products."""
    names = Names.of(facts)
    entries = sorted([*seen_entries(facts, names), *way_entries(facts, names)], key=lambda entry: entry.order)
    entries = [replace(entry, pointers=[_with_page(one, address) for one in entry.pointers]) for entry in entries]
    bill = facts.bill.record
    return Story(
        facts=facts,
        names=names,
        stages=[Stage(name=name, at=_first(entries, name)) for name in STAGES],
        coming=coming(facts, names, now=now),
        entries=entries,
        amount=money(bill.amount_minor, bill.currency),
        balance=money(bill.balance_minor, bill.currency),
    )


def money(minor: int | None, currency: str) -> str:
    """An amount for people."""
    return "" if minor is None else f"{from_minor_units(minor, currency):,} {currency}"


def _with_page(pointer: Pointer, address: Address) -> Pointer:
    return replace(pointer, url=address(pointer.connection_id, pointer.kind, pointer.id)) if pointer.kind else pointer


def _first(entries: Sequence[Entry], stage: str) -> datetime | None:
    return next((entry.at for entry in entries if entry.stage == stage), None)
