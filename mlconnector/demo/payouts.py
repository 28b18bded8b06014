"""What is paid together at AvidXchange, and the life of each payment from then on. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mlconnector.demo.pace import RUNS, run_of
from mlconnector.demo.story import Bill, Credit
from mlconnector.demo.trouble import ALONE, APPROVED, BILLS, CREDIT_NOTES

# Days after its run, what happens, up to which status, and to which payment of these bills (the second is a new one).
Step = tuple[int, str, str, int]
PAID: Step = (0, "pay", "", 1)


def _way(start: int, cleared: int, which: int = 1) -> tuple[Step, ...]:
    steps = ((1, "funds_received"), (2, "issued"), (cleared, "cleared"))
    return tuple((start + after, "advance", status, which) for after, status in steps)


LIVES: dict[str, tuple[Step, ...]] = {
    "check": (PAID, *_way(0, 5)),
    "ach": (PAID, *_way(0, 3)),
    "virtual_card": (PAID, *_way(0, 4)),
    "by hand too": (PAID, *_way(0, 5)),
    "voided": (PAID, (1, "void_payment", "", 1), (5, "pay", "", 2), *_way(5, 5, which=2)),
    "stopped": (PAID, *_way(0, 5)[:2], (3, "stop_check", "", 1), (4, "reissue", "", 1), *_way(4, 5, which=2)),
    "returned": (PAID, *_way(0, 5)[:2], (3, "return_ach", "", 1), (5, "reissue", "", 1), *_way(5, 5, which=2)),
    "returned late": (PAID, *_way(0, 3), (9, "return_ach", "", 1)),
    "converted": (PAID, (1, "advance", "card_processing", 1), (2, "convert_card", "", 1), *_way(2, 5, which=2)),
    "in two parts": ((0, "pay_half", "", 1), *_way(0, 5), (5, "pay", "", 2), *_way(5, 5, which=2)),
}


@dataclass(frozen=True, kw_only=True)
class Payout:
    """Bills and credits of one vendor that are paid together in a run."""

    run: int
    entries: Sequence[Bill | Credit]
    life: str


@cache
def payouts() -> list[Payout]:
    """All of the month: a card for each bill, all else of a vendor together, and what has a life of its own alone."""
    groups: defaultdict[tuple[int, str, str], list[Bill | Credit]] = defaultdict(list)
    lives: dict[tuple[int, str, str], str] = {}
    for bill in BILLS:
        if bill.fate in APPROVED and run_of(bill) in RUNS:
            method = bill.vendor.pays_by
            alone = bill.key if bill.fate in ALONE or method == "virtual_card" else ""
            groups[run_of(bill), bill.vendor.name, alone].append(bill)
            lives[run_of(bill), bill.vendor.name, alone] = bill.fate if bill.fate in ALONE else method
    for credit in CREDIT_NOTES:
        groups[run_of(credit), credit.vendor.name, ""].append(credit)
    return [Payout(run=key[0], entries=entries, life=lives[key]) for key, entries in groups.items()]
