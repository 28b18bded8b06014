"""The simulated network's books: companies and their records, in plain dicts that a test can read.

Records speak canonical field names, amounts are Decimals, times are aware. Every change raises a record's version and
moves it to the end of its shelf's order by time of change, which is the order that lists are read in.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Record = dict[str, Any]
Place = tuple[datetime, str]

ZERO = Decimal("0.00")
CENT = Decimal("0.01")


class ActRefused(ValueError):
    """A person tried what the network does not allow; nothing happened."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why one record of a batch was refused, or what it is warned of; `field` is their name for the place."""

    code: str
    field: str
    message: str
    existing_id: str | None = None


class RecordRefused(Exception):
    """One record of a batch does not go in."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class RequestRefused(Exception):
    """The application refuses a whole request."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Upserted:
    """What became of one record of a batch."""

    record: Record
    action: str
    warnings: list[Problem] = field(default_factory=list)


class Serial:
    """Ids that are the same in every run: a prefix and a number, never used twice."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def number(self, prefix: str) -> int:
        """The next number of this series."""
        self._last[prefix] = self._last.get(prefix, 0) + 1
        return self._last[prefix]

    def id(self, prefix: str) -> str:
        """The next id; ids sort as they were given out."""
        return f"{prefix}_{self.number(prefix):08d}"


class Shelf(dict[str, Record]):
    """The records of one kind by id, findable by external id and in the order of their last change."""

    def __init__(self, serial: Serial, prefix: str, external: str = "external_id") -> None:
        super().__init__()
        self._serial = serial
        self._prefix = prefix
        self._external = external
        self._ids: dict[str, str] = {}
        self._order: list[Place] = []

    def external(self, external_id: str | None) -> Record | None:
        """The record that was sent under this external id."""
        return self[self._ids[external_id]] if external_id in self._ids else None

    def add(self, values: Record, now: datetime) -> Record:
        """A new record: gets an id, the first version and the time."""
        record = {"id": self._serial.id(self._prefix), "version": 1, "updated_at": milliseconds(now), **values}
        self[record["id"]] = record
        self._file(record)
        return record

    def change(self, record: Record, values: Record, now: datetime) -> None:
        """Change a record: one version more, and last in the order."""
        del self._order[bisect_left(self._order, (record["updated_at"], record["id"]))]
        record.update(values)
        record["version"] += 1
        record["updated_at"] = max(milliseconds(now), record["updated_at"])
        self._file(record)

    def lose(self, record: Record) -> None:
        """The record is no more, and its external id is free again."""
        del self._order[bisect_left(self._order, (record["updated_at"], record["id"]))]
        del self[record["id"]]
        self._ids.pop(record.get(self._external) or "", None)

    def _file(self, record: Record) -> None:
        insort(self._order, (record["updated_at"], record["id"]))
        if record.get(self._external) is not None:
            self._ids[record[self._external]] = record["id"]

    def places(self, since: datetime | None, before: datetime | None, after: Place | None = None) -> list[Place]:
        """Where records stand whose last change is in the window, oldest first; `after` leaves out what was read."""
        start = bisect_left(self._order, (since, "")) if since else 0
        if after:
            start = max(start, bisect_right(self._order, after))
        end = bisect_left(self._order, (before, "")) if before else len(self._order)
        return self._order[start:end]

    def ordered(self, ids: Iterable[str]) -> list[Place]:
        """Where these records stand; ids that do not exist are left out."""
        return sorted((self[id]["updated_at"], id) for id in set(ids) if id in self)


class CodeList(Shelf):
    """A shelf of codes: a code belongs to one active entry, and is free again once that is inactive."""

    def __init__(self, serial: Serial, prefix: str) -> None:
        super().__init__(serial, prefix)
        self._holders: dict[str, str] = {}

    def add(self, values: Record, now: datetime) -> Record:
        """A new entry takes its code."""
        record = super().add(values, now)
        self._hold(record)
        return record

    def change(self, record: Record, values: Record, now: datetime) -> None:
        """A changed entry gives its old code back first."""
        if self._holders.get(record["code"]) == record["id"]:
            del self._holders[record["code"]]
        super().change(record, values, now)
        self._hold(record)

    def holder(self, code: str) -> Record | None:
        """The active entry that has this code."""
        return self[self._holders[code]] if code in self._holders else None

    def _hold(self, record: Record) -> None:
        if record["is_active"]:
            self._holders[record["code"]] = record["id"]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A document as it was uploaded; the invoice shows what became of it."""

    content: bytes
    content_type: str
    file_name: str | None


@dataclass
class Company:
    """One customer of the network and all its books."""

    id: str
    name: str
    serial: Serial
    client_id: str | None
    time_zone: str = "America/New_York"
    accounting_system_id: str = "1"
    vendors: Shelf = field(init=False)
    gl_accounts: CodeList = field(init=False)
    dimensions: CodeList = field(init=False)
    purchase_orders: Shelf = field(init=False)
    invoices: Shelf = field(init=False)
    payments: Shelf = field(init=False)
    bank_accounts: Shelf = field(init=False)
    dimension_values: dict[str, CodeList] = field(default_factory=dict)  # by the dimension's id
    order_lines: dict[str, str] = field(default_factory=dict)  # a line's external id -> its purchase order's id
    unlinked_vendors: dict[str, str] = field(default_factory=dict)
    sent_invoices: dict[str, Record] = field(default_factory=dict)  # what was sent last, whatever people made of it
    images: dict[str, Image] = field(default_factory=dict)  # by the invoice's id
    images_in_check: dict[str, datetime] = field(default_factory=dict)  # until when
    void_requests: dict[str, str] = field(default_factory=dict)  # a request's external id -> the payment's id
    acknowledgements: dict[str, Record] = field(default_factory=dict)  # by the payment's id
    invoice_numbers: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.vendors = Shelf(self.serial, "ven")
        self.gl_accounts = CodeList(self.serial, "gla")
        self.dimensions = CodeList(self.serial, "dim")
        self.purchase_orders = Shelf(self.serial, "po")
        self.invoices = Shelf(self.serial, "inv")
        self.payments = Shelf(self.serial, "pay", external="external_payment_id")
        self.bank_accounts = Shelf(self.serial, "ba")

    def shelf(self, name: str) -> Shelf:
        """One of the shelves."""
        shelf: Shelf = getattr(self, name)
        return shelf

    def values_of(self, dimension: Record) -> CodeList:
        """The values of a dimension."""
        return self.dimension_values.setdefault(dimension["id"], CodeList(self.serial, "val"))

    def invoice(self, invoice_id: str | None = None, external_id: str | None = None) -> Record:
        """An invoice by either id."""
        found = self.invoices.get(invoice_id or "") or self.invoices.external(external_id)
        if found is None:
            raise ActRefused(f"{self.name} has no invoice {invoice_id or external_id}")
        return found

    def vendor(self, vendor_id: str | None = None, external_id: str | None = None) -> Record:
        """A vendor by either id."""
        found = self.vendors.get(vendor_id or "") or self.vendors.external(external_id)
        if found is None:
            raise ActRefused(f"{self.name} has no vendor {vendor_id or external_id}")
        return found

    def payment(self, payment_id: str) -> Record:
        """A payment by its id."""
        if payment_id not in self.payments:
            raise ActRefused(f"{self.name} has no payment {payment_id}")
        return self.payments[payment_id]


def replace(shelf: Shelf, existing: Record | None, values: Record, new: Record, now: datetime) -> tuple[Record, str]:
    """Create, change or leave a record; `new` are the values that only a new one gets."""
    if existing is None:
        return shelf.add({**values, **new}, now), "created"
    if all(existing.get(name) == value for name, value in values.items()):
        return existing, "unchanged"
    shelf.change(existing, values, now)
    return existing, "updated"


def milliseconds(moment: datetime) -> datetime:
    """The moment as the network writes it: UTC, cut to milliseconds."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
