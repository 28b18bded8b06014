"""What a posting rests on: the bills and credits that it settles as the ERP shows them now, and what they carry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from connectors.base import PAID_ON, Action, ids_of_pieces
from connectors.conversation import Conversation, Steps, fetching
from connectors.records import AnyRecord, Kind, LedgerEntry, Payable, Payment, Phase, Ref
from syncs.delivery.decided import NONE, Overruled, not_ours_but_linked, overruled
from syncs.delivery.merged import NOBODY, Document, Former, fetch_former, last_sent
from syncs.delivery.objections import PAYEE_DIFFERS, Objection, as_bill, objection
from syncs.delivery.planned import Planned
from syncs.delivery.slice import Slice
from syncs.models import SyncRecord
from syncs.states import State


@dataclass(kw_only=True)
class Open:
    """The bills and credits that a set settles, as the ERP shows them less what is cleared already; what they carry;
    who was paid and is not their vendor now."""

    bills: dict[str, AnyRecord]
    carried: dict[str, AnyRecord]
    being_posted: set[str] = field(default_factory=set)
    overruled: Mapping[int, Overruled] = field(default_factory=dict)
    former: Former = NOBODY
    proved: Collection[str] = ()  # bills whose vendor took over the one that was paid

    def without(self, posting: Payment) -> "Open":
        """What is open once this posting is taken back."""
        after = replace(self, bills=dict(self.bills), carried=dict(self.carried))
        give_back(after, posting)
        return after


def fetch_open(slice_: Slice, settling: Sequence[Planned]) -> Steps[Open]:
    """The steps to what these payments settle, as the ERP shows it now."""
    wanted = {application.target for one in settling for application in payment_of(one).applications}
    bills: dict[str, AnyRecord] = {}
    for kind in (Kind.BILL, Kind.CREDIT, Kind.LEDGER_ENTRY):
        ids = sorted({target.id for target in wanted if target.kind is kind})
        bills |= yield from fetched(slice_.talk, kind, ids)
    yield "bills fetched"
    carried = yield from fetched(slice_.talk, Kind.PAYMENT, settlements(bills))
    yield "payments on the bills fetched"
    bills |= {id: as_bill(one, carried) for id, one in bills.items() if isinstance(one, LedgerEntry)}
    linked = not_ours_but_linked(slice_, carried)
    carried |= {id: _as_ours(one) for id, one in carried.items() if id in linked}
    former = yield from _fetch_payees(slice_, settling, bills)
    return Open(
        bills=bills,
        carried=carried,
        overruled=overruled(slice_, [one.claim for one in settling]),
        former=former,
        proved=_proved(slice_, former, bills) if former.asked else (),
    )


def _fetch_payees(slice_: Slice, settling: Sequence[Planned], bills: Mapping[str, AnyRecord]) -> Steps[Former]:
    """The steps to the vendors that were paid and whose bills are another's now."""
    paid = [(_payee(payment_of(one)), _vendors(payment_of(one), bills)) for one in settling]
    others = {payee for payee, vendors in paid if vendors - {payee}}
    named = {vendor for _, vendors in paid for vendor in vendors}
    return (yield from fetch_former(slice_.target, others, named, slice_.talk.call)) if others else NOBODY


def _proved(slice_: Slice, former: Former, bills: Mapping[str, AnyRecord]) -> set[str]:
    """The bills whose vendor took over one that was paid: surely merged, by what the network took of the bill; or the
    bill's own delivery went on with it, or a person said that it may."""
    rows = SyncRecord.objects.filter(
        tenant_id=slice_.tenant_id,
        stream__integration=slice_.integration,
        stream__kind__in=(Kind.BILL, Kind.CREDIT),
        remote_record__tenant_id=slice_.tenant_id,
        remote_record__connection=slice_.target,
        remote_record__kind__in=(Kind.BILL, Kind.CREDIT),
        remote_record__remote_id__in=list(bills),
    )
    sent = {id: row for id, *row in rows.values_list("remote_record__remote_id", "state", "settled_fingerprint")}
    proved = set()
    for id, bill in bills.items():
        if not isinstance(bill, Document):
            continue
        state, settled = sent.get(id, ("", ""))
        before = last_sent(slice_.target, bill, settled) if settled else None
        decided = state == State.IGNORED or before is not None and before.vendor == bill.vendor
        if decided or any(former.is_merged(old, bill.vendor, before, bill) for old in former.asked):
            proved.add(id)
    return proved


def to_present_payee(one: Planned, open_: Open) -> Planned:
    """The payment to the vendor that all its bills are of now, where its own was merged into that one."""
    payment = payment_of(one)
    payee, vendors = _payee(payment), _vendors(payment, open_.bills)
    if len(vendors) != 1 or not open_.former.may_be_merged(payee, *vendors):
        return one
    if not all(application.target.id in open_.proved for application in payment.applications):
        return one
    return to_payee(one, *vendors)


def to_payee(one: Planned, vendor: Ref) -> Planned:
    """The same payment to this vendor."""
    return _with(one, msgspec.structs.replace(payment_of(one), vendor=vendor))


def as_it_stands(one: Planned, posting: AnyRecord | None, closed: Collection[str]) -> Planned:
    """A change of a posting says the vendor that it has now, who may have been merged into another since. So may the
    account of an executed one: where that is closed, its own account is the one on which it stands."""
    if one.write.action is not Action.UPDATE or not isinstance(posting, Payment):
        return one
    payment = msgspec.structs.replace(payment_of(one), vendor=posting.vendor)
    executed = payment.phase is Phase.EXECUTED and posting.phase is Phase.EXECUTED
    if executed and payment.funding_account is not None and payment.funding_account.id in closed:
        payment = msgspec.structs.replace(payment, funding_account=posting.funding_account)
    return _with(one, payment)


def accounts_of(planned: Sequence[Planned]) -> list[str]:
    """The accounts that these payments are posted on."""
    accounts = [payment_of(one).funding_account for one in planned]
    return [account.id for account in accounts if account is not None]


def _with(one: Planned, payment: Payment) -> Planned:
    return replace(one, write=replace(one.write, record=payment))


def _payee(payment: Payment) -> Ref:
    return Ref(Kind.VENDOR, payment.vendor.id)


def _vendors(payment: Payment, bills: Mapping[str, AnyRecord]) -> set[Ref]:
    found = (bills.get(application.target.id) for application in payment.applications)
    return {bill.vendor for bill in found if isinstance(bill, Payable)}


def _as_ours(payment: AnyRecord) -> AnyRecord:
    """A payment of the ERP that a person linked: it objects to no other, as ours do not."""
    return msgspec.structs.replace(payment, mark="linked") if isinstance(payment, Payment) else payment


def objection_to(one: Planned, open_: Open) -> Objection | None:
    """The first objection to posting this payment that nobody has overruled."""
    allowed, payment = open_.overruled.get(one.claim.id, NONE), _as_paid(one)
    found = objection(payment, open_.bills, open_.carried, open_.being_posted, allowed)
    if found is None or found.code != PAYEE_DIFFERS:
        return found
    names = " and ".join(sorted(open_.former.name(vendor) for vendor in _vendors(payment, open_.bills)))
    reason = f"{open_.former.name(_payee(payment))} was paid; in the ERP the bills are of {names} now."
    return replace(found, reason=reason)


def give_back(open_: Open, posting: Payment) -> None:
    """What a posting settles now is open again for where it goes, and it is no other payment to itself."""
    for id in ids_of_pieces(posting.id):
        open_.carried.pop(id, None)
    for target, gross in posting.settles.items():
        bill = open_.bills.get(target.id)
        if isinstance(bill, Payable):
            open_.bills[target.id] = msgspec.structs.replace(bill, balance=bill.balance + abs(gross))


def settlements(bills: dict[str, AnyRecord]) -> list[str]:
    """The payments that these bills carry."""
    settled = [bill for bill in bills.values() if isinstance(bill, Payable | LedgerEntry)]
    return sorted({one for bill in settled for one in bill.settlements})


def fetched(talk: Conversation, kind: Kind, ids: Sequence[str]) -> Steps[dict[str, AnyRecord]]:
    """The steps to these records as the other side shows them now, by id; what is not there is left out."""
    return (yield from talk.call(fetching(kind, ids))) if ids else {}


def payment_of(one: Planned) -> Payment:
    """The payment that is planned, in the ids of the ERP."""
    assert isinstance(one.write.record, Payment)
    return one.write.record


def _as_paid(one: Planned) -> Payment:
    """The payment with the day on which it was paid, as somebody who entered it by hand would have it."""
    day = one.write.context.get(PAID_ON)
    return msgspec.structs.replace(payment_of(one), date=date.fromisoformat(day)) if day else payment_of(one)
