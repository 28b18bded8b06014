"""What the story is made of: orders and bills, drawn from the vendors and what they sell. Always the same. Pure.

Day 1 is a Monday, and a day after it a working day. A bill's fate says what becomes of it where it is not simply
approved and paid; `trouble.py` hands these out, and has the bills and credits as they are entered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from mlconnector.demo.company import BRANCHES, FREIGHT_IN
from mlconnector.demo.draw import between, choose, draw
from mlconnector.demo.goods import BILLS_OF_GOODS, ITEMS, SERVICES
from mlconnector.demo.vendors import VENDORS, Vendor

ORDERED = 40
LAST_ENTRY = 20
OF_AN_ORDER = {"in full": 24, "in part": 8, "in two": 4, "not yet": 4}


@dataclass(frozen=True, kw_only=True)
class Line:
    """An amount on an account, or a number of cases of an item."""

    amount: Decimal
    klass: str
    words: str
    account: str = ""
    item: str = ""
    quantity: int = 0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a bill and a credit have in common: entered on this day, known by its key, which stands in its memo."""

    key: str
    day: int
    vendor: Vendor
    number: str
    branch: str
    lines: Sequence[Line]

    @cached_property
    def amount(self) -> Decimal:
        """What it is over."""
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Order(Entry):
    """A purchase order; how it is received says which bills there are for it."""

    received: str


@dataclass(frozen=True, kw_only=True)
class Bill(Entry):
    """A bill, maybe for an order; `image_after` is how many days later its image is attached, if it has one."""

    fate: str = "paid"
    order: Order | None = None
    image_after: int | None = 0


@dataclass(frozen=True, kw_only=True)
class Credit(Entry):
    """What a vendor owes back."""


def _cases(words: str, number: str, low: int, high: int) -> Line:
    item, quantity = ITEMS[number], between(words, low, high)
    return Line(
        amount=item.cost * quantity, klass=item.klass, words=item.name, item=number, quantity=quantity
    )  # fmt: skip


def _goods(words: str, trade: str) -> list[Line]:
    """One to three items of a trade, a case of each at least."""
    numbers = [item.number for item in ITEMS.values() if item.trade == trade]
    first = draw(words, len(numbers))
    chosen = [numbers[(first + place) % len(numbers)] for place in range(between(f"{words} lines", 1, 3))]
    return [_cases(f"{words} {number}", number, 4, 40) for number in chosen]


def _orders() -> list[Order]:
    sellers = [vendor for vendor in VENDORS.values() if vendor.trade not in SERVICES]
    ways = [way for way, count in OF_AN_ORDER.items() for _ in range(count)]
    orders = []
    for place in range(ORDERED):
        vendor, key = sellers[place * 7 % len(sellers)], f"O{place + 1:02d}"
        lines = [
            replace(line, quantity=line.quantity * 2, amount=line.amount * 2) for line in _goods(key, vendor.trade)
        ]
        received = ways[place * 11 % ORDERED]
        orders.append(
            Order(
                key=key,
                day=place // 8 * 3,
                vendor=vendor,
                number=f"PO-{2401 + place}",
                branch=choose(key, BRANCHES),
                lines=lines,
                received=received,
            )  # fmt: skip
        )
    return orders


def _of_order(order: Order) -> Iterator[Bill]:
    """The bills for an order: what came, at the order's prices."""
    half = [replace(line, quantity=line.quantity // 2, amount=line.amount / 2) for line in order.lines]
    ways: dict[str, list[Sequence[Line]]] = {
        "in full": [order.lines],
        "in part": [half],
        "in two": [half, half],
        "not yet": [],
    }
    came = ways[order.received]
    for place, lines in enumerate(came):
        day = order.day + between(f"came {order.key}", 2, 4) + 4 * place
        yield _bill(f"{order.key}-{place + 1}", day, order.vendor, order.branch, lines, order)


def _of_goods(vendor: Vendor) -> Iterator[Bill]:
    for place in range(between(f"bills {vendor.name}", *BILLS_OF_GOODS)):
        words = f"{vendor.name} {place}"
        lines = _goods(words, vendor.trade)
        if draw(f"{words} freight", 3) == 0:
            freight = Decimal(between(f"{words} freight", 1800, 24000)) / 100
            lines.append(Line(amount=freight, klass=lines[0].klass, words="Freight", account=FREIGHT_IN))
        yield _bill(words, _day(vendor, place, BILLS_OF_GOODS[1]), vendor, choose(words, BRANCHES), lines)


def _of_service(vendor: Vendor) -> Iterator[Bill]:
    service = SERVICES[vendor.trade]
    count = between(f"bills {vendor.name}", *service.bills)
    low, high = (100 * dollars for dollars in service.dollars)
    for place in range(count):
        words = f"{vendor.name} {place}"
        parts = [between(words, low, high)]
        if draw(f"{words} parts", 3) == 0 and len(service.words) > 1:
            parts.append(between(f"{words} second", low // 8, low // 2))
        first = draw(words, len(service.words))
        said = [service.words[(first + nth) % len(service.words)] for nth in range(len(parts))]
        lines = [
            Line(amount=Decimal(part) / 100, klass="Overhead", words=word, account=service.account)
            for part, word in zip(parts, said, strict=True)
        ]
        yield _bill(words, _day(vendor, place, count), vendor, choose(words, BRANCHES), lines)


def _day(vendor: Vendor, place: int, count: int) -> int:
    """Bills of one vendor lie apart from each other."""
    apart = LAST_ENTRY // count
    return 1 + place * apart + draw(f"day {vendor.name} {place}", apart)


def _bill(words: str, day: int, vendor: Vendor, branch: str, lines: Sequence[Line], order: Order | None = None) -> Bill:
    image_after = [None, 1, 0, 0, 0, 0, 0, 0][draw(f"image {words}", 8)]
    number = f"{''.join(word[0] for word in vendor.name.split() if word[0].isalpha())}-{between(words, 10000, 99999)}"
    return Bill(
        key=words, day=day, vendor=vendor, number=number, branch=branch, lines=lines, order=order,
        image_after=image_after,
    )  # fmt: skip


def _bills() -> list[Bill]:
    made = [bill for order in ORDERS for bill in _of_order(order)]
    for vendor in VENDORS.values():
        made += _of_service(vendor) if vendor.trade in SERVICES else _of_goods(vendor)
    made.sort(key=lambda bill: (bill.day, bill.key))
    return [replace(bill, key=f"B{place:03d}") for place, bill in enumerate(made, 1)]


ORDERS = _orders()
USUAL_BILLS = _bills()
