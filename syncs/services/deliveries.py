"""Deliveries that a person decides on: sent again, ignored for good, or no longer ignored."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from audit.log import NewEvent, record
from connectors.records import Kind, Phase
from syncs.models import RemoteRecord, SyncRecord
from syncs.problems.causes import recount
from syncs.services.rules import due_again
from syncs.states import LABELS, State
from syncs.streams import lock_streams


def replay(*, sync_record: SyncRecord, by: str, why: str, now: datetime) -> None:
    """Send a held delivery again, under a new request key; its problem closes once it has gone through."""
    with transaction.atomic():
        locked = locked_delivery(sync_record, why)
        if locked.state != State.HELD:
            raise ValidationError(f"Only what is held can be sent again: {locked} is {standing(locked)}.")
        due_again([locked.pk], now=now)
        record([act_of(locked, "record_replayed", by, why, now)])


def ignore(*, sync_record: SyncRecord, by: str, why: str, now: datetime) -> None:
    """Never send it, whatever changes; refused while it may be on its way."""
    with transaction.atomic():
        locked = locked_delivery(sync_record, why)
        if locked.state in (State.SENDING, State.IN_DOUBT):
            raise ValidationError(f"{locked} is {standing(locked)}: wait until its outcome is known, then ignore it.")
        if locked.state == State.IGNORED:
            raise ValidationError(f"{locked} is ignored already.")
        if locked.state == State.SYNCED:
            raise ValidationError(f"{locked} stands on the other side: what becomes of it has to be followed.")
        if posting := _posting_of(locked):
            raise ValidationError(
                f"Our payment {posting} stands in the ERP: what becomes of this one has to be followed. "
                "Void that first, or leave the problem as it is until its facts change."
            )
        problem_id = locked.problem_id
        SyncRecord.objects.filter(pk=locked.pk).update(
            state=State.IGNORED,
            next_attempt_at=None,
            problem=None,
            code="ignored",
            reason=f"Ignored by {by}: {why}",
            waiting_kind="",
            waiting_id="",
        )
        record([act_of(locked, "record_ignored", by, why, now)])
        _tell_dependents(locked, now)
        recount([problem_id] if problem_id is not None else [], now=now)


def stop_ignoring(*, sync_record: SyncRecord, by: str, why: str, now: datetime) -> None:
    """Deliver it again like any other."""
    with transaction.atomic():
        locked = locked_delivery(sync_record, why)
        if locked.state != State.IGNORED:
            raise ValidationError(f"{locked} is not ignored: it is {standing(locked)}.")
        due_again([locked.pk], now=now)
        record([act_of(locked, "record_unignored", by, why, now)])
        _tell_dependents(locked, now)


def locked_delivery(sync_record: SyncRecord, why: str) -> SyncRecord:
    """The delivery, locked in the caller's transaction; ValidationError where nobody says why."""
    if not why.strip():
        raise ValidationError({"why": "Say why: it stays in the record's history."})
    lock_streams(sync_record.stream.integration.streams.values_list("pk", flat=True))
    return (
        SyncRecord.objects.select_for_update(of=("self",))
        .select_related("remote_record", "stream__integration")
        .get(pk=sync_record.pk)
    )


def _posting_of(locked: SyncRecord) -> str:
    """The ERP's payment that is ours and stands for this one, if any."""
    if locked.stream.kind != Kind.PAYMENT:
        return ""
    ours = RemoteRecord.objects.filter(
        tenant_id=locked.tenant_id,
        connection_id=locked.stream.integration.erp_id,
        kind=Kind.PAYMENT,
        key=locked.record_key,
        gone="",
    )
    return ours.exclude(status=Phase.REVERSED).values_list("remote_id", flat=True).first() or ""


def _tell_dependents(locked: SyncRecord, now: datetime) -> None:
    """Let what waited for this one, or was held for its absence, find out anew where it stands."""
    concerned = Q(state=State.WAITING) | Q(state=State.HELD, code="reference_left_out")
    ids = list(
        SyncRecord.objects.select_for_update(of=("self",))
        .filter(
            concerned,
            tenant_id=locked.tenant_id,
            stream__integration_id=locked.stream.integration_id,
            waiting_kind=locked.remote_record.kind,
            waiting_id=locked.remote_record.remote_id,
        )
        .values_list("pk", flat=True)
    )
    due_again(ids, now=now)


def standing(sync_record: SyncRecord) -> str:
    """Where it stands, in words."""
    return LABELS[State(sync_record.state)]


def act_of(locked: SyncRecord, verb: str, by: str, why: str, now: datetime, **more: object) -> NewEvent:
    """The event of a person's act on it."""
    return NewEvent(
        tenant_id=locked.tenant_id,
        at=now,
        verb=verb,
        subject_kind="sync_record",
        subject_id=str(locked.pk),
        actor=by,
        why=why,
        trace_id=locked.trace_id,
        data={"state": locked.state, "code": locked.code, "reason": locked.reason, "revision": locked.wanted, **more},
    )
