"""The simulated AvidXchange plays a month by itself, the same one each time, under every profile."""

from collections import Counter
from decimal import Decimal

import pytest

from connectors.avidxchange.contract import Profile, named_profile
from connectors.avidxchange.simulator_books import Record
from tests.avidxchange_network import ADDRESS, COMPANY, EVERY_PROFILE, WRITING_PROFILES, Network

WHERE = {**ADDRESS, "remit_country": "US"}
PACE = {
    "approval_days": 1,
    "approval_spread": 6,
    "clearing_spread": 4,
    "pay_every_days": 3,
    "ach_share": 35,
    "card_share": 25,
    "held_share": 10,
    "trouble_share": 20,
}


def month(profile: Profile, days: int = 45) -> Network:
    """Twelve vendors with six invoices and a credit each, and so many days."""
    network = Network(profile)
    for vendor in range(12):
        id = network.act("add_vendor", name=f"Vendor {vendor}", external_id=f"vendor:{vendor}", **WHERE)
        network.act("enroll_vendor", status="not_enrolled", external_id=f"vendor:{vendor}")
        for number in range(6):
            about = {"external_id": f"bill:{vendor}:{number}", "amount": f"{100 + 10 * vendor + number}.00"}
            network.act("enter_invoice", vendor_id=id, invoice_number=f"INV-{number}", **about)
        network.act(
            "enter_invoice", vendor_id=id, invoice_number="CM-1", amount="-30.00", external_id=f"credit:{vendor}"
        )
    for _ in range(days):
        network.later(days=1)
        network.sim.run_network(COMPANY, **PACE)
    return network


def test_everything_is_approved_and_paid_to_the_cent_and_credits_are_used_up() -> None:
    network = month(named_profile("assumed-v1"))
    books = network.sim.books()[COMPANY]
    assert {invoice["workflow_status"] for invoice in books["invoices"]} == {"approved"}
    live = [payment for payment in books["payments"] if payment["phase"] in ("pending", "executed")]
    for invoice in books["invoices"]:
        parts = [part for payment in live for part in payment["applications"] if part["invoice_id"] == invoice["id"]]
        assert sum(part["gross_amount"] for part in parts) == invoice["amount"]
    for payment in books["payments"]:
        assert payment["amount"] == sum(part["net_amount"] for part in payment["applications"]) > 0


def test_vendors_are_paid_by_their_own_method_cards_one_by_one_and_the_rest_together() -> None:
    network = month(named_profile("assumed-v1"))
    books = network.sim.books()[COMPANY]
    methods = {vendor["id"]: vendor["preferred_payment_method"] for vendor in books["vendors"]}
    assert set(methods.values()) == {"check", "ach", "virtual_card"}
    first = [payment for payment in books["payments"] if payment["reissue_of"] is None]
    assert all(payment["method"] == methods[payment["vendor_id"]] for payment in first)
    owed = {payment["id"]: [part for part in payment["applications"] if part["gross_amount"] > 0] for payment in first}
    assert all(len(owed[payment["id"]]) == 1 for payment in first if payment["method"] == "virtual_card")
    assert max(len(owed[payment["id"]]) for payment in first) > 1
    credited = [payment for payment in first if len(payment["applications"]) > len(owed[payment["id"]])]
    assert credited


def test_some_money_comes_back_and_is_paid_anew_by_check() -> None:
    books = month(named_profile("assumed-v1")).sim.books()[COMPANY]
    payments: dict[str, Record] = {payment["id"]: payment for payment in books["payments"]}
    anew = [payment for payment in payments.values() if payment["reissue_of"]]
    assert anew
    for payment in anew:
        old = payments[payment["reissue_of"]]
        assert (payment["method"], old["status"], old["replaced_by"]) == ("check", "reissued", payment["id"])
        assert payment["applications"] == old["applications"]
    ways = Counter(event["status"] for payment in payments.values() for event in payment["history"])
    assert ways["returned"]
    assert ways["reissued"] == len(anew)


@pytest.mark.parametrize("profile", EVERY_PROFILE, ids=lambda profile: str(profile.profile_id))
def test_the_month_is_the_same_each_time_and_under_every_contract(profile: Profile) -> None:
    network = month(profile, days=15)
    assert network.sim.books() == month(named_profile("assumed-v1"), days=15).sim.books()
    some = next(iter(network.books.payments))
    assert network.payment(some)["id"] == some


def test_approvers_take_their_time_each_invoice_its_own() -> None:
    network = month(named_profile("assumed-v1"), days=0)
    approved: dict[str, int] = {}
    for day in range(12):
        network.later(days=1)
        network.sim.run_network(COMPANY, approval_days=1, approval_spread=6)
        for invoice in network.books.invoices.values():
            if invoice["approved_at"] is not None:
                approved.setdefault(invoice["id"], day)
    assert len(approved) == len(network.books.invoices)
    assert set(approved.values()) == set(range(1, 8))


@pytest.mark.parametrize("profile", WRITING_PROFILES, ids=lambda profile: str(profile.profile_id))
def test_a_discount_is_taken_within_its_date_and_not_after_it(profile: Profile) -> None:
    network = Network(profile).with_reference_data()
    for number, day in ((1, "2026-03-06"), (2, "2026-03-05")):
        bill = network.bill(number, discount_amount=Decimal("20.00"), discount_date=day)
        assert network.result("submit_invoices", bill)["successful"]
    for _ in range(10):
        network.sim.run_network(COMPANY)
        network.later(days=1)
    (payment,) = network.books.payments.values()
    assert str(payment["payment_date"]) == "2026-03-06"
    assert [part["discount_amount"] for part in payment["applications"]] == [20, 0]
    assert [network.invoice(f"bill:{number}")["discount_taken"] for number in (1, 2)] == [20, 0]


@pytest.mark.parametrize("profile", WRITING_PROFILES, ids=lambda profile: str(profile.profile_id))
def test_some_invoices_are_turned_down_once_with_a_reason_and_some_coded_otherwise(profile: Profile) -> None:
    network = Network(profile).with_reference_data()
    network.batch("upsert_gl_accounts", network.account(2))
    network.batch("submit_invoices", *[network.bill(number) for number in range(30)])
    for _ in range(6):
        network.sim.run_network(COMPANY, rejected_share=30, recoded_share=50)
        network.later(days=1)
    rejected = [one for one in network.books.invoices.values() if one["workflow_status"] == "rejected"]
    assert 0 < len(rejected) < 30
    assert all(invoice["rejection_reason"] for invoice in rejected)
    accounts = Counter(
        one["lines"][0]["gl_account_external_id"] for one in network.books.invoices.values() if one["approved_at"]
    )
    assert set(accounts) == {"account:1", "account:2"}
    for invoice in rejected:
        number = int(invoice["external_id"].partition(":")[2])
        assert network.result("submit_invoices", network.bill(number, description="Explained"))["action"] == "updated"
    for _ in range(4):
        network.sim.run_network(COMPANY, rejected_share=30)
        network.later(days=1)
    assert {invoice["workflow_status"] for invoice in network.books.invoices.values()} == {"approved"}


def test_a_credit_that_is_larger_than_what_is_owed_waits_for_more() -> None:
    network = Network("assumed-v1").with_entered("100.00", "-150.00")
    network.sim.run_network(COMPANY)
    (first,) = network.books.payments.values()
    assert [part["invoice_external_id"] for part in first["applications"]] == ["bill:1"]
    vendor = next(iter(network.books.vendors))
    network.act("enter_invoice", vendor_id=vendor, invoice_number="INV-3", amount="200.00", external_id="bill:3")
    network.act("approve_invoice", external_id="bill:3")
    network.sim.run_network(COMPANY)
    second = list(network.books.payments.values())[-1]
    assert (second["amount"], len(second["applications"])) == (50, 2)


def test_a_refund_is_not_paid_again_until_a_person_does() -> None:
    network = Network("assumed-v1").with_entered("100.00")
    payment = network.issued({"bill:1": None})
    network.act("refund_payment", payment_id=payment)
    for _ in range(5):
        network.later(days=1)
        network.sim.run_network(COMPANY)
    assert list(network.books.payments) == [payment]
    network.act("pay", invoices={"bill:1": None})
    assert len(network.books.payments) == 2


def test_money_that_cannot_go_out_by_check_goes_back_to_the_payer_and_a_card_on_its_way() -> None:
    network = Network("assumed-v1").with_entered(*["100.00"] * 12)
    network.act("enroll_vendor", method="virtual_card", external_id="vendor:1")
    network.act("edit_record", kind="vendor", external_id="vendor:1", changes={"remit_city": ""})
    for _ in range(15):
        network.later(days=1)
        network.sim.run_network(COMPANY, trouble_share=100)
    payments = network.books.payments.values()
    assert {payment["status"] for payment in payments} == {"refunded"}
    assert len(payments) == 12
