"""A company whose books are in another currency and whose bills carry tax: each posting at its own day's rate."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.quickbooks.simulator_switches import Switches
from connectors.records import Kind
from syncs import services
from syncs.states import State
from tests.payables import enter_vendor, execute, invoice, of_bill, of_payment, open_problems, postings, release
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import account_line, assert_at_rest, enter, key_of, value
from tests.simulation.world import World, bank, begin

pytestmark = pytest.mark.django_db

CANADA = {"country": "CA", "home_currency": "CAD", "multicurrency": True}
RATES = (("1.30", "2026-03-01"), ("1.40", "2026-03-04"))


def in_canada(profile: str = "assumed-v1", rates: tuple[tuple[str, str], ...] = RATES) -> tuple[World, str]:
    """A company in Canada that owes a vendor dollars; the vendor's id."""
    world = begin(profile=profile, company=CANADA)
    for rate, day in rates:
        world.person(world.quickbooks, "set_exchange_rate", currency="USD", rate=rate, on=day)
    world.person(world.quickbooks, "create_tax", name="GST", percent="5")
    return world, enter_vendor(world, CurrencyRef=value("USD"))


def enter_bill(world: World, vendor: str, tax: str = "NotApplicable", **fields: Any) -> str:
    """A bill over a hundred dollars before tax."""
    line = account_line("100.00")
    line["AccountBasedExpenseLineDetail"] |= {"TaxCodeRef": value("1")} if tax != "NotApplicable" else {}
    known = {"DocNumber": "INV-1", "TxnDate": "2026-03-02", "CurrencyRef": value("USD"), "GlobalTaxCalculation": tax}
    return enter(world, "Bill", VendorRef=value(vendor), Line=[line], **known | fields)


def execute_on(world: World, payment_id: str, day: date, to: str = "issued") -> None:
    """The network makes the payment with this day as its date."""
    world.network.payments[payment_id]["payment_date"] = day
    execute(world, payment_id, to=to)


@everything
@pytest.mark.parametrize("follows", [False, True])
def test_a_dollar_bill_is_posted_at_the_rate_of_the_day_and_executed_at_the_rate_of_its_own(
    profile: str, follows: bool
) -> None:
    world, vendor = in_canada(profile)
    world.quickbooks.switches = Switches(rate_follows_date=follows)
    bill = enter_bill(world, vendor)
    world.settle(days=1)
    payment = release(world, "INV-1")
    world.settle(days=1)
    [pending] = postings(world, bill)
    assert (pending["TxnDate"], pending["ExchangeRate"]) == ("2026-03-03", Decimal("1.30"))
    world.clock.advance(timedelta(days=6))
    execute_on(world, payment, date(2026, 3, 8))
    world.settle(days=1)
    [posted] = postings(world, bill)
    assert (posted["Id"], posted["TxnDate"], posted["ExchangeRate"]) == (pending["Id"], "2026-03-08", Decimal("1.40"))
    assert_at_rest()


def test_a_rate_that_finance_has_entered_on_a_posting_stays_while_its_day_does() -> None:
    world, vendor = in_canada()
    bill = enter_bill(world, vendor)
    world.settle(days=1)
    payment = release(world, "INV-1")
    execute_on(world, payment, date(2026, 3, 3))
    world.settle(days=1)
    [posted] = postings(world, bill)
    entered = {"ExchangeRate": "1.3125"}
    world.person(world.quickbooks, "edit", entity="BillPayment", identity=posted["Id"], changes=entered)
    execute(world, payment, to="cleared")
    world.settle(days=2)
    [cleared] = postings(world, bill)
    assert "cleared" in cleared["PrivateNote"]
    assert (cleared["TxnDate"], cleared["ExchangeRate"]) == ("2026-03-03", Decimal("1.3125"))


def test_the_credit_of_a_discount_has_the_rate_of_its_payment() -> None:
    world, vendor = in_canada()
    account = enter(world, "Account", Name="Discounts", AccountType="Other Income")
    bill = enter_bill(world, vendor)
    world.settle(days=1)
    services.set_mapping(
        integration=world.integration, subject="discount", source="*", target=account, by="Ann", why="our chart",
        now=world.clock.now(),
    )  # fmt: skip
    payment = release(world, "INV-1", discounts={str(invoice(world)["id"]): "2.00"})
    world.settle(days=1)
    [credit] = world.company.tables["VendorCredit"].rows.values()
    assert (credit["TotalAmt"], credit["TxnDate"], credit["ExchangeRate"]) == (2, "2026-03-03", Decimal("1.30"))
    world.clock.advance(timedelta(days=6))
    execute_on(world, payment, date(2026, 3, 8))
    world.settle(days=1)
    [posted] = postings(world, bill)
    [credit] = world.company.tables["VendorCredit"].rows.values()
    assert (posted["TotalAmt"], posted["ExchangeRate"]) == (98, Decimal("1.40"))
    assert (credit["TxnDate"], credit["ExchangeRate"]) == ("2026-03-08", Decimal("1.40"))
    assert_at_rest()


def test_without_a_rate_of_the_day_nothing_is_posted_until_there_is_one() -> None:
    world, vendor = in_canada(rates=())
    bill = enter_bill(world, vendor, ExchangeRate="1.25")
    world.settle(days=1)
    payment = release(world, "INV-1")
    world.settle(days=1)
    held = of_payment(payment)
    assert (held.state, held.code) == (State.HELD, "no_exchange_rate")
    assert "USD" in held.reason
    assert postings(world, bill) == []
    [problem] = open_problems()
    assert (problem.code, problem.money) == ("no_exchange_rate", {"USD": 10000})
    world.person(world.quickbooks, "set_exchange_rate", currency="USD", rate="1.35", on="2026-03-01")
    services.replay(sync_record=of_payment(payment), by="Ann", why="the rate is entered", now=world.clock.now())
    world.settle(days=1)
    [posted] = postings(world, bill)
    assert posted["ExchangeRate"] == Decimal("1.35")
    assert_at_rest()


@everything
@pytest.mark.parametrize("tax", ["TaxExcluded", "TaxInclusive"])
def test_a_bill_with_tax_is_held_until_finance_says_where_tax_is_booked_and_then_paid_in_full(
    profile: str, tax: str
) -> None:
    world, vendor = in_canada(profile)
    bill = enter_bill(world, vendor, tax)
    world.settle(days=1)
    held = of_bill()
    assert (held.state, held.code) == (State.HELD, "unmapped_tax")
    assert not world.network.invoices
    [problem] = open_problems()
    assert problem.money == {"USD": 10500 if tax == "TaxExcluded" else 10000}
    recoverable = enter(world, "Account", Name="GST recoverable", AccountType="Other Current Asset")
    world.settle(days=1)
    services.set_mapping(
        integration=world.integration, subject="tax", source="*", target=recoverable, by="Ann", why="our chart",
        now=world.clock.now(),
    )  # fmt: skip
    world.settle(days=1)
    _, taxed = invoice(world)["lines"]
    assert taxed["gl_account_external_id"] == key_of(Kind.ACCOUNT, recoverable)
    assert taxed["amount"] == (Decimal("5.00") if tax == "TaxExcluded" else Decimal("4.76"))
    payment = release(world, "INV-1")
    execute(world, payment)
    world.settle(days=1)
    [posted] = postings(world, bill)
    assert posted["CheckPayment"]["BankAccountRef"]["value"] == bank(world, "Checking")
    assert world.company.bills[bill]["Balance"] == 0
    assert_at_rest()


def test_an_order_with_tax_goes_without_its_account_since_it_decides_no_money() -> None:
    world, vendor = in_canada()
    line = account_line("100.00")
    line["AccountBasedExpenseLineDetail"]["TaxCodeRef"] = value("1")
    enter(
        world, "PurchaseOrder", VendorRef=value(vendor), DocNumber="PO-1", TxnDate="2026-03-02", Line=[line],
        CurrencyRef=value("USD"), GlobalTaxCalculation="TaxExcluded",
    )  # fmt: skip
    world.settle(days=1)
    [order] = world.network.purchase_orders.values()
    assert order["total_amount"] == 105
    assert_at_rest()


@everything
def test_the_network_knows_a_vendors_terms_by_their_name(profile: str) -> None:
    world = begin(profile=profile)
    named = enter_vendor(world, "Acme Paper", TermRef=value("3"))
    term = enter(world, "Term", Name="2% 10, net 45", DueDays=45)
    other = enter_vendor(world, "Bolt Tools", TermRef=value(term))
    without = enter_vendor(world, "Crate & Co")
    world.settle(days=1)
    vendors = world.network.shelf("vendors")
    terms = [vendors.external(key_of(Kind.VENDOR, id)).get("payment_terms") for id in (named, other, without)]
    assert terms == ["Net 30", "2% 10, net 45", None]
    assert_at_rest()
