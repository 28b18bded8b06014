"""Bills that are paid: by check, ACH and card, together, in parts, with a discount and a credit."""

from decimal import Decimal

import pytest

from connectors.records import Kind
from tests.payables import approve, balance, execute, invoice, map_discounts, of_payment, postings, release
from tests.scenarios.contracts import everything, payments_only, with_bills
from tests.scenarios.wholesaler import (
    PDF,
    PROFILES,
    account_line,
    applied,
    assert_at_rest,
    attach,
    enter,
    enter_credit,
    image_there,
    key_of,
    open_books,
    there,
    value,
    values_there,
)
from tests.simulation.world import bank

pytestmark = pytest.mark.django_db


@everything
def test_01_vendor_gl_account_dimension_invoice_and_image_approved_paid_by_check_cleared_and_posted_once(
    profile: str,
) -> None:
    world, books = open_books(profile)
    bill_id = enter(
        world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-1", DepartmentRef=value(books.department),
        Line=[account_line("120.50", trade=books.trade)],
    )  # fmt: skip
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    assert there(world, "vendors", Kind.VENDOR, books.vendor)["name"] == "Acme Paper"
    assert there(world, "gl_accounts", Kind.ACCOUNT, books.freight)["name"] == "Freight"
    assert [one["name"] for one in values_there(world, "class").values()] == ["Wholesale"]
    assert [one["name"] for one in values_there(world, "department").values()] == ["Berlin"]
    assert image_there(world) == PDF
    [line] = invoice(world)["lines"]
    assert {coded["value_external_id"] for coded in line["dimensions"]} == {
        key_of(Kind.DIMENSION, f"Department-{books.department}"),
        key_of(Kind.DIMENSION, f"Class-{books.trade}"),
    }
    payment_id = release(world, "INV-1")
    for stage in ("issued", "cleared"):
        execute(world, payment_id, to=stage)
        world.settle(days=1)
    payment = world.network.payments[payment_id]
    [posted] = postings(world, bill_id)
    assert posted["DocNumber"] == payment["check_number"]
    assert posted["TxnDate"] == payment["payment_date"].isoformat()
    assert posted["CheckPayment"]["BankAccountRef"]["value"] == bank(world, "Checking")
    assert payment["cleared_date"].isoformat() in posted["PrivateNote"]
    assert (len(world.company.bill_payments), balance(world, bill_id)) == (1, "0.00")
    assert_at_rest()


@payments_only
@pytest.mark.parametrize("stages", [("cleared",), ("issued", "cleared")])
def test_01_paid_by_check_whatever_is_seen_of_its_way(profile: str, stages: tuple[str, ...]) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    for stage in stages:
        execute(world, payment_id, to=stage)
        world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert posted["DocNumber"] == world.network.payments[payment_id]["check_number"]
    assert (posted["TotalAmt"], balance(world, bill_id)) == (Decimal("120.50"), "0.00")
    assert_at_rest()


@payments_only
@pytest.mark.parametrize(
    ("method", "word", "number"),
    [("ach", "ach", "ach_trace"), ("virtual_card", "card", "card_last4")],
    ids=["02", "03"],
)
def test_02_03_paid_by_ach_or_virtual_card_and_its_trace_or_last_four_digits_are_the_reference(
    profile: str, method: str, word: str, number: str
) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1", method=method)
    world.settle(days=1)
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    if profile in PROFILES:
        assert posted["DocNumber"].endswith(world.network.payments[payment_id][number])
    assert word in posted["PrivateNote"]
    assert (posted["PayType"], posted["CheckPayment"]["PrintStatus"]) == ("Check", "NotSet")
    assert balance(world, bill_id) == "0.00"
    assert_at_rest()


@everything
def test_04_one_payment_of_three_applications_with_a_discount_and_a_credit(profile: str) -> None:
    world, [first, second] = with_bills(profile, "1000.00", "620.00")
    vendor = world.company.bills[first]["VendorRef"]["value"]
    credit = enter_credit(world, vendor, "100.00")
    map_discounts(world)
    ids = [approve(world, number) for number in ("INV-1", "INV-2", "CM-1")]
    payment_id = world.person(
        world.avidxchange, "pay", invoices=dict.fromkeys(ids), discounts={ids[0]: "20.00"}
    )  # fmt: skip
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posted] = postings(world, first)
    [discount] = [one for one in world.company.tables["VendorCredit"].rows.values() if one["Id"] != credit]
    assert applied(posted) == {
        ("Bill", first): Decimal("1000.00"),
        ("Bill", second): Decimal("620.00"),
        ("VendorCredit", credit): Decimal("100.00"),
        ("VendorCredit", discount["Id"]): Decimal("20.00"),
    }
    assert (posted["TotalAmt"], balance(world, first), balance(world, second)) == (Decimal("1500.00"), "0.00", "0.00")
    assert_at_rest()


@payments_only
def test_05_one_invoice_paid_by_two_payments(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "1000.00")
    invoice_id = approve(world)
    for amount, open_then in (("620.00", "380.00"), ("380.00", "0.00")):
        payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: amount})
        execute(world, payment_id, to="cleared")
        world.settle(days=1)
        assert balance(world, bill_id) == open_then
        assert of_payment(payment_id).target_id in [one["Id"] for one in postings(world, bill_id)]
    assert sorted(one["TotalAmt"] for one in postings(world, bill_id)) == [Decimal("380.00"), Decimal("620.00")]
    assert_at_rest()
