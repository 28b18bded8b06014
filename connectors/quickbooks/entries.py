"""Journal entries of ours: what a payment still needs where the books are closed for its bill payment. Pure.

Two may stand beside a bill payment, each with a number and a mark of its own. The *execution* moves its amount from
payments in transit to the bank account; the *reversal* takes it back, so that its vendor is owed again. Their ids and
versions are joined to those of the bill payment, and what stands is shown as one payment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import structs

from connectors.base import IN_TRANSIT, JOINT, REVERSED_ON, Action, Link, Receipt, Write, ids_of_pieces
from connectors.quickbooks import memo, parts, posting
from connectors.quickbooks.memo import EXECUTION, REVERSAL
from connectors.quickbooks.values import prefixed
from connectors.records import Kind, LedgerEntry, Payment, Phase

ENTITY = "JournalEntry"
NOT_OURS = ""  # what somebody made of an entry of ours whose memo no longer says what it is
NUMBERS = {EXECUTION: "EXE", REVERSAL: "REV"}
REFUSALS = {EXECUTION: ("period_closed", "matched_in_bank_feed"), REVERSAL: ("period_closed",)}

Made = Mapping[str, LedgerEntry]  # by what each of them is


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One entry as it is to stand; an AP account that is credited names the vendor and, in words, the bills."""

    piece: str
    date: date
    note: str
    amount: Decimal
    currency: str
    debit: str
    credit: str = ""
    vendor: str = ""
    words: str = ""

    def stands_as(self, entry: LedgerEntry) -> bool:
        """Whether this entry says and moves what is wanted; its day stays, and so does the AP account."""
        credit = entry.credited if self.piece == REVERSAL else self.credit
        moved = {(one.account.id, one.amount) for one in entry.postings}
        return memo.ours(entry.memo) == self.note and moved == {(self.debit, -self.amount), (credit, self.amount)}


def is_entry(id: str) -> bool:
    """Whether this piece of a joined id is one of our entries."""
    return id.startswith(prefixed(ENTITY, ""))


def id_there(id: str) -> str:
    """The id of one of our entries as QuickBooks knows it."""
    return id.removeprefix(prefixed(ENTITY, ""))


def ids_known(write: Write) -> list[str]:
    """The ids of the entries that this write is linked to."""
    return [id for id in ids_of_pieces(write.link.id) if is_entry(id)] if write.link else []


def number(record_key: str, piece: str) -> str:
    """By what an entry is found; short of the thirteen digits that a card number has at least."""
    return f"{NUMBERS[piece]}-{record_key[:12]}"


def without_entries(write: Write) -> Write:
    """The write with the link to the bill payment alone."""
    if write.link is None or not ids_known(write):
        return write
    pieces = zip(write.link.id.split(JOINT), write.link.version.split(JOINT), strict=False)
    kept = [(id, version) for id, version in pieces if not is_entry(id)]
    id, version = (JOINT.join(one) for one in zip(*kept, strict=True))
    return replace(write, link=Link(id=id, version=version))


def join(payment: Payment, entries: Iterable[LedgerEntry]) -> Payment:
    """What a bill payment and its entries are together."""
    made = by_piece(entries)
    if execution := made.get(EXECUTION):
        note = memo.read(execution.memo)
        payment = structs.replace(
            payment,
            phase=Phase.REVERSED if payment.phase is Phase.REVERSED else Phase.EXECUTED,
            funding_account=next(one.account for one in execution.postings if one.amount > 0),
            date=execution.date,
            reference=note.reference,
            cleared_date=note.cleared_date,
            batch=note.batch,
        )
    if REVERSAL in made:
        payment = structs.replace(payment, phase=Phase.REVERSED)
    return structs.replace(
        payment,
        id=JOINT.join([payment.id, *(one.id for one in made.values())]),
        version=JOINT.join([payment.version, *(one.version for one in made.values())]),
    )


def whole(id: str, payments: Mapping[str, Payment], entries: Mapping[str, LedgerEntry]) -> Payment | None:
    """The payment of this joined id, None if nothing of it is there; no longer ours if an entry of it is gone, or
    does not say or do any more what it is there for."""
    ids = [one for one in ids_of_pieces(id) if is_entry(one)]
    payment = payments.get(id.split(JOINT)[0])
    if not ids or payment is None:
        return parts.whole(id, payments)
    made = by_piece(one for id in ids if (one := entries.get(id)) and _is_of(payment, one))
    shown = join(payment, made.values())
    return shown if len(made) == len(ids) else structs.replace(shown, id=id, mark="")


def _is_of(payment: Payment, entry: LedgerEntry) -> bool:
    """Whether this entry is marked as one of the payment and moves its amount, an execution out of its account."""
    mark, _, piece = entry.key.partition("/")
    moved = sorted((one.amount, one.account.id) for one in entry.postings)
    paid_from = payment.funding_account.id if payment.funding_account else ""
    as_made = [amount for amount, _ in moved] == [-payment.amount, payment.amount]
    return mark == payment.mark and as_made and (piece == REVERSAL or moved[0][1] == paid_from)


def receipt_of(payment: Payment, made: Made) -> Receipt:
    """The receipt of a bill payment with its entries."""
    shown = join(payment, made.values())
    return Receipt(
        id=shown.id,
        version=shown.version,
        record=shown,
        pieces=[payment, *by_piece(made.values()).values()],
    )


def by_piece(entries: Iterable[LedgerEntry]) -> dict[str, LedgerEntry]:
    """These entries by what each of them is, in the order of their ids in a joined one."""
    pieces = {one.key.partition("/")[2]: one for one in entries}
    return {piece: pieces[piece] for piece in NUMBERS if piece in pieces}


def wanted(write: Write, asked: Payment, stands: Payment, made: Made, **told: str) -> Wanted | None:
    """The entry that this write asks for beside the bill payment that stands; None where none may be made."""
    is_void = write.action is Action.VOID
    found = _reversal(write, asked, stands, made) if is_void else _execution(write, asked, stands, made)
    if found is None:
        return None
    day, debit, credit = found
    piece = REVERSAL if is_void else EXECUTION
    return Wanted(
        piece=piece,
        date=day,
        note=memo.write(asked, piece=piece, **told),
        amount=stands.amount,
        currency=stands.currency,
        debit=debit,
        credit=credit,
        vendor=stands.vendor.id if is_void else "",
    )


def _execution(write: Write, asked: Payment, stands: Payment, made: Made) -> tuple[date, str, str] | None:
    """The day, and the accounts that are debited and credited: nothing but that the money has left the bank account."""
    day = made[EXECUTION].date if EXECUTION in made else asked.date
    if day is None or stands.funding_account is None or asked.funding_account is None:
        return None
    same = structs.replace(asked, phase=Phase.PENDING, funding_account=stands.funding_account, date=stands.date)
    if EXECUTION not in made and posting.differences(same, stands, write.record_key):
        return None
    return day, stands.funding_account.id, asked.funding_account.id


def _reversal(write: Write, asked: Payment, stands: Payment, made: Made) -> tuple[date, str, str] | None:
    """The same for what is owed again; the AP account is that of the bills. A discount is not taken back like this, and
    neither is what an entry is paid by."""
    allowed = write.context.get(REVERSED_ON, "")
    day = made[REVERSAL].date if REVERSAL in made else date.fromisoformat(allowed) if allowed else None
    debit = _given_back_to(write, asked, stands, made)
    on_bills = all(one.target.kind in (Kind.BILL, Kind.CREDIT) and not one.discount for one in stands.applications)
    return (day, debit, "") if day and debit and on_bills and stands.amount else None


def encode(wanted: Wanted, record_key: str, standing: LedgerEntry | None) -> dict[str, Any]:
    """The journal entry to create, or to put in the place of the one that stands; Intuit: a line on an AP account names
    the vendor, and a change sends all lines."""
    party = {"Entity": {"Type": "Vendor", "EntityRef": {"value": wanted.vendor}}} if wanted.vendor else {}
    lines: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
        ("Debit", wanted.debit, {}),
        ("Credit", wanted.credit, party),
    )
    body: dict[str, Any] = {
        "DocNumber": number(record_key, wanted.piece),
        "TxnDate": wanted.date.isoformat(),
        "PrivateNote": memo.in_place(wanted.note, standing.memo if standing else ""),
        "Line": [
            {
                "DetailType": "JournalEntryLineDetail",
                "Amount": wanted.amount,
                "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}, **named},
                **({"Description": wanted.words} if wanted.words else {}),
            }
            for side, account, named in lines
        ],
    }
    body |= {"CurrencyRef": {"value": wanted.currency}} if wanted.currency else {}
    return posting.encode_change(id_there(standing.id), standing.version, **body) if standing else body


def _given_back_to(write: Write, asked: Payment, stands: Payment, made: Made) -> str:
    """The account on which the money lies that is taken back: in transit, once refunded the bank account; what never
    left payments in transit goes back there."""
    paid_from = stands.funding_account.id if stands.funding_account else ""
    execution = made.get(EXECUTION)
    if stands.phase is Phase.PENDING and not execution:
        return paid_from
    if asked.refunded:
        return execution.credited if execution else paid_from
    before = made[REVERSAL].debited if REVERSAL in made else ""
    return before or write.context.get(IN_TRANSIT, "")
