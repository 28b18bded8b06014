"""What stands still at the AP network: invoices that are rejected, found unusable, or on hold for longer than a policy
allows, and payments that are pending for too long or in error, or that do not clear where the policy waits for it.

Each that blocks money is one problem of the customer's AP. It closes by itself when the invoice or the payment moves
on, or when nothing of the bill is to be paid by it any more: it was withdrawn, paid otherwise, or is ignored.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection as database

from connectors.models import Connection
from connectors.records import AnyRecord, Kind, Payable, Payment, Phase, from_minor_units, restore
from connectors.registry import connector_class
from syncs.mapping.policies import policies_in_force
from syncs.mirror.observe import Seen
from syncs.models import Holiday, Integration, Problem, RemoteRecord, StoppedInvoice
from syncs.problems.causes import Cause, open_problem, resolve_problems

REJECTED = ("rejected", "error")
ON_HOLD = "on_hold"
STOPPED = (*REJECTED, ON_HOLD)
PENDING, IN_ERROR, NOT_CLEARED = "pending", "in_error", "not_cleared"
PENDING_DAYS = 10
NOT_CLEARED_DAYS = 20  # a check is in the mail for up to ten, and lies at its payee's
SATURDAY = 5
CODES = {
    ON_HOLD: "invoice_on_hold_long",
    PENDING: "payment_pending_long",
    IN_ERROR: "payment_in_error",
    NOT_CLEARED: "payment_not_cleared_long",
}
WORDS = {
    "rejected": "was rejected",
    "error": "was found unusable",
    ON_HOLD: "has been on hold",
    PENDING: "has been pending",
    IN_ERROR: "has been in error",
    NOT_CLEARED: "has not cleared",
}

# What a newer answer says of it already is not overruled: only what the mirror keeps counts.
KEEP = """
INSERT INTO syncs_stoppedinvoice AS s (tenant_id, connection_id, remote_record_id, status, since)
SELECT r.tenant_id, r.connection_id, r.id, v.stands, v.since
FROM unnest(%(kinds)s::text[], %(ids)s::text[], %(shown)s::text[], %(stand)s::text[], %(since)s::timestamptz[])
    AS v (kind, remote_id, status, stands, since)
JOIN syncs_remoterecord r ON r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s AND r.kind = v.kind
    AND r.remote_id = v.remote_id AND r.status = v.status AND r.gone = ''
ON CONFLICT (remote_record_id) DO UPDATE SET status = excluded.status, since = excluded.since
WHERE s.status <> excluded.status
"""

# The few that stand still are read first and apart: the planner would look up the deliveries of every invoice for them.
STANDING = """
WITH s AS MATERIALIZED (
    SELECT id, since, status, problem_id, remote_record_id FROM syncs_stoppedinvoice
    WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s ORDER BY id FOR UPDATE
)
SELECT s.id, s.since, CASE r.kind WHEN 'payment' THEN s.status ELSE r.status END, s.problem_id,
       told.code, told.money, r.id, r.status, r.gone, r.kind,
       CASE r.kind WHEN 'payment' THEN r.remote_id ELSE r.number END,
       CASE r.kind WHEN 'payment' THEN r.currency ELSE bill.currency END,
       CASE WHEN r.kind = 'payment' THEN CASE WHEN posted.state <> 'ignored' THEN r.amount_minor END
            WHEN bill.gone = '' AND sent.state <> 'ignored' THEN bill.balance_minor END,
       posted.state = 'synced' AND posted.code <> 'payment_not_cleared'
FROM s JOIN syncs_remoterecord r ON r.id = s.remote_record_id
LEFT JOIN syncs_problem told ON told.id = s.problem_id AND told.resolved_at IS NULL
LEFT JOIN (
    syncs_syncrecord sent JOIN syncs_stream stream ON stream.id = sent.stream_id AND stream.integration_id = %(pair)s
    JOIN syncs_remoterecord bill ON bill.id = sent.remote_record_id
) ON sent.tenant_id = r.tenant_id AND sent.target_id = r.remote_id AND stream.kind = r.kind
LEFT JOIN (
    syncs_syncrecord posted JOIN syncs_stream payments ON payments.id = posted.stream_id
        AND payments.integration_id = %(pair)s AND payments.kind = 'payment'
) ON posted.tenant_id = r.tenant_id AND posted.remote_record_id = r.id AND r.kind = 'payment'
ORDER BY s.id
"""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One of them as it is now, and how much is open of its bill in the ERP, or is on its way; None where it stands for
    none."""

    id: int
    since: datetime
    stands: str
    problem_id: int | None
    told_code: str | None
    told_money: str | None  # as JSON
    record_id: int
    status: str
    gone: str
    kind: str
    number: str
    currency: str | None
    open_minor: int | None
    in_step: bool | None  # of a payment: it is posted as what it is

    def moved_on(self, *, waits: bool) -> bool:
        """Whether it stands still no longer; that a payment has cleared is looked at once it has waited long enough."""
        if self.stands == NOT_CLEARED:
            return self.status != Phase.EXECUTED or bool(self.gone) or not waits and bool(self.in_step)
        still = (Phase.PENDING,) if self.kind == Kind.PAYMENT else STOPPED
        return self.status not in still or bool(self.gone)


def keep_stopped(connection: Connection, seen: Iterable[Seen], *, now: datetime) -> None:
    """Remember which of these stand still and since when, in the caller's transaction."""
    shown = [(one.kind, one.record, _stands_still(one.record)) for one in seen if not one.gone]
    stopped = [(kind, record, *stands) for kind, record, stands in shown if stands is not None]
    if not stopped or connector_class(connection.provider).role != "ap_network":
        return
    if not _waits_for_clearing(connection, now):
        stopped = [one for one in stopped if one[3] != NOT_CLEARED]
    with database.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": connection.tenant_id,
                "connection": connection.pk,
                "kinds": [str(kind) for kind, *_ in stopped],
                "ids": [record.id for _, record, *_ in stopped],
                "shown": [shown for *_, shown, _, _ in stopped],
                "stand": [stands for *_, stands, _ in stopped],
                "since": [min(since or now, now) for *_, since in stopped],
            },
        )


def _stands_still(record: AnyRecord) -> tuple[str, str, datetime | None] | None:
    """Its status in the mirror, how it stands still, and since when; None for what goes on."""
    if isinstance(record, Payable) and record.status in STOPPED:
        return record.status, record.status, record.status_at or record.modified_at
    if isinstance(record, Payment) and record.phase is Phase.PENDING:
        return Phase.PENDING, IN_ERROR if record.in_error is True else PENDING, record.modified_at
    if isinstance(record, Payment) and record.phase is Phase.EXECUTED and record.cleared_date is None:
        return Phase.EXECUTED, NOT_CLEARED, record.modified_at
    return None


def _pair_of(connection: Connection) -> Integration | None:
    pairs = Integration.objects.select_related("tenant")
    return pairs.filter(tenant_id=connection.tenant_id, ap_network=connection, active=True).first()


def _waits_for_clearing(connection: Connection, now: datetime) -> bool:
    """Whether by policy a payment is posted as paid only once it has cleared."""
    pair = _pair_of(connection)
    return pair is not None and policies_in_force(pair.pk, at=now)["post_on"] == "cleared"


def review_stopped(connection: Connection, *, now: datetime) -> None:
    """Open a problem for each that blocks money, and close those of what moved on, in the caller's transaction."""
    pair = _pair_of(connection)
    standing = _standing(connection, pair) if pair else []
    if pair is None or not standing:
        return
    zone = ZoneInfo(pair.tenant.time_zone)
    holidays = set(Holiday.objects.filter(tenant_id=connection.tenant_id).values_list("day", flat=True))
    hold_days = policies_in_force(pair.pk, at=now)["hold_days"]
    assert isinstance(hold_days, int)
    patience = {ON_HOLD: hold_days, PENDING: PENDING_DAYS, NOT_CLEARED: NOT_CLEARED_DAYS}
    for one in standing:
        waits = now < after_business_days(one.since, patience.get(one.stands, 0), zone, holidays)
        moved_on = one.moved_on(waits=waits)
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
    """What makes it one problem of the invoice or payment, whatever becomes of it."""
    return f"invoice:{record_id}"


def _standing(connection: Connection, pair: Integration) -> Sequence[Standing]:
    with database.cursor() as cursor:
        cursor.execute(STANDING, {"tenant": connection.tenant_id, "connection": connection.pk, "pair": pair.pk})
        return [Standing(**dict(zip(Standing.__dataclass_fields__, row, strict=True))) for row in cursor]


def _close(connection: Connection, one: Standing, now: datetime) -> None:
    if one.problem_id is not None:
        resolve_problems(connection.tenant_id, [cause_key_of(one.record_id)], now=now)
        StoppedInvoice.objects.filter(pk=one.id).update(problem=None)


def _open(connection: Connection, pair: Integration, one: Standing, now: datetime) -> None:
    """The problem of this invoice, with what is open of its bill now; one of another code is over."""
    code = CODES.get(one.stands, "invoice_rejected")
    money = {one.currency or "": one.open_minor or 0}
    if one.told_code == code and one.told_money and msgspec.json.decode(one.told_money) == money:
        return
    if one.told_code != code:
        _close(connection, one, now)
        cause = Cause(
            tenant_id=connection.tenant_id,
            integration_id=pair.pk,
            code=code,
            cause_key=cause_key_of(one.record_id),
            detail=_detail(connection, pair, one),
        )
        StoppedInvoice.objects.filter(pk=one.id).update(problem=open_problem(cause, now=now))
    Problem.objects.filter(stopped_invoices=one.id).update(records=1, money=money)


def _detail(connection: Connection, pair: Integration, one: Standing) -> str:
    network = connector_class(connection.provider).name
    since = f"since {one.since.astimezone(ZoneInfo(pair.tenant.time_zone)):%-d %b %Y}"
    amount = f"{from_minor_units(one.open_minor or 0, one.currency or ''):,} {one.currency}"
    word = WORDS[one.stands]
    if one.kind == Kind.PAYMENT:
        return f"Payment {one.number} over {amount} {word} at {network} {since}."
    body = RemoteRecord.objects.values_list("body", flat=True).get(pk=one.record_id)
    invoice = restore(Kind(one.kind), body)
    why = f" It says: {invoice.status_reason}" if isinstance(invoice, Payable) and invoice.status_reason else ""
    return f"Bill {one.number}, open with {amount}, {word} at {network} {since}.{why}"
