"""What people change in one company while the other already has it: codes, approved invoices, two customers at once."""

from copy import deepcopy
from datetime import timedelta

import pytest

from connectors.records import Kind
from syncs.states import State
from tests.payables import (
    approve,
    attempts,
    balance,
    edit_bill,
    execute,
    invoice,
    of_bill,
    open_problems,
    postings,
    release,
)
from tests.scenarios.contracts import everything, with_bills
from tests.scenarios.wholesaler import account_line, assert_at_rest, key_of, open_books, there
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


def a_day_later(world: World) -> None:
    """Everything is compared in full once more."""
    world.clock.advance(timedelta(days=1, hours=1))
    world.settle(days=1)


@everything
@pytest.mark.parametrize(("field", "other"), [("name", "Somebody's name"), ("code", "9999"), ("is_active", False)])
def test_18_gl_account_differs_at_avidxchange(profile: str, field: str, other: object) -> None:
    world, books = open_books(profile)
    world.settle(days=1)
    before = there(world, "gl_accounts", Kind.ACCOUNT, books.freight)
    untouched = deepcopy(world.company.accounts)
    world.person(
        world.avidxchange, "edit_record", kind="gl_account", external_id=before["external_id"], changes={field: other}
    )
    assert there(world, "gl_accounts", Kind.ACCOUNT, books.freight)[field] == other
    a_day_later(world)
    assert there(world, "gl_accounts", Kind.ACCOUNT, books.freight)[field] == before[field]
    assert world.company.accounts == untouched
    assert_at_rest()


@everything
def test_18_a_dimension_value_differs_at_avidxchange(profile: str) -> None:
    world, books = open_books(profile)
    world.settle(days=1)
    key = key_of(Kind.DIMENSION, f"Department-{books.department}")
    [values] = [one for one in world.network.dimension_values.values() if one.external(key)]
    values.change(values.external(key), {"name": "Paris"}, world.clock.now())
    untouched = deepcopy(world.company.row("Department", books.department))
    a_day_later(world)
    assert values.external(key)["name"] == "Berlin"
    assert world.company.row("Department", books.department) == untouched
    assert_at_rest()


@everything
def test_a_bill_whose_amount_changes_before_its_approval_is_changed_at_the_network_by_one_try(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    edit_bill(world, bill_id, Line=[account_line("150.00")])
    world.settle(days=1)
    assert invoice(world)["amount"] == 150
    assert [attempt.outcome for attempt in attempts(of_bill())] == ["accepted", "accepted"]
    assert_at_rest()


@everything
def test_19_invoice_edited_in_erp_after_approval_is_withdrawn_and_a_persons_matter(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    approve(world)
    world.settle(days=1)
    edit_bill(world, bill_id, Line=[account_line("150.00")])
    world.settle(days=1)
    assert (invoice(world)["amount"], invoice(world)["workflow_status"]) == (120.5, "cancelled")
    assert (of_bill().state, of_bill().problem in open_problems()) == (State.HELD, True)
    assert balance(world, bill_id) == "150.00"


@everything
def test_19_invoice_edited_in_erp_while_it_is_being_paid_stays_and_is_a_persons_matter(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    edit_bill(world, bill_id, Line=[account_line("150.00")])
    world.settle(days=1)
    assert (invoice(world)["amount"], invoice(world)["workflow_status"]) == (120.5, "approved")
    assert (of_bill().state, of_bill().code) == (State.HELD, "bill_being_paid")
    execute(world, payment_id)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert (str(posted["TotalAmt"]), balance(world, bill_id)) == ("120.50", "29.50")
