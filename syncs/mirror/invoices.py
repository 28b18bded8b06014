"""Invoices that stand still at the AP network: rejected, found unusable, or on hold for longer than a policy allows.

Each that blocks open money of a bill is one problem of the customer's AP. It closes by itself when the invoice moves
on, or when nothing of the bill is to be paid by it any more: it was withdrawn, paid otherwise, or is ignored.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Kind, Payable, from_minor_units, restore
from connectors.registry import connector_class
from syncs.mapping.policies import policies_in_force
from syncs.mirror.observe import Seen
from syncs.models import Holiday, Integration, Problem, StoppedInvoice
from syncs.problems.causes import Cause, open_problem, resolve_problems

REJECTED = ("rejected", "error")
ON_HOLD = "on_hold"
STOPPED = (*REJECTED, ON_HOLD)
SATURDAY = 5

# What a newer answer says of it already is not overruled: only what the mirror keeps counts.
KEEP = """
INSERT INTO syncs_stoppedinvoice AS s (tenant_id, connection_id, remote_record_id, status, since)
SELECT r.tenant_id, r.connection_id, r.id, r.status, v.since
FROM unnest(%(kinds)s::text[], %(ids)s::text[], %(states)s::text[], %(since)s::timestamptz[])
    AS v (kind, remote_id, status, since)
JOIN syncs_remoterecord r ON r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s AND r.kind = v.kind
    AND r.remote_id = v.remote_id AND r.status = v.status AND r.gone = ''
ON CONFLICT (remote_record_id) DO UPDATE SET status = excluded.status, since = excluded.since
WHERE s.status <> excluded.status
"""

# The few that stand still are read first and apart: the planner would look up the deliveries of every invoice for them.
STANDING = """
WITH s AS MATERIALIZED (
    SELECT id, since, problem_id, remote_record_id FROM syncs_stoppedinvoice
    WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s ORDER BY id FOR UPDATE
)
SELECT s.id, s.since, s.problem_id, r.id, r.status, r.gone, r.number, r.kind, r.body::text,
       bill.currency, CASE WHEN bill.gone = '' AND sent.state <> 'ignored' THEN bill.balance_minor END
FROM s JOIN syncs_remoterecord r ON r.id = s.remote_record_id
LEFT JOIN (
    syncs_syncrecord sent JOIN syncs_stream stream ON stream.id = sent.stream_id AND stream.integration_id = %(pair)s
    JOIN syncs_remoterecord bill ON bill.id = sent.remote_record_id
) ON sent.tenant_id = r.tenant_id AND sent.target_id = r.remote_id AND stream.kind = r.kind
ORDER BY s.id
"""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One of them as it is now, and how much of its bill is open in the ERP; None where it stands for none."""

    id: int
    since: datetime
    problem_id: int | None
    record_id: int
    status: str
    gone: str
    number: str
    kind: str
    body: str
    currency: str | None
    open_minor: int | None


def keep_stopped(connection: Connection, seen: Iterable[Seen], *, now: datetime) -> None:
    """Remember which of these stand still and since when, in the caller's transaction."""
    stopped = [
        (one.kind, one.record)
        for one in seen
        if isinstance(one.record, Payable) and one.record.status in STOPPED and not one.gone
    ]
    if not stopped or connector_class(connection.provider).role != "ap_network":
        return
    with database.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": connection.tenant_id,
                "connection": connection.pk,
                "kinds": [str(kind) for kind, _ in stopped],
                "ids": [record.id for _, record in stopped],
                "states": [record.status for _, record in stopped],
                "since": [min(record.status_at or record.modified_at or now, now) for _, record in stopped],
            },
        )


def review_stopped(connection: Connection, *, now: datetime) -> None:
    """Open a problem for each that blocks money, and close those of what moved on, in the caller's transaction."""
    pairs = Integration.objects.select_related("tenant")
    pair = pairs.filter(tenant_id=connection.tenant_id, ap_network=connection, active=True).first()
    standing = _standing(connection, pair) if pair else []
    if pair is None or not standing:
        return
    zone = ZoneInfo(pair.tenant.time_zone)
    holidays = set(Holiday.objects.filter(tenant_id=connection.tenant_id).values_list("day", flat=True))
    days = policies_in_force(pair.pk, at=now)["hold_days"]
    assert isinstance(days, int)
    for one in standing:
        moved_on = one.status not in STOPPED or bool(one.gone)
        waits = one.status == ON_HOLD and now < after_business_days(one.since, days, zone, holidays)
        if moved_on or waits or not one.open_minor:
            _close(connection, one, now)
        else:
            _open(connection, pair, one, now)
        if moved_on:
            StoppedInvoice.objects.filter(pk=one.id).delete()


def after_business_days(since: datetime, days: int, zone: ZoneInfo, holidays: Collection[date] = ()) -> datetime:
    """The same time of day so many business days, Monday to Friday without holidays, after this."""
    moment = since.astimezone(zone)
    while days > 0:
        moment += timedelta(days=1)
        days -= moment.weekday() < SATURDAY and moment.date() not in holidays
    return moment


def cause_key_of(record_id: int) -> str:
    """What makes it one problem of the invoice, whatever becomes of it."""
    return f"invoice:{record_id}"


def _standing(connection: Connection, pair: Integration) -> Sequence[Standing]:
    with database.cursor() as cursor:
        cursor.execute(STANDING, {"tenant": connection.tenant_id, "connection": connection.pk, "pair": pair.pk})
        return [
            Standing(
                id=id,
                since=since,
                problem_id=problem_id,
                record_id=record_id,
                status=status,
                gone=gone,
                number=number,
                kind=kind,
                body=body,
                currency=currency,
                open_minor=open_minor,
            )  # fmt: skip
            for id, since, problem_id, record_id, status, gone, number, kind, body, currency, open_minor in cursor
        ]


def _close(connection: Connection, one: Standing, now: datetime) -> None:
    if one.problem_id is not None:
        resolve_problems(connection.tenant_id, [cause_key_of(one.record_id)], now=now)
        StoppedInvoice.objects.filter(pk=one.id).update(problem=None)


def _open(connection: Connection, pair: Integration, one: Standing, now: datetime) -> None:
    """The problem of this invoice, with what is open of its bill now; one of another code is over."""
    code = "invoice_on_hold_long" if one.status == ON_HOLD else "invoice_rejected"
    known = Problem.objects.filter(stopped_invoices=one.id, resolved_at=None).first()
    money = {one.currency or "": one.open_minor or 0}
    if known is not None and known.code == code and known.money == money:
        return
    if known is None or known.code != code:
        _close(connection, one, now)
        cause = Cause(
            tenant_id=connection.tenant_id,
            integration_id=pair.pk,
            code=code,
            cause_key=cause_key_of(one.record_id),
            detail=_detail(connection, pair, one),
        )
        known = open_problem(cause, now=now)
    Problem.objects.filter(pk=known.pk).update(records=1, money=money)
    StoppedInvoice.objects.filter(pk=one.id).update(problem=known)


def _detail(connection: Connection, pair: Integration, one: Standing) -> str:
    network = connector_class(connection.provider).name
    word = {"error": "was found unusable", ON_HOLD: "has been on hold"}.get(one.status, "was rejected")
    since = f"since {one.since.astimezone(ZoneInfo(pair.tenant.time_zone)):%-d %b %Y}"
    amount = f"{from_minor_units(one.open_minor or 0, one.currency or ''):,} {one.currency}"
    invoice = restore(Kind(one.kind), one.body)
    why = f" It says: {invoice.status_reason}" if isinstance(invoice, Payable) and invoice.status_reason else ""
    return f"Bill {one.number}, open with {amount}, {word} at {network} {since}.{why}"
