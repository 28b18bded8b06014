"""QuickBooks' bill payments, and whatever else may move an AP account, in our words. Pure.

A row does not say of what type an account is. So a journal entry, check, expense or deposit keeps as postings all lines
that may be on an AP account: those that name a vendor and those that name nobody. Intuit: a line on an AP account needs
a vendor, so one about a customer or an employee is on none; but entries that QuickBooks makes itself name nobody.
Whoever compares AP accounts looks at the postings on those, by their `account`.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import msgspec

import connectors.records as ours
from connectors.quickbooks import memo, wire
from connectors.quickbooks.values import (
    currency_of,
    identity,
    money,
    prefixed,
    read_row,
    ref,
    settlements,
    text,
    unreadable,
)
from connectors.records import Kind, Method, Phase, Posting, Ref

Row = bytes | msgspec.Raw
Postings = Iterator[tuple[wire.Reference | None, Decimal | None, int, Ref | None]]  # account, amount, sign, vendor
METHODS = {"Check": Method.CHECK, "CreditCard": Method.CARD}
# What a payment's line may settle or use up, and under which entity's name we know it where that is part of the id.
SETTLED = {
    "Bill": (Kind.BILL, ""),
    "VendorCredit": (Kind.CREDIT, ""),
    "JournalEntry": (Kind.LEDGER_ENTRY, "JournalEntry"),
    "Deposit": (Kind.LEDGER_ENTRY, "Deposit"),
}
VENDOR = "vendor"
MADE = {memo.EXECUTION: Phase.EXECUTED, memo.REVERSAL: Phase.REVERSED}
NOBODY = wire.Reference("")


def decode_payment(row: Row, home_currency: str) -> ours.Payment:
    """The bill payment of this row, anybody's; `mark` and what only our memo says are there if it is one of ours."""
    theirs = read_row(wire.BillPayment, row)
    currency, paid = currency_of(theirs, home_currency), theirs.check_payment
    amount, note = money(theirs.total_amt, currency), memo.read(text(theirs.private_note))
    phase = Phase.REVERSED if _is_voided(theirs) else Phase.PENDING if note.pending else Phase.EXECUTED
    return ours.Payment(
        **identity(theirs),
        vendor=Ref(Kind.VENDOR, theirs.vendor_ref.value),
        amount=amount,
        currency=currency,
        method=note.method or METHODS.get(theirs.pay_type or "", Method.UNKNOWN),
        phase=phase,
        status=text(theirs.status) or ("to be printed" if paid.print_status == "NeedToPrint" else ""),
        date=theirs.txn_date,
        reference=memo.reference_in(text(theirs.doc_number), note),
        cleared_date=note.cleared_date,
        batch=note.batch,
        funding_account=ref(Kind.ACCOUNT, paid.bank_account_ref or theirs.credit_card_payment.card_account_ref),
        applications=() if phase is Phase.REVERSED else tuple(_applications(theirs, currency, note)),
        memo=text(theirs.private_note),
        mark=note.mark,
    )


def decode_journal_entry(row: Row, home_currency: str) -> ours.LedgerEntry:
    """The journal entry of this row; one that we made for a payment has a key."""
    return _entry(row, home_currency, "JournalEntry")


def decode_purchase(row: Row, home_currency: str) -> ours.LedgerEntry:
    """The check, expense or card charge of this row; its type is QuickBooks' word for how it was paid."""
    return _entry(row, home_currency, "Purchase")


def decode_deposit(row: Row, home_currency: str) -> ours.LedgerEntry:
    """The deposit of this row."""
    return _entry(row, home_currency, "Deposit")


def _is_voided(theirs: wire.BillPayment) -> bool:
    """Intuit: a void in the pages sets the status, one through the API a note and a total of zero (live captures)."""
    noted = (theirs.private_note or "").startswith("Voided") and theirs.total_amt == 0
    return (theirs.status or "").lower() == "voided" or noted


def _applications(theirs: wire.BillPayment, currency: str, note: memo.Note) -> Iterator[ours.Application]:
    """What the payment settles; the vendor credit that its discounts are is shown as what it takes off the bills."""
    taken = sum((line.amount or 0 for line in theirs.line if _uses(line, note.credit)), Decimal(0))
    discounts = dict(note.discounts) if taken == sum(note.discounts.values()) else {}
    for line in theirs.line:
        if discounts and _uses(line, note.credit):
            continue
        links = [link for link in line.linked_txn if link.txn_type in SETTLED]
        if len(links) > 1:
            raise unreadable("a line of the payment is linked to several transactions")
        for link in links:
            amount = money(line.amount, currency)
            # Intuit: the line of a vendor credit carries a positive amount, which the total is reduced by.
            gross = amount.copy_negate() if link.txn_type == "VendorCredit" else amount
            kind, entity = SETTLED[link.txn_type]
            off = money(discounts.get(link.txn_id, Decimal(0)), currency) if kind is Kind.BILL else Decimal(0)
            target = Ref(kind, prefixed(entity, link.txn_id))
            yield ours.Application(target=target, gross=gross, discount=off, net=gross - off)


def _uses(line: wire.TransactionLine, credit: str) -> bool:
    return any(link.txn_type == "VendorCredit" and link.txn_id == credit for link in line.linked_txn)


def _entry(row: Row, home_currency: str, entity: str) -> ours.LedgerEntry:
    theirs = read_row(wire.Ledger, row)
    currency, key = currency_of(theirs, home_currency), memo.piece(text(theirs.private_note))
    return ours.LedgerEntry(
        **identity(theirs, entity),
        type=text(theirs.payment_type) or entity,
        number=text(theirs.doc_number),
        date=theirs.txn_date,
        currency=currency,
        postings=tuple(
            Posting(account=Ref(Kind.ACCOUNT, account.value), amount=+(money(amount, currency) * sign), party=party)
            for account, amount, sign, party in LINES[entity](theirs)
            if account
        ),
        memo=text(theirs.private_note),
        key=key,
        settlements=settlements(theirs.linked_txn),
        phase=MADE.get(key.partition("/")[2], msgspec.UNSET),
    )


def _of_journal_entry(theirs: wire.Ledger) -> Postings:
    for line in theirs.line:
        if (detail := line.journal_entry_line_detail) and _may_be_payable(detail.entity.type):
            sign = 1 if detail.posting_type == "Credit" else -1
            yield detail.account_ref, line.amount, sign, _vendor(detail.entity.type, detail.entity.entity_ref)


def _of_purchase(theirs: wire.Ledger) -> Postings:
    """Paying reduces what is owed; a refund, which only cards have, adds to it."""
    payee = theirs.entity_ref or NOBODY
    if _may_be_payable(payee.type):
        for line in theirs.line:
            account = line.account_based_expense_line_detail.account_ref
            yield account, line.amount, 1 if theirs.credit else -1, _vendor(payee.type, payee)


def _of_deposit(theirs: wire.Ledger) -> Postings:
    """What a vendor gives back uses up a credit: it is owed again."""
    for line in theirs.line:
        giver = line.deposit_line_detail.entity or NOBODY
        if _may_be_payable(giver.type):
            yield line.deposit_line_detail.account_ref, line.amount, 1, _vendor(giver.type, giver)


def _may_be_payable(party: str | None) -> bool:
    return not party or party.lower() == VENDOR


def _vendor(party: str | None, reference: wire.Reference | None) -> Ref | None:
    return ref(Kind.VENDOR, reference) if party else None


LINES: Mapping[str, Callable[[wire.Ledger], Postings]] = {
    "JournalEntry": _of_journal_entry,
    "Purchase": _of_purchase,
    "Deposit": _of_deposit,
}
