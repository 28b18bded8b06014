"""The common data model: immutable values that every connector decodes into and encodes from.

A record says what a provider showed, in our words. References to other records are `Ref`s in the ids of the provider
that the record is for: the engine replaces them before a record crosses to the other side.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

Day = date  # by another name: a field called `date` hides the type from the fields after it

MINOR_DIGITS: Mapping[str, int] = {
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "VND": 0,
    "ISK": 0,
    "BHD": 3,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
}


class Kind(StrEnum):
    """The kinds of business objects that flow."""

    VENDOR = "vendor"
    ACCOUNT = "account"
    DIMENSION = "dimension"
    PURCHASE_ORDER = "purchase_order"
    BILL = "bill"
    CREDIT = "credit"
    IMAGE = "image"
    PAYMENT = "payment"
    REFERENCE = "reference"


class Phase(StrEnum):
    """How far a payment has come: what posting looks at, never the provider's own word."""

    NONE = "none"
    PENDING = "pending"
    EXECUTED = "executed"
    REVERSED = "reversed"
    UNKNOWN = "unknown"


class Method(StrEnum):
    """How a vendor is paid."""

    CHECK = "check"
    ACH = "ach"
    CARD = "card"
    UNKNOWN = "unknown"


# gc=False: values that hold values make no cycles, and the garbage collector need not go through pages of them.
class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all records have: the provider's id and version, and when it was changed there, if the provider says so."""

    id: str
    version: str = ""
    modified_at: datetime | None = None


class Ref(msgspec.Struct, frozen=True, gc=False):
    """A pointer to a record: its kind and id; `key` is the record key under which we wrote it to the other side."""

    kind: Kind
    id: str
    key: str = ""


class Address(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A postal address; empty where the provider says nothing."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class Vendor(Record, frozen=True, kw_only=True):
    """Who is paid."""

    name: str
    legal_name: str = ""
    number: str = ""
    active: bool = True
    currency: str = ""
    email: str = ""
    phone: str = ""
    terms: str = ""
    customer_account: str = ""
    tax_id_last4: str = ""
    is_1099: bool = False
    remit_to: Address | None = None


class Account(Record, frozen=True, kw_only=True):
    """A GL account; `classification` is asset, liability, equity, revenue or expense, `type` the ERP's own word."""

    code: str
    name: str
    classification: str = ""
    type: str = ""
    active: bool = True
    currency: str = ""
    parent: Ref | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of a bill; `is_tax` marks the tax, which is a line of its own."""

    number: int
    amount: Decimal
    account: Ref | None = None
    description: str = ""
    dimensions: tuple[Ref, ...] = ()
    is_tax: bool = False


class Bill(Record, frozen=True, kw_only=True):
    """A vendor's invoice; `balance` is what is still to be paid, `settlements` the ids of what settled the rest."""

    number: str
    vendor: Ref
    date: Day
    due_date: Day | None = None
    currency: str
    amount: Decimal
    balance: Decimal
    lines: tuple[Line, ...] = ()
    memo: str = ""
    ap_account: Ref | None = None
    settlements: tuple[str, ...] = ()
    status: str = ""
    payment_status: str = ""
    key: str = ""


class Application(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The part of a payment that settles one bill or credit: net = gross - discount; a credit's are negative."""

    target: Ref
    number: str = ""
    gross: Decimal
    discount: Decimal = Decimal(0)
    net: Decimal


class Payment(Record, frozen=True, kw_only=True):
    """Money paid to a vendor; `status` is the provider's own word, `mark` the record key of ours found in it."""

    vendor: Ref
    amount: Decimal
    currency: str
    method: Method
    phase: Phase
    status: str = ""
    date: Day | None = None
    reference: str = ""
    cleared_date: Day | None = None
    batch: str = ""
    funding_account: Ref | None = None
    applications: tuple[Application, ...] = ()
    reissue_of: str = ""
    memo: str = ""
    mark: str = ""


AnyRecord = Vendor | Account | Bill | Payment
STRUCTS: Mapping[Kind, type[AnyRecord]] = {
    Kind.VENDOR: Vendor,
    Kind.ACCOUNT: Account,
    Kind.BILL: Bill,
    Kind.PAYMENT: Payment,
}
_decoders = {kind: msgspec.json.Decoder(struct) for kind, struct in STRUCTS.items()}
_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")


def canonical(record: AnyRecord) -> bytes:
    """The bytes that stand for this record: equal records give equal bytes."""
    return _encoder.encode(record)


def restore(kind: Kind, body: bytes | str) -> AnyRecord:
    """The record that these canonical bytes stand for."""
    return _decoders[kind].decode(body)


def to_builtins(record: AnyRecord) -> dict[str, Any]:
    """The record as plain values, for pages."""
    builtins: dict[str, Any] = msgspec.json.decode(canonical(record))
    return builtins


def minor_units(amount: Decimal, currency: str) -> int:
    """The amount in the currency's smallest unit; refuses an amount that is finer than that.

    Raises ValueError when the amount has more digits than the currency.
    """
    scaled = amount.scaleb(MINOR_DIGITS.get(currency, 2))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} {currency} is finer than the currency's smallest unit")
    return int(scaled)


def from_minor_units(amount: int, currency: str) -> Decimal:
    """The amount that so many of the currency's smallest units are."""
    return Decimal(amount).scaleb(-MINOR_DIGITS.get(currency, 2))
