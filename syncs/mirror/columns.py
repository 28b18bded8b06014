"""The typed columns of a remote record: what is filtered, sorted or summed. Pure."""

import datetime
from typing import NamedTuple

from connectors.records import Account, AnyRecord, Bill, Payment, Vendor, minor_units

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
    if isinstance(record, Bill):
        return Columns(
            number=record.number,
            party_id=record.vendor.id,
            date=record.date,
            due_date=record.due_date,
            currency=record.currency,
            amount_minor=minor_units(record.amount, record.currency),
            balance_minor=minor_units(record.balance, record.currency),
            status=record.status,
            key=record.key,
        )
    if isinstance(record, Payment):
        return Columns(
            number=record.reference,
            party_id=record.vendor.id,
            date=record.date,
            currency=record.currency,
            amount_minor=minor_units(record.amount, record.currency),
            status=record.phase,
            key=record.mark,
        )
    if isinstance(record, Vendor):
        return Columns(number=record.number, name=record.name, currency=record.currency, status=_activity(record))
    assert isinstance(record, Account)
    return Columns(number=record.code, name=record.name, currency=record.currency, status=_activity(record))


def version_number(version: str) -> int | None:
    """The version as a number where the provider counts; it tells an older answer from a newer one."""
    return int(version) if version.isdecimal() and len(version) < 19 else None


def _activity(record: Vendor | Account) -> str:
    return "active" if record.active else "inactive"
