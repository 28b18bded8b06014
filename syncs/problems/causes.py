"""Problems: one row for one cause, counted from the records that point to it, closed when none does any more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database

from audit.log import NewEvent, record
from syncs.models import Problem
from syncs.problems.catalogue import fault

COUNT = """
UPDATE syncs_problem p SET records = counted.records, money = counted.money, resolved_at = CASE
    WHEN counted.records = 0 THEN %(now)s ELSE p.resolved_at END
FROM (
    SELECT p.id, count(s.id) AS records, coalesce((
        SELECT jsonb_object_agg(currency, amount) FROM (
            SELECT r.currency, sum(r.amount_minor) AS amount FROM syncs_syncrecord s2
            JOIN syncs_remoterecord r ON r.id = s2.remote_record_id
            WHERE s2.problem_id = p.id AND r.amount_minor IS NOT NULL GROUP BY r.currency
        ) AS sums), '{}'::jsonb) AS money
    FROM syncs_problem p LEFT JOIN syncs_syncrecord s ON s.problem_id = p.id
    WHERE p.id = ANY(%(ids)s) GROUP BY p.id
) AS counted
WHERE p.id = counted.id AND p.resolved_at IS NULL
RETURNING p.id, p.tenant_id, p.code, p.resolved_at IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What makes a problem: records with the same code and key share one."""

    tenant_id: int
    code: str
    cause_key: str
    provider: str = ""
    detail: str = ""
    integration_id: int | None = None
    connection_id: int | None = None


def open_problem(cause: Cause, *, now: datetime) -> Problem:
    """The open problem of this cause, made if there is none, in the caller's transaction."""
    known = fault(cause.code, cause.provider)
    problem, made = Problem.objects.update_or_create(
        tenant_id=cause.tenant_id,
        code=cause.code,
        cause_key=cause.cause_key,
        resolved_at=None,
        defaults={"seen_at": now},
        create_defaults={
            "seen_at": now,
            "opened_at": now,
            "integration_id": cause.integration_id,
            "connection_id": cause.connection_id,
            "cause": cause.detail if cause.detail.startswith(known.cause) else f"{known.cause} {cause.detail}".strip(),
            "actor": known.actor,
            "remedy": known.remedy,
        },
    )
    if made:
        record(
            [
                NewEvent(
                    tenant_id=cause.tenant_id,
                    at=now,
                    verb="problem_opened",
                    subject_kind="problem",
                    subject_id=str(problem.pk),
                    data={"code": cause.code},
                )
            ]
        )
    return problem


def is_open(tenant_id: int, cause_keys: Sequence[str]) -> bool:
    """Whether there is an open problem of one of these causes."""
    return Problem.objects.filter(tenant_id=tenant_id, cause_key__in=cause_keys, resolved_at=None).exists()


def resolve_problems(tenant_id: int, cause_keys: Sequence[str], *, now: datetime) -> None:
    """Close what was open for these causes, in the caller's transaction."""
    for problem in Problem.objects.filter(tenant_id=tenant_id, cause_key__in=cause_keys, resolved_at=None):
        problem.resolved_at = now
        problem.save(update_fields=["resolved_at"])
        _closed([(problem.pk, tenant_id, problem.code)], now)


def recount(problem_ids: Iterable[int], *, now: datetime) -> None:
    """Count records and money of these problems anew; one that blocks nothing any more is closed."""
    ids = sorted(set(problem_ids))
    if not ids:
        return
    with database.cursor() as cursor:
        cursor.execute(COUNT, {"ids": ids, "now": now})
        _closed([(id, tenant_id, code) for id, tenant_id, code, closed in cursor.fetchall() if closed], now)


def _closed(problems: Iterable[tuple[int, int, str]], now: datetime) -> None:
    record(
        [
            NewEvent(
                tenant_id=tenant_id,
                at=now,
                verb="problem_resolved",
                subject_kind="problem",
                subject_id=str(problem_id),
                data={"code": code},
            )
            for problem_id, tenant_id, code in problems
        ]
    )
