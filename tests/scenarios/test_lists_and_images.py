"""Dimensions, items, images, orders, names and merges: what surrounds a bill, from QuickBooks to the network."""

from decimal import Decimal

import pytest

from connectors.records import Kind
from syncs.services import set_policy
from syncs.states import State
from tests.payables import attempts, enter_vendor, invoice, of_bill, open_problems
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import (
    OTHER_PDF,
    PDF,
    account_line,
    assert_at_rest,
    attach,
    bill_order,
    edit,
    enter,
    image_there,
    item_line,
    key_of,
    open_books,
    order,
    there,
    value,
    values_there,
)

pytestmark = pytest.mark.django_db


@everything
def test_an_order_is_billed_in_parts_by_line_and_closed_with_the_last(profile: str) -> None:
    world, books = open_books(profile)
    ordered = order(world, books)
    world.settle(days=1)
    toner, delivery = (line["Id"] for line in ordered["Line"])
    bill_order(world, ordered["Id"], "INV-1", quantities={toner: "4"})
    world.settle(days=1)
    lines = there(world, "purchase_orders", Kind.PURCHASE_ORDER, ordered["Id"])["lines"]
    [billed] = invoice(world)["lines"]
    assert (billed["po_line_external_id"], billed["amount"]) == (lines[0]["external_id"], Decimal("50.00"))
    assert there(world, "purchase_orders", Kind.PURCHASE_ORDER, ordered["Id"])["status"] == "open"
    bill_order(world, ordered["Id"], "INV-2")
    world.settle(days=1)
    assert [line["po_line_external_id"] for line in invoice(world, "INV-2")["lines"]] == [
        line["external_id"] for line in lines
    ]
    assert there(world, "purchase_orders", Kind.PURCHASE_ORDER, ordered["Id"])["status"] == "closed"
    assert_at_rest()


@everything
def test_a_bill_without_a_dimension_that_policy_requires_is_held_with_its_name_and_goes_once_it_is_entered(
    profile: str,
) -> None:
    world, books = open_books(profile)
    world.settle(days=1)
    set_policy(
        integration=world.integration, key="required_dimensions", value=["department"],
        by="test", why="auditors ask for it", now=world.clock.now(),
    )  # fmt: skip
    bill_id = enter(
        world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-1", Line=[account_line("120.50")]
    )  # fmt: skip
    world.settle(days=1)
    assert (of_bill().state, of_bill().code) == (State.HELD, "dimension_missing")
    assert "department" in of_bill().reason
    assert not world.network.invoices
    edit(world, "Bill", bill_id, DepartmentRef=value(books.department))
    world.settle(days=1)
    [line] = invoice(world)["lines"]
    department = key_of(Kind.DIMENSION, f"Department-{books.department}")
    assert [coded["value_external_id"] for coded in line["dimensions"]] == [department]
    assert_at_rest()


@everything
def test_lines_of_items_are_booked_on_the_items_accounts_and_stock_on_its_asset_account(profile: str) -> None:
    world, books = open_books(profile)
    lines = [item_line(books, books.toner, "2", "12.50"), item_line(books, books.delivery, "1", "15.00")]
    enter(world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-1", Line=lines)
    world.settle(days=1)
    assert [(line["gl_account_external_id"], line["amount"]) for line in invoice(world)["lines"]] == [
        (key_of(Kind.ACCOUNT, books.stock), Decimal("25.00")),
        (key_of(Kind.ACCOUNT, books.freight), Decimal("15.00")),
    ]
    assert_at_rest()


@everything
def test_an_image_attached_later_follows_its_bill_and_one_replaced_takes_its_place(profile: str) -> None:
    world, books = open_books(profile)
    bill_id = enter(world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-1", Line=[account_line("120.50")])
    world.settle(days=1)
    assert image_there(world) is None
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    assert image_there(world) == PDF
    attach(world, "Bill", bill_id, OTHER_PDF, "signed.pdf")
    world.settle(days=1)
    assert image_there(world) == OTHER_PDF
    assert len(attempts(of_bill())) == 1
    assert_at_rest()


@everything
def test_a_department_is_renamed_and_keeps_its_key(profile: str) -> None:
    world, books = open_books(profile)
    world.settle(days=1)
    edit(world, "Department", books.department, Name="Hamburg")
    world.settle(days=1)
    shown = values_there(world, "department")
    assert [(key, one["name"]) for key, one in shown.items()] == [
        (key_of(Kind.DIMENSION, f"Department-{books.department}"), "Hamburg")
    ]
    assert_at_rest()


@everything
def test_two_vendors_are_merged_and_the_next_bill_is_the_survivors(profile: str) -> None:
    world, books = open_books(profile)
    loser = enter_vendor(world, "Acme Paper Inc")
    bill_id = enter(world, "Bill", VendorRef=value(loser), DocNumber="INV-1", Line=[account_line("120.50")])
    world.settle(days=1)
    world.person(world.quickbooks, "merge_vendors", survivor_id=books.vendor, loser_id=loser)
    world.settle(days=1)
    survivor = key_of(Kind.VENDOR, books.vendor)
    assert invoice(world)["vendor_external_id"] == survivor
    enter(world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-2", Line=[account_line("80.00")])
    world.settle(days=1)
    assert invoice(world, "INV-2")["vendor_external_id"] == survivor
    assert world.company.bills[bill_id]["VendorRef"]["value"] == books.vendor
    assert len(world.network.invoices) == 2
    assert open_problems() == []
