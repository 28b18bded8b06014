"""Our database is lost and an old one restored, while everything stands in both companies: nothing comes twice."""

import pytest
from django.db import transaction

from connectors.records import Kind
from tests.payables import balance, execute, of_payment, postings, release
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import (
    PDF,
    assert_at_rest,
    attach,
    bill_order,
    enter_credit,
    image_there,
    open_books,
    order,
    there,
    value,
)
from tests.simulation.world import World

pytestmark = pytest.mark.django_db
SHELVES = ("vendors", "gl_accounts", "dimensions", "purchase_orders", "invoices", "payments")


def sizes(world: World) -> dict[str, int]:
    """How much of each kind the network has."""
    return {shelf: len(world.network.shelf(shelf)) for shelf in SHELVES}


@everything
def test_a_backup_from_before_everything_finds_all_kinds_again_and_doubles_none(profile: str) -> None:
    world, books = open_books(profile)
    backup = transaction.savepoint()
    ordered = order(world, books)
    world.settle(days=1)
    bill_id = bill_order(world, ordered["Id"], DepartmentRef=value(books.department))
    credit_id = enter_credit(world, books.vendor)
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    payment_id = release(world, "INV-1")
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    before, [posted] = sizes(world), postings(world, bill_id)
    transaction.savepoint_rollback(backup)
    world.settle(days=1)
    assert sizes(world) == before
    assert [one["Id"] for one in world.company.bill_payments.values()] == [posted["Id"]]
    assert (of_payment(payment_id).target_id, balance(world, bill_id)) == (posted["Id"], "0.00")
    assert image_there(world) == PDF
    assert there(world, "purchase_orders", Kind.PURCHASE_ORDER, ordered["Id"])["status"] == "closed"
    assert there(world, "invoices", Kind.CREDIT, credit_id)["workflow_status"] == "received"
    assert_at_rest()
