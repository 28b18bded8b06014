"""Problems that a person leaves as they are: shown as left, with who and why, until what they rest on changes."""

from datetime import datetime

from audit.log import NewEvent, record
from connectors.models import Connection
from connectors.records import Kind
from syncs.keys import fingerprint
from syncs.models import Problem, SyncRecord
from syncs.paid_bills import bills_paid, payments_on


def facts_of(problem: Problem) -> str:
    """What changes exactly when something that the problem rests on does: what is blocked, why, and the bills and
    payments in the ERP that it is about."""
    blocked = problem.sync_records.select_related("remote_record", "stream__integration").order_by("pk")
    parts = [part for one in blocked for part in _of_delivery(one)]
    for stopped in problem.stopped_invoices.order_by("pk"):
        parts.append(f"{stopped.pk} {stopped.status} {stopped.since.isoformat()}")
    return fingerprint(problem.code, *parts, str(sorted(problem.money.items())))


def review_left(connection: Connection, *, now: datetime) -> None:
    """Bring back what was left and no longer rests on what it did, in the caller's transaction."""
    left = Problem.objects.filter(tenant_id=connection.tenant_id, resolved_at=None).exclude(left_at=None)
    for problem in left.select_for_update().order_by("pk"):
        if facts_of(problem) != problem.left_facts:
            problem.left_at, problem.left_by, problem.left_why, problem.left_facts = None, "", "", ""
            problem.save(update_fields=["left_at", "left_by", "left_why", "left_facts"])
            record([_event(problem, "problem_returned", now)])


def leave(problem: Problem, *, by: str, why: str, now: datetime) -> None:
    """Leave a locked problem as it is, in the caller's transaction."""
    problem.left_at, problem.left_by, problem.left_why, problem.left_facts = now, by, why, facts_of(problem)
    problem.save(update_fields=["left_at", "left_by", "left_why", "left_facts"])
    record([_event(problem, "problem_left", now, by=by, why=why)])


def _of_delivery(one: SyncRecord) -> list[str]:
    parts = [f"{one.pk} {one.wanted_fingerprint} {one.code} {one.reason}"]
    if one.stream.kind == Kind.PAYMENT:
        bills = list(bills_paid(one).values())
        parts += [f"{bill.pk} {bill.gone} {bill.balance_minor}" for bill in bills]
        for bill in bills:
            parts += [f"{bill.pk} {paid.pk} {paid.amount_minor} {paid.number}" for paid in payments_on(one, [bill])]
    return parts


def _event(problem: Problem, verb: str, now: datetime, *, by: str = "", why: str = "") -> NewEvent:
    words = {"actor": by, "why": why} if by else {}
    return NewEvent(
        tenant_id=problem.tenant_id, at=now, verb=verb, subject_kind="problem", subject_id=str(problem.pk),
        data={"code": problem.code}, **words,
    )  # fmt: skip
