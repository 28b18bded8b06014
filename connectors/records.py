"""The common data model: immutable values that every connector decodes into and encodes from.

A record says what a provider showed, in our words. References to other records are `Ref`s in the ids of the provider
that the record is for: the engine replaces them before a record crosses to the other side.

Size: one small value after the other; whoever writes a connector reads them all.
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
    """The kinds of business objects: those that flow, and from ITEM on those that are only read."""

    VENDOR = "vendor"
    ACCOUNT = "account"
    DIMENSION = "dimension"
    PURCHASE_ORDER = "purchase_order"
    BILL = "bill"
    CREDIT = "credit"
    IMAGE = "image"
    PAYMENT = "payment"
    ITEM = "item"
    TERM = "term"
    CURRENCY = "currency"
    COMPANY = "company"
    LEDGER_ENTRY = "ledger_entry"
    FUNDING_ACCOUNT = "funding_account"


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
    """What all records have: the provider's id and version, when it was changed there if the provider says so, and the
    record key of ours that it carries."""

    id: str
    version: str = ""
    modified_at: datetime | None = None
    key: str = ""


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
    """Who is paid; `terms` is the name of the terms of payment, `term` where the ERP keeps them."""

    name: str
    legal_name: str = ""
    number: str = ""
    active: bool = True
    currency: str = ""
    email: str = ""
    phone: str = ""
    terms: str = ""
    term: Ref | None = None
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


class Dimension(Record, frozen=True, kw_only=True):
    """One value of a dimension; `dimension` says of which (department, class, location).

    An ERP's ids of values begin with that word and a hyphen, as in `Class-34`: a line has nothing but the id, and it
    tells whether a dimension that every line must carry is there.
    """

    dimension: str
    code: str
    name: str
    active: bool = True
    parent: Ref | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of a bill, a credit or a purchase order; `is_tax` marks the tax, which is a line of its own.

    `id` is what the provider calls a purchase order's line, `received` how much of it has come; a bill's line names by
    `order` and `order_line` the purchase order's line that it is for.
    """

    number: int
    amount: Decimal
    account: Ref | None = None
    description: str = ""
    dimensions: tuple[Ref, ...] = ()
    is_tax: bool = False
    id: str = ""
    item: Ref | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    received: Decimal | None = None
    order: Ref | None = None
    order_line: str = ""


class PurchaseOrder(Record, frozen=True, kw_only=True):
    """What was ordered of a vendor; `status` is open, closed or cancelled, `bills` the ids of the bills for it."""

    number: str
    vendor: Ref
    date: Day
    due_date: Day | None = None
    currency: str
    amount: Decimal
    status: str
    lines: tuple[Line, ...] = ()
    memo: str = ""
    bills: tuple[str, ...] = ()


class KeptImage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The image that the AP network keeps with a document: its hash, and `pending` until its check is over, then
    `stored` or `rejected`."""

    sha256: str = ""
    status: str = ""


class Payable(Record, frozen=True, kw_only=True):
    """A vendor's document over money: `amount` is positive for a bill and for a credit, `balance` what of it is open,
    `settlements` the ids of what settled the rest; `status_reason` and `status_at` say why and since when.

    `image` stands in the canonical bytes only where the AP network says something of it.
    """

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
    status_reason: str = ""
    status_at: datetime | None = None
    payment_status: str = ""
    image: KeptImage | msgspec.UnsetType = msgspec.UNSET


class Bill(Payable, frozen=True, kw_only=True):
    """A vendor's invoice."""


class Credit(Payable, frozen=True, kw_only=True):
    """A vendor's credit note; at the AP network its amounts are negative, here they are not."""


class Image(Record, frozen=True, kw_only=True):
    """A document that is attached to a bill or credit; its bytes are read by `open`, `size` is how many they are."""

    of: Ref
    file_name: str
    content_type: str = ""
    size: int = 0


class Application(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The part of a payment that settles one bill or credit: net = gross - discount; a credit's are negative."""

    target: Ref
    number: str = ""
    gross: Decimal
    discount: Decimal = Decimal(0)
    net: Decimal


class Payment(Record, frozen=True, kw_only=True):
    """Money paid to a vendor; `status` is the provider's own word, `mark` the record key of ours found in it.

    `refunded` says of one that was taken back that its money is the payer's again, no longer with the network.
    `returned` says of one that was taken back that the network has its money until it is refunded or paid anew,
    `in_error` of a pending one that it goes no further before somebody mends it; both stand in the canonical bytes only
    where it is so.
    """

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
    refunded: bool = False
    returned: bool | msgspec.UnsetType = msgspec.UNSET
    in_error: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def settles(self) -> dict[Ref, Decimal]:
        """How much of each bill, credit or entry it settles; of a credit it takes less than nothing."""
        sums: dict[Ref, Decimal] = {}
        for part in self.applications:
            target = Ref(part.target.kind, part.target.id)
            sums[target] = sums.get(target, Decimal(0)) + part.gross
        return sums

    @property
    def discounts(self) -> dict[str, Decimal]:
        """How much discount it takes on which bill."""
        sums: dict[str, Decimal] = {}
        for part in self.applications:
            if part.discount:
                sums[part.target.id] = sums.get(part.target.id, Decimal(0)) + part.discount
        return sums


class Item(Record, frozen=True, kw_only=True):
    """What is bought: its purchases are booked on `account`, an inventory item's on its asset account."""

    name: str
    code: str = ""
    type: str = ""
    active: bool = True
    account: Ref | None = None


class Term(Record, frozen=True, kw_only=True):
    """When a bill is due: `due_days` after its date, or on a day of the month."""

    name: str
    active: bool = True
    due_days: int | None = None
    due_day_of_month: int | None = None
    discount_percent: Decimal = Decimal(0)
    discount_days: int | None = None


class Currency(Record, frozen=True, kw_only=True):
    """A currency that the company uses."""

    code: str
    name: str = ""
    active: bool = True


class Company(Record, frozen=True, kw_only=True):
    """How the company keeps its books: nothing may be booked until and including `closed_through`."""

    home_currency: str
    many_currencies: bool = False
    closed_through: Day | None = None
    features: tuple[str, ...] = ()


class Posting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a ledger entry does to one AP account: a positive amount is owed more, a negative one owed less."""

    account: Ref
    amount: Decimal
    party: Ref | None = None


class LedgerEntry(Record, frozen=True, kw_only=True):
    """Anything else that moves an AP account: `type` is the ERP's own word (journal entry, check, deposit),
    `settlements` are the ids of the payments that settle what it owes.

    `phase` says of one that we made beside a payment what it makes of that: executed; or reversed, so that its vendor
    is owed again on this entry and the money lies on the account that it debits. Only those have it.
    """

    type: str
    number: str = ""
    date: Day
    currency: str
    postings: tuple[Posting, ...] = ()
    memo: str = ""
    settlements: tuple[str, ...] = ()
    phase: Phase | msgspec.UnsetType = msgspec.UNSET

    @property
    def debited(self) -> str:
        """The account that it debits first; empty where it shows none."""
        return next((one.account.id for one in self.postings if one.amount < 0), "")

    @property
    def credited(self) -> str:
        """The account that it credits first; empty where it shows none."""
        return next((one.account.id for one in self.postings if one.amount > 0), "")


class FundingAccount(Record, frozen=True, kw_only=True):
    """The bank account that the AP network draws on."""

    name: str = ""
    last4: str = ""
    active: bool = True


AnyRecord = (
    Vendor
    | Account
    | Dimension
    | PurchaseOrder
    | Bill
    | Credit
    | Image
    | Payment
    | Item
    | Term
    | Currency
    | Company
    | LedgerEntry
    | FundingAccount
)
STRUCTS: Mapping[Kind, type[AnyRecord]] = {
    Kind.VENDOR: Vendor,
    Kind.ACCOUNT: Account,
    Kind.DIMENSION: Dimension,
    Kind.PURCHASE_ORDER: PurchaseOrder,
    Kind.BILL: Bill,
    Kind.CREDIT: Credit,
    Kind.IMAGE: Image,
    Kind.PAYMENT: Payment,
    Kind.ITEM: Item,
    Kind.TERM: Term,
    Kind.CURRENCY: Currency,
    Kind.COMPANY: Company,
    Kind.LEDGER_ENTRY: LedgerEntry,
    Kind.FUNDING_ACCOUNT: FundingAccount,
}
_kinds: Mapping[type, Kind] = {struct: kind for kind, struct in STRUCTS.items()}
_decoders = {kind: msgspec.json.Decoder(struct) for kind, struct in STRUCTS.items()}
_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")


def kind_of(record: Record) -> Kind:
    """The kind of this record."""
    return _kinds[type(record)]


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
