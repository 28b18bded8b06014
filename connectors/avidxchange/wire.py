"""How values stand on AvidXchange's wire: read with every tolerance that its older services taught, written exactly.

Seen in its own NetSuite scripts: one object where a list is due, booleans as text, times with a blank for the T and no
zone (UTC is meant). Names come from the profile; no float is ever made of money.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from connectors.avidxchange.contract import Profile
from connectors.records import from_minor_units, minor_units

T = TypeVar("T")
LARGEST = Decimal(10) ** 13
_encoder = msgspec.json.Encoder(decimal_format="number")


class BadRow(ValueError):
    """A row that cannot be read; the message names our field and never repeats a value."""


@dataclass(frozen=True)
class Row:
    """One object of theirs, read by our names for its fields."""

    profile: Profile
    kind: str
    raw: Any

    def value(self, field: str) -> Any:
        """The raw value; None where it is absent."""
        return self.profile.get(self.kind, self.raw, field)

    def text(self, field: str) -> str:
        """A text or a number as text; empty where it is absent."""
        value = self.value(field)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise BadRow(f"{field} is not a text")
        return str(value).strip()

    def required(self, field: str) -> str:
        """A text that has to be there."""
        if not (text := self.text(field)):
            raise BadRow(f"{field} is missing")
        return text

    def money(self, field: str, currency: str) -> Decimal:
        """An amount that has to be there, as the profile writes money, no finer than its currency."""
        text = self.required(field)
        try:
            amount = Decimal(text)
            if self.profile.encoding.money == "cents":
                amount = from_minor_units(int(amount), currency)
            if abs(amount) >= LARGEST:
                raise ValueError("larger than our books hold")
            minor_units(amount, currency)
        except (ArithmeticError, ValueError) as error:
            raise BadRow(f"{field} is not an amount of {currency}") from error
        return amount

    def number(self, field: str) -> Decimal | None:
        """A number that is no money; None where it is absent."""
        return self._read(field, _finite)

    def day(self, field: str) -> date | None:
        """A date, also out of a time; None where it is absent."""
        return self._read(field, lambda text: date.fromisoformat(text[:10]))

    def moment(self, field: str) -> datetime | None:
        """A time, UTC where it names no zone; None where it is absent."""
        moment = self._read(field, datetime.fromisoformat)
        return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment

    def _read(self, field: str, read: Callable[[str], T]) -> T | None:
        text = self.text(field)
        try:
            return read(text) if text else None
        except (ArithmeticError, ValueError) as error:
            raise BadRow(f"{field} cannot be read") from error

    def truth(self, field: str) -> bool | None:
        """A boolean, also as text; None where it is neither true nor false."""
        value = self.value(field)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.strip().casefold())
        return value if isinstance(value, bool) else None

    def digest(self) -> str:
        """A name for exactly what stands here."""
        return sha256(write_body(self.raw)).hexdigest()[:32]

    def rows(self, field: str, kind: str) -> list["Row"]:
        """A list of objects; one object alone is a list of one."""
        return [Row(self.profile, kind, raw) for raw in as_list(self.value(field))]


def _finite(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("no number")
    return value


def as_list(value: Any) -> list[Any]:
    """A list where a list is due: nothing is none, one thing is one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def write_money(profile: Profile, amount: Decimal, currency: str) -> Decimal | str | int:
    """An amount as the profile writes money; ValueError when it is finer than its currency."""
    units = minor_units(amount, currency)
    if profile.encoding.money == "cents":
        return units
    exact = from_minor_units(units, currency)
    return f"{exact:f}" if profile.encoding.money == "string" else exact


def write_moment(moment: datetime) -> str:
    """A time in UTC to the millisecond, with a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_body(body: Any) -> bytes:
    """JSON in which a Decimal is a number, digit for digit."""
    return _encoder.encode(body)
