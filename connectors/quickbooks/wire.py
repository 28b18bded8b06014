"""QuickBooks' own shapes, as far as we read them; fields that we do not name are ignored.

A row that lacks a field required here, or carries another type than documented, is one that we cannot read.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

Text = str | None
Block = dict[str, Any]
Identifier = Annotated[str, msgspec.Meta(min_length=1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


# gc=False: what comes out of JSON makes no cycles, and the garbage collector need not go through pages of it.
class Shape(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="pascal"):
    """An object of QuickBooks'."""


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A pointer to another object; the name is for display."""

    value: str
    name: Text = None


class Link(Shape, frozen=True, kw_only=True):
    """A link between two transactions, seen from one of them."""

    txn_id: str
    txn_type: str


class Glimpse(Shape, frozen=True, kw_only=True):
    """What can be told even of a deleted object, or of one that cannot be read otherwise."""

    id: str = ""
    status: Text = msgspec.field(name="status", default=None)
    linked_txn: tuple[Link, ...] = ()


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


class Account(Entity, frozen=True, kw_only=True):
    """A GL account."""

    name: str
    fully_qualified_name: Text = None
    acct_num: Text = None
    active: bool = True
    classification: Text = None
    account_type: Text = None
    parent_ref: Reference | None = None


class Booked(Shape, frozen=True, kw_only=True):
    """Where money is booked: an account or an item's account on a bill's line, a bank or card account on a payment."""

    account_ref: Reference | None = None
    item_account_ref: Reference | None = None
    bank_account_ref: Reference | None = None
    card_account_ref: Reference | None = msgspec.field(name="CCAccountRef", default=None)
    print_status: Text = None


class TransactionLine(Shape, frozen=True, kw_only=True):
    """A line of a bill, or of a bill payment: there an amount and the one transaction that it settles or uses up."""

    amount: Decimal | None = None
    linked_txn: tuple[Link, ...] = ()
    detail_type: Text = None
    line_num: int | None = None
    description: Text = None
    account_based_expense_line_detail: Booked = Booked()
    item_based_expense_line_detail: Booked = Booked()


class TaxDetail(Shape, frozen=True, kw_only=True):
    """The tax of a transaction as a whole."""

    total_tax: Decimal = Decimal(0)


class Bill(Entity, frozen=True, kw_only=True):
    """A vendor's bill."""

    vendor_ref: Reference
    txn_date: date
    total_amt: Decimal
    balance: Decimal
    due_date: date | None = None
    doc_number: Text = None
    private_note: Text = None
    ap_account_ref: Reference | None = msgspec.field(name="APAccountRef", default=None)
    line: tuple[TransactionLine, ...] = ()
    linked_txn: tuple[Link, ...] = ()
    txn_tax_detail: TaxDetail = TaxDetail()


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
    line: tuple[TransactionLine, ...] = ()


class Answer(Shape, frozen=True, kw_only=True):
    """The envelopes: rows under their entity's name, groups of changes, and what describes a company."""

    query_response: dict[str, msgspec.Raw] = {}
    changes: tuple[dict[str, tuple[dict[str, msgspec.Raw], ...]], ...] = msgspec.field(name="CDCResponse", default=())
    time: Moment | None = msgspec.field(name="time", default=None)
    company_info: Block = {}
    preferences: Block = {}
