"""What a person links: a payment to one that stands in the ERP, an invoice to its bill, a vendor to one that is there.

Nothing is written by a link itself. What it explains is looked at again; what waited for it is due again.
"""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.log import record
from connectors.records import Kind
from syncs.candidates import own_posting, payments_to_link, unknown_invoices, unsent_bills, vendors_to_link
from syncs.delivery.linked import money_of, version_of
from syncs.models import Decision, RemoteRecord, SyncRecord
from syncs.paid_bills import bills_paid, payment_of
from syncs.problems.causes import recount
from syncs.services.deliveries import act_of, locked_delivery, standing
from syncs.services.rules import due_again
from syncs.states import State


def link(*, sync_record: SyncRecord, target_id: str, by: str, why: str, now: datetime) -> None:
    """A held payment of the network is this payment of the ERP, which is not ours: it is never posted nor touched."""
    with transaction.atomic():
        locked = _held(sync_record, Kind.PAYMENT, why)
        if (ours := own_posting(locked)) is not None:
            raise ValidationError(f"We posted it, and {ours.remote_id} stands in the ERP: void or delete that first.")
        [there] = _chosen(payments_to_link(locked), target_id, "payment of its bills in the ERP")
        problem_id, bills = locked.problem_id, list(bills_paid(locked).values())
        _end(locked, Decision.What.LINK, now)
        decided = {"target_id": target_id, "bills": [bill.remote_id for bill in bills]}
        _decide(locked, Decision.What.LINK, by, why, now, money=money_of(payment_of(locked)), **decided)
        SyncRecord.objects.filter(pk=locked.pk).update(
            state=State.SYNCED,
            target_id=target_id,
            target_version=version_of(there),
            settled=locked.wanted,
            settled_fingerprint=locked.wanted_fingerprint,
            synced_at=now,
            next_attempt_at=None,
            problem=None,
            code="linked",
            reason=f"Linked by {by} to payment {target_id} of the ERP, which is not ours: {why}",
            waiting_kind="",
            waiting_id="",
        )
        record([act_of(locked, "record_linked", by, why, now, target=target_id)])
        recount([problem_id] if problem_id is not None else [], now=now)
        _look_again_at(locked, bills, now)


def link_invoice(*, sync_record: SyncRecord, invoice_id: str, target_id: str, by: str, why: str, now: datetime) -> None:
    """An invoice that a held payment names, and that nobody knows, is this bill: the payment can be posted on it."""
    with transaction.atomic():
        locked = _held(sync_record, Kind.PAYMENT, why)
        if invoice_id not in {one.target.id for one in unknown_invoices(locked)}:
            raise ValidationError("The payment names no such invoice that is unknown.")
        [bill] = _chosen(unsent_bills(locked, invoice_id), target_id, "bill of its vendor that is not at the network")
        _decide(locked, Decision.What.BILL, by, why, now, source_id=invoice_id, target_id=target_id)
        _do_not_send(locked, bill, f"It is invoice {invoice_id} at the AP network, said {by}: {why}", now)
        waiting = SyncRecord.objects.select_for_update(of=("self",)).filter(
            tenant_id=locked.tenant_id, stream_id=locked.stream_id, state=State.HELD, waiting_id=invoice_id
        )
        due_again([*waiting.values_list("pk", flat=True), locked.pk], now=now)
        record([act_of(locked, "record_linked", by, why, now, invoice=invoice_id, bill=target_id)])


def link_vendor(*, sync_record: SyncRecord, target_id: str, by: str, why: str, now: datetime) -> None:
    """A held vendor is this one that the network has already: it is sent as a change of that one."""
    with transaction.atomic():
        locked = _held(sync_record, Kind.VENDOR, why)
        _chosen(vendors_to_link(locked), target_id, "vendor at the network that is nobody else's")
        _end(locked, Decision.What.VENDOR, now)
        _decide(locked, Decision.What.VENDOR, by, why, now, target_id=target_id)
        due_again([locked.pk], now=now)
        record([act_of(locked, "record_linked", by, why, now, target=target_id)])


def _held(sync_record: SyncRecord, kind: Kind, why: str) -> SyncRecord:
    locked = locked_delivery(sync_record, why)
    if locked.stream.kind != kind:
        raise ValidationError(f"Only a {kind} can be linked like this.")
    if locked.state != State.HELD:
        raise ValidationError(f"Only what is held can be linked: {locked} is {standing(locked)}.")
    return locked


def _chosen(candidates: Iterable[RemoteRecord], target_id: str, what: str) -> list[RemoteRecord]:
    found = [one for one in candidates if one.remote_id == target_id]
    if not found:
        raise ValidationError({"target_id": f"Choose a {what}: there is none {target_id!r} now."})
    return found[:1]


def _end(locked: SyncRecord, what: Decision.What, now: datetime) -> None:
    Decision.objects.filter(sync_record=locked, what=what, ended_at=None).update(ended_at=now)


def _decide(locked: SyncRecord, what: Decision.What, by: str, why: str, now: datetime, **details: object) -> None:
    Decision.objects.create(
        tenant_id=locked.tenant_id,
        sync_record=locked,
        what=what,
        decided_by=by,
        why=why,
        decided_at=now,
        **details,
    )


def _do_not_send(locked: SyncRecord, bill: RemoteRecord, reason: str, now: datetime) -> None:
    """The bill is at the network already, under an invoice that we have not made: it is not sent a second time."""
    unsent = SyncRecord.objects.select_for_update(of=("self",)).filter(
        remote_record=bill, stream__integration_id=locked.stream.integration_id, target_id=""
    )
    for delivery in unsent.exclude(state__in=(State.SENDING, State.IN_DOUBT)):
        SyncRecord.objects.filter(pk=delivery.pk).update(
            state=State.IGNORED, next_attempt_at=None, problem=None, code="ignored", reason=reason
        )
        recount([delivery.problem_id] if delivery.problem_id is not None else [], now=now)


def _look_again_at(locked: SyncRecord, bills: Iterable[RemoteRecord], now: datetime) -> None:
    """What was held since somebody else had settled the bill is ruled on anew: the link explains it."""
    held = SyncRecord.objects.select_for_update(of=("self",)).filter(
        remote_record__in=list(bills),
        stream__integration_id=locked.stream.integration_id,
        state=State.HELD,
    )
    due_again(list(held.exclude(target_id="").values_list("pk", flat=True)), now=now)
