"""What AvidXchange holds besides invoices and payments is read whole, and by its ids."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Action, Page, Write
from connectors.errors import UnexpectedResponse
from connectors.records import (
    Account,
    AnyRecord,
    Credit,
    Dimension,
    FundingAccount,
    Kind,
    Payment,
    PurchaseOrder,
    Vendor,
)
from tests.avidxchange_partner import (
    PROFILES,
    Partner,
    account,
    bill,
    changed,
    coded,
    credit,
    ids,
    key_of,
    line,
    order,
    value,
    vendor,
    write,
)

LISTED = [Kind.VENDOR, Kind.ACCOUNT, Kind.DIMENSION, Kind.PURCHASE_ORDER, Kind.FUNDING_ACCOUNT]


@pytest.fixture(params=PROFILES)
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


def written(partner: Partner, *records: AnyRecord) -> Partner:
    """These are at AvidXchange, and a moment has passed."""
    for record in records:
        partner.connector().write([write(record)])
    partner.later(minutes=1)
    return partner


def whole(partner: Partner, kind: Kind) -> list[Page]:
    pages = [partner.connector().read(kind, None)]
    while pages[-1].more:
        pages.append(partner.connector().read(kind, pages[-1].cursor))
    return pages


def all_of(partner: Partner, kind: Kind) -> list[Any]:
    return [record for page in whole(partner, kind) for its, record in page.records if its is kind]


@pytest.mark.parametrize("kind", LISTED)
def test_only_the_last_page_says_that_all_was_shown(partner: Partner, kind: Kind) -> None:
    many: list[AnyRecord] = [
        record
        for number in range(1, 4)
        for record in (vendor(number), account(number), order(number), value(number), value(number, "location"))
    ]
    small = changed({"limits": {"pageSize": 2, "maxPageSize": 2}}, partner.profile.profile_id)
    pages = whole(written(Partner(small), *many), kind)
    assert [page.complete for page in pages] == [frozenset()] * (len(pages) - 1) + [frozenset({kind})]
    expected = {Kind.DIMENSION: (6, 4), Kind.FUNDING_ACCOUNT: (1, 1)}.get(kind, (3, 2))
    assert (len(set(ids(pages, kind))), len(pages)) == expected


@pytest.mark.parametrize("kind", LISTED)
def test_a_list_with_nothing_in_it_is_whole_too(kind: Kind) -> None:
    partner = Partner()
    partner.books.bank_accounts.clear()
    partner.books.bank_accounts._order.clear()
    [page] = whole(partner, kind)
    assert (list(page.records), page.complete) == ([], frozenset({kind}))


def test_what_went_in_comes_back_by_its_key(partner: Partner) -> None:
    sent = vendor(7, email="ar@x.example", legal_name="Seven LLC", number="V7", terms="Net 30", tax_id_last4="1234")
    written(partner, sent, account(3, type="Expense"), account(4, active=False), value(2, name="Retail"))
    [shown] = all_of(partner, Kind.VENDOR)
    assert isinstance(shown, Vendor)
    assert (shown.key, shown.name, shown.legal_name, shown.number) == (
        key_of("vendor 7"),
        "Vendor 7",
        "Seven LLC",
        "V7",
    )
    assert (shown.email, shown.terms, shown.tax_id_last4, shown.active) == ("ar@x.example", "Net 30", "1234", True)
    assert shown.remit_to is not None
    assert (shown.remit_to.line1, shown.remit_to.country, shown.version) == ("100 Main St", "US", "1")
    accounts: list[Account] = all_of(partner, Kind.ACCOUNT)
    assert [(one.code, one.type, one.active) for one in accounts] == [
        ("6003", "Expense", True),
        ("6004", "Expense", False),
    ]
    [retail] = all_of(partner, Kind.DIMENSION)
    assert isinstance(retail, Dimension)
    assert (retail.dimension, retail.code, retail.name) == ("class", "2", "Retail")
    assert (retail.id.partition(":")[0], retail.key) == ("CLASS", key_of("dimension Class-2"))


def test_a_purchase_order_comes_back_with_its_lines(partner: Partner) -> None:
    one = line("40.00", 1, id="7", quantity=Decimal(4), received=Decimal(1), dimensions=(coded(),))
    written(partner, vendor(), account(), value(1), order(1, lines=(one,), amount=Decimal("40.00"), status="open"))
    [read] = all_of(partner, Kind.PURCHASE_ORDER)
    assert isinstance(read, PurchaseOrder)
    assert (read.number, read.status, read.amount, read.vendor.key) == ("PO-1", "open", Decimal(40), key_of("vendor 1"))
    [shown] = read.lines
    assert (shown.id, shown.quantity, shown.received) == ("7", Decimal(4), Decimal(1))
    assert [ref.key for ref in shown.dimensions] == [key_of("dimension Class-1")]


def test_a_bank_account_comes_with_the_erps_own_key_and_is_active_once_it_is_approved(partner: Partner) -> None:
    [read] = all_of(written(partner), Kind.FUNDING_ACCOUNT)
    assert isinstance(read, FundingAccount)
    [kept] = partner.books.bank_accounts.values()
    assert (read.id, read.last4, read.active) == (kept["id"], kept["last4"], True)
    partner.books.bank_accounts.change(kept, {"status": "pending"}, partner.clock.now())
    partner.later(minutes=1)
    [later] = all_of(partner, Kind.FUNDING_ACCOUNT)
    assert (later.active, later.version != read.version) == (False, True)


def test_what_is_put_out_of_use_stays_in_the_list(partner: Partner) -> None:
    written(partner, vendor(), value(1))
    gone: list[Write] = [write(vendor(), Action.WITHDRAW), write(value(1), Action.WITHDRAW)]
    for one in gone:
        partner.connector().write([one])
    partner.later(minutes=1)
    assert [one.active for kind in (Kind.VENDOR, Kind.DIMENSION) for one in all_of(partner, kind)] == [False, False]


@pytest.mark.parametrize("kind", LISTED)
def test_records_of_a_list_are_fetched_by_id(partner: Partner, kind: Kind) -> None:
    written(partner, vendor(), account(), order(1), value(1), value(2, "location"))
    known = {record.id: record for record in all_of(partner, kind)}
    assert known
    assert partner.connector().fetch(kind, [*known, "none", "CLASS:none"]) == known


def test_a_row_of_a_list_that_cannot_be_read_is_shown_and_the_others_are_read(partner: Partner) -> None:
    written(partner, vendor(1), vendor(2))
    first = next(iter(partner.books.vendors))
    partner.act("misreport", kind="vendor", id=first, field="name", value=None)
    partner.later(minutes=1)
    [page] = whole(partner, Kind.VENDOR)
    assert (len(page.records), [row.id for row in page.unreadable]) == (1, [first])


# Credits, and what pays with them.


def paid_with_credit(partner: Partner) -> str:
    written(partner, vendor(), account(), bill(1), credit(1, "30.00"))
    for key in ("bill 1", "credit 1"):
        partner.act("approve_invoice", external_id=key_of(key))
    payment = partner.act("pay", invoices={key_of("bill 1"): None, key_of("credit 1"): None})
    partner.act("advance_payment", payment_id=payment, to="issued")
    partner.later(minutes=5)
    return str(payment)


def test_a_payment_says_of_each_part_whether_it_settles_a_bill_or_a_credit(partner: Partner) -> None:
    payment = paid_with_credit(partner)
    read = partner.connector().fetch(Kind.PAYMENT, [payment])[payment]
    assert isinstance(read, Payment)
    parts = [(part.target.kind, part.target.key, part.gross) for part in read.applications]
    assert sorted(parts) == [
        (Kind.BILL, key_of("bill 1"), Decimal("100.00")), (Kind.CREDIT, key_of("credit 1"), Decimal("-30.00")),
    ]  # fmt: skip
    assert read.amount == Decimal("70.00")


def test_bills_and_credits_come_out_of_one_list_that_is_read_once(partner: Partner) -> None:
    paid_with_credit(partner)
    pages, _ = partner.sweep(partner.connector().start_of_changes(partner.clock.now()))
    full = whole(partner, Kind.BILL)
    assert (len(ids(full, Kind.BILL)), len(ids(full, Kind.CREDIT))) == (1, 1)
    [used] = [record for page in full for _, record in page.records if isinstance(record, Credit)]
    assert (used.amount, used.balance, used.payment_status) == (Decimal("30.00"), Decimal(0), "applied")
    before = len(partner.sim.requests)
    [with_the_bills] = whole(partner, Kind.CREDIT)
    assert (list(with_the_bills.records), with_the_bills.complete, len(partner.sim.requests)) == (
        [],
        frozenset(),
        before,
    )


def test_changes_sweep_invoices_and_payments_only(partner: Partner) -> None:
    start = partner.connector().start_of_changes(partner.clock.now())
    paid_with_credit(partner)
    before = {name: partner.counted(name) for name in ("list_vendors", "list_gl_accounts", "list_bank_accounts")}
    pages, _ = partner.sweep(start)
    assert {kind for page in pages for kind, _ in page.records} == {Kind.BILL, Kind.CREDIT, Kind.PAYMENT}
    assert {name: partner.counted(name) for name in before} == before


def test_payments_are_read_again_by_their_ids_at_fifty_a_request(partner: Partner) -> None:
    payment = paid_with_credit(partner)
    many = [payment, *(f"pay_{number}" for number in range(119))]
    before = partner.counted("list_payments")
    assert list(partner.connector().fetch(Kind.PAYMENT, many)) == [payment]
    assert partner.counted("list_payments") - before == 3


# What a contract lacks.


@pytest.mark.parametrize("operation", ["list_vendors", "list_bank_accounts", "list_purchase_orders", "list_invoices"])
def test_a_list_that_the_contract_lacks_is_not_read_and_nothing_is_taken_for_gone(operation: str) -> None:
    partner = Partner(changed({"operations": {operation: None}}))
    kind = {"list_vendors": Kind.VENDOR, "list_bank_accounts": Kind.FUNDING_ACCOUNT, "list_invoices": Kind.BILL}
    [page] = whole(partner, kind.get(operation, Kind.PURCHASE_ORDER))
    assert (list(page.records), page.complete) == ([], frozenset())
    assert any(finding.text.startswith("We do not read") for finding in partner.connector().check())


def test_without_a_list_of_invoices_payments_are_swept_all_the_same() -> None:
    partner = Partner()
    payment = paid_with_credit(partner)
    other = changed({"operations": {"list_invoices": None}})
    partner.profile = other
    pages, cursor = partner.sweep(partner.connector().start_of_changes(partner.clock.now()))
    partner.later(minutes=5)
    pages, _ = partner.sweep({"checkpoint": "2026-03-02T08:00:00.000Z"})
    assert ids(pages, Kind.PAYMENT) == [payment]
    assert ids(pages, Kind.BILL) == []


def test_a_list_without_ids_is_not_taken_for_one_without_the_record() -> None:
    partner = Partner(changed({"operations": {"list_vendors": {"query": {"ids": None}}}}))
    with pytest.raises(UnexpectedResponse) as refused:
        partner.connector().fetch(Kind.VENDOR, ["ven_1"])
    assert refused.value.code == "not_offered"
