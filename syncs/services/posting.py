"""Posting a held payment anyway: one person asks with a reason, another one confirms.

Exactly the objection that was shown is overruled, for exactly this revision of the payment: any other
one holds it again.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from audit.log import record
from connectors.records import Kind
from syncs.candidates import own_posting, own_postings
from syncs.delivery.reposts import added
from syncs.keys import fingerprint
from syncs.models import Decision, SyncRecord
from syncs.services.deliveries import act_of, locked_delivery, standing
from syncs.services.rules import due_again
from syncs.states import State

ANEW = ("posting_gone", "linked_gone")  # what stood for it stands no more, so a new one is made
OVERRULED = ("recorded_by_hand", *ANEW)


def asked_to_post(sync_record: SyncRecord) -> Decision | None:
    """What somebody has asked for about the objection that holds it now, and nobody has confirmed yet."""
    return _of(sync_record).filter(confirmed_at=None).first()


def what_holds(sync_record: SyncRecord) -> str:
    """What a person has seen who decides now: the objection to this revision of the payment."""
    return fingerprint(str(sync_record.wanted), sync_record.code, sync_record.reason)


def ask_to_post(*, sync_record: SyncRecord, seen: str, by: str, why: str, now: datetime) -> None:
    """Ask that it be posted although something objects; nothing happens before somebody else confirms it."""
    with transaction.atomic():
        locked = locked_delivery(sync_record, why)
        _refuse_what_cannot_be(locked, seen)
        if (asked := asked_to_post(locked)) is not None:
            raise ValidationError(f"{asked.decided_by} has asked for it already: somebody else confirms it.")
        Decision.objects.create(
            tenant_id=locked.tenant_id,
            sync_record=locked,
            what=Decision.What.POST,
            code=locked.code,
            reason=locked.reason,
            revision=locked.wanted,
            decided_by=by,
            why=why,
            decided_at=now,
        )
        record([act_of(locked, "post_asked", by, why, now)])


def confirm_post(*, sync_record: SyncRecord, seen: str, by: str, why: str, now: datetime) -> None:
    """Confirm what another person has asked for: it is posted next, unless something else objects."""
    with transaction.atomic():
        locked = locked_delivery(sync_record, why)
        _refuse_what_cannot_be(locked, seen)
        asked = asked_to_post(locked)
        if asked is None:
            raise ValidationError("Nobody has asked for it, or what holds the payment has changed since.")
        if asked.decided_by == by:
            raise ValidationError("You have asked for it yourself: somebody else has to confirm it.")
        Decision.objects.filter(pk=asked.pk).update(confirmed_by=by, confirmed_at=now)
        if locked.code in ANEW:
            _forget_what_stood(locked, now)
        due_again([locked.pk], now=now)
        _carry_over(locked)
        record([act_of(locked, "post_confirmed", by, why, now, asked_by=asked.decided_by)])


def _refuse_what_cannot_be(locked: SyncRecord, seen: str) -> None:
    if locked.stream.kind != Kind.PAYMENT or locked.state != State.HELD:
        raise ValidationError(f"Only a payment that is held can be posted anyway: {locked} is {standing(locked)}.")
    if locked.code not in OVERRULED:
        raise ValidationError(f"This cannot be overruled: {locked.reason}")
    if locked.code in ANEW and (ours := own_posting(locked)) is not None:
        raise ValidationError(f"{ours.remote_id}, which we posted, stands in the ERP: void or delete that first.")
    if what_holds(locked) != seen:
        raise ValidationError("What holds the payment has changed since you looked at it: look at it again.")


def _of(sync_record: SyncRecord) -> QuerySet[Decision]:
    return Decision.objects.filter(
        sync_record=sync_record,
        what=Decision.What.POST,
        revision=sync_record.wanted,
        code=sync_record.code,
        reason=sync_record.reason,
        ended_at=None,
    )


def _forget_what_stood(locked: SyncRecord, now: datetime) -> None:
    Decision.objects.filter(sync_record=locked, what=Decision.What.LINK, ended_at=None).update(ended_at=now)
    ours = own_postings(locked).values_list("remote_id", flat=True)
    SyncRecord.objects.filter(pk=locked.pk).update(
        target_id="",
        target_version="",
        taken_back=added(locked.taken_back, *ours),
        settled=0,
        settled_fingerprint="",
    )


def _carry_over(locked: SyncRecord) -> None:
    """What was overruled for this revision holds under its new number too: nothing but the number is new."""
    confirmed = Decision.objects.filter(sync_record=locked, what=Decision.What.POST, revision=locked.wanted)
    confirmed.filter(ended_at=None, confirmed_at__isnull=False).update(revision=locked.wanted + 1)
