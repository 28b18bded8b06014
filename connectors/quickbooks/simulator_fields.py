"""What may stand in a field of a request: each decoder takes a field's name and value and gives what is stored.

None means that the field is absent. A value that the field cannot hold is refused as Intuit's JSON reader does, which
is lenient about numbers written as strings (seen in client libraries) and about nothing else.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.quickbooks.simulator_faults import Body, Refusal, bad_date, too_long, unsupported_property

Decode = Callable[[str, Any], Any]
CENT = Decimal("0.01")
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def cents(amount: Decimal) -> Decimal:
    """An amount as the books hold it."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def text(longest: int) -> Decode:
    """A string no longer than this; an empty one is absent."""

    def decode(name: str, value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise unsupported_property()
        written = str(value)
        if len(written) > longest:
            raise too_long(name, longest, len(written))
        return written or None

    return decode


def number(name: str, value: Any) -> Decimal | None:
    """A number of any scale."""
    if value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise unsupported_property()
    try:
        decoded = Decimal(value)
    except InvalidOperation:
        raise unsupported_property() from None
    if not decoded.is_finite() or abs(decoded) >= Decimal(10) ** 15:
        raise unsupported_property()
    return decoded


def whole(lowest: int, highest: int) -> Decode:
    """A whole number between two others."""

    def decode(name: str, value: Any) -> int | None:
        decoded = number(name, value)
        if decoded is not None and (decoded != int(decoded) or not lowest <= decoded <= highest):
            text = f"Number Range Error : {value} is not between {lowest} and {highest}"
            raise Refusal("2240", "Number Range Error", text, name)
        return None if decoded is None else int(decoded)

    return decode


def money(name: str, value: Any) -> Decimal | None:
    """An amount in cents."""
    decoded = number(name, value)
    return None if decoded is None else cents(decoded)


def flag(name: str, value: Any) -> bool:
    """True or false."""
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise unsupported_property()
    return value


def day(name: str, value: Any) -> str | None:
    """A date without a zone, as text."""
    if not isinstance(value, str):
        raise unsupported_property()
    if not value:
        return None
    try:
        read = date.fromisoformat(value[:10])
    except ValueError:
        raise bad_date(name, value) from None
    if not EARLIEST <= read <= LATEST:
        raise bad_date(name, value)
    return read.isoformat()


def choice(*values: str) -> Decode:
    """One word of an enumeration."""

    def decode(name: str, value: Any) -> str | None:
        if value not in (*values, ""):
            raise unsupported_property()
        return value or None

    return decode


def reference(name: str, value: Any) -> Body | None:
    """A pointer to another object; its name is the server's to fill in."""
    if not isinstance(value, dict) or value.keys() - {"value", "name", "type"}:
        raise unsupported_property()
    identity, kind = (text(50)(name, value.get(part) or "") for part in ("value", "type"))
    return identity and {"value": identity} | ({"type": kind} if kind else {})


def ignored(name: str, value: Any) -> None:
    """Marks a field that only the server writes: in a request it is skipped silently."""


def as_it_came(name: str, value: Any) -> Body:
    """An object that is looked at and then worked out anew."""
    if not isinstance(value, dict):
        raise unsupported_property()
    return value


def record(fields: Mapping[str, Decode]) -> Decode:
    """A nested object of exactly these fields."""

    def decode(name: str, value: Any) -> Body | None:
        if not isinstance(value, dict):
            raise unsupported_property()
        return {key: kept for key, kept in decode_fields(fields, value).items() if kept is not None} or None

    return decode


def several(decode_one: Decode) -> Decode:
    """A list."""

    def decode(name: str, value: Any) -> list[Any] | None:
        if not isinstance(value, list):
            raise unsupported_property()
        return [kept for kept in (decode_one(name, one) for one in value) if kept is not None]

    return decode


def decode_fields(fields: Mapping[str, Decode], body: Body) -> Body:
    """Every writable field that the body names, None where it empties the field; an unknown field is refused."""
    if not fields.keys() >= body.keys():
        raise unsupported_property()
    return {
        name: None if value is None else fields[name](name, value)
        for name, value in body.items()
        if fields[name] is not ignored
    }


def mail(name: str, value: Any) -> str | None:
    """An e-mail address."""
    address = text(100)(name, value)
    if address and not MAIL.fullmatch(address):
        raise Refusal("2210", "Invalid Email Address", "Email Address does not conform to the syntax rules", name)
    return address if address is None else str(address)


PHONE = record({"FreeFormNumber": text(30)})
ADDRESS = record(
    {
        **{name: text(500) for name in ("Line1", "Line2", "Line3", "Line4", "Line5")},
        **{name: text(255) for name in ("City", "Country", "CountrySubDivisionCode", "PostalCode", "Note")},
        "Id": ignored,
        "Lat": ignored,
        "Long": ignored,
    }
)
LINK = record({"TxnId": text(50), "TxnType": text(50), "TxnLineId": text(50)})
