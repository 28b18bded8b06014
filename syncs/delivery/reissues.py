"""Reissues: the payment that replaces one which an entry has taken back settles that entry.

The books were closed for the first one's posting, so its bill stays settled.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from connectors.base import ids_of_pieces
from connectors.records import AnyRecord, Application, Kind, LedgerEntry, Payment, Phase, Ref, restore
from syncs.delivery.slice import Slice
from syncs.models import RemoteRecord, SyncRecord


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
        if isinstance(one, Payment) and one.reissue_of and (taken_back := taken_back_by_entry(slice_, one)):
            _, found[one.reissue_of] = taken_back
    return found


def settle_entry(payment: Payment, owed: Owed) -> Payment:
    """The payment as one of the entry, out of the money that was taken back."""
    if payment.discounts:
        return payment
    account = Ref(Kind.ACCOUNT, owed.account) if owed.account else payment.funding_account
    application = Application(target=owed.entry, gross=payment.amount, net=payment.amount)
    return replace(payment, applications=(application,), funding_account=account)


def taken_back_by_entry(slice_: Slice, payment: Payment) -> tuple[SyncRecord, Owed] | None:
    """The last of the payments before this one that an entry has taken back, and what is owed on that."""
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
            return before, owed
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
