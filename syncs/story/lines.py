"""A bill's lines as finance reads them: what was bought, where it is booked, and what approvers coded otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.records import MINOR_DIGITS, Bill, Kind, Line, restore
from syncs.mapping.dimensions import dimension_of
from syncs.story.coding import name_of, order_line
from syncs.story.facts import Facts
from syncs.story.invoice import Recoded


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """One line in words; `coded` is how the network has it where that differs."""

    number: int
    title: str
    words: str = ""
    quantity: str = ""
    order: str = ""
    account: str = ""
    dimensions: Sequence[tuple[str, str]] = ()
    amount: str = ""
    is_tax: bool = False
    coded: str = ""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """All lines of a bill with their sum; `beside` are those that only the network has, or that were sent before."""

    rows: Sequence[BillLine]
    beside: Sequence[Recoded]
    currency: str
    total: str
    tax: str
    ties: bool

    @property
    def recoded(self) -> int:
        """How many are coded otherwise at the network."""
        return sum(bool(row.coded) for row in self.rows) + len(self.beside)


def lines_told(facts: Facts, recoded: Sequence[Recoded]) -> Lines:
    """The lines that the ERP shows now, each beside what the network makes of it."""
    bill = restore(Kind.BILL, facts.bill.record.body)
    assert isinstance(bill, Bill)
    other = {one.number: one for one in recoded}
    rows = list(_rows(facts, bill, other))
    shown = {row.number for row in rows}
    total = sum((line.amount for line in bill.lines), Decimal(0))
    tax = sum((line.amount for line in bill.lines if line.is_tax), Decimal(0))
    return Lines(
        rows=rows,
        beside=[one for one in recoded if one.number not in shown],
        currency=bill.currency,
        total=figure(total, bill.currency),
        tax=figure(tax, bill.currency) if tax else "",
        ties=total == bill.amount,
    )


def figure(amount: Decimal, currency: str) -> str:
    """An amount under a heading that names its currency, with all the digits that it has."""
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{amount:,.{max(MINOR_DIGITS.get(currency, 2), -exponent)}f}"


def _rows(facts: Facts, bill: Bill, other: Mapping[int, Recoded]) -> Iterator[BillLine]:
    named = facts.named
    for line in bill.lines:
        account = line.account or (facts.items.get(line.item.id) if line.item else None)
        item = name_of(line.item, named) if line.item else ""
        title = item or line.description or ("Tax" if line.is_tax else "No text")
        yield BillLine(
            number=line.number,
            title=title,
            words=line.description if line.description != title else "",
            quantity=_quantity(line, bill.currency),
            order=order_line(line, named),
            account=name_of(account, named) if account else "",
            dimensions=[(dimension_of(ref).capitalize(), name_of(ref, named)) for ref in line.dimensions],
            amount=figure(line.amount, bill.currency),
            is_tax=line.is_tax,
            coded=other[line.number].coded if line.number in other else "",
        )


def _quantity(line: Line, currency: str) -> str:
    """How many, and at which price."""
    if line.quantity is None:
        return ""
    price = f" × {figure(line.unit_price, currency)}" if line.unit_price is not None else ""
    return f"{line.quantity.normalize():,f}{price}"
