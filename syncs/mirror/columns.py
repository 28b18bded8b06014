"""The typed columns of a remote record: what is filtered, sorted or summed. Pure."""

import datetime
from typing import NamedTuple

from connectors.records import (
    Account,
    AnyRecord,
    Company,
    Currency,
    Dimension,
    FundingAccount,
    Image,
    Item,
    LedgerEntry,
    Payable,
    Payment,
    PurchaseOrder,
    Term,
    Vendor,
    minor_units,
)

CODE = 3
LARGEST = 10**17  # minor units: what a bigint holds, and more than any bill


class Columns(NamedTuple):
    """One record as the mirror keeps it; the staging table has these columns in this order."""

    number: str = ""
    name: str = ""
    party_id: str = ""
    date: datetime.date | None = None
    due_date: datetime.date | None = None
    currency: str = ""
    amount_minor: int | None = None
    balance_minor: int | None = None
    status: str = ""
    key: str = ""


def columns(record: AnyRecord) -> Columns:
    """The typed columns of this record; ValueError for what no row can hold: it would fail its whole page."""
    typed = _typed(record)
    if len(typed.currency) > CODE:
        raise ValueError("its currency is not a code of three letters")
    if any(abs(amount) >= LARGEST for amount in (typed.amount_minor or 0, typed.balance_minor or 0)):
        raise ValueError("an amount is larger than money can be")
    return typed


def _typed(record: AnyRecord) -> Columns:
    match record:
        case Payable() | Payment() | PurchaseOrder():
            return _document(record)
        case LedgerEntry():
            owed = sum((minor_units(posting.amount, record.currency) for posting in record.postings), 0)
            typed = Columns(number=record.number, name=record.type, date=record.date, currency=record.currency)
            return typed._replace(amount_minor=owed, status=str(record.phase or ""), key=record.key)
        case Image():
            return Columns(name=record.file_name, party_id=record.of.id)
        case Company():
            return Columns(date=record.closed_through, currency=record.home_currency)
        case Vendor():
            number, currency = record.number, record.currency
        case Account():
            number, currency = record.code, record.currency
        case Dimension() | Item():
            number, currency = record.code, ""
        case Currency():
            number, currency = record.code, record.code
        case Term() | FundingAccount():
            number, currency = "", ""
    status = "active" if record.active else "inactive"
    return Columns(number=number, name=record.name, currency=currency, status=status, key=record.key)


def _document(record: Payable | Payment | PurchaseOrder) -> Columns:
    """A transaction with a vendor."""
    if isinstance(record, Payment):
        number, due_date, status, key = record.reference, None, str(record.phase), record.mark
    else:
        number, due_date, status, key = record.number, record.due_date, record.status, record.key
    return Columns(
        number=number,
        party_id=record.vendor.id,
        date=record.date,
        due_date=due_date,
        currency=record.currency,
        amount_minor=minor_units(record.amount, record.currency),
        balance_minor=minor_units(record.balance, record.currency) if isinstance(record, Payable) else None,
        status=status,
        key=key,
    )


def version_number(version: str) -> int | None:
    """The version as a number where the provider counts; it tells an older answer from a newer one."""
    return int(version) if version.isdecimal() and len(version) < 19 else None
