"""What we pushed stands for itself; what the AP network has already under a code of its own is mapped by a person."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from syncs import services
from syncs.models import SyncRecord
from syncs.states import State
from tests.payables import EXPENSE, enter_bill, enter_vendor, invoice, of_bill
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def with_code_of_its_own() -> tuple[World, str]:
    """The network has an account of the ERP's number already, under another external id; its id there."""
    world = begin()
    number = world.company.accounts[EXPENSE].get("AcctNum") or EXPENSE
    values = {"external_id": "legacy-expense", "code": number, "name": "Old expenses", "is_active": True}
    code = world.network.gl_accounts.add({**values, "type": "Expense", "parent_external_id": None}, world.clock.now())
    world.clock.advance(timedelta(minutes=1))
    enter_bill(world, enter_vendor(world))
    world.settle(days=1)
    return world, str(code["id"])


def of_account() -> SyncRecord:
    return SyncRecord.objects.get(stream__kind="account", remote_record__remote_id=EXPENSE)


def map_expense(world: World, target: str) -> services.Decided:
    return services.map_code(
        integration=world.integration,
        source=f"account:{EXPENSE}",
        target=target,
        by="Ann",
        why="It is the same account",
        now=world.clock.now(),
    )


def test_an_account_whose_code_the_network_has_already_is_held_and_its_bill_waits_for_the_mapping() -> None:
    world, code_id = with_code_of_its_own()
    assert of_account().state == State.HELD
    assert of_bill().state == State.WAITING

    map_expense(world, code_id)
    world.settle(days=1)
    assert (of_account().state, of_account().code) == (State.OUT_OF_SCOPE, "mapped")
    assert invoice(world)["lines"][0]["gl_account_external_id"] == "legacy-expense"
    assert [account["external_id"] for account in world.network.gl_accounts.values()].count("legacy-expense") == 1


def test_what_was_pushed_stands_for_itself_and_is_not_mapped_to_another_code() -> None:
    world = begin()
    enter_bill(world, enter_vendor(world))
    world.settle(days=2)
    code = world.network.gl_accounts.add(
        {"external_id": "other", "code": "9999", "name": "Other", "is_active": True, "type": "Expense"},
        world.clock.now(),
    )
    world.clock.advance(timedelta(days=1))
    world.settle(days=1)
    with pytest.raises(ValidationError, match="stands for itself"):
        map_expense(world, str(code["id"]))


def test_a_code_that_the_network_has_not_shown_is_refused_and_nothing_changes() -> None:
    world, _ = with_code_of_its_own()
    with pytest.raises(ValidationError, match="external id"):
        map_expense(world, "gl_999")
    assert of_account().state == State.HELD
