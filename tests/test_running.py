"""Integrations that are stopped and started, and what happened in their companies meanwhile."""

import pytest

from syncs import services
from syncs.integrations import activate
from syncs.states import State
from tests.payables import edit_bill, execute, invoice, of_bill, of_payment, postings, with_bill, with_payment
from tests.simulation.world import World

pytestmark = pytest.mark.django_db
WHO = {"by": "olivia", "why": "as agreed"}


def stop(world: World) -> None:
    services.deactivate(integration=world.integration, now=world.clock.now(), **WHO)
    world.integration.refresh_from_db()


def start(world: World) -> None:
    activate(world.integration, now=world.clock.now(), **WHO)
    world.settle(days=1)


def test_nothing_is_delivered_while_an_integration_is_stopped_and_everything_afterwards() -> None:
    world, bill_id, payment_id = with_payment()
    stop(world)
    execute(world, payment_id)
    world.settle(days=1)
    assert not world.company.bill_payments
    start(world)
    assert len(postings(world, bill_id)) == 1
    assert of_payment(payment_id).state == State.SYNCED


def test_a_bill_changed_while_an_integration_was_stopped_is_changed_at_the_network_afterwards() -> None:
    world, bill_id = with_bill()
    stop(world)
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    start(world)
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"


def test_a_bill_deleted_while_an_integration_was_stopped_is_withdrawn_afterwards() -> None:
    world, bill_id = with_bill()
    stop(world)
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    world.settle(days=1)
    assert of_bill().remote_record.gone == "deleted"
    start(world)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert of_bill().state == State.SYNCED


def test_a_bill_whose_currency_is_not_paid_any_more_is_withdrawn_not_forgotten() -> None:
    world, bill_id = with_bill()
    services.set_policy(integration=world.integration, key="currencies", value=["CAD"], now=world.clock.now(), **WHO)
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
