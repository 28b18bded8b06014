"""QuickBooks' own shapes, as far as we read them; fields that we do not name are ignored.

A row that lacks a field required here, or carries another type than documented, is one that we cannot read.

Size: one shape after the other, with no decision in them; whoever reads an entity looks for its shape here.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

Text = str | None
Block = dict[str, Any]
Identifier = Annotated[str, msgspec.Meta(min_length=1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


# gc=False: what comes out of JSON makes no cycles, and the garbage collector need not go through pages of it.
class Shape(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="pascal"):
    """An object of QuickBooks'."""


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A pointer to another object; the name is for display, the type stands where it may be one of several lists."""

    value: str
    name: Text = None
    type: Text = None


class Link(Shape, frozen=True, kw_only=True):
    """A link between two transactions, seen from one of them; to a purchase order it names the line."""

    txn_id: str
    txn_type: str
    txn_line_id: Text = None


class Glimpse(Shape, frozen=True, kw_only=True):
    """What can be told even of a deleted object, or of one that cannot be read otherwise."""

    id: str = ""
    status: Text = msgspec.field(name="status", default=None)
    linked_txn: tuple[Link, ...] = ()
    vendor_ref: Any = None


class MetaData(Shape, frozen=True, kw_only=True):
    """When QuickBooks made and last changed an object; a fresh account was seen without the second."""

    create_time: Moment | None = None
    last_updated_time: Moment | None = None


class Entity(Shape, frozen=True, kw_only=True):
    """What every object has; one without a SyncToken could never be updated safely, so it counts as unreadable."""

    id: Identifier
    sync_token: Identifier
    status: Text = msgspec.field(name="status", default=None)
    meta_data: MetaData = MetaData()
    currency_ref: Reference | None = None


class Vendor(Entity, frozen=True, kw_only=True):
    """A vendor."""

    display_name: str
    company_name: Text = None
    active: bool = True
    acct_num: Text = None
    primary_email_addr: Block = {}
    primary_phone: Block = {}
    term_ref: Reference | None = None
    tax_identifier: Text = None
    vendor1099: bool | None = None
    bill_addr: Block | None = None


class Grouped(Entity, frozen=True, kw_only=True):
    """An object of a list that may stand below another: a class or a department."""

    name: str
    fully_qualified_name: Text = None
    active: bool = True
    parent_ref: Reference | None = None


class Account(Grouped, frozen=True, kw_only=True):
    """A GL account."""

    acct_num: Text = None
    classification: Text = None
    account_type: Text = None


class Item(Grouped, frozen=True, kw_only=True):
    """What is bought or sold; an inventory item's purchases go to its asset account."""

    sku: Text = None
    type: Text = None
    expense_account_ref: Reference | None = None
    asset_account_ref: Reference | None = None


class Term(Entity, frozen=True, kw_only=True):
    """Terms of payment: days after the bill's date, or a day of the month."""

    name: str
    active: bool = True
    due_days: int | None = None
    day_of_month_due: int | None = None
    discount_percent: Decimal = Decimal(0)
    discount_days: int | None = None


class CompanyCurrency(Entity, frozen=True, kw_only=True):
    """A currency that a company uses beside its home currency."""

    code: str
    name: Text = None
    active: bool = True


class AccountingPreferences(Shape, frozen=True, kw_only=True):
    """What is switched on for keeping the books, and through which day they are closed."""

    use_account_numbers: bool = False
    track_departments: bool = False
    class_tracking_per_txn: bool = False
    class_tracking_per_txn_line: bool = False
    book_close_date: date | None = None


class CurrencyPreferences(Shape, frozen=True, kw_only=True):
    """The currencies of the books."""

    multi_currency_enabled: bool = False
    home_currency: Reference | None = None


class NamedValue(Shape, frozen=True, kw_only=True):
    """A preference without a field of its own."""

    name: Text = None
    value: Text = None


class OtherPreferences(Shape, frozen=True, kw_only=True):
    """The preferences without fields of their own."""

    name_value: tuple[NamedValue, ...] = ()


class Preferences(Entity, frozen=True, kw_only=True):
    """How a company keeps its books."""

    accounting_info_prefs: AccountingPreferences = AccountingPreferences()
    currency_prefs: CurrencyPreferences = CurrencyPreferences()
    other_prefs: OtherPreferences = OtherPreferences()


class Named(Shape, frozen=True, kw_only=True):
    """Whom a journal entry's line is about."""

    type: Text = None
    entity_ref: Reference | None = None


class Booked(Shape, frozen=True, kw_only=True):
    """Where money is booked, and for what: an account or an item, a class; on a payment a bank or card account."""

    account_ref: Reference | None = None
    item_ref: Reference | None = None
    item_account_ref: Reference | None = None
    class_ref: Reference | None = None
    qty: Decimal | None = None
    unit_price: Decimal | None = None
    bank_account_ref: Reference | None = None
    card_account_ref: Reference | None = msgspec.field(name="CCAccountRef", default=None)
    print_status: Text = None


class Entered(Shape, frozen=True, kw_only=True):
    """A line of a journal entry."""

    posting_type: Literal["Debit", "Credit"]
    account_ref: Reference | None = None
    entity: Named = Named()


class Deposited(Shape, frozen=True, kw_only=True):
    """A line of a deposit; one that banks money received before names no account."""

    account_ref: Reference | None = None
    entity: Reference | None = None


class TransactionLine(Shape, frozen=True, kw_only=True):
    """A line of a transaction; of a bill payment an amount and the one transaction that it settles or uses up."""

    id: Text = None
    amount: Decimal | None = None
    linked_txn: tuple[Link, ...] = ()
    detail_type: Text = None
    line_num: int | None = None
    description: Text = None
    received: Decimal | None = None
    account_based_expense_line_detail: Booked = Booked()
    item_based_expense_line_detail: Booked = Booked()
    journal_entry_line_detail: Entered | None = None
    deposit_line_detail: Deposited = Deposited()


class TaxDetail(Shape, frozen=True, kw_only=True):
    """The tax of a transaction as a whole."""

    total_tax: Decimal = Decimal(0)


class Document(Entity, frozen=True, kw_only=True):
    """A transaction with a vendor that has lines."""

    vendor_ref: Reference
    txn_date: date
    total_amt: Decimal
    due_date: date | None = None
    doc_number: Text = None
    private_note: Text = None
    department_ref: Reference | None = None
    class_ref: Reference | None = None
    line: tuple[TransactionLine, ...] = ()
    txn_tax_detail: TaxDetail = TaxDetail()


class Payable(Document, frozen=True, kw_only=True):
    """A bill or a vendor credit; how its tax was worked out is said outside of the US."""

    balance: Decimal
    global_tax_calculation: Text = None
    ap_account_ref: Reference | None = msgspec.field(name="APAccountRef", default=None)
    linked_txn: tuple[Link, ...] = ()


class PurchaseOrder(Document, frozen=True, kw_only=True):
    """What was ordered."""

    order_status: Literal["Open", "Closed"] = msgspec.field(name="POStatus", default="Open")
    linked_txn: tuple[Link, ...] = ()


class BillPayment(Entity, frozen=True, kw_only=True):
    """A payment of bills."""

    vendor_ref: Reference
    total_amt: Decimal
    pay_type: Text = None
    check_payment: Booked = Booked()
    credit_card_payment: Booked = Booked()
    txn_date: date | None = None
    doc_number: Text = None
    private_note: Text = None
    exchange_rate: Decimal | None = None
    line: tuple[TransactionLine, ...] = ()


class Ledger(Entity, frozen=True, kw_only=True):
    """A journal entry, a check or other expense, or a deposit."""

    txn_date: date
    doc_number: Text = None
    private_note: Text = None
    payment_type: Text = None
    credit: bool | None = None
    entity_ref: Reference | None = None
    line: tuple[TransactionLine, ...] = ()
    linked_txn: tuple[Link, ...] = ()


class ExchangeRate(Shape, frozen=True, kw_only=True):
    """The home units for one unit of a currency, as of a day."""

    source_currency_code: Text = None
    target_currency_code: Text = None
    rate: Decimal | None = None
    as_of_date: date | None = None


class Attached(Shape, frozen=True, kw_only=True):
    """What a file is attached to."""

    entity_ref: Reference | None = None


class Attachable(Entity, frozen=True, kw_only=True):
    """A note, or a file: then it has an address."""

    file_name: Text = None
    file_access_uri: Text = None
    temp_download_uri: Text = None
    content_type: Text = None
    size: int = 0
    attachable_ref: tuple[Attached, ...] = ()


class Attachments(Shape, frozen=True, kw_only=True):
    """What can be told of an attachment that cannot be read otherwise."""

    id: Identifier
    attachable_ref: tuple[Attached, ...] = ()


class Answer(Shape, frozen=True, kw_only=True):
    """The envelopes: rows under their entity's name, groups of changes, and what describes a company."""

    query_response: dict[str, msgspec.Raw] = {}
    changes: tuple[dict[str, tuple[dict[str, msgspec.Raw], ...]], ...] = msgspec.field(name="CDCResponse", default=())
    time: Moment | None = msgspec.field(name="time", default=None)
    company_info: Block = {}
    exchange_rate: ExchangeRate = ExchangeRate()
    preferences: msgspec.Raw = msgspec.Raw(b"{}")
