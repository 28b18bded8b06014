"""Sending again everything that one problem holds: a preview, an order, and the sets in which it is carried out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Max, QuerySet, Sum

from audit.log import NewEvent, record
from syncs.models import Problem, Replay, SyncRecord
from syncs.services.rules import due_again
from syncs.services.running import refuse_without
from syncs.states import State
from syncs.streams import lock_streams

AT_ONCE = 200
BETWEEN = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """How many records would be sent again, and their money by currency in minor units."""

    records: int
    money: dict[str, int]


def preview(problem: Problem) -> Preview:
    """What sending again would concern now."""
    sums = _held(problem).order_by().values("remote_record__currency")
    rows = list(sums.annotate(count=Count("pk"), amount=Sum("remote_record__amount_minor")))
    money = {row["remote_record__currency"]: int(row["amount"]) for row in rows if row["amount"] is not None}
    return Preview(records=sum(row["count"] for row in rows), money=money)


def replay_all(*, problem: Problem, by: str, why: str, now: datetime) -> Replay:
    """Order that all it holds is sent again, and send back the first set; one that is under way already goes on."""
    refuse_without(why)
    with transaction.atomic():
        Problem.objects.select_for_update().get(pk=problem.pk)
        under_way = Replay.objects.filter(problem=problem, ended_at=None).first()
        if under_way is not None:
            return under_way
        found = preview(problem)
        if not found.records:
            raise ValidationError("It holds nothing: there is nothing to send again.")
        replay = Replay.objects.create(
            tenant_id=problem.tenant_id,
            problem=problem,
            asked_by=by,
            why=why,
            asked_at=now,
            due_at=now,
            up_to_id=_held(problem).aggregate(last=Max("pk"))["last"],
            records=found.records,
            money=found.money,
        )
        record([_event(replay, "replay_asked", by, why, now, records=found.records, money=found.money)])
        _send_back(replay, now)
    return replay


def stop_replay(*, problem: Problem, by: str, why: str, now: datetime) -> bool:
    """Send back no more of it; what was sent back stays so. False if none was under way."""
    refuse_without(why)
    with transaction.atomic():
        replay = Replay.objects.select_for_update().filter(problem=problem, ended_at=None).first()
        if replay is None:
            return False
        Replay.objects.filter(pk=replay.pk).update(ended_at=now, stopped_by=by)
        record([_event(replay, "replay_stopped", by, why, now, done=replay.done)])
    return True


def go_on(now: datetime) -> int:
    """Send back the next set of the order that has been due for longest; how many records, 0 where none is due."""
    due = Replay.objects.filter(ended_at=None, due_at__lte=now).order_by("due_at", "pk")
    if not due.exists():
        return 0
    with transaction.atomic():
        replay = due.select_for_update(skip_locked=True).first()
        return _send_back(replay, now) if replay is not None else 0


def _send_back(replay: Replay, now: datetime) -> int:
    """One set, in the caller's transaction; it is the last where it is not full."""
    left = _held(replay.problem).filter(pk__gt=replay.after_id, pk__lte=replay.up_to_id)
    # Streams before their deliveries, as slices of delivery lock them.
    lock_streams(left.order_by().values_list("stream", flat=True).distinct())
    rows = list(left.select_for_update(of=("self",)).order_by("pk").values_list("pk", "trace_id", "code")[:AT_ONCE])
    ids = [id for id, _, _ in rows]
    due_again(ids, now=now)
    record(
        [
            NewEvent(
                tenant_id=replay.tenant_id,
                at=now,
                verb="record_replayed",
                subject_kind="sync_record",
                subject_id=str(id),
                actor=replay.asked_by,
                why=replay.why,
                trace_id=trace_id,
                data={"code": code, "replay": replay.pk},
            )
            for id, trace_id, code in rows
        ]
    )
    Replay.objects.filter(pk=replay.pk).update(
        after_id=max(ids, default=replay.after_id),
        done=F("done") + len(ids),
        due_at=now + BETWEEN,
        ended_at=None if len(ids) == AT_ONCE else now,
    )
    return len(ids)


def _held(problem: Problem) -> QuerySet[SyncRecord]:
    return SyncRecord.objects.filter(tenant_id=problem.tenant_id, problem=problem, state=State.HELD)


def _event(replay: Replay, verb: str, by: str, why: str, now: datetime, **data: object) -> NewEvent:
    return NewEvent(
        tenant_id=replay.tenant_id,
        at=now,
        verb=verb,
        subject_kind="problem",
        subject_id=str(replay.problem_id),
        actor=by,
        why=why,
        data=data,
    )
