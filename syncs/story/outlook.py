"""What people and the network do next with a bill once all that we have to do is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.records import Bill, Kind, Phase, from_minor_units, restore
from syncs.models import Feed, Problem
from syncs.story.facts import Facts, stands
from syncs.story.sides import Names

CORRECT = "Correct the bill in {erp}: it is sent again and goes to its approvers again. {otherwise}"
OTHERWISE = "If it is not to be paid, delete it there."
STOPPED: Mapping[str, tuple[str, str]] = {
    "rejected": ("Rejected", CORRECT),
    "error": ("Found unusable", CORRECT),
    "cancelled": ("Cancelled", "If it is still owed, pay it from {erp} or enter it there as a new bill. {otherwise}"),
}


@dataclass(frozen=True, kw_only=True)
class Coming:
    """What happens next, in words; `at` is when, where that is known; `problems` are what stands in the way.

    `instead_of_remedies` says that the words know better what to do than the remedies of the problems do.
    """

    tone: str
    words: str
    at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    instead_of_remedies: bool = False


def at_the_network(facts: Facts, names: Names) -> Coming:
    """What is awaited of the bill's approvers, of whoever pays it, and of the network."""
    feed = facts.feeds.get(facts.network.pk) if facts.network else None
    phases = [paid.payment.record.status for paid in facts.payments if paid.stands]
    balance = facts.bill.record.balance_minor
    if Phase.PENDING in phases:
        return _looking(f"{names.network} has released the payment; it is posted as paid once it is executed.", feed)
    if any(paid.waits_to_clear for paid in facts.payments):
        words = f"{names.network} has paid it; by policy it stands as pending in {names.erp} until the payment clears."
        return _looking(words, feed)
    if Phase.EXECUTED in phases and not balance:
        return Coming(tone="good", words=f"Nothing: the bill is paid, and the payment stands in {names.erp}.")
    if Phase.EXECUTED in phases and not _rest(facts):
        still = from_minor_units(balance or 0, facts.bill.record.currency)
        words = f"The bill is paid at {names.network}, although {names.erp} last showed it open with {still:,}:"
        return _looking(f"{words} do not pay it by hand.", feed)
    if Phase.EXECUTED in phases:
        return _looking(f"The rest of the bill waits to be paid at {names.network}.", feed)
    return _in_approval(facts, names, feed)


def _rest(facts: Facts) -> int:
    """What neither the network nor anybody else has paid of the bill, in minor units."""
    paid = sum(paid.applied_minor for paid in facts.payments if paid.stands)
    by_hand = sum(minor for seen, minor in facts.elsewhere if stands(seen.record))
    return max(0, (facts.bill.record.amount_minor or 0) - paid - by_hand)


def _in_approval(facts: Facts, names: Names, feed: Feed | None) -> Coming:
    word = facts.invoice.record.status if facts.invoice else ""
    if word in STOPPED:
        return _stopped(word, facts, names)
    if word == "approved":
        return _looking(f"It is approved and waits to be paid at {names.network}.", feed)
    if word == "on_hold":
        words = f"On hold at {names.network}: somebody there has to release it or reject it; it is not paid before."
        return _looking(words, feed, tone="warn")
    return _looking(f"It waits for its approvers at {names.network}.", feed)


def _stopped(word: str, facts: Facts, names: Names) -> Coming:
    """The network pays the bill no more: somebody of accounts payable decides in the ERP."""
    done, remedy = STOPPED[word]
    if not facts.bill.record.balance_minor:
        words = f"Nothing: {done.lower()} at {names.network}, and nothing is open in {names.erp}."
        return Coming(tone="good", words=words)
    record = restore(Kind.BILL, facts.invoice.record.body) if facts.invoice else None
    why = f" ({record.status_reason})" if isinstance(record, Bill) and record.status_reason else ""
    act = remedy.format(erp=names.erp, otherwise=OTHERWISE)
    words = f"{done} at {names.network}{why}: it is not paid there. {act}"
    return Coming(tone="warn", words=words, instead_of_remedies=True)


def _looking(words: str, feed: Feed | None, tone: str = "info") -> Coming:
    if feed is not None and feed.paused:
        who = f"by {feed.paused_by or 'a person'}: {feed.paused_why or 'nobody said why'}."
        return Coming(tone="bad", words=f"{words} But reading there is paused {who} We look again once it is resumed.")
    at = feed.due_at if feed else None
    return Coming(tone=tone, words=f"{words} We look again:" if at else words, at=at)
