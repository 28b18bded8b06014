"""The lives of payments in the simulated AvidXchange, under every profile, the narrow one too."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.avidxchange.contract import FOLDER, Profile, load_profile
from connectors.avidxchange.simulator_books import ActRefused
from tests.avidxchange_network import COMPANY, EVERY_PROFILE, Network, narrow_profile


@pytest.fixture(params=EVERY_PROFILE, ids=lambda profile: str(profile.profile_id))
def network(request: pytest.FixtureRequest) -> Network:
    return Network(request.param)


def balances(network: Network, *numbers: int) -> list[Decimal]:
    return [network.invoice(f"bill:{number}")["balance"] for number in numbers]


# How far the money has come.


def test_a_payment_is_shown_with_its_money_whatever_the_contract_leaves_out(network: Network) -> None:
    network.with_entered("1000.00", "-100.00")
    payment = network.issued({"bill:1": "620.00", "bill:2": None}, discounts={"bill:1": "20.00"})
    shown = network.payment(payment)
    assert (shown["amount"], shown["status"], shown["method"]) == (500, "issued", "check")
    assert shown["check_number"] == "0004100231"
    parts = [(part["invoice_external_id"], part["net_amount"]) for part in shown["applications"]]
    assert parts == [("bill:1", 600), ("bill:2", -100)]
    assert balances(network, 1, 2) == [380, 0]


def test_a_status_without_a_word_in_the_contract_is_shown_all_the_same_as_a_word_nobody_knows() -> None:
    network = Network(narrow_profile()).with_entered("100.00", "50.00")
    payment = network.issued({"bill:1": None}, method="ach")
    network.act("return_payment", payment_id=payment)
    assert network.payment(payment)["status"] == "unknown"
    voided = network.act("pay", invoices={"bill:2": None})
    network.act("void_payment", payment_id=voided)
    assert network.payment(voided)["status"] == "void"


def test_the_reference_may_come_after_the_money_went(network: Network) -> None:
    network.with_entered("10.00", "20.00", "30.00")
    for bill, method, field in (
        ("bill:1", "check", "check_number"),
        ("bill:2", "ach", "ach_trace"),
        ("bill:3", "virtual_card", "card_last4"),
    ):
        if not network.profile.has("payment", field):
            continue
        payment = network.act("pay", invoices={bill: None}, method=method)
        network.act("advance_payment", payment_id=payment, to="issued", without_reference=True)
        before = network.payment(payment)
        assert (before["status"], before[field]) == ("issued", None)
        version = network.books.payments[payment]["version"]
        network.act("give_reference", payment_id=payment)
        assert network.payment(payment)[field]
        assert network.books.payments[payment]["version"] == version + 1
        with pytest.raises(ActRefused):
            network.act("give_reference", payment_id=payment)


def test_an_error_says_what_is_wrong_and_can_be_fixed(network: Network) -> None:
    network.with_entered("10.00")
    payment = network.act("pay", invoices={"bill:1": None})
    network.act("fail_payment", payment_id=payment, code="4", message="No bank account.")
    shown = network.payment(payment)
    assert shown["status"] == "error"
    if network.profile.has("payment", "exceptions"):
        (problem,) = [network.read("payment_exception", row) for row in shown["exceptions"]]
        says_whether = network.profile.has("payment_exception", "fixable")
        assert (problem["code"], problem["fixable"]) == ("4", True if says_whether else None)
    network.act("advance_payment", payment_id=payment, to="cleared")
    assert network.books.payments[payment]["exceptions"] == []


# Changed minds.


def test_a_payment_that_nobody_sent_out_yet_changes_its_method_in_place(network: Network) -> None:
    network.with_entered("10.00")
    payment = network.act("pay", invoices={"bill:1": None}, method="virtual_card")
    version = network.books.payments[payment]["version"]
    assert network.act("change_method", payment_id=payment) == payment
    assert (network.payment(payment)["method"], network.books.payments[payment]["version"]) == ("check", version + 1)
    network.act("advance_payment", payment_id=payment, to="issued")
    assert network.payment(payment)["check_number"]


@pytest.mark.parametrize("status", ["card_processing", "issued"])
def test_a_card_that_is_under_way_becomes_a_check_by_a_new_payment(network: Network, status: str) -> None:
    network.with_entered("10.00")
    card = network.act("pay", invoices={"bill:1": None}, method="virtual_card")
    network.act("advance_payment", payment_id=card, to=status)
    check = network.act("change_method", payment_id=card)
    assert check != card
    old, new = network.books.payments[card], network.books.payments[check]
    assert (old["status"], old["replaced_by"], new["reissue_of"], new["method"]) == ("reissued", check, card, "check")
    assert balances(network, 1) == [10]
    assert network.invoice()["payment_status"] == "scheduled"


def test_a_new_payment_may_be_seen_before_the_old_one_says_what_became_of_it(network: Network) -> None:
    network.with_entered("10.00")
    card = network.issued({"bill:1": None}, method="virtual_card")
    with pytest.raises(ActRefused, match="twice"):
        network.act("reissue_payment", payment_id=card, tell_later=True)
    network.act("expire_card", payment_id=card)
    network.later(hours=1)
    check = network.act("reissue_payment", payment_id=card, tell_later=True)
    old, new = network.books.payments[card], network.books.payments[check]
    assert (old["status"], old["replaced_by"], new["reissue_of"]) == ("expired", None, card)
    assert new["updated_at"] > old["updated_at"]
    network.act("advance_payment", payment_id=card, to="reissued")
    assert (old["status"], old["replaced_by"]) == ("reissued", check)


def test_an_executed_payment_may_settle_other_invoices_but_never_another_amount(network: Network) -> None:
    network.with_entered("100.00", "100.00", "60.00")
    payment = network.issued({"bill:1": None})
    network.act("change_applications", payment_id=payment, invoices={"bill:2": "40.00", "bill:3": None})
    assert balances(network, 1, 2, 3) == [100, 60, 0]
    shown = network.payment(payment)
    assert [part["invoice_external_id"] for part in shown["applications"]] == ["bill:2", "bill:3"]
    assert (network.invoice("bill:1")["payment_ids"], network.invoice("bill:3")["payment_ids"]) == ([], [payment])
    for invoices in ({"bill:2": "99.99"}, {"bill:2": "100.01"}, {"bill:9": None}):
        with pytest.raises(ActRefused):
            network.act("change_applications", payment_id=payment, invoices=invoices)
    assert balances(network, 1, 2, 3) == [100, 60, 0]


def test_a_payment_that_was_reversed_settles_nothing_any_more(network: Network) -> None:
    network.with_entered("100.00", "100.00")
    payment = network.issued({"bill:1": None})
    network.act("refund_payment", payment_id=payment)
    with pytest.raises(ActRefused, match="settles nothing"):
        network.act("change_applications", payment_id=payment, invoices={"bill:2": None})


# Ways back.


def test_an_ach_return_has_a_code_and_opens_its_invoices_again(network: Network) -> None:
    network.with_entered("100.00", "50.00")
    payment = network.issued({"bill:1": None, "bill:2": None}, method="ach")
    network.act("advance_payment", payment_id=payment, to="cleared")
    network.act("return_payment", payment_id=payment, code="R03")
    assert network.books.payments[payment]["ach_return_code"] == "R03"
    if network.profile.has("payment", "ach_return_code"):
        assert network.payment(payment)["ach_return_code"] == "R03"
    assert balances(network, 1, 2) == [100, 50]


def test_a_card_expires_when_its_days_are_over(network: Network) -> None:
    network.with_entered("100.00")
    card = network.issued({"bill:1": None}, method="virtual_card")
    network.later(days=30)
    assert network.act("age_cards") == []
    network.later(days=1)
    assert network.act("age_cards") == [card]
    assert balances(network, 1) == [100]
    network.act("refund_payment", payment_id=card)
    assert network.books.payments[card]["status"] == "refunded"


# Credits.


def test_a_credit_is_used_up_bit_by_bit_in_payments(network: Network) -> None:
    network.with_entered("100.00", "100.00", "-80.00")
    assert network.invoice("bill:3")["payment_status"] == "open"
    network.issued({"bill:1": None, "bill:3": "-30.00"})
    assert (network.invoice("bill:3")["payment_status"], *balances(network, 3)) == ("partially_applied", -50)
    second = network.issued({"bill:2": None, "bill:3": None})
    assert network.books.payments[second]["amount"] == 50
    assert (network.invoice("bill:3")["payment_status"], *balances(network, 3)) == ("applied", 0)
    network.act("refund_payment", payment_id=second)
    assert (network.invoice("bill:3")["payment_status"], *balances(network, 2, 3)) == ("partially_applied", 100, -50)


def test_a_credit_may_be_applied_without_a_payment(network: Network) -> None:
    network.with_entered("100.00", "-80.00")
    network.act("apply_credit", credit="bill:2", invoice="bill:1", amount="30.00")
    assert balances(network, 1, 2) == [70, -50]
    assert network.invoice()["amount_credited"] == 30
    assert [network.invoice(f"bill:{n}")["payment_status"] for n in (1, 2)] == ["partially_paid", "partially_applied"]
    network.issued({"bill:1": None})
    assert network.invoice()["payment_status"] == "paid"
    for amount in ("50.01", "0.00", "-1.00"):
        with pytest.raises(ActRefused):
            network.act("apply_credit", credit="bill:2", invoice="bill:1", amount=amount)


@pytest.mark.parametrize("discount", ["100.00", "-1.00", "1.001"])
def test_a_discount_is_less_than_what_is_paid(network: Network, discount: str) -> None:
    network.with_entered("100.00")
    with pytest.raises(ActRefused):
        network.act("pay", invoices={"bill:1": None}, discounts={"bill:1": discount})


# Vendors and bank accounts.


def test_a_blocked_vendor_is_not_paid(network: Network) -> None:
    network.with_entered("100.00")
    network.act("enroll_vendor", status="blocked", external_id="vendor:1")
    with pytest.raises(ActRefused, match="blocked"):
        network.act("pay", invoices={"bill:1": None}, method="ach")
    network.act("enroll_vendor", method="virtual_card", external_id="vendor:1")
    network.act("pay", invoices={"bill:1": None}, method="virtual_card")


def test_a_payment_that_cannot_be_made_anew_stays_as_it_is(network: Network) -> None:
    network.with_entered("100.00")
    card = network.issued({"bill:1": None}, method="virtual_card")
    network.act("edit_record", kind="vendor", external_id="vendor:1", changes={"remit_city": ""})
    for act in ("reissue_payment", "change_method"):
        with pytest.raises(ActRefused, match="address"):
            network.act(act, payment_id=card)
    assert [payment["status"] for payment in network.books.payments.values()] == ["issued"]
    assert network.act("reissue_payment", payment_id=card, method="ach")


def test_money_is_drawn_on_a_bank_account_that_the_treasury_let_in(network: Network) -> None:
    network.with_entered("100.00", "50.00")
    (first,) = network.books.bank_accounts
    network.act("judge_bank_account", bank_account_id=first, status="failed")
    with pytest.raises(ActRefused, match="bank account"):
        network.act("pay", invoices={"bill:1": None})
    second = network.act("add_bank_account", name="Payables", last4="1111", external_id="erp:account:36")
    with pytest.raises(ActRefused, match="bank account"):
        network.act("pay", invoices={"bill:1": None})
    network.act("judge_bank_account", bank_account_id=second)
    payment = network.act("pay", invoices={"bill:1": None})
    assert network.books.payments[payment]["funding_external_id"] == "erp:account:36"


def test_an_invoice_of_another_origin_has_no_external_id() -> None:
    network = Network("assumed-v1")
    vendor = network.act("add_vendor", name="Unlinked")
    scanned = network.act("enter_invoice", vendor_id=vendor, invoice_number="S-1", amount="10.00", origin="scan")
    read = network.one("get_invoice", "invoice", scanned)
    assert (network.profile.meaning("origin", read["origin"]), read["external_id"]) == ("scan", None)
    network.act("approve_invoice", invoice_id=scanned)
    payment = network.act("pay", invoices={scanned: None}, method="ach")
    assert network.payment(payment)["applications"][0]["invoice_id"] == scanned


# Void requests and acknowledgements: only with their capability.


def able(profile: Profile) -> Profile:
    """This contract with both capabilities."""
    override = {
        "capabilities": {"paymentVoid": True, "paymentAck": True},
        "operations": {
            "void_payment": {"method": "POST", "path": "/annulments/{id}"},
            "acknowledge_payments": {"method": "POST", "path": "/receipts", "items": "rows", "maxItems": 100},
        },
    }
    return load_profile(FOLDER / f"{profile.profile_id}.json", override)


@pytest.fixture(params=["assumed-v1", "renamed-v1"])
def voiding(request: pytest.FixtureRequest) -> Network:
    return Network(able(Network(request.param).profile)).with_entered("100.00", "50.00")


def ask(network: Network, payment: str, request: str = "request:1", **fields: Any) -> Any:
    body = network.write("void_request", request_external_id=request, reason="Duplicate", **fields)
    return network.call("void_payment", body, id=payment)


@pytest.mark.parametrize("status", ["pending_approval", "held", "processing", "debit_requested", "funds_received"])
def test_a_void_is_granted_while_the_money_has_not_left(voiding: Network, status: str) -> None:
    start = "pending_approval" if status in ("pending_approval", "held") else "processing"
    payment = voiding.act("pay", invoices={"bill:1": None}, status=start)
    if status != start:
        voiding.act("advance_payment", payment_id=payment, to=status)
    granted = ask(voiding, payment)
    shown = voiding.read("payment", granted.json())
    assert (granted.status_code, shown["status"], shown["status_reason"]) == (202, "void", "Duplicate")
    version = voiding.books.payments[payment]["version"]
    assert ask(voiding, payment).status_code == 202
    assert voiding.books.payments[payment]["version"] == version
    assert voiding.refusal(ask(voiding, payment, "request:2")) == (409, "void_not_allowed")


def test_a_check_that_is_out_is_stopped_and_nothing_else(voiding: Network) -> None:
    check = voiding.issued({"bill:1": None})
    assert voiding.read("payment", ask(voiding, check).json())["status"] == "stop_requested"
    ach = voiding.issued({"bill:2": None}, method="ach")
    assert voiding.refusal(ask(voiding, ach, "request:2")) == (409, "void_not_allowed")
    assert voiding.refusal(ask(voiding, ach, "request:1")) == (409, "conflict")
    assert voiding.refusal(ask(voiding, "pay_none")) == (404, "not_found")
    nameless = voiding.call("void_payment", voiding.write("void_request", reason="x"), id=ach)
    assert voiding.refusal(nameless) == (400, "malformed_request")


def test_a_payment_is_acknowledged_under_its_id_in_the_erp(voiding: Network) -> None:
    payment = voiding.issued({"bill:1": None})
    version = voiding.books.payments[payment]["version"]
    known = {"payment_id": payment, "recorded_at": "2026-03-09T09:00:00.000Z"}
    sent = [voiding.write("acknowledgement", erp_id=erp_id, **known) for erp_id in ("81", "81", "82")]
    results = [voiding.result("acknowledge_payments", one) for one in sent]
    assert [result["action"] for result in results] == ["created", "unchanged", "updated"]
    assert voiding.books.acknowledgements[payment]["erp_id"] == "82"
    assert voiding.books.payments[payment]["version"] == version
    lost = voiding.write("acknowledgement", payment_id="pay_none", erp_id="1")
    assert voiding.error("acknowledge_payments", lost)["code"] == "not_found"
    twice = voiding.batch("acknowledge_payments", sent[0], sent[0])
    assert (twice["updated"], twice["failed"]) == (1, 1)


def test_neither_is_there_without_its_capability() -> None:
    profile = able(Network("assumed-v1").profile)
    off = load_profile(
        FOLDER / "assumed-v1.json",
        {"operations": {"void_payment": {"method": "POST", "path": profile.operation("void_payment").path}}},
    )
    network = Network(off).with_entered("100.00")
    payment = network.act("pay", invoices={"bill:1": None})
    assert ask(network, payment).status_code == 403
    assert network.sim.books()[COMPANY]["payments"][0]["status"] == "processing"
