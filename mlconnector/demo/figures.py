"""The demo's last word: what stands in the books of both sides, and whether it agrees. Pure.

Bills and payments are matched by the mark that we leave on each, never by an id of our database. What is named in
`Explained` is what a person can see in ours: a bill or a payment that is held, left out or ignored.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

NOTHING = Decimal("0.00")
Figures = dict[str, int | Decimal | dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class ErpBill:
    """A bill that stands in the ERP; the mark is what its copy has to carry."""

    id: str
    mark: str
    amount: Decimal
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkBill:
    """A bill that stands at the network: neither withdrawn nor deleted."""

    mark: str
    amount: Decimal
    approved: bool
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkPayment:
    """A payment of the network; the mark is what its posting has to carry, parts are amounts by the bill's mark."""

    id: str
    mark: str
    phase: str
    parts: Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class ErpPayment:
    """A payment of ours that stands in the ERP, not voided; parts are amounts by the bill's id."""

    id: str
    mark: str
    parts: Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Reasons by mark, of bills and payments that did not go across."""

    bills_held: Mapping[str, str] = field(default_factory=dict)
    bills_out_of_scope: Mapping[str, str] = field(default_factory=dict)
    payments_held: Mapping[str, str] = field(default_factory=dict)
    payments_ignored: Mapping[str, str] = field(default_factory=dict)

    def names_payment(self, mark: str) -> bool:
        return mark in self.payments_held or mark in self.payments_ignored

    def names_bill(self, mark: str) -> bool:
        return mark in self.bills_held or mark in self.bills_out_of_scope


@dataclass(frozen=True, kw_only=True)
class Books:
    """All that is compared."""

    vendors_in_network: int
    erp_bills: Sequence[ErpBill]
    network_bills: Sequence[NetworkBill]
    network_payments: Sequence[NetworkPayment]
    erp_payments: Sequence[ErpPayment]
    explained: Explained


def figures(books: Books) -> Figures:
    """The figures, in the order in which they are printed."""
    across = {bill.mark for bill in books.network_bills}
    remaining = [bill.mark for bill in books.erp_bills if bill.mark not in across]
    out_of_scope = {mark: reason for mark, reason in books.explained.bills_out_of_scope.items() if mark in remaining}
    held = {
        mark: reason
        for mark, reason in books.explained.bills_held.items()
        if mark in remaining and mark not in out_of_scope
    }
    phases = Counter(payment.phase for payment in books.network_payments)
    return {
        "vendors_in_ap": books.vendors_in_network,
        "bills_in_erp": len(books.erp_bills),
        "bills_in_ap": len(books.network_bills),
        "payments_pending": phases["pending"],
        "payments_executed": phases["executed"],
        "payments_reversed": phases["reversed"],
        "payments_posted_in_erp": len(books.erp_payments),
        "duplicates": _duplicates(books),
        "lost": len(lost(books)),
        "amount_difference": _difference_of_bills(books) + _difference_of_payments(books),
        "bills_held": _by_reason(held.values()),
        "payments_held": _of_payments(books, books.explained.payments_held),
        "payments_ignored": _of_payments(books, books.explained.payments_ignored),
        "out_of_scope": _by_reason(out_of_scope.values()),
    }


def complaints(found: Figures) -> list[str]:
    """What does not agree, in words; empty if all is well."""
    held, out_of_scope = found["bills_held"], found["out_of_scope"]
    assert isinstance(held, dict)
    assert isinstance(out_of_scope, dict)
    explained = sum(held.values()) + sum(out_of_scope.values())
    wrong = []
    if found["bills_in_erp"] != found["bills_in_ap"] + explained:  # type: ignore[operator]
        wrong.append(
            f"{found['bills_in_erp']} bills in the ERP are not {found['bills_in_ap']} at the network and "
            f"{explained} held or out of scope"
        )
    if found["duplicates"]:
        wrong.append(f"{found['duplicates']} payments were posted again")
    if found["lost"]:
        wrong.append(f"{found['lost']} bills or payments were lost")
    if found["amount_difference"]:
        wrong.append(f"amounts differ by {found['amount_difference']}")
    return wrong


def lost(books: Books) -> list[str]:
    """Each bill and payment that is on one side only, with nothing to explain it, by name."""
    return [*_lost_bills(books), *_lost_payments(books)]


def _duplicates(books: Books) -> int:
    """Payments in the ERP beyond the first for the same payment of the network and bill."""
    postings = Counter((posting.mark, bill) for posting in books.erp_payments for bill in posting.parts)
    return sum(count - 1 for count in postings.values())


def _lost_bills(books: Books) -> Iterator[str]:
    """Bills that did not arrive, and approved ones that the ERP does not have, with nothing to explain it."""
    in_erp = {bill.mark for bill in books.erp_bills}
    across = {bill.mark for bill in books.network_bills}
    for bill in books.erp_bills:
        if bill.mark not in across and not books.explained.names_bill(bill.mark):
            yield f"bill {bill.number or bill.id} over {bill.amount} is in the ERP, but not at the network"
    for copy in books.network_bills:
        if copy.approved and copy.mark not in in_erp and not books.explained.names_bill(copy.mark):
            yield f"bill {copy.number or copy.mark} over {copy.amount} is approved at the network, but not in the ERP"


def _lost_payments(books: Books) -> Iterator[str]:
    """Executed payments without a posting, and with nothing to explain it."""
    posted = {posting.mark for posting in books.erp_payments}
    for payment in books.network_payments:
        explained = payment.mark in posted or books.explained.names_payment(payment.mark)
        if payment.phase == "executed" and not explained:
            amount = sum(payment.parts.values(), NOTHING)
            yield f"payment {payment.id} over {amount} was executed, but is not in the ERP"


def _difference_of_bills(books: Books) -> Decimal:
    across = {bill.mark: bill.amount for bill in books.network_bills}
    return sum((abs(bill.amount - across[bill.mark]) for bill in books.erp_bills if bill.mark in across), NOTHING)


def _difference_of_payments(books: Books) -> Decimal:
    """Per payment and bill: what was posted against what was paid; what is not posted at all is lost, not different."""
    ids = {bill.mark: bill.id for bill in books.erp_bills}
    differences: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    posted = {posting.mark for posting in books.erp_payments}
    for posting in books.erp_payments:
        for bill, amount in posting.parts.items():
            differences[posting.mark, bill] += amount
    for payment in books.network_payments:
        if payment.mark in posted and payment.phase in ("pending", "executed"):
            for mark, amount in payment.parts.items():
                differences[payment.mark, ids.get(mark, mark)] -= amount
    return sum((abs(difference) for difference in differences.values()), NOTHING)


def _of_payments(books: Books, reasons: Mapping[str, str]) -> dict[str, int]:
    return _by_reason(reasons[payment.mark] for payment in books.network_payments if payment.mark in reasons)


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items()))
