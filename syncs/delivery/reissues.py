"""Reissues: the payment that replaces another waits until that one's posting is taken back in the ERP.

Where that was done by an entry, since the books were closed, the bill stays settled: the new payment settles the entry.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection as database
from msgspec.structs import replace

from connectors.base import ids_of_pieces
from connectors.records import AnyRecord, Application, Kind, LedgerEntry, Payment, Phase, Ref, restore
from syncs.delivery.objections import discounts
from syncs.delivery.slice import Slice
from syncs.models import RemoteRecord, SyncRecord

STANDS = """
SELECT old.remote_id FROM syncs_remoterecord old
JOIN syncs_syncrecord s ON s.tenant_id = old.tenant_id AND s.stream_id = %s AND s.remote_record_id = old.id
WHERE old.tenant_id = %s AND old.connection_id = %s AND old.kind = 'payment' AND old.remote_id = ANY(%s)
  AND (s.state IN ('sending', 'in_doubt')
       OR s.target_id <> '' AND s.state <> 'ignored' AND NOT (s.state = 'synced' AND old.status = 'reversed'))
"""


def not_yet_reversed(slice_: Slice, records: Iterable[AnyRecord]) -> set[str]:
    """Of the payments that these replace, those whose posting still stands or may stand."""
    replaced = sorted({one.reissue_of for one in records if isinstance(one, Payment) and one.reissue_of})
    if not replaced:
        return set()
    with database.cursor() as cursor:
        cursor.execute(STANDS, [slice_.stream.pk, slice_.tenant_id, slice_.source.pk, replaced])
        return {remote_id for (remote_id,) in cursor.fetchall()}


@dataclass(frozen=True, kw_only=True)
class Owed:
    """The entry by which a payment was taken back, and the account on which its money lies since; empty where it never
    left the bank account."""

    entry: Ref
    account: str


def owed_on_entries(slice_: Slice, records: Iterable[AnyRecord]) -> dict[str, Owed]:
    """By the payment that is replaced, what is owed anew on an entry; it may itself have replaced the one of that."""
    found = {}
    for one in records:
        if isinstance(one, Payment) and one.reissue_of and (owed := _owed(slice_, one)):
            found[one.reissue_of] = owed
    return found


def settle_entry(payment: Payment, owed: Owed) -> Payment:
    """The payment as one of the entry, out of the money that was taken back."""
    if discounts(payment):
        return payment
    account = Ref(Kind.ACCOUNT, owed.account) if owed.account else payment.funding_account
    application = Application(target=owed.entry, gross=payment.amount, net=payment.amount)
    return replace(payment, applications=(application,), funding_account=account)


def _owed(slice_: Slice, payment: Payment) -> Owed | None:
    seen: set[str] = set()
    while payment.reissue_of and payment.reissue_of not in seen:
        seen.add(payment.reissue_of)
        before = (
            SyncRecord.objects.filter(
                tenant_id=slice_.tenant_id,
                stream=slice_.stream,
                remote_record__tenant_id=slice_.tenant_id,
                remote_record__connection=slice_.source,
                remote_record__kind=Kind.PAYMENT,
                remote_record__remote_id=payment.reissue_of,
            )
            .select_related("remote_record")
            .first()
        )
        if before is None:
            return None
        if owed := _reversed_by(slice_, ids_of_pieces(before.target_id)):
            return owed
        earlier = restore(Kind.PAYMENT, before.remote_record.body)
        assert isinstance(earlier, Payment)
        payment = earlier
    return None


def _reversed_by(slice_: Slice, pieces: list[str]) -> Owed | None:
    """The entry among the pieces of a posting that has taken it back."""
    standing = RemoteRecord.objects.filter(
        tenant_id=slice_.tenant_id,
        connection=slice_.target,
        kind__in=(Kind.PAYMENT, Kind.LEDGER_ENTRY),
        remote_id__in=pieces,
        gone="",
    )
    taken_back = [one for one in standing if one.kind == Kind.LEDGER_ENTRY and one.status == Phase.REVERSED]
    if not taken_back:
        return None
    entry = restore(Kind.LEDGER_ENTRY, taken_back[0].body)
    assert isinstance(entry, LedgerEntry)
    executed = any(one.status == Phase.EXECUTED for one in standing)
    return Owed(entry=Ref(Kind.LEDGER_ENTRY, entry.id), account=entry.debited if executed else "")
