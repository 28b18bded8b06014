"""Closed periods: the day on which a payment is posted, where the books are closed for the day on which it was paid."""

from datetime import date, timedelta

from msgspec.structs import replace

from connectors.base import PAID_ON
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
    day = stands_on or (closed + timedelta(days=1) if policy == FIRST_OPEN_DAY else record.date)
    return (replace(record, date=day), {PAID_ON: record.date.isoformat()}) if day != record.date else (record, {})
