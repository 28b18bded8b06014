"""What goes wrong in the month: which bill meets which fate, and which vendors owe something back. Pure.

Each fate is told by one bill; who it is follows from the rule beside it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mlconnector.demo.company import TRADE_SHOWS
from mlconnector.demo.draw import between, draw
from mlconnector.demo.goods import ITEMS
from mlconnector.demo.pace import RUNS, run_of
from mlconnector.demo.story import USUAL_BILLS, Bill, Credit, Line

Rule = Callable[[Bill], bool]


def _paid(method: str, *runs: int) -> Rule:
    return lambda bill: bill.vendor.pays_by == method and run_of(bill) in runs


def _entered(first: int, last: int, *, goods: bool = False) -> Rule:
    return lambda bill: first <= bill.day <= last and any(line.item for line in bill.lines) == goods


FATES: dict[str, Rule] = {
    "vendor gone": lambda bill: bill.vendor.trade == "signs",
    "voided": _paid("check", RUNS[0]),
    "stopped": _paid("check", RUNS[0]),
    "returned": _paid("ach", RUNS[0]),
    "returned late": _paid("ach", RUNS[0]),
    "converted": _paid("virtual_card", RUNS[0], RUNS[1]),
    "in two parts": _paid("check", RUNS[1]),
    "by hand too": _paid("check", RUNS[1]),
    "no account": lambda bill: bill.vendor.trade == "travel",
    "no location": _entered(4, 8),
    "partly paid": _entered(3, 6),
    "settled": _entered(4, 9),
    "corrected": _entered(4, 9),
    "rejected": _entered(6, 9, goods=True),
    "deleted": _entered(7, 10),
    "by hand": _entered(8, 12),
    "on hold": _entered(9, 13),
    "entered twice": _entered(10, 14, goods=True),
}
ALONE = ("voided", "stopped", "returned", "returned late", "converted", "in two parts", "by hand too")
APPROVED = ("paid", "corrected", *ALONE)
CREDITS = 12


def _fated(usual: Sequence[Bill]) -> list[Bill]:
    fates: dict[str, str] = {}
    for fate, fits in FATES.items():
        free = (
            bill for bill in usual if bill.key not in fates and bill.order is None and bill.vendor.currency == "USD"
        )
        fates[next(bill.key for bill in free if fits(bill))] = fate
    return [_spoiled(bill, fates.get(bill.key, "paid"), usual) for bill in usual]


def _spoiled(bill: Bill, fate: str, usual: Sequence[Bill]) -> Bill:
    """The bill as it is entered, with what is wrong in it."""
    if bill.vendor.currency != "USD":
        return replace(bill, fate="left")
    if fate == "no location":
        return replace(bill, fate=fate, branch="")
    if fate == "no account":
        return replace(bill, fate=fate, lines=[replace(line, account=TRADE_SHOWS) for line in bill.lines])
    if fate == "entered twice":
        first = next(other for other in usual if other.vendor == bill.vendor)
        return replace(bill, fate=fate, number=first.number, lines=first.lines, branch=first.branch)
    return replace(bill, fate=fate)


def _credits() -> Iterator[Credit]:
    """For goods that came damaged; each is taken along by the vendor's payment of its run."""
    owed: dict[tuple[str, int], Bill] = {}
    for bill in BILLS:
        goods = bill.lines[0].item and bill.vendor.pays_by != "virtual_card"
        if goods and bill.fate == "paid" and run_of(bill) in RUNS:
            owed.setdefault((bill.vendor.name, run_of(bill)), bill)
    once = {vendor: (run, bill) for (vendor, run), bill in reversed(owed.items())}
    for place, (run, bill) in enumerate(sorted(once.values(), key=lambda found: (found[0], found[1].key))[:CREDITS], 1):
        yield Credit(
            key=f"C{place:02d}", day=max(1, run - 4 + draw(f"credit {bill.key}", 2)), vendor=bill.vendor,
            number=f"CM-{between(bill.key, 1000, 9999)}", branch=bill.branch, lines=[_damaged(bill.lines[0])],
        )  # fmt: skip


def _damaged(line: Line) -> Line:
    cases = max(1, line.quantity // 6)
    words = f"Damaged: {line.words}"
    return replace(line, quantity=cases, amount=ITEMS[line.item].cost * cases, words=words)


BILLS = _fated(USUAL_BILLS)
CREDIT_NOTES = list(_credits())
