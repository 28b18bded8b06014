"""What people do on which day of the story: a list of acts for each day, always the same. Pure.

A bill is entered on its day, decided on two days later, and paid by the next run of checks if it is approved by then.
Checks are in the bank's hands a day after the run, in the mail after two, and cleared after five. The last run is still
on its way when the story ends.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from mlconnector.demo.story import ACCOUNTS, BILLS, VENDORS, Bill

LAST_DAY = 23
RUNS = (6, 11, 16, 21)
DECIDED_AFTER = 2
STEPS = ((1, "funds_received"), (2, "issued"), (5, "cleared"))
PAID_BY_CHECK = ("paid", "corrected", "voided", "stopped", "by hand too")


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act of a person; `key` names it in what is remembered, so it is never done twice.

    `which` counts the payments of the same bills: the second is the one after the first was taken back.
    """

    verb: str
    key: str
    bills: Sequence[Bill] = ()
    subject: str = ""
    which: int = 1


@cache
def acts_of(day: int) -> tuple[Act, ...]:
    """Everything that people do on one day, in order."""
    return () if day == LAST_DAY else (*_opening(day), *_in_erp(day), *_in_network(day))


def date_offset(day: int) -> timedelta:
    """How far this day is from the first: five working days, then two free ones."""
    return timedelta(days=max(0, day - 1) + 2 * (max(0, day - 1) // 5))


def _opening(day: int) -> Iterator[Act]:
    if day == 0:
        yield from (Act(verb="open_account", key=f"account {name}", subject=name) for name, _, _ in ACCOUNTS)
        yield from (Act(verb="enter_vendor", key=f"vendor {key}", subject=key) for key in VENDORS)


def _in_erp(day: int) -> Iterator[Act]:
    for bill in BILLS:
        if bill.day == day:
            yield _on("enter_bill", bill)
        for on_day, fate, verb in (
            (bill.day, "partly paid", "pay_part_by_hand"),
            (bill.day, "settled", "pay_by_hand"),
            (bill.day, "vendor gone", "deactivate_vendor"),
            (bill.day + 1, "corrected", "correct_bill"),
            (bill.day + 1, "deleted", "delete_bill"),
            (bill.day + 1, "by hand", "pay_by_hand"),
            (_run_of(bill), "by hand too", "pay_by_hand"),
        ):
            if bill.fate == fate and on_day == day:
                yield _on(verb, bill)


def _in_network(day: int) -> Iterator[Act]:
    for bill in BILLS:
        if bill.day + DECIDED_AFTER == day:
            if bill.fate in PAID_BY_CHECK:
                yield _on("approve", bill)
            elif bill.fate in ("rejected", "on hold"):
                yield _on("reject" if bill.fate == "rejected" else "put_on_hold", bill)
    for run in RUNS:
        for bills in _checks_of(run):
            yield from _life_of_check(day, run, bills)
    for bill in BILLS:
        run = _run_of(bill)
        if bill.fate == "voided":
            yield from _steps(day, run, [], (bill,), {1: "void_check"})
            yield from _steps(day, run + 5, [(0, "pay"), *STEPS], (bill,), {}, which=2)
        if bill.fate == "stopped":
            yield from _steps(day, run, [], (bill,), {3: "stop_check", 4: "reissue_check"})
            yield from _steps(day, run + 4, STEPS, (bill,), {}, which=2)


def _life_of_check(day: int, run: int, bills: Sequence[Bill]) -> Iterator[Act]:
    fates = {bill.fate for bill in bills}
    if "voided" in fates:
        yield from _steps(day, run, [(0, "pay")], bills, {})
    elif "stopped" in fates:
        yield from _steps(day, run, [(0, "pay"), *STEPS[:2]], bills, {})
    else:
        yield from _steps(day, run, [(0, "pay"), *STEPS], bills, {})


def _steps(
    day: int, start: int, steps: Sequence[tuple[int, str]], bills: Sequence[Bill], verbs: dict[int, str], which: int = 1
) -> Iterator[Act]:
    """The steps of one check that fall on this day: being paid, reaching a status, or something out of the ordinary."""
    names = ",".join(bill.key for bill in bills)
    for after, step in steps:
        if start + after == day:
            verb, subject = ("pay", "") if step == "pay" else ("advance", step)
            yield Act(
                verb=verb, key=f"{verb} {which} {subject} {names}", bills=tuple(bills), subject=subject, which=which
            )
    if day - start in verbs:
        verb = verbs[day - start]
        yield Act(verb=verb, key=f"{verb} {names}", bills=tuple(bills))


@cache
def _checks_of(run: int) -> list[list[Bill]]:
    """What each check of a run pays: all of one vendor's bills whose turn it is."""
    by_vendor: defaultdict[str, list[Bill]] = defaultdict(list)
    for bill in BILLS:
        if bill.fate in PAID_BY_CHECK and _run_of(bill) == run:
            by_vendor[bill.vendor.name].append(bill)
    return list(by_vendor.values())


def _run_of(bill: Bill) -> int:
    """The first run after it was decided on; none any more for the last bills."""
    return next((run for run in RUNS if run > bill.day + DECIDED_AFTER), LAST_DAY + 100)


def _on(verb: str, bill: Bill) -> Act:
    return Act(verb=verb, key=f"{verb} {bill.key}", bills=(bill,))
