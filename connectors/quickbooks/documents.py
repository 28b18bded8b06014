"""QuickBooks' bills, vendor credits, purchase orders and what is attached to them, in our words. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

import connectors.records as ours
from connectors.errors import MappingError
from connectors.quickbooks import memo, wire
from connectors.quickbooks.lists import dimensions
from connectors.quickbooks.values import currency_of, identity, money, number, read_row, ref, settlements, text
from connectors.records import Kind, Ref

Row = bytes | msgspec.Raw
# Lines that repeat what stands elsewhere: a sum of the lines above it.
SUMS = ("SubTotalLineDetail",)
ATTACHED_TO = {"Bill": Kind.BILL, "VendorCredit": Kind.CREDIT}


def decode_bill(row: Row, home_currency: str) -> ours.Bill:
    """The bill of this row, its tax as a line of its own.

    A line without an account is one of an item: the item's own record has it. One with neither we cannot code.
    """
    theirs = read_row(wire.Payable, row)
    return ours.Bill(**_payable(theirs, currency_of(theirs, home_currency)))


def decode_credit(row: Row, home_currency: str) -> ours.Credit:
    """The vendor credit of this row; QuickBooks' amounts are positive like ours. A discount that we made has a key."""
    theirs = read_row(wire.Payable, row)
    key = memo.piece(text(theirs.private_note))
    return ours.Credit(**_payable(theirs, currency_of(theirs, home_currency)), key=key)


def decode_order(row: Row, home_currency: str) -> ours.PurchaseOrder:
    """The purchase order of this row, with what of each line has come."""
    theirs = read_row(wire.PurchaseOrder, row)
    bills = (link.txn_id for link in theirs.linked_txn if link.txn_type == "Bill")
    return ours.PurchaseOrder(
        **_document(theirs, currency_of(theirs, home_currency), ordered=True),
        status=theirs.order_status.lower(),
        bills=tuple(dict.fromkeys(bills)),
    )


def decode_images(row: Row, _: str) -> tuple[ours.Image, ...]:
    """The images of this attachment: one for each bill or credit that it is attached to, none if it has no file."""
    theirs = read_row(wire.Attachable, row)
    known: dict[str, Any] = identity(theirs)
    if not (theirs.file_access_uri or theirs.temp_download_uri):
        return ()
    known |= {"file_name": text(theirs.file_name), "content_type": text(theirs.content_type), "size": theirs.size}
    targets = _attached_to(theirs.id, theirs.attachable_ref)
    return tuple(ours.Image(**{**known, "id": id}, of=of) for id, of in targets.items())


def image_ids(row: Row) -> list[str]:
    """The ids of the images of an attachment, also of one that cannot be read otherwise, as far as they can be told."""
    try:
        theirs = read_row(wire.Attachments, row)
    except MappingError:
        return []
    return list(_attached_to(theirs.id, theirs.attachable_ref))


def _attached_to(id: str, attached: Sequence[wire.Attached]) -> dict[str, Ref]:
    """What it is attached to, by the ids of the images that this makes."""
    references = (part.entity_ref for part in attached)
    return {
        f"{id}-{one.type}-{one.value}": Ref(ATTACHED_TO[one.type], one.value)
        for one in references
        if one and one.type in ATTACHED_TO
    }


def _payable(theirs: wire.Payable, currency: str) -> dict[str, Any]:
    return {
        **_document(theirs, currency),
        "balance": money(theirs.balance, currency),
        "ap_account": ref(Kind.ACCOUNT, theirs.ap_account_ref),
        "settlements": settlements(theirs.linked_txn),
    }


def _document(theirs: wire.Document, currency: str, *, ordered: bool = False) -> dict[str, Any]:
    return {
        **identity(theirs),
        "number": text(theirs.doc_number),
        "vendor": Ref(Kind.VENDOR, theirs.vendor_ref.value),
        "date": theirs.txn_date,
        "due_date": theirs.due_date,
        "currency": currency,
        "amount": money(theirs.total_amt, currency),
        "lines": tuple(_lines(theirs, currency, ordered)),
        "memo": text(theirs.private_note),
    }


def _lines(theirs: wire.Document, currency: str, ordered: bool) -> Iterator[ours.Line]:
    place_of_last = 0
    for place, line in enumerate(theirs.line, 1):
        if line.detail_type in SUMS or line.detail_type == "DescriptionOnly" and not line.amount:
            continue  # words without money
        place_of_last = line.line_num if line.line_num is not None else place
        by_account, by_item = line.account_based_expense_line_detail, line.item_based_expense_line_detail
        ordered_as = next((link for link in line.linked_txn if link.txn_type == "PurchaseOrder"), None)
        yield ours.Line(
            number=place_of_last,
            amount=money(line.amount, currency),
            account=ref(Kind.ACCOUNT, by_account.account_ref or by_item.item_account_ref),
            description=text(line.description),
            dimensions=dimensions(by_account.class_ref or by_item.class_ref or theirs.class_ref, theirs.department_ref),
            is_tax=line.detail_type == "TaxLineDetail",
            id=text(line.id) if ordered else "",
            item=ref(Kind.ITEM, by_item.item_ref),
            quantity=number(by_item.qty),
            unit_price=number(by_item.unit_price),
            received=number(line.received) if ordered else None,
            order=Ref(Kind.PURCHASE_ORDER, ordered_as.txn_id) if ordered_as else None,
            order_line=text(ordered_as.txn_line_id) if ordered_as else "",
        )
    if tax := theirs.txn_tax_detail.total_tax:
        shared = dimensions(theirs.class_ref, theirs.department_ref)
        amount, last = money(tax, currency), place_of_last + 1
        yield ours.Line(number=last, amount=amount, description="Tax", dimensions=shared, is_tax=True)
