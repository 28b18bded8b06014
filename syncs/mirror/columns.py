"""The typed columns of a remote record: what is filtered, sorted or summed. Pure."""

import datetime
from dataclasses import dataclass

from connectors.records import Account, AnyRecord, Bill, Payment, Vendor, canonical, minor_units
from syncs.keys import fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """One record as the mirror keeps it."""

    number: str = ""
    name: str = ""
    party_id: str = ""
    date: datetime.date | None = None
    due_date: datetime.date | None = None
    currency: str = ""
    amount_minor: int | None = None
    balance_minor: int | None = None
    status: str = ""


def columns(record: AnyRecord) -> Columns:
    """The typed columns of this record; ValueError for an amount finer than its currency."""
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
        )
    if isinstance(record, Payment):
        return Columns(
            number=record.reference,
            party_id=record.vendor.id,
            date=record.date,
            currency=record.currency,
            amount_minor=minor_units(record.amount, record.currency),
            status=record.phase,
        )
    if isinstance(record, Vendor):
        return Columns(number=record.number, name=record.name, currency=record.currency, status=_activity(record))
    assert isinstance(record, Account)
    return Columns(number=record.code, name=record.name, currency=record.currency, status=_activity(record))


def remote_fingerprint(body: bytes, gone: str) -> str:
    """What changes exactly when what the provider shows changes."""
    return fingerprint(body, gone)


def version_number(version: str) -> int | None:
    """The version as a number where the provider counts; it tells an older answer from a newer one."""
    return int(version) if version.isdigit() and len(version) < 19 else None


def body_of(record: AnyRecord) -> bytes:
    """The canonical bytes that are kept."""
    return canonical(record)


def _activity(record: Vendor | Account) -> str:
    return "active" if record.active else "inactive"
