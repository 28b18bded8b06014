"""Purchase orders go before their bills, and are closed at the network after them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from syncs.models import SyncRecord
from syncs.states import State
from tests.payables import EXPENSE, approve, deliver, edit_bill, enter_vendor, invoice, of_bill, open_problems, read
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def with_order(world: World) -> str:
    """An order that is entered in the ERP."""
    line = {
        "Amount": 100,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": EXPENSE}},
    }
    order = world.person(world.quickbooks, "order", vendor_id=enter_vendor(world), lines=[line], DocNumber="PO-1")
    return str(order["Id"])


def orders_there(world: World) -> list[dict[str, Any]]:
    return [dict(order) for order in world.network.purchase_orders.values()]


def of_order() -> SyncRecord:
    return SyncRecord.objects.get(stream__kind="purchase_order")


def test_the_bill_that_completes_an_order_is_sent_with_its_number_and_only_then_the_order_is_closed() -> None:
    world = begin()
    order_id = with_order(world)
    world.settle(days=1)
    assert [order["status"] for order in orders_there(world)] == ["open"]

    world.person(world.quickbooks, "bill_order", order_id=order_id, DocNumber="INV-1")
    world.settle(days=1)
    [there] = orders_there(world)
    sent = invoice(world)
    assert sent["lines"][0]["po_line_external_id"] == there["lines"][0]["external_id"]
    assert there["status"] == "closed"
    assert of_order().state == State.SYNCED


def test_an_order_that_was_closed_before_it_was_sent_is_left_out_and_its_bill_goes_without_it() -> None:
    world = begin()
    world.person(world.quickbooks, "bill_order", order_id=with_order(world), DocNumber="INV-1")
    world.settle(days=1)
    assert of_order().state == State.OUT_OF_SCOPE
    assert orders_there(world) == []
    assert not invoice(world)["lines"][0].get("po_line_external_id")


def forgotten_with_its_order_sent(world: World) -> str:
    """A bill that went without its order and is approved, in rows from before both, by which the order went since."""
    order_id = with_order(world)
    read(world)
    backup = transaction.savepoint()
    bill = world.person(world.quickbooks, "bill_order", order_id=order_id, DocNumber="INV-1")
    read(world)
    world.settle(days=1)
    approve(world)
    assert orders_there(world) == []
    transaction.savepoint_rollback(backup)
    for kind in ("vendor", "account", "purchase_order"):
        deliver(world, kind)
    assert [order["status"] for order in orders_there(world)] == ["open"]
    return str(bill["Id"])


def test_an_approved_bill_that_went_without_its_order_stays_where_a_restored_backup_has_sent_the_order_since() -> None:
    world = begin()
    forgotten_with_its_order_sent(world)
    world.settle(days=1)
    assert (of_bill().state, invoice(world)["workflow_status"]) == (State.SYNCED, "approved")
    world.clock.advance(timedelta(hours=1))
    world.settle(days=1)
    assert (of_order().state, orders_there(world)[0]["status"], open_problems()) == (State.SYNCED, "closed", [])


def test_one_that_was_changed_too_in_the_time_that_the_backup_has_lost_is_withdrawn() -> None:
    world = begin()
    edit_bill(world, forgotten_with_its_order_sent(world), DueDate="2026-05-05")
    world.settle(days=1)
    assert (of_bill().code, invoice(world)["workflow_status"]) == ("withdrawn_open", "cancelled")


def test_one_that_was_paid_by_hand_too_in_the_time_that_the_backup_has_lost_is_stopped() -> None:
    world = begin()
    bill_id = forgotten_with_its_order_sent(world)
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert (of_bill().state, invoice(world)["workflow_status"]) == (State.SYNCED, "cancelled")
