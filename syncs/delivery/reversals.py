"""Reversals that come first: a payment that replaces another waits until that one's posting is taken back in the ERP.

If it is refunded later, so is the one that it replaces. Where that was taken back by an entry, the money lies in
transit, and the entry brings it back to the bank account as soon as nothing of the later one stands any more.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from django.db import connection as database
from msgspec import structs

from connectors.base import JOINT
from connectors.records import Kind, Payment, Phase, restore
from syncs.delivery.flows import delivery_fingerprint
from syncs.delivery.planned import Claim
from syncs.delivery.reissues import taken_back_by_entry
from syncs.delivery.resolve import Missing
from syncs.delivery.slice import Slice
from syncs.models import Application, SyncRecord
from syncs.states import State, stays_held

STANDS = """
SELECT old.remote_id FROM syncs_remoterecord old
JOIN syncs_syncrecord s ON s.tenant_id = old.tenant_id AND s.stream_id = %s AND s.remote_record_id = old.id
WHERE old.tenant_id = %s AND old.connection_id = %s AND old.kind = 'payment' AND old.remote_id = ANY(%s)
  AND (s.state IN ('sending', 'in_doubt')
       OR s.target_id <> '' AND s.state <> 'ignored' AND NOT (s.state = 'synced' AND old.status = 'reversed'))
"""
WANT_REFUNDED = f"""
UPDATE syncs_syncrecord s SET wanted = s.wanted + 1, wanted_fingerprint = %(fingerprint)s, attempts = 0,
    state = CASE WHEN s.state IN ('sending', 'in_doubt', 'ignored') OR {stays_held("s")} THEN s.state
        ELSE 'pending' END,
    next_attempt_at = CASE WHEN s.state IN ('sending', 'in_doubt', 'ignored') THEN s.next_attempt_at ELSE %(now)s END
WHERE s.id = %(id)s AND s.wanted_fingerprint <> %(fingerprint)s
"""


def not_yet_reversed(slice_: Slice, claims: Iterable[Claim]) -> set[str]:
    """Of the payments that have to be taken back before these, those whose posting still stands or may stand."""
    first = sorted({_first(one) for one in claims} - {""})
    if not first:
        return set()
    with database.cursor() as cursor:
        cursor.execute(STANDS, [slice_.stream.pk, slice_.tenant_id, slice_.source.pk, first])
        return {remote_id for (remote_id,) in cursor.fetchall()}


def reversal_first(one: Claim, standing: Collection[str]) -> Missing | None:
    """The payment whose posting is to be taken back before this one is written, where it stands."""
    first = _first(one)
    if first not in standing:
        return None
    how = "was replaced by" if one.refunded_by else "replaces"
    reason = f"It {how} payment {first}, whose posting is still to be voided in the ERP."
    return Missing(kind=Kind.PAYMENT, id=first, code="reversal_first", waits=True, reason=reason)


def as_refunded(slice_: Slice, claims: Sequence[Claim]) -> list[Claim]:
    """The claims; one that an entry took back is refunded where the last payment that replaced it was."""
    return [_as_refunded(slice_, one) if _has_money_elsewhere(one) else one for one in claims]


def want_refunded(slice_: Slice, claims: Iterable[Claim]) -> None:
    """Make due what an entry took back and one of these, which is refunded, has replaced; in the caller's transaction,
    which has locked the stream."""
    for one in claims:
        payment = one.record
        if not isinstance(payment, Payment) or not payment.refunded or not payment.reissue_of:
            continue
        if (taken_back := taken_back_by_entry(slice_, payment)) is None:
            continue
        replaced, _ = taken_back
        refunded = structs.replace(_payment(replaced), refunded=True)
        wanted = delivery_fingerprint(refunded, gone=bool(replaced.remote_record.gone))
        with database.cursor() as cursor:
            cursor.execute(WANT_REFUNDED, {"fingerprint": wanted, "now": slice_.now(), "id": replaced.pk})


def _first(one: Claim) -> str:
    """The payment that has to be taken back before this one is written; empty if none has."""
    if one.refunded_by or one.target_id or not isinstance(one.record, Payment):
        return one.refunded_by
    return one.record.reissue_of


def _has_money_elsewhere(one: Claim) -> bool:
    """Whether an entry stands beside what was taken back, and the payment itself was not refunded."""
    payment = one.record
    taken_back = isinstance(payment, Payment) and payment.phase is Phase.REVERSED and not payment.refunded
    return taken_back and JOINT in one.target_id


def _as_refunded(slice_: Slice, one: Claim) -> Claim:
    assert isinstance(one.record, Payment)
    last, replaced_by = one.record, _replacements(slice_, one.record)
    while (later := replaced_by.pop(last.id, None)) is not None:
        last = later
    return (
        replace(one, record=structs.replace(one.record, refunded=True), refunded_by=last.id) if last.refunded else one
    )


def _replacements(slice_: Slice, payment: Payment) -> dict[str, Payment]:
    """The payments of the same bills that were taken back and had replaced another, by that one's id. One that a person
    ignores is that person's matter."""
    on_bills = Application.objects.filter(
        tenant_id=slice_.tenant_id,
        connection=slice_.source,
        target_kind__in=(Kind.BILL, Kind.CREDIT),
        target_id__in=[part.target.id for part in payment.applications],
    )
    rows = SyncRecord.objects.filter(
        tenant_id=slice_.tenant_id,
        stream=slice_.stream,
        remote_record__in=on_bills.values("payment_id"),
        remote_record__status=Phase.REVERSED,
    )
    others = [_payment(one) for one in rows.exclude(state=State.IGNORED).select_related("remote_record")]
    return {one.reissue_of: one for one in others if one.reissue_of}


def _payment(delivery: SyncRecord) -> Payment:
    payment = restore(Kind.PAYMENT, delivery.remote_record.body)
    assert isinstance(payment, Payment)
    return payment
