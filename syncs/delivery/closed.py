"""Closed periods: the day on which a payment is posted, where the books are closed for the day on which it was paid."""

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec.structs import replace

from connectors.base import IN_TRANSIT, PAID_ON, REVERSED_ON
from connectors.models import Connection
from connectors.records import AnyRecord, Kind, Payment, Phase
from syncs.models import RemoteRecord

FIRST_OPEN_DAY = "first_open_day"


def closed_through(target: Connection) -> date | None:
    """Through which day the books are closed, as the ERP last showed it."""
    companies = RemoteRecord.objects.filter(
        tenant_id=target.tenant_id, connection=target, kind=Kind.COMPANY, gone=""
    ).exclude(date=None)
    return companies.values_list("date", flat=True).order_by("-date").first()


def reversal_by_entry(policies: Mapping[str, object], closed: date | None, in_transit: str) -> dict[str, str]:
    """What a void has to know to be made by an entry on the first open day, should the payment's own day be closed;
    nothing where that is not wanted."""
    if not policies["reversal_entry"] or closed is None or not in_transit:
        return {}
    return {REVERSED_ON: _first_open(closed).isoformat(), IN_TRANSIT: in_transit}


def on_an_open_day(
    record: AnyRecord, *, closed: date | None, policy: object, stands_on: date | None
) -> tuple[AnyRecord, dict[str, str]]:
    """The payment on the day that it is posted on, and what is said of the day on which it was paid.

    `stands_on` is the day of its executed posting: a moved one stays where it is, however many more periods are closed.
    """
    if not isinstance(record, Payment) or record.phase is not Phase.EXECUTED:
        return record, {}
    if record.date is None or closed is None or record.date > closed:
        return record, {}
    day = stands_on or (_first_open(closed) if policy == FIRST_OPEN_DAY else record.date)
    return (replace(record, date=day), {PAID_ON: record.date.isoformat()}) if day != record.date else (record, {})


def _first_open(closed: date) -> date:
    return closed + timedelta(days=1)
