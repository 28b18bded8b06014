"""Single values out of QuickBooks' rows: amounts, numbers, texts, names, references. Pure.

A row that we cannot read raises MappingError (`unreadable_record`) and nothing else, whatever stands in it.
"""

import re
from collections.abc import Iterable
from datetime import UTC
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from connectors.errors import MappingError
from connectors.quickbooks import wire
from connectors.records import MINOR_DIGITS, Address, Kind, Ref

# Intuit: a deactivated object of a list gets this at the end of its name, seen in live captures and fixtures.
DELETED_SUFFIX = re.compile(r" \(deleted(?: \d+)?\)$", re.IGNORECASE)
CENT, ONE = Decimal("0.01"), Decimal(1)
SMALLEST = {currency: ONE.scaleb(-digits) for currency, digits in MINOR_DIGITS.items()}
FINEST = -12  # digits behind the point of a quantity or a price: Intuit shows far fewer
ADDRESS = ("Line1", "Line2", "Line3", "Line4", "Line5", "City", "CountrySubDivisionCode", "PostalCode", "Country")

Shape = TypeVar("Shape")


def read_row(shape: type[Shape], row: bytes | msgspec.Raw) -> Shape:
    """The row in QuickBooks' own shape; MappingError says what about it is not as documented."""
    try:
        return msgspec.json.decode(row, type=shape)
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise unreadable(str(error)) from error


def glimpse(row: bytes | msgspec.Raw) -> wire.Glimpse:
    """What can be told of a row that may be deleted or damaged; empty if nothing can."""
    try:
        return read_row(wire.Glimpse, row)
    except MappingError:
        return wire.Glimpse()


def unreadable(why: str) -> MappingError:
    """The error for a row that we cannot read."""
    return MappingError(f"QuickBooks shows this record in a form that we cannot read: {why}", code="unreadable_record")


def identity(theirs: wire.Entity, entity: str = "") -> dict[str, Any]:
    """Id, version and time; the id begins with the entity's name where ids of several entities may be alike."""
    if theirs.status == "Deleted":
        raise unreadable("it is deleted")
    moment = theirs.meta_data.last_updated_time or theirs.meta_data.create_time
    try:
        modified_at = moment.astimezone(UTC) if moment else None
    except OverflowError as error:
        raise unreadable("a time is out of range") from error
    return {"id": prefixed(entity, theirs.id), "version": theirs.sync_token, "modified_at": modified_at}


def prefixed(entity: str, id: str) -> str:
    """The id that a record of ours has."""
    return f"{entity}-{id}" if entity else id


def money(amount: Decimal | None, currency: str) -> Decimal:
    """The amount with exactly the digits of its currency, so that equal amounts are equal bytes."""
    if amount is None or not amount.is_finite() or amount.adjusted() > 14:
        raise unreadable("an amount is missing or not a number that money can be")
    exact = amount.quantize(SMALLEST.get(currency, CENT))
    if exact != amount:
        raise unreadable(f"the amount {amount} is finer than the smallest unit of {currency or 'its currency'}")
    return exact


def number(value: Decimal | None) -> Decimal | None:
    """A quantity, a price or a percentage without digits that say nothing, so that equal ones are equal bytes."""
    if value is None:
        return None
    if not value.is_finite() or value.adjusted() > 14 or (value and value.adjusted() < FINEST):
        raise unreadable("a quantity, price or percentage is not a number that it can be")
    exact = value.normalize()
    return exact.quantize(ONE) if exact == exact.to_integral_value() else exact


def currency_of(theirs: wire.Entity, home_currency: str) -> str:
    """The currency of this row: one company with one currency does not name it."""
    return theirs.currency_ref.value if theirs.currency_ref else home_currency


def ref(kind: Kind, reference: wire.Reference | None, entity: str = "") -> Ref | None:
    """Our pointer for theirs."""
    return Ref(kind, prefixed(entity, reference.value)) if reference else None


def settlements(links: Iterable[wire.Link]) -> tuple[str, ...]:
    """The ids of the bill payments among these links."""
    return tuple(dict.fromkeys(link.txn_id for link in links if link.txn_type.startswith("BillPayment")))


def text(value: object) -> str:
    """The text without what no database holds; empty for what is none."""
    return value.replace("\x00", "") if isinstance(value, str) else ""


def name(value: str | None, active: bool) -> str:
    """The name as it was before its object was deactivated."""
    return text(value) if active else DELETED_SUFFIX.sub("", text(value))


def address(theirs: wire.Block | None) -> Address | None:
    """The postal address, its lines from the second on in one."""
    if theirs is None:
        return None
    line1, *more, city, state, postal_code, country = (text(theirs.get(part)) for part in ADDRESS)
    line2 = ", ".join(line for line in more if line)
    return Address(line1=line1, line2=line2, city=city, state=state, postal_code=postal_code, country=country)
