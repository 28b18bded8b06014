"""What people do on which day of the story: a list of acts for each day, always the same. Pure.

Acts of one kind stand together: whoever does them looks at the books once for all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from mlconnector.demo.company import ACCOUNTS, BRANCHES, CLASSES
from mlconnector.demo.goods import ITEMS
from mlconnector.demo.pace import BOOKS_CLOSED, LAST_DAY, decided_on, run_of
from mlconnector.demo.payouts import LIVES, payouts
from mlconnector.demo.story import ORDERS, Bill, Credit, Entry
from mlconnector.demo.trouble import APPROVED, BILLS, CREDIT_NOTES
from mlconnector.demo.vendors import VENDORS

RECEIVED_WITHOUT_BILL = 12
# In this order on every day: what is acted upon is there, and nobody acts twice on one thing in a row.
VERBS = (
    "open_account", "open_branch", "open_class", "enter_item", "enter_vendor", "enroll", "open_lost_account", "order",
    "receive", "enter_bill", "enter_credit", "attach_image", "close_lost_account", "correct_bill", "delete_bill",
    "pay_part_by_hand", "pay_by_hand", "deactivate_vendor", "close_books", "approve", "reject", "put_on_hold",
    "advance", "void_payment", "stop_check", "return_ach", "convert_card", "reissue", "pay_half", "pay",
)  # fmt: skip
DECISIONS = {**dict.fromkeys(APPROVED, "approve"), "rejected": "reject", "on hold": "put_on_hold"}


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act of a person; `key` names it in what is remembered, so it is never done twice.

    `which` counts the payments of the same bills: the second is the one after the first was taken back.
    """

    verb: str
    key: str
    entries: Sequence[Entry] = ()
    subject: str = ""
    which: int = 1


@cache
def acts_of(day: int) -> tuple[Act, ...]:
    """Everything that people do on one day, in order, acts of one kind together."""
    acts = [] if day == LAST_DAY else [*_opening(day), *_in_erp(day), *_in_network(day)]
    return tuple(sorted(acts, key=lambda act: VERBS.index(act.verb)))


def _opening(day: int) -> Iterator[Act]:
    if day == 0:
        yield from _each("open_account", [name for name, _, _ in ACCOUNTS])
        yield from _each("open_branch", BRANCHES)
        yield from _each("open_class", CLASSES)
        yield from _each("enter_item", ITEMS)
        yield from _each("enter_vendor", VENDORS)
    if day == 1:
        yield from _each("enroll", [name for name, vendor in VENDORS.items() if vendor.pays_by != "check"])


def _in_erp(day: int) -> Iterator[Act]:
    yield from (_on("order", order) for order in ORDERS if order.day == day)
    if day == RECEIVED_WITHOUT_BILL:
        yield from (_on("receive", order) for order in ORDERS if order.received == "not yet")
    for bill in BILLS:
        for on_day, fate, verb in (
            (bill.day, "no account", "open_lost_account"),
            (bill.day, bill.fate, "enter_bill"),
            (bill.day + (bill.image_after or 0), bill.fate if bill.image_after is not None else "", "attach_image"),
            (bill.day, "no account", "close_lost_account"),
            (bill.day, "partly paid", "pay_part_by_hand"),
            (bill.day, "settled", "pay_by_hand"),
            (bill.day, "vendor gone", "deactivate_vendor"),
            (bill.day + 1, "corrected", "correct_bill"),
            (bill.day + 1, "deleted", "delete_bill"),
            (bill.day + 1, "by hand", "pay_by_hand"),
            (run_of(bill), "by hand too", "pay_by_hand"),
        ):
            if bill.fate == fate and on_day == day:
                yield _on(verb, bill)
    yield from (_on("enter_credit", credit) for credit in CREDIT_NOTES if credit.day == day)
    if day == BOOKS_CLOSED[0]:
        yield _on("close_books", next(bill for bill in BILLS if bill.day == BOOKS_CLOSED[1]))


def _in_network(day: int) -> Iterator[Act]:
    decided: list[Bill | Credit] = [*BILLS, *CREDIT_NOTES]
    for entry in decided:
        verb = DECISIONS.get(entry.fate) if isinstance(entry, Bill) else "approve"
        if verb and decided_on(entry) == day:
            yield _on(verb, entry)
    for payout in payouts():
        names = ",".join(entry.key for entry in payout.entries)
        for after, verb, subject, which in LIVES[payout.life]:
            if payout.run + after == day:
                key = f"{verb} {which} {subject} {names}"
                yield Act(verb=verb, key=key, entries=payout.entries, subject=subject, which=which)


def _each(verb: str, names: Iterable[str]) -> Iterator[Act]:
    return (Act(verb=verb, key=f"{verb} {name}", subject=name) for name in names)


def _on(verb: str, entry: Entry) -> Act:
    return Act(verb=verb, key=f"{verb} {entry.key}", entries=(entry,))
