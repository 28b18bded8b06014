"""One bill, all the way down and back, on both providers' books."""

from decimal import Decimal

import pytest

from syncs.models import SyncRecord
from syncs.states import State
from tests.simulation.world import ADDRESS, World, begin

pytestmark = pytest.mark.django_db


def one_bill(world: World, amount: str = "120.50") -> tuple[str, str]:
    """A vendor and a bill in QuickBooks, read and delivered; the bill's id here and the invoice's there."""
    vendor = world.person(world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    expense = world.person(world.quickbooks, "create_account", name="Supplies", account_type="Expense")
    bill = world.person(
        world.quickbooks,
        "create_bill",
        vendor_id=vendor["Id"],
        lines=[[expense["Id"], amount]],
        DocNumber="INV-1",
        TxnDate="2026-03-02",
    )
    world.settle()
    [invoice] = world.network.invoices.values()
    return bill["Id"], invoice["id"]


def test_a_bill_is_paid_and_posted_back_once() -> None:
    world = begin()
    bill_id, invoice_id = one_bill(world)
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice_id)
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: None})
    world.settle()
    [posted] = world.quickbooks.payments_of_bill("9130350000000001", bill_id)
    assert posted["DocNumber"].startswith("PND-")
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to="issued")
    world.settle()

    [posted] = world.quickbooks.payments_of_bill("9130350000000001", bill_id)
    assert posted["TotalAmt"] == Decimal("120.50")
    assert not posted["DocNumber"].startswith("PND-")
    assert world.company.bills[bill_id]["Balance"] == 0
    assert not SyncRecord.objects.exclude(state=State.SYNCED).exclude(state=State.OUT_OF_SCOPE).exists()
