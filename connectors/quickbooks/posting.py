"""How our payments become QuickBooks' bill payments, and whether what stands there is what we asked for. Pure.

What we post records a payment and can never make one: no printing, no bill pay.
"""

from decimal import Decimal
from typing import Any

from connectors.errors import MappingError
from connectors.quickbooks import memo
from connectors.quickbooks.values import prefixed
from connectors.records import Kind, Payment, Phase, Ref

# Intuit: the line of a vendor credit carries a positive amount as a bill's does, and the total is bills less credits.
ENTITIES = {Kind.BILL: "Bill", Kind.CREDIT: "VendorCredit", Kind.LEDGER_ENTRY: "JournalEntry"}


def encode_payment(
    payment: Payment, *, ap_account: str = "", standing_memo: str = "", credit: str = "", **told: str
) -> dict[str, Any]:
    """The bill payment to create, or to put in the place of one; MappingError when it is one that we do not post.

    `credit` is the vendor credit of ours that its discounts are: it is used up beside the gross amounts of the bills.
    `told` is what the memo is told beside: record key, source, the day of payment if that is another.
    """
    if payment.funding_account is None:
        raise MappingError("No bank account is mapped for this payment.", missing="bank account")
    refuse_what_is_not_posted(payment)
    lines = payment.settles
    if discount := sum(payment.discounts.values(), Decimal(0)):
        assert credit, "a discount is a vendor credit first"
        lines[Ref(Kind.CREDIT, credit)] = -discount
    note = memo.write(payment, credit=credit, **told)
    if memo.read(note).discounts != payment.discounts:
        raise by_hand("This payment takes more discounts than its memo has room for.")
    body: dict[str, Any] = {
        "VendorRef": {"value": payment.vendor.id},
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": payment.funding_account.id}, "PrintStatus": "NotSet"},
        "TotalAmt": payment.amount,
        "DocNumber": memo.document_number(payment, told["record_key"], told.get("part", "")),
        "PrivateNote": memo.in_place(note, standing_memo),
        "Line": [
            {"Amount": abs(amount), "LinkedTxn": [{"TxnId": id, "TxnType": entity}]}
            for target, amount in lines.items()
            for entity, id in (linked(target),)
        ],
    }
    optional = {"CurrencyRef": payment.currency, "APAccountRef": ap_account}
    body |= {name: {"value": value} for name, value in optional.items() if value}
    return body | ({"TxnDate": payment.date.isoformat()} if payment.date else {})


def linked(target: Ref) -> tuple[str, str]:
    """The entity and the id by which a line names what it settles or uses up."""
    entity = ENTITIES[target.kind]
    return entity, target.id.removeprefix(prefixed(entity, ""))


def encode_change(id: str, version: str, **body: Any) -> dict[str, Any]:
    """A change of the payment that stands there, or its void: what the body does not name stays as it is."""
    return {**body, "Id": id, "SyncToken": version, "sparse": True}


def differences(asked: Payment, stands: Payment, record_key: str) -> list[str]:
    """What of the money differs between the two; QuickBooks drops a bad link without a word."""
    from_account = [account.id if account else "" for account in (asked.funding_account, stands.funding_account)]
    pairs = {
        "whether it is pending": (asked.phase, stands.phase),
        "the vendor": (asked.vendor.id, stands.vendor.id),
        "the total": (asked.amount, stands.amount),
        "the bills that it pays": (asked.settles, stands.settles),
        "the discounts": (asked.discounts, stands.discounts),
        "the account it is paid from": from_account,
        "the date": (asked.date or stands.date, stands.date),
        "the currency": (asked.currency or stands.currency, stands.currency),
        "our mark in its memo": (record_key, stands.mark),
        "that it must not be printed": ("", stands.status),
    }
    return [name for name, (ours, theirs) in pairs.items() if ours != theirs]


def is_as_asked(asked: Payment, stands: Payment, **told: str) -> bool:
    """Whether the payment that stands there is, in all that we write, the one asked for."""
    number = memo.document_number(asked, told["record_key"], told.get("part", ""))
    credit = memo.read(stands.memo).credit
    written = memo.write(asked, credit=credit, **told)
    same_memo = memo.ours(stands.memo) == written
    same_number = stands.reference == memo.reference_in(number, memo.read(stands.memo))
    return same_memo and same_number and not differences(asked, stands, told["record_key"])


def refuse_what_is_not_posted(payment: Payment) -> None:
    """Raise MappingError when this payment is one that we do not post, whatever else would be made for it."""
    if reason := _why_not_posted(payment):
        raise by_hand(reason)


def by_hand(reason: str) -> MappingError:
    """The error for a payment that we do not post."""
    return MappingError(f"{reason} Please enter this payment in QuickBooks by hand.", code="payment_shape")


def _why_not_posted(payment: Payment) -> str:
    if payment.phase not in (Phase.PENDING, Phase.EXECUTED):
        return f"A payment that is {payment.phase} is not posted as a bill payment."
    if payment.phase is Phase.EXECUTED and payment.date is None:
        return "This payment is executed, but has no date."
    if any(part.gross == 0 or (part.gross < 0) != (part.target.kind is Kind.CREDIT) for part in payment.applications):
        return "This payment pays less than nothing of a bill, or does not take from a vendor credit."
    if payment.amount < 0:
        return "The vendor credits of this payment are more than its bills."
    if any(part.discount and not 0 < part.discount < part.gross for part in payment.applications):
        return "This payment takes a discount that is not less than what it pays, or on a credit."
    if not payment.applications or sum(part.gross - part.discount for part in payment.applications) != payment.amount:
        return "The bills and credits that this payment names do not add up to its amount."
    return ""
