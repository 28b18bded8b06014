"""The demo's last word: what stands in the books of both sides, and whether it agrees. Pure.

Bills, credits and payments are matched by the mark that we leave on each, never by an id of our database. What is named
in `Explained` is what a person can see in ours: what is held, left out or ignored.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

NOTHING = Decimal("0.00")
Amounts = dict[str, dict[str, Decimal]]  # by reason and currency
Figures = dict[str, int | Decimal | dict[str, int] | Amounts]


@dataclass(frozen=True, kw_only=True)
class ErpBill:
    """A bill or credit that stands in the ERP; the mark is what its copy has to carry."""

    id: str
    mark: str
    amount: Decimal
    number: str = ""
    currency: str = "USD"


@dataclass(frozen=True, kw_only=True)
class NetworkBill:
    """A bill or credit that stands at the network: neither withdrawn nor deleted."""

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
    """A payment of ours that stands in the ERP, not voided; parts are amounts by the bill's id, a credit's negative."""

    id: str
    mark: str
    parts: Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Reasons by mark, of bills, credits and payments that did not go across."""

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
    erp_credits: Sequence[ErpBill] = ()
    network_credits: Sequence[NetworkBill] = ()
    orders_in_network: int = 0
    images_in_network: int = 0

    @property
    def erp_payables(self) -> list[ErpBill]:
        return [*self.erp_bills, *self.erp_credits]

    @property
    def network_payables(self) -> list[NetworkBill]:
        return [*self.network_bills, *self.network_credits]


def figures(books: Books) -> Figures:
    """The figures, in the order in which they are printed."""
    held, out_of_scope = _left(books, books.erp_bills)
    credits_held, credits_out_of_scope = _left(books, books.erp_credits)
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
        "credits_in_erp": len(books.erp_credits),
        "credits_in_ap": len(books.network_credits),
        "credits_held": _by_reason(credits_held.values()),
        "credits_out_of_scope": _by_reason(credits_out_of_scope.values()),
        "orders_in_ap": books.orders_in_network,
        "images_in_ap": books.images_in_network,
        "amounts_held": _amounts(books.erp_payables, held | credits_held),
        "amounts_out_of_scope": _amounts(books.erp_payables, out_of_scope | credits_out_of_scope),
        "amounts_of_payments_held": _amounts_of_payments(books),
    }


def _left(books: Books, entered: Iterable[ErpBill]) -> tuple[dict[str, str], dict[str, str]]:
    """Why these are not at the network, by mark: held, and out of scope."""
    across = {bill.mark for bill in books.network_payables}
    remaining = [bill.mark for bill in entered if bill.mark not in across]
    reasons = books.explained
    out_of_scope = {mark: reasons.bills_out_of_scope[mark] for mark in remaining if mark in reasons.bills_out_of_scope}
    held = {
        mark: reasons.bills_held[mark]
        for mark in remaining
        if mark in reasons.bills_held and mark not in out_of_scope
    }  # fmt: skip
    return held, out_of_scope


def _amounts(entered: Iterable[ErpBill], reasons: Mapping[str, str]) -> Amounts:
    """The money of what is not at the network, by reason."""
    sums: Amounts = {}
    for bill in entered:
        if bill.mark in reasons:
            of_reason = sums.setdefault(reasons[bill.mark], {})
            of_reason[bill.currency] = of_reason.get(bill.currency, NOTHING) + bill.amount
    return dict(sorted(sums.items()))


def _amounts_of_payments(books: Books) -> Amounts:
    """The money of payments that wait for a person, by reason; the network pays dollars only."""
    sums: Amounts = {}
    for payment in books.network_payments:
        if reason := books.explained.payments_held.get(payment.mark):
            of_reason = sums.setdefault(reason, {"USD": NOTHING})
            of_reason["USD"] += sum(payment.parts.values(), NOTHING)
    return dict(sorted(sums.items()))


def complaints(found: Figures) -> list[str]:
    """What does not agree, in words; empty if all is well."""
    explained = _count(found["bills_held"]) + _count(found["out_of_scope"])
    wrong = []
    credits_explained = _count(found["credits_held"]) + _count(found["credits_out_of_scope"])
    if found["credits_in_erp"] != found["credits_in_ap"] + credits_explained:  # type: ignore[operator]
        wrong.append(
            f"{found['credits_in_erp']} credits in the ERP are not {found['credits_in_ap']} at the network and "
            f"{credits_explained} held or out of scope"
        )
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
    """Bills and credits that did not arrive, and approved ones that the ERP does not have, with no explanation."""
    for what, entered, arrived in (
        ("bill", books.erp_bills, books.network_bills),
        ("credit", books.erp_credits, books.network_credits),
    ):
        in_erp = {bill.mark for bill in entered}
        across = {bill.mark for bill in arrived}
        for bill in entered:
            if bill.mark not in across and not books.explained.names_bill(bill.mark):
                yield f"{what} {bill.number or bill.id} over {bill.amount} is in the ERP, but not at the network"
        for copy in arrived:
            if copy.approved and copy.mark not in in_erp and not books.explained.names_bill(copy.mark):
                number = copy.number or copy.mark
                yield f"{what} {number} over {copy.amount} is approved at the network, but not in the ERP"


def _lost_payments(books: Books) -> Iterator[str]:
    """Executed payments without a posting, and with nothing to explain it."""
    posted = {posting.mark for posting in books.erp_payments}
    for payment in books.network_payments:
        explained = payment.mark in posted or books.explained.names_payment(payment.mark)
        if payment.phase == "executed" and not explained:
            amount = sum(payment.parts.values(), NOTHING)
            yield f"payment {payment.id} over {amount} was executed, but is not in the ERP"


def _difference_of_bills(books: Books) -> Decimal:
    across = {bill.mark: bill.amount for bill in books.network_payables}
    return sum((abs(bill.amount - across[bill.mark]) for bill in books.erp_payables if bill.mark in across), NOTHING)


def _difference_of_payments(books: Books) -> Decimal:
    """Per payment and bill: what was posted against what was paid; what is not posted at all is lost, not different."""
    ids = {bill.mark: bill.id for bill in books.erp_payables}
    differences: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    posted = {posting.mark for posting in books.erp_payments}
    for posting in books.erp_payments:
        for bill, amount in posting.parts.items():
            differences[posting.mark, bill] += amount
    for payment in books.network_payments:
        stands = payment.phase in ("pending", "executed") or _is_to_be_voided(books, payment)
        if payment.mark in posted and stands:
            for mark, amount in payment.parts.items():
                differences[payment.mark, ids.get(mark, mark)] -= amount
    return sum((abs(difference) for difference in differences.values()), NOTHING)


def _is_to_be_voided(books: Books, payment: NetworkPayment) -> bool:
    """Whether a person is told that the posting of a payment that was taken back still stands."""
    return payment.phase == "reversed" and payment.mark in books.explained.payments_held


def _of_payments(books: Books, reasons: Mapping[str, str]) -> dict[str, int]:
    return _by_reason(reasons[payment.mark] for payment in books.network_payments if payment.mark in reasons)


def _count(by_reason: object) -> int:
    assert isinstance(by_reason, dict)
    return sum(by_reason.values())


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items()))
