"""A vendor's credit by itself: sent, followed, used by a payment; changed or voided in the ERP."""

from decimal import Decimal

import pytest

from connectors.records import Kind
from tests.payables import approve, balance, execute, invoice, postings
from tests.scenarios.contracts import everything, with_bills
from tests.scenarios.wholesaler import account_line, applied, assert_at_rest, edit, enter_credit, there

pytestmark = pytest.mark.django_db


@everything
def test_a_credit_is_sent_by_itself_changed_and_used_up_by_a_payment(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    vendor = world.company.bills[bill_id]["VendorRef"]["value"]
    credit_id = enter_credit(world, vendor, "20.00")
    world.settle(days=0.02)
    assert there(world, "invoices", Kind.CREDIT, credit_id)["amount"] == Decimal("-20.00")
    edit(world, "VendorCredit", credit_id, Line=[account_line("30.00")])
    world.settle(days=0.02)
    assert there(world, "invoices", Kind.CREDIT, credit_id)["amount"] == Decimal("-30.00")
    ids = [approve(world, number) for number in ("INV-1", "CM-1")]
    execute(world, world.person(world.avidxchange, "pay", invoices=dict.fromkeys(ids)))
    world.settle(days=0.02)
    [posted] = postings(world, bill_id)
    assert applied(posted) == {("Bill", bill_id): Decimal("120.50"), ("VendorCredit", credit_id): Decimal("30.00")}
    assert (posted["TotalAmt"], balance(world, bill_id)) == (Decimal("90.50"), "0.00")
    assert_at_rest()


@everything
def test_a_credit_that_is_deleted_in_the_erp_is_withdrawn_at_the_network(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    credit_id = enter_credit(world, world.company.bills[bill_id]["VendorRef"]["value"], "20.00")
    world.settle(days=0.02)
    world.person(world.quickbooks, "delete", entity="VendorCredit", identity=credit_id)
    world.settle(days=0.02)
    assert invoice(world, "CM-1")["workflow_status"] == "cancelled"
    assert invoice(world)["workflow_status"] != "cancelled"
    assert_at_rest()
