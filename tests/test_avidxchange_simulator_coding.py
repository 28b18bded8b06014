"""Dimensions, purchase orders and what an invoice's lines say of them, in the simulated AvidXchange."""

from decimal import Decimal
from typing import Any

import pytest

from tests.avidxchange_network import Network

PROFILES = ["assumed-v1", "renamed-v1"]


@pytest.fixture(params=PROFILES)
def network(request: pytest.FixtureRequest) -> Network:
    return Network(request.param).with_reference_data()


# Dimensions and their values.


def test_a_dimension_and_its_values_are_upserted_and_read_back(network: Network) -> None:
    id = network.with_dimension()
    again = network.result("upsert_dimensions", network.dimension())
    renamed = network.result("upsert_dimensions", network.dimension(name="Renamed"))
    assert [again["action"], renamed["action"], renamed["id"]] == ["unchanged", "updated", id]
    child = network.value(3, parent_external_id="value:1")
    assert network.result("upsert_dimension_values", child, dimension_id=id)["action"] == "created"
    network.later(seconds=1)
    (dimension,) = network.rows("list_dimensions", "dimension")
    assert (dimension["code"], dimension["name"], dimension["is_required_on_line"]) == ("DIM-1", "Renamed", False)
    values = network.rows("list_dimension_values", "dimension_value", slots={"dimension_id": id})
    assert [(row["external_id"], row["parent_external_id"]) for row in values] == [
        ("value:1", None),
        ("value:2", None),
        ("value:3", "value:1"),
    ]


def test_values_belong_to_a_dimension_that_exists(network: Network) -> None:
    network.with_dimension()
    body = {str(network.profile.operation("upsert_dimension_values").items): [network.value()]}
    refused = network.call("upsert_dimension_values", body, dimension_id="dim_none")
    assert network.refusal(refused) == (404, "not_found")
    assert network.refusal(network.call("list_dimension_values", dimension_id="dim_none")) == (404, "not_found")


def test_a_code_is_one_active_values_of_its_dimension_only(network: Network) -> None:
    id = network.with_dimension()
    twin = network.value(3, code="1")
    assert network.error("upsert_dimension_values", twin, dimension_id=id)["code"] == "field_invalid"
    other = str(network.result("upsert_dimensions", network.dimension(2))["id"])
    assert network.result("upsert_dimension_values", twin, dimension_id=other)["action"] == "created"
    network.batch("upsert_dimension_values", network.value(1, is_active=False), dimension_id=id)
    assert network.result("upsert_dimension_values", twin, dimension_id=id)["action"] == "created"
    back = network.error("upsert_dimension_values", network.value(1), dimension_id=id)
    assert back["code"] == "field_invalid"


def test_a_values_parent_must_be_known(network: Network) -> None:
    id = network.with_dimension()
    error = network.error("upsert_dimension_values", network.value(3, parent_external_id="value:9"), dimension_id=id)
    assert (error["code"], error["retryable"]) == ("dimension_value_not_found", True)


def test_there_are_at_most_ten_active_dimensions(network: Network) -> None:
    reply = network.batch("upsert_dimensions", *[network.dimension(number) for number in range(10)])
    assert reply["created"] == 10
    assert network.error("upsert_dimensions", network.dimension(10))["code"] == "field_invalid"
    network.batch("upsert_dimensions", network.dimension(0, is_active=False))
    assert network.result("upsert_dimensions", network.dimension(10))["action"] == "created"


def test_codes_can_only_be_put_in_never_changed_or_removed_otherwise(network: Network) -> None:
    for operation in ("list_dimensions", "list_gl_accounts"):
        url = network.address.base_url + network.profile.path(operation)
        for verb in ("PATCH", "DELETE"):
            refused = network.http.request(verb, url, headers=network.headers())
            assert network.refusal(refused) == (405, "method_not_allowed")


@pytest.mark.parametrize(("kind", "operation"), [("gl_account", "gl_accounts"), ("dimension", "dimensions")])
def test_a_code_that_somebody_changed_inside_is_put_right_by_sending_it_again(
    network: Network, kind: str, operation: str
) -> None:
    sent = {"gl_account": network.account(), "dimension": network.dimension()}[kind]
    network.batch(f"upsert_{operation}", sent)
    network.act("edit_record", kind=kind, external_id=f"{kind.removeprefix('gl_')}:1", changes={"name": "Spoiled"})
    network.later(seconds=1)
    assert [row["name"] for row in network.rows(f"list_{operation}", kind)] == ["Spoiled"]
    assert network.result(f"upsert_{operation}", sent)["action"] == "updated"
    network.later(seconds=1)
    assert [row["name"] for row in network.rows(f"list_{operation}", kind)] != ["Spoiled"]


# What a line is coded with.


@pytest.mark.parametrize(
    ("coded", "code", "retryable"),
    [
        ([("DIM-9", "value:1")], "dimension_not_found", True),
        ([("DIM-1", "value:9")], "dimension_value_not_found", True),
        ([("DIM-1", "value:2")], "dimension_value_not_found", True),
        ([("DIM-2", "value:1")], "dimension_not_found", True),
        ([("DIM-1", "value:1"), ("DIM-1", "value:3")], "field_invalid", False),
    ],
)
def test_a_lines_dimensions_must_be_known_and_active(
    network: Network, coded: list[tuple[str, str]], code: str, retryable: bool
) -> None:
    id = network.with_dimension()
    network.batch("upsert_dimension_values", network.value(2, is_active=False), network.value(3), dimension_id=id)
    network.batch("upsert_dimensions", network.dimension(2, is_active=False))
    error = network.error("submit_invoices", network.bill(lines=[network.line(coded=coded)]))
    assert (error["code"], error["retryable"]) == (code, retryable)
    assert network.profile.field_named("invoice", error["field"]) == "lines"
    assert network.books.invoices == {}


def test_a_required_dimension_is_on_every_line(network: Network) -> None:
    network.with_dimension(is_required_on_line=True)
    lines = [
        network.line(amount=Decimal("400.00"), coded=[("DIM-1", "value:1")]),
        network.line(amount=Decimal("600.00")),
    ]
    (error,) = network.errors("submit_invoices", network.bill(lines=lines))
    assert (error["code"], error["retryable"]) == ("dimension_required", False)
    assert "[1]" in error["field"]
    lines[1] = network.line(amount=Decimal("600.00"), coded=[("DIM-1", "value:2")])
    assert network.result("submit_invoices", network.bill(lines=lines))["action"] == "created"
    network.batch("upsert_dimensions", network.dimension(is_required_on_line=True, is_active=False))
    assert network.result("submit_invoices", network.bill(2))["action"] == "created"


def test_an_invoice_keeps_the_codes_that_are_gone_since(network: Network) -> None:
    id = network.with_dimension()
    bill = network.bill(lines=[network.line(coded=[("DIM-1", "value:1")])])
    created = network.result("submit_invoices", bill)
    network.batch("upsert_dimension_values", network.value(1, is_active=False), dimension_id=id)
    network.batch("upsert_gl_accounts", network.account(is_active=False))
    assert network.result("submit_invoices", bill)["action"] == "unchanged"
    read = network.one("get_invoice", "invoice", created["id"])
    line = network.read("invoice_line", read["lines"][0])
    assert line["gl_account_external_id"] == "account:1"
    assert [network.read("line_dimension", part) for part in line["dimensions"]] == [
        {"dimension_code": "DIM-1", "value_external_id": "value:1"}
    ]


def test_a_line_reads_back_with_its_quantity_and_price(network: Network) -> None:
    line = network.line(
        line_number=1,
        description="Labor",
        quantity=Decimal("2.5"),
        unit_price=Decimal("400"),
        amount=Decimal("1000.00"),
    )
    created = network.result("submit_invoices", network.bill(lines=[line]))
    read = network.read("invoice_line", network.one("get_invoice", "invoice", created["id"])["lines"][0])
    assert (read["quantity"], read["unit_price"], read["description"]) == (Decimal("2.5"), 400, "Labor")
    finer = network.line(quantity=Decimal("0.00001"))
    assert network.error("submit_invoices", network.bill(2, lines=[finer]))["code"] == "field_invalid"


# Purchase orders.


def test_an_order_is_created_changed_closed_and_opened_again(network: Network) -> None:
    first = network.result("upsert_purchase_orders", network.order())
    actions = [
        network.result("upsert_purchase_orders", network.order(status=status))["action"]
        for status in ("open", "closed", "open", "cancelled", "open")
    ]
    assert [first["action"], *actions] == ["created", "unchanged", "updated", "updated", "updated", "updated"]
    network.later(seconds=1)
    (read,) = network.rows("list_purchase_orders", "purchase_order")
    assert (read["status"], read["total_amount"], read["po_number"], read["version"]) == ("open", 1000, "PO-1", 5)
    line = network.read("purchase_order_line", read["lines"][0])
    assert (line["external_id"], line["quantity"], line["unit_price"]) == ("po:1:1", 2, 500)


def test_an_orders_lines_are_replaced_as_a_set(network: Network) -> None:
    network.batch("upsert_purchase_orders", network.order())
    lines = [
        network.line("purchase_order_line", external_id=f"po:1:{number}", amount=Decimal("250.00"), quantity_received=1)
        for number in (2, 3)
    ]
    network.batch("upsert_purchase_orders", network.order(lines=lines, total_amount=Decimal("500.00")))
    kept = network.books.purchase_orders.external("po:1")["lines"]
    assert [line["external_id"] for line in kept] == ["po:1:2", "po:1:3"]
    gone = network.bill(lines=[network.line(po_line_external_id="po:1:1")])
    assert network.error("submit_invoices", gone)["code"] == "po_not_found"


@pytest.mark.parametrize(
    ("fields", "code", "retryable"),
    [
        ({"total_amount": Decimal("999.99")}, "po_total_mismatch", False),
        ({"vendor_external_id": "vendor:9"}, "vendor_not_found", True),
        ({"vendor_external_id": "vendor:2"}, "vendor_inactive", False),
        ({"currency": "CAD"}, "field_invalid", False),
        ({"status": "Forgotten"}, "field_invalid", False),
        ({"po_number": None}, "field_required", False),
        ({"order_date": "yesterday"}, "field_invalid", False),
    ],
)
def test_an_order_is_checked(network: Network, fields: dict[str, Any], code: str, retryable: bool) -> None:
    network.batch("upsert_vendors", network.vendor(2, is_active=False))
    order = network.order()
    for name, value in fields.items():
        network.profile.put("purchase_order", order, name, value)
    error = network.error("upsert_purchase_orders", order)
    assert (error["code"], error["retryable"]) == (code, retryable)
    assert network.books.purchase_orders == {}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"gl_account_external_id": "account:9"}, "gl_account_not_found"),
        ({"gl_account_external_id": "account:2"}, "gl_account_inactive"),
        ({"coded": [("DIM-1", "value:9")]}, "dimension_value_not_found"),
        ({"quantity": Decimal("1.00001")}, "field_invalid"),
        ({"quantity_received": Decimal("1.00001")}, "field_invalid"),
        ({"external_id": "po:2:1"}, "field_invalid"),
        ({"amount": None}, "field_required"),
    ],
)
def test_an_orders_lines_are_checked(network: Network, fields: dict[str, Any], code: str) -> None:
    network.with_dimension()
    network.batch("upsert_gl_accounts", network.account(2, is_active=False))
    network.batch("upsert_purchase_orders", network.order(2))
    line = network.line("purchase_order_line", **fields)
    assert network.error("upsert_purchase_orders", network.order(1, lines=[line]))["code"] == code


def test_an_order_can_be_closed_though_its_vendor_and_account_are_gone(network: Network) -> None:
    network.batch("upsert_purchase_orders", network.order())
    network.batch("upsert_vendors", network.vendor(is_active=False))
    network.batch("upsert_gl_accounts", network.account(is_active=False))
    assert network.result("upsert_purchase_orders", network.order(status="closed"))["action"] == "updated"
    assert network.error("upsert_purchase_orders", network.order())["code"] == "vendor_inactive"


# Invoices that refer to orders.


def test_an_invoice_refers_to_an_open_order_of_its_vendor(network: Network) -> None:
    network.batch("upsert_vendors", network.vendor(2))
    network.batch(
        "upsert_purchase_orders",
        network.order(1),
        network.order(2, "closed"),
        network.order(3, "cancelled"),
        network.order(4, vendor_external_id="vendor:2"),
    )
    for number, expected in ((9, ("po_not_found", True)), (2, ("po_closed", False)), (3, ("po_closed", False))):
        for bill in (
            network.bill(po_external_id=f"po:{number}"),
            network.bill(lines=[network.line(po_line_external_id=f"po:{number}:1")]),
        ):
            error = network.error("submit_invoices", bill)
            assert (error["code"], error["retryable"]) == expected
    assert network.error("submit_invoices", network.bill(po_external_id="po:4"))["code"] == "field_invalid"
    good = network.bill(po_external_id="po:1", lines=[network.line(po_line_external_id="po:1:1")])
    assert network.result("submit_invoices", good)["action"] == "created"


def test_an_invoice_keeps_the_order_that_was_closed_since(network: Network) -> None:
    network.batch("upsert_purchase_orders", network.order())
    line = network.line(po_line_external_id="po:1:1")
    network.batch("submit_invoices", network.bill(po_external_id="po:1", lines=[line]))
    network.batch("upsert_purchase_orders", network.order(status="closed"))
    changed = network.bill(po_external_id="po:1", lines=[line], description="Second thoughts")
    assert network.result("submit_invoices", changed)["action"] == "updated"
    other = network.bill(2, po_external_id="po:1")
    assert network.error("submit_invoices", other)["code"] == "po_closed"


# Credits and discounts.


def test_a_credits_lines_and_a_discount_have_the_right_sign(network: Network) -> None:
    lines = [network.line(amount=Decimal("-150.00")), network.line(amount=Decimal("50.00"))]
    assert (
        network.error("submit_invoices", network.bill(1, "-100.00", "credit", lines=lines))["code"] == "amount_invalid"
    )
    for amount in ("-1.00", "1000.01"):
        bill = network.bill(discount_amount=Decimal(amount), discount_date="2026-03-10")
        assert network.error("submit_invoices", bill)["code"] == "amount_invalid"
    bill = network.bill(discount_amount=Decimal("20.00"), discount_date="2026-03-10")
    read = network.one("get_invoice", "invoice", network.result("submit_invoices", bill)["id"])
    assert (read["discount_amount"], read["discount_date"], read["discount_taken"]) == (20, "2026-03-10", 0)
