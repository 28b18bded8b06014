"""What QuickBooks' objects mean in our words. Pure: the same row gives the same record, always.

A row that we cannot read raises MappingError (`unreadable_record`) and nothing else, whatever stands in it.
How payments are written is in `posting.py`, what our memo says in `memo.py`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

import connectors.records as ours
from connectors.errors import MappingError
from connectors.quickbooks import memo, wire
from connectors.records import MINOR_DIGITS, AnyRecord, Kind, Method, Phase, Ref

ENTITIES = {Kind.VENDOR: "Vendor", Kind.ACCOUNT: "Account", Kind.BILL: "Bill", Kind.PAYMENT: "BillPayment"}
METHODS = {"Check": Method.CHECK, "CreditCard": Method.CARD}
SETTLED = {
    "Bill": Kind.BILL,
    "VendorCredit": Kind.CREDIT,
    "JournalEntry": Kind.LEDGER_ENTRY,
    "Deposit": Kind.LEDGER_ENTRY,
}
# Intuit: a deactivated vendor or account gets this at the end of its name, seen in live captures.
DELETED_SUFFIX = re.compile(r" \(deleted(?: \d+)?\)$", re.IGNORECASE)
CENT = Decimal("0.01")
SMALLEST = {currency: Decimal(1).scaleb(-digits) for currency, digits in MINOR_DIGITS.items()}
ADDRESS = ("Line1", "Line2", "Line3", "Line4", "Line5", "City", "CountrySubDivisionCode", "PostalCode", "Country")

Shape = TypeVar("Shape")


def read_row(shape: type[Shape], row: bytes | msgspec.Raw) -> Shape:
    """The row in QuickBooks' own shape; MappingError says what about it is not as documented."""
    try:
        return msgspec.json.decode(row, type=shape)
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise unreadable(str(error)) from error


def glimpse(row: bytes | msgspec.Raw) -> wire.Glimpse:
    """What can be told of a row that may be deleted or damaged; empty if nothing can."""
    try:
        return read_row(wire.Glimpse, row)
    except MappingError:
        return wire.Glimpse()


def unreadable(why: str) -> MappingError:
    """The error for a row that we cannot read."""
    return MappingError(f"QuickBooks shows this record in a form that we cannot read: {why}", code="unreadable_record")


def decode_vendor(row: bytes | msgspec.Raw, home_currency: str) -> ours.Vendor:
    """The vendor of this row."""
    theirs = read_row(wire.Vendor, row)
    return ours.Vendor(
        **_identity(theirs),
        name=_name(theirs.display_name, theirs.active),
        legal_name=_name(theirs.company_name, theirs.active),
        active=theirs.active,
        currency=_currency(theirs, home_currency),
        email=_text(theirs.primary_email_addr.get("Address")),
        phone=_text(theirs.primary_phone.get("FreeFormNumber")),
        terms=_text(theirs.term_ref.name) or _text(theirs.term_ref.value) if theirs.term_ref else "",
        customer_account=_text(theirs.acct_num),
        tax_id_last4="".join(re.findall("[0-9]{4}$", theirs.tax_identifier or "")),
        is_1099=bool(theirs.vendor1099),
        remit_to=_address(theirs.bill_addr),
    )


def decode_account(row: bytes | msgspec.Raw, home_currency: str) -> ours.Account:
    """The account of this row; companies that number no accounts know it by its id."""
    theirs = read_row(wire.Account, row)
    return ours.Account(
        **_identity(theirs),
        code=_text(theirs.acct_num) or theirs.id,
        name=_name(theirs.fully_qualified_name or theirs.name, theirs.active),
        classification=_text(theirs.classification).lower(),
        type=_text(theirs.account_type),
        active=theirs.active,
        currency=_currency(theirs, home_currency),
        parent=_ref(Kind.ACCOUNT, theirs.parent_ref),
    )


def decode_bill(row: bytes | msgspec.Raw, home_currency: str) -> ours.Bill:
    """The bill of this row, its tax as a line of its own; a line without an account is one that we cannot code."""
    theirs = read_row(wire.Bill, row)
    currency = _currency(theirs, home_currency)
    payments = (link.txn_id for link in theirs.linked_txn if link.txn_type.startswith("BillPayment"))
    return ours.Bill(
        **_identity(theirs),
        number=_text(theirs.doc_number),
        vendor=Ref(Kind.VENDOR, theirs.vendor_ref.value),
        date=theirs.txn_date,
        due_date=theirs.due_date,
        currency=currency,
        amount=_money(theirs.total_amt, currency),
        balance=_money(theirs.balance, currency),
        lines=tuple(_bill_lines(theirs, currency)),
        memo=_text(theirs.private_note),
        ap_account=_ref(Kind.ACCOUNT, theirs.ap_account_ref),
        settlements=tuple(dict.fromkeys(payments)),
    )


def decode_payment(row: bytes | msgspec.Raw, home_currency: str) -> ours.Payment:
    """The bill payment of this row, anybody's; `mark` and what only our memo says are there if it is one of ours."""
    theirs = read_row(wire.BillPayment, row)
    currency, paid = _currency(theirs, home_currency), theirs.check_payment
    amount, note = _money(theirs.total_amt, currency), memo.read(_text(theirs.private_note))
    phase = Phase.REVERSED if _is_voided(theirs) else Phase.PENDING if note.pending else Phase.EXECUTED
    return ours.Payment(
        **_identity(theirs),
        vendor=Ref(Kind.VENDOR, theirs.vendor_ref.value),
        amount=amount,
        currency=currency,
        method=note.method or METHODS.get(theirs.pay_type or "", Method.UNKNOWN),
        phase=phase,
        status=_text(theirs.status) or ("to be printed" if paid.print_status == "NeedToPrint" else ""),
        date=theirs.txn_date,
        reference=memo.reference_in(_text(theirs.doc_number), note),
        cleared_date=note.cleared_date,
        batch=note.batch,
        funding_account=_ref(Kind.ACCOUNT, paid.bank_account_ref or theirs.credit_card_payment.card_account_ref),
        applications=() if phase is Phase.REVERSED else tuple(_applications(theirs, currency)),
        memo=_text(theirs.private_note),
        mark=note.mark,
    )


def _is_voided(theirs: wire.BillPayment) -> bool:
    """Intuit: a void in the pages sets the status, one through the API a note and a total of zero (live captures)."""
    noted = (theirs.private_note or "").startswith("Voided") and theirs.total_amt == 0
    return (theirs.status or "").lower() == "voided" or noted


def _bill_lines(theirs: wire.Bill, currency: str) -> Iterator[ours.Line]:
    number = 0
    for place, line in enumerate(theirs.line, 1):
        if line.detail_type == "DescriptionOnly" and not line.amount:
            continue  # words without money
        number = line.line_num if line.line_num is not None else place
        account = (
            line.account_based_expense_line_detail.account_ref or line.item_based_expense_line_detail.item_account_ref
        )
        amount, text = _money(line.amount, currency), _text(line.description)
        yield ours.Line(number=number, amount=amount, account=_ref(Kind.ACCOUNT, account), description=text)
    if tax := theirs.txn_tax_detail.total_tax:
        yield ours.Line(number=number + 1, amount=_money(tax, currency), description="Tax", is_tax=True)


def _applications(theirs: wire.BillPayment, currency: str) -> Iterator[ours.Application]:
    for line in theirs.line:
        links = [link for link in line.linked_txn if link.txn_type in SETTLED]
        if len(links) > 1:
            raise unreadable("a line of the payment is linked to several transactions")
        for link in links:
            amount = _money(line.amount, currency)
            # Intuit: the line of a vendor credit carries a positive amount, which the total is reduced by.
            gross = amount.copy_negate() if link.txn_type == "VendorCredit" else amount
            yield ours.Application(target=Ref(SETTLED[link.txn_type], link.txn_id), gross=gross, net=gross)


def _money(amount: Decimal | None, currency: str) -> Decimal:
    """The amount with exactly the digits of its currency, so that equal amounts are equal bytes."""
    if amount is None or not amount.is_finite() or amount.adjusted() > 14:
        raise unreadable("an amount is missing or not a number that money can be")
    exact = amount.quantize(SMALLEST.get(currency, CENT))
    if exact != amount:
        raise unreadable(f"the amount {amount} is finer than the smallest unit of {currency or 'its currency'}")
    return exact


def _identity(theirs: wire.Entity) -> dict[str, Any]:
    if theirs.status == "Deleted":
        raise unreadable("it is deleted")
    moment = theirs.meta_data.last_updated_time or theirs.meta_data.create_time
    try:
        modified_at = moment.astimezone(UTC) if moment else None
    except OverflowError as error:
        raise unreadable("a time is out of range") from error
    return {"id": theirs.id, "version": theirs.sync_token, "modified_at": modified_at}


def _currency(theirs: wire.Entity, home_currency: str) -> str:
    return theirs.currency_ref.value if theirs.currency_ref else home_currency


def _ref(kind: Kind, reference: wire.Reference | None) -> Ref | None:
    return Ref(kind, reference.value) if reference else None


def _text(value: object) -> str:
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _name(value: str | None, active: bool) -> str:
    return _text(value) if active else DELETED_SUFFIX.sub("", _text(value))


def _address(theirs: wire.Block | None) -> ours.Address | None:
    if theirs is None:
        return None
    line1, *more, city, state, postal_code, country = (_text(theirs.get(name)) for name in ADDRESS)
    line2 = ", ".join(line for line in more if line)
    return ours.Address(line1=line1, line2=line2, city=city, state=state, postal_code=postal_code, country=country)


DECODE: Mapping[Kind, Callable[[bytes | msgspec.Raw, str], AnyRecord]] = {
    Kind.VENDOR: decode_vendor,
    Kind.ACCOUNT: decode_account,
    Kind.BILL: decode_bill,
    Kind.PAYMENT: decode_payment,
}
