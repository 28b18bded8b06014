"""All kinds in one story: from lists and an order over the bill with its image to the payment, in both books."""

from decimal import Decimal

import pytest

from connectors.records import Kind
from tests.payables import balance, execute, invoice, of_payment, postings, release
from tests.scenarios.wholesaler import (
    PDF,
    PROFILES,
    applied,
    assert_at_rest,
    attach,
    bill_order,
    enter_credit,
    image_there,
    key_of,
    open_books,
    order,
    there,
    value,
    values_there,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("profile", PROFILES)
def test_an_order_becomes_a_bill_with_an_image_is_paid_with_a_credit_and_ends_in_both_books(profile: str) -> None:
    world, books = open_books(profile)
    ordered = order(world, books)
    world.settle(days=1)
    bill_id = bill_order(world, ordered["Id"], DepartmentRef=value(books.department))
    credit_id = enter_credit(world, books.vendor)
    attach(world, "Bill", bill_id)
    world.settle(days=1)

    paper = invoice(world)
    assert paper["amount"] == Decimal("140.00")
    assert [line["gl_account_external_id"] for line in paper["lines"]] == [
        key_of(Kind.ACCOUNT, books.stock),
        key_of(Kind.ACCOUNT, books.freight),
    ]
    sent = there(world, "purchase_orders", Kind.PURCHASE_ORDER, ordered["Id"])
    assert [line["po_line_external_id"] for line in paper["lines"]] == [line["external_id"] for line in sent["lines"]]
    department = key_of(Kind.DIMENSION, f"Department-{books.department}")
    trade = key_of(Kind.DIMENSION, f"Class-{books.trade}")
    for line in paper["lines"]:
        assert {coded["value_external_id"] for coded in line["dimensions"]} == {department, trade}
    assert values_there(world, "department")[department]["name"] == "Berlin"
    assert image_there(world) == PDF
    assert sent["status"] == "closed"

    payment_id = release(world, "INV-1")
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert applied(posted) == {("Bill", bill_id): Decimal("140.00")}
    assert balance(world, bill_id) == "0.00"
    assert of_payment(payment_id).target_id == posted["Id"]
    assert there(world, "invoices", Kind.CREDIT, credit_id)["amount"] == Decimal("-20.00")
    assert_at_rest()
