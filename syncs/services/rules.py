"""Mappings and policies: what a person decides, from when on, and what is released by it.

A row in force is ended and a new one begins; none is ever changed. What was held for exactly this decision is due again
with a revision of its own, so that it is sent under a new request key.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from audit.log import NewEvent, record
from connectors.records import Account, Kind, Method, restore
from syncs.mapping.accounts import EVERY_OTHER
from syncs.mapping.dimensions import DIMENSIONS, REQUIRED
from syncs.mapping.policies import CHOICES, DEFAULTS
from syncs.models import Integration, Mapping, Policy, RemoteRecord, Stream, SyncRecord
from syncs.states import State
from syncs.streams import lock_streams

BANK = "bank"
LONGEST_HOLD = 250  # business days
SOURCES = (EVERY_OTHER, Method.CHECK, Method.ACH, Method.CARD)
HELD_FOR = {
    Mapping.Subject.FUNDING_ACCOUNT: "unmapped_funding_account",
    Mapping.Subject.IN_TRANSIT: "unmapped_in_transit",
    Mapping.Subject.DISCOUNT: "unmapped_discount",
    Mapping.Subject.TAX: "unmapped_tax",
}
MONEY = (Mapping.Subject.FUNDING_ACCOUNT, Mapping.Subject.IN_TRANSIT)
NEEDED = {
    **dict.fromkeys(MONEY, "payments are posted to accounts of type Bank"),
    Mapping.Subject.DISCOUNT: "discounts to an income or expense account",
    Mapping.Subject.TAX: "tax is booked on asset, liability or expense accounts without money or payables on them",
}
NOT_FOR_TAX = (BANK, "credit card", "accounts payable", "accounts receivable")
DECIDED_BY = {
    "pending_payments": ("unmapped_in_transit", "payment_not_executed"),
    "currencies": ("currency_not_paid",),
    "required_dimensions": ("dimension_missing",),
    "hold_days": (),
    "closed_period": ("period_closed",),
    "changed_applications": ("applications_changed",),
    "reversal_entry": ("reversal_refused",),
    "post_on": ("unmapped_in_transit", "payment_not_executed", "payment_not_cleared", "applications_changed"),
}


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The row that is in force now, and how many deliveries it released."""

    row: Mapping | Policy
    released: int


def _is_the_other(integration: Integration, subject: str, target: str) -> bool:
    """Whether the account is mapped for the other subject: money in transit is not on the bank account yet."""
    in_force = Mapping.objects.filter(integration=integration, subject__in=MONEY, target=target, valid_to=None)
    return subject in MONEY and in_force.exclude(subject=subject).exists()


def set_mapping(
    *, integration: Integration, subject: str, source: str, target: str, by: str, why: str, now: datetime
) -> Decided:
    """From now on this account of the ERP stands for this; ValidationError names what cannot be."""
    errors = needed(why)
    if subject not in HELD_FOR:
        errors["subject"] = f"Choose one of: {', '.join(Mapping.Subject(one).label for one in HELD_FOR)}."
    elif source not in (SOURCES if subject == Mapping.Subject.FUNDING_ACCOUNT else (EVERY_OTHER,)):
        errors["source"] = "Choose a method of payment; everything else has one account for all of them."
    if subject in HELD_FOR and (problem := _unfit(integration, subject, target)):
        errors["target"] = problem
    elif not errors and _is_the_other(integration, subject, target):
        errors["target"] = "Payments in transit need an account of their own: this one is mapped as the other already."
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        row = begin_mapping(integration, subject, source, target, by, why, now)
        cause = f"integration:{integration.pk}:{subject}:"
        waited = (
            Q(problem__cause_key=cause + source) if source != EVERY_OTHER else Q(problem__cause_key__startswith=cause)
        )
        released = release(integration, waited & Q(code=HELD_FOR[Mapping.Subject(subject)], state=State.HELD), by, now)
    return Decided(row=row, released=released)


def begin_mapping(
    integration: Integration, subject: str, source: str, target: str, by: str, why: str, now: datetime
) -> Mapping:
    """End the mapping that is in force and begin this one, in the caller's transaction."""
    _lock(integration)
    before = Mapping.objects.filter(integration=integration, subject=subject, source=source, valid_to=None)
    was = list(before.values_list("target", flat=True))
    before.update(valid_to=now)
    row = Mapping.objects.create(
        tenant_id=integration.tenant_id,
        integration=integration,
        subject=subject,
        source=source,
        target=target,
        valid_from=now,
        changed_by=by,
        why=why,
    )
    decided = {"subject": subject, "source": source, "target": target, "before": was}
    record([_event(integration, "mapping_changed", f"{subject}:{source}", by, why, now, **decided)])
    return row


def set_policy(*, integration: Integration, key: str, value: object, by: str, why: str, now: datetime) -> Decided:
    """From now on this is done where more than one thing is right; ValidationError names what cannot be."""
    errors = needed(why)
    if key not in DEFAULTS:
        errors["key"] = f"Choose one of: {', '.join(sorted(DEFAULTS))}."
    elif problem := _unfit_value(key, value):
        errors["value"] = problem
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        _lock(integration)
        before = Policy.objects.filter(integration=integration, key=key, valid_to=None)
        was = list(before.values_list("value", flat=True))
        before.update(valid_to=now)
        row = Policy.objects.create(
            tenant_id=integration.tenant_id,
            integration=integration,
            key=key,
            value=value,
            valid_from=now,
            changed_by=by,
            why=why,
        )
        record([_event(integration, "policy_changed", key, by, why, now, value=value, before=was)])
        waited = Q(code__in=DECIDED_BY[key], state__in=(State.HELD, State.OUT_OF_SCOPE, State.SYNCED))
        released = release(integration, waited, by, now)
    return Decided(row=row, released=released)


def needed(why: str) -> dict[str, str]:
    """The error for a decision without its reason."""
    return {} if why.strip() else {"why": "Say why: auditors will ask."}


def is_fit(account: Account, subject: str) -> bool:
    """Whether an account is one of those that can stand for this: money lies on a bank account, nothing else does."""
    if subject == Mapping.Subject.TAX:
        booked = account.classification in ("asset", "liability", "expense")
        return booked and account.type.lower() not in NOT_FOR_TAX
    if subject == Mapping.Subject.DISCOUNT:
        return account.classification in ("expense", "revenue")
    return account.type.lower() == BANK


def _unfit(integration: Integration, subject: str, target: str) -> str:
    """Why this account cannot stand for this."""
    known = RemoteRecord.objects.filter(
        tenant_id=integration.tenant_id, connection_id=integration.erp_id, kind=Kind.ACCOUNT, remote_id=target, gone=""
    ).first()
    if known is None:
        return f"The ERP has shown us no account {target!r}. Choose one that it has, or read the ERP again."
    account = restore(Kind.ACCOUNT, known.body)
    assert isinstance(account, Account)
    if not account.active:
        return f"{account.name} is inactive in the ERP. Make it active there, or choose another account."
    if not is_fit(account, subject):
        return f"{account.name} is of type {account.type}: {NEEDED[Mapping.Subject(subject)]} only."
    return ""


def _unfit_value(key: str, value: object) -> str:
    if key == "currencies":
        words = value if isinstance(value, list) else []
        fits = bool(words) and all(isinstance(word, str) and len(word) == 3 and word.isupper() for word in words)
        return "" if fits else "List currencies by their codes, as in USD, CAD."
    if key == REQUIRED:
        unknown = [word for word in value if word not in DIMENSIONS] if isinstance(value, list) else [str(value)]
        return f"{unknown[0]} is no dimension: choose of {', '.join(DIMENSIONS)}." if unknown else ""
    if key == "hold_days":
        fits = isinstance(value, int) and 1 <= value <= LONGEST_HOLD
        return "" if fits else f"Say how many business days: 1 to {LONGEST_HOLD}."
    if key in CHOICES:
        return "" if value in CHOICES[key] else f"Choose of {', '.join(CHOICES[key])}."
    return "" if isinstance(value, type(DEFAULTS[key])) else "Say yes or no."


def _lock(integration: Integration) -> None:
    """One decision at a time, so that two of them do not both find nothing to end."""
    Integration.objects.select_for_update().get(pk=integration.pk)


def release(integration: Integration, waited: Q, by: str, now: datetime) -> int:
    """Make these due again in the caller's transaction; their problems close once they have gone through."""
    lock_streams(integration.streams.values_list("pk", flat=True))
    ids = list(
        SyncRecord.objects.filter(waited, stream__integration=integration)
        .select_for_update(of=("self",))
        .values_list("pk", flat=True)
    )
    if not ids:
        return 0
    # What is in step by the policy of before may not be by this one.
    SyncRecord.objects.filter(pk__in=ids, state=State.SYNCED).update(settled_fingerprint="")
    due_again(ids, now=now)
    record(
        [
            NewEvent(
                tenant_id=integration.tenant_id,
                at=now,
                verb="record_released",
                subject_kind="sync_record",
                subject_id=str(id),
                actor=by,
            )
            for id in ids
        ]
    )
    return len(ids)


def due_again(ids: list[int], *, now: datetime) -> None:
    """Make locked deliveries due under a new revision, and their streams with them, in the caller's transaction."""
    SyncRecord.objects.filter(pk__in=ids).update(
        state=State.PENDING,
        wanted=F("wanted") + 1,
        attempts=0,
        next_attempt_at=now,
        code="",
        reason="",
        waiting_kind="",
        waiting_id="",
    )
    Stream.objects.filter(records__pk__in=ids).update(due_at=now)


def _event(
    integration: Integration, verb: str, what: str, by: str, why: str, now: datetime, **data: object
) -> NewEvent:
    return NewEvent(
        tenant_id=integration.tenant_id,
        at=now,
        verb=verb,
        subject_kind=verb.split("_")[0],
        subject_id=f"{what} of integration {integration.pk}",
        actor=by,
        why=why,
        data=data,
    )
