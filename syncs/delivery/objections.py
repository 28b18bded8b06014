"""Why a payment must not be posted on these bills. Pure: what the ERP shows at this moment in, an objection out."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from connectors.records import AnyRecord, Bill, Kind, LedgerEntry, Payable, Payment, Phase, Ref

PAYEE_DIFFERS = "payee_differs"
LOOKS_ALIKE_WITHIN = timedelta(days=10)


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Why not; `clears` says that it may clear by itself: an earlier posting of ours is still to be taken back, `final`
    that nobody can overrule it."""

    code: str
    reason: str
    clears: bool = False
    final: bool = False


def objection(
    payment: Payment,
    bills: Mapping[str, AnyRecord],
    on_bills: Mapping[str, AnyRecord],
    being_posted: Collection[str] = (),
    overruled: Collection[tuple[str, str]] = (),
) -> Objection | None:
    """The first objection to posting this payment that nobody has overruled, by its code and reason.

    `on_bills` are the payments that the bills carry; of the bills in `being_posted` an earlier payment of the same set
    is about to take its part, which their balances here lack already.
    """
    found = _objections(payment, bills, on_bills, being_posted)
    return next((one for one in found if one.final or (one.code, one.reason) not in overruled), None)


def _objections(
    payment: Payment,
    bills: Mapping[str, AnyRecord],
    on_bills: Mapping[str, AnyRecord],
    being_posted: Collection[str],
) -> Iterator[Objection]:
    accounts = set()
    for target, gross in payment.settles.items():
        bill_id = target.id
        bill = bills.get(bill_id)
        if not isinstance(bill, Payable):
            yield replace(_by_hand(f"Bill or credit {bill_id} is not in the ERP any more."), final=True)
            return
        what = "Bill" if isinstance(bill, Bill) else "Credit"
        accounts.add((bill.vendor.id, bill.currency))
        others = [other for id in bill.settlements if isinstance(other := on_bills.get(id), Payment)]
        for other in others:
            if not other.mark and _looks_alike(payment, other):
                yield _by_hand(
                    f"{what} {bill.number} carries a payment of {other.amount} on {other.date} with reference "
                    f"{other.reference or 'none'}, which is not ours."
                )
        if bill.balance < abs(gross):
            short = f"{what} {bill.number} is open with {bill.balance}, the payment settles {abs(gross)}."
            ours = any(other.mark and other.phase is not Phase.REVERSED for other in others)
            if ours or bill_id in being_posted:
                reason = f"{short} Ours still stands on it."
                yield Objection(code="earlier_posting_stands", reason=reason, clears=True, final=True)
            else:
                yield _by_hand(short)
    if len(accounts) > 1:
        reason = "Its bills differ in vendor or currency."
        yield Objection(code="payment_several_accounts", reason=reason, final=True)
    elif {vendor for vendor, _ in accounts} != {payment.vendor.id}:
        reason = "Its bills are of another vendor than was paid."
        yield Objection(code=PAYEE_DIFFERS, reason=reason, final=True)


def as_bill(entry: LedgerEntry, on_it: Mapping[str, AnyRecord]) -> AnyRecord:
    """What an entry of ours owes a vendor, as a bill would: a payment that is made anew settles it."""
    owed = next((posting for posting in entry.postings if posting.party), None)
    if owed is None or owed.party is None:
        return entry
    standing = [one for one in on_it.values() if isinstance(one, Payment) and one.phase is not Phase.REVERSED]
    itself = Ref(Kind.LEDGER_ENTRY, entry.id)
    return Bill(
        id=entry.id,
        number=entry.number,
        vendor=owed.party,
        date=entry.date,
        currency=entry.currency,
        amount=owed.amount,
        balance=owed.amount - sum((one.settles.get(itself, Decimal(0)) for one in standing), Decimal(0)),
        ap_account=owed.account,
        settlements=entry.settlements,
    )


def is_same_posting(sent: Payment, stands: Payment) -> bool:
    """Whether what stands settles what was sent: the money, its date and account, and which bills it settles."""
    same_date = sent.date in (None, stands.date)
    return same_date and _money(sent) == _money(stands) and takes(sent) == takes(stands)


def _money(payment: Payment) -> tuple[object, ...]:
    account = payment.funding_account.id if payment.funding_account else ""
    return payment.amount, payment.currency, payment.phase, account


def takes(payment: Payment) -> tuple[dict[Ref, Decimal], dict[str, Decimal]]:
    """Which bills a payment settles, and which discounts it takes on them."""
    return payment.settles, payment.discounts


def _looks_alike(payment: Payment, other: Payment) -> bool:
    """Whether somebody may have entered this very payment: the same reference, or the same amount within ten days."""
    if other.phase is Phase.REVERSED:
        return False
    if payment.reference and payment.reference == other.reference:
        return True
    near = payment.date is None or other.date is None or abs(payment.date - other.date) <= LOOKS_ALIKE_WITHIN
    return payment.amount == other.amount and near


def _by_hand(reason: str) -> Objection:
    return Objection(code="recorded_by_hand", reason=reason)
