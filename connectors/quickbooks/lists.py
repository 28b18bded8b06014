"""QuickBooks' lists in our words, from vendors to currencies, and how a company keeps its books. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec

import connectors.records as ours
from connectors.quickbooks import wire
from connectors.quickbooks.values import address, currency_of, identity, name, number, read_row, ref, text
from connectors.records import Kind, Ref

Row = bytes | msgspec.Raw


def decode_vendor(row: Row, home_currency: str) -> ours.Vendor:
    """The vendor of this row."""
    theirs = read_row(wire.Vendor, row)
    return ours.Vendor(
        **identity(theirs),
        name=name(theirs.display_name, theirs.active),
        legal_name=name(theirs.company_name, theirs.active),
        active=theirs.active,
        currency=currency_of(theirs, home_currency),
        email=text(theirs.primary_email_addr.get("Address")),
        phone=text(theirs.primary_phone.get("FreeFormNumber")),
        # Intuit: the terms of a vendor come without their name, in every published answer.
        terms=text(theirs.term_ref.name) if theirs.term_ref else "",
        term=ref(Kind.TERM, theirs.term_ref),
        customer_account=text(theirs.acct_num),
        tax_id_last4="".join(re.findall("[0-9]{4}$", theirs.tax_identifier or "")),
        is_1099=bool(theirs.vendor1099),
        remit_to=address(theirs.bill_addr),
    )


def decode_account(row: Row, home_currency: str) -> ours.Account:
    """The account of this row; companies that number no accounts know it by its id."""
    theirs = read_row(wire.Account, row)
    return ours.Account(
        **identity(theirs),
        code=text(theirs.acct_num) or theirs.id,
        name=_full_name(theirs),
        classification=text(theirs.classification).lower(),
        type=text(theirs.account_type),
        active=theirs.active,
        currency=currency_of(theirs, home_currency),
        parent=ref(Kind.ACCOUNT, theirs.parent_ref),
    )


def decode_department(row: Row, _: str) -> ours.Dimension:
    """The department of this row, which QuickBooks' pages call a location."""
    return _dimension(row, "Department")


def decode_class(row: Row, _: str) -> ours.Dimension:
    """The class of this row."""
    return _dimension(row, "Class")


def decode_item(row: Row, _: str) -> ours.Item:
    """The item of this row; what is bought for stock goes to the asset account."""
    theirs = read_row(wire.Item, row)
    booked = theirs.asset_account_ref if theirs.type == "Inventory" else theirs.expense_account_ref
    return ours.Item(
        **identity(theirs),
        name=_full_name(theirs),
        code=text(theirs.sku),
        type=text(theirs.type),
        active=theirs.active,
        account=ref(Kind.ACCOUNT, booked),
    )


def decode_term(row: Row, _: str) -> ours.Term:
    """The terms of payment of this row."""
    theirs = read_row(wire.Term, row)
    return ours.Term(
        **identity(theirs),
        name=name(theirs.name, theirs.active),
        active=theirs.active,
        due_days=theirs.due_days,
        due_day_of_month=theirs.day_of_month_due,
        discount_percent=number(theirs.discount_percent) or Decimal(0),
        discount_days=theirs.discount_days,
    )


def decode_currency(row: Row, _: str) -> ours.Currency:
    """The currency of this row; the company's home currency has none."""
    theirs = read_row(wire.CompanyCurrency, row)
    return ours.Currency(
        **identity(theirs), code=text(theirs.code), name=name(theirs.name, theirs.active), active=theirs.active
    )


def decode_company(row: Row, home_currency: str) -> ours.Company:
    """How the company of these preferences keeps its books."""
    theirs = read_row(wire.Preferences, row)
    home, books = theirs.currency_prefs.home_currency, theirs.accounting_info_prefs
    switched_on: Mapping[str, bool] = {
        "account numbers": books.use_account_numbers,
        "classes": books.class_tracking_per_txn or books.class_tracking_per_txn_line,
        "departments": books.track_departments,
        # Intuit: the prefix of this name differs between companies, seen in live captures.
        "purchase orders": any(
            (other.name or "").endswith("PurchaseOrderEnabled") and other.value == "true"
            for other in theirs.other_prefs.name_value
        ),
    }
    return ours.Company(
        **identity(theirs),
        home_currency=home.value if home else home_currency,
        many_currencies=theirs.currency_prefs.multi_currency_enabled,
        closed_through=books.book_close_date,
        features=tuple(feature for feature, is_on in switched_on.items() if is_on),
    )


def dimensions(of_line: wire.Reference | None, department: wire.Reference | None) -> tuple[Ref, ...]:
    """The dimensions of a line: its class, and the department of its document."""
    both = (ref(Kind.DIMENSION, of_line, "Class"), ref(Kind.DIMENSION, department, "Department"))
    return tuple(one for one in both if one)


def _dimension(row: Row, entity: str) -> ours.Dimension:
    theirs = read_row(wire.Grouped, row)
    return ours.Dimension(
        **identity(theirs, entity),
        dimension=entity.lower(),
        code=theirs.id,
        name=_full_name(theirs),
        active=theirs.active,
        parent=ref(Kind.DIMENSION, theirs.parent_ref, entity),
    )


def _full_name(theirs: wire.Grouped) -> str:
    return name(theirs.fully_qualified_name or theirs.name, theirs.active)
