"""The lives of a payment that are more than one amount on one bill: posted to the cent, exactly once."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators import Response
from syncs import services
from syncs.models import RemoteRecord, SyncRecord
from syncs.states import State
from tests.payables import (
    PAYMENT_POST,
    approve,
    balance,
    by_policy,
    deliver,
    enter_bill,
    enter_vendor,
    execute,
    map_discounts,
    of_payment,
    open_problems,
    read,
    release,
    run_until,
    with_bill,
    worker,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db

TROUBLES = ("none", "drop_answer", "truncate", "drop_request")


def enter_credit(world: World, vendor_id: str, amount: str, number: str = "CR-1", **fields: Any) -> str:
    """A vendor credit in the ERP, of one line."""
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": amount,
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}},
    }
    body = {"VendorRef": {"value": vendor_id}, "DocNumber": number, "TxnDate": "2026-03-02", "Line": [line], **fields}
    return str(world.person(world.quickbooks, "create", entity="VendorCredit", body=body)["Id"])


def credit_balance(world: World, credit_id: str) -> Decimal:
    """What is left of a credit in the ERP's books."""
    return Decimal(world.company.tables["VendorCredit"].rows[credit_id]["Balance"])


def with_credit(bill: str = "120.50", credit: str = "20.00") -> tuple[World, str, str, str]:
    """A world in which a payment of a bill takes a credit along; nothing of the payment is read yet."""
    world = begin()
    vendor = enter_vendor(world)
    bill_id, credit_id = enter_bill(world, vendor, bill), enter_credit(world, vendor, credit)
    world.settle(days=1)
    return world, bill_id, credit_id, release(world, "INV-1", "CR-1")


def posted(world: World) -> list[dict[str, Any]]:
    """The payments in the ERP's books that settle something."""
    return [payment for payment in world.company.bill_payments.values() if payment["Line"]]


# Credits


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_payment_that_takes_a_credit_is_posted_pending_and_executed_in_place(trouble: str) -> None:
    world, bill_id, credit_id, payment_id = with_credit()
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    world.settle(days=1)
    [pending] = posted(world)
    assert pending["DocNumber"].startswith("PND-")
    assert (pending["TotalAmt"], [line["Amount"] for line in pending["Line"]]) == (
        Decimal("100.50"),
        [Decimal("120.50"), 20],
    )
    assert (balance(world, bill_id), credit_balance(world, credit_id)) == ("0.00", Decimal(0))
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    execute(world, payment_id)
    world.settle(days=1)
    [executed] = posted(world)
    assert executed["Id"] == pending["Id"]
    assert not executed["DocNumber"].startswith("PND-")
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


def test_a_credit_that_a_payment_took_is_given_back_by_its_void() -> None:
    world, bill_id, credit_id, payment_id = with_credit()
    execute(world, payment_id)
    world.settle(days=1)
    assert len(posted(world)) == 1
    world.quickbooks.drop_answer(PAYMENT_POST)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert posted(world) == []
    assert (balance(world, bill_id), credit_balance(world, credit_id)) == ("120.50", Decimal(20))
    assert of_payment(payment_id).state == State.SYNCED


def test_a_credit_used_up_by_somebody_else_is_never_taken_a_second_time() -> None:
    world, bill_id, credit_id, payment_id = with_credit()
    other = enter_bill(world, str(world.company.bills[bill_id]["VendorRef"]["value"]), "20.00", "BY-HAND")
    world.person(world.quickbooks, "pay_bill", bill_id=other, credits={credit_id: "20.00"})
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert balance(world, bill_id) == "120.50"


def test_what_our_posting_took_of_a_credit_does_not_stop_the_credit_at_the_network() -> None:
    world, _, credit_id, payment_id = with_credit()
    world.settle(days=3)
    assert credit_balance(world, credit_id) == 0
    assert not any(one["workflow_status"] == "cancelled" for one in world.network.invoices.values())
    assert open_problems() == []


# Discounts


def with_discount(amount: str = "100.00", discount: str = "2.00", mapped: bool = True) -> tuple[World, str, str]:
    """A world in which a payment of a bill takes a discount; nothing of the payment is read yet."""
    world = begin()
    bill_id = enter_bill(world, enter_vendor(world), amount)
    world.settle(days=1)
    if mapped:
        map_discounts(world)
    invoice_id = approve(world)
    paid = {"invoices": {invoice_id: None}, "discounts": {invoice_id: discount}}
    return world, bill_id, str(world.person(world.avidxchange, "pay", **paid))


def credits(world: World) -> list[dict[str, Any]]:
    """The vendor credits in the ERP's books."""
    return list(world.company.tables["VendorCredit"].rows.values())


DISCOUNT_POST, PIECES = "POST /vendorcredit", ("POST /vendorcredit", PAYMENT_POST)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_discount_is_a_credit_that_the_payment_uses_up_whatever_answer_is_lost(trouble: str, piece: str) -> None:
    world, bill_id, payment_id = with_discount()
    if trouble != "none":
        getattr(world.quickbooks, trouble)(piece)
    world.settle(days=1)
    [credit], [pending] = credits(world), posted(world)
    assert (credit["TotalAmt"], credit["Balance"]) == (2, 0)
    assert [line["Amount"] for line in pending["Line"]] == [100, 2]
    assert (pending["TotalAmt"], balance(world, bill_id)) == (98, "0.00")
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    execute(world, payment_id)
    world.settle(days=2)
    [executed] = posted(world)
    assert (executed["Id"], executed["TotalAmt"]) == (pending["Id"], 98)
    assert [one["Id"] for one in credits(world)] == [credit["Id"]]
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


@pytest.mark.parametrize("step", ["claimed", "looked for our marks", "sent"])
def test_a_worker_killed_over_a_discount_leaves_one_credit_and_one_payment(step: str) -> None:
    world, bill_id, payment_id = with_discount()
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    run_until(worker(world, "payment"), step)
    world.settle(days=1)
    assert (len(credits(world)), len(posted(world)), balance(world, bill_id)) == (1, 1, "0.00")


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_reversal_takes_the_discount_back_too_whatever_answer_is_lost(trouble: str, piece: str) -> None:
    world, bill_id, payment_id = with_discount()
    execute(world, payment_id)
    world.settle(days=1)
    if trouble != "none":
        getattr(world.quickbooks, trouble)(piece)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert (posted(world), credits(world), balance(world, bill_id)) == ([], [], "100.00")
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


def test_a_credit_made_for_a_payment_that_was_refused_does_not_stay() -> None:
    world, bill_id, payment_id = with_discount()
    refusal = {"Fault": {"Error": [{"Message": "No", "Detail": "No", "code": "6000"}], "type": "ValidationFault"}}
    world.quickbooks.refuse(PAYMENT_POST, Response(status=400, body=json.dumps(refusal).encode()))
    world.settle(days=1)
    assert (of_payment(payment_id).state, credits(world)) == (State.HELD, [])
    services.replay(sync_record=of_payment(payment_id), by="Ann", why="mended", now=world.clock.now())
    world.settle(days=1)
    assert (len(credits(world)), len(posted(world)), balance(world, bill_id)) == (1, 1, "0.00")


def test_a_payment_taken_back_before_it_was_posted_leaves_no_credit_behind() -> None:
    world, bill_id, payment_id = with_discount()
    execute(world, payment_id)
    world.quickbooks.drop_request(PAYMENT_POST)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    deliver(world, "payment")
    assert (len(credits(world)), posted(world)) == (1, [])
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    world.settle(days=1)
    assert (credits(world), posted(world), balance(world, bill_id)) == ([], [], "100.00")
    assert of_payment(payment_id).state == State.OUT_OF_SCOPE


def test_our_own_discount_credit_is_never_sent_to_the_network() -> None:
    world, _, payment_id = with_discount()
    world.settle(days=2)
    [credit] = credits(world)
    sent = SyncRecord.objects.get(stream__kind="credit", remote_record__remote_id=credit["Id"])
    assert (sent.state, sent.code) == (State.OUT_OF_SCOPE, "made_by_us")
    assert [one["invoice_number"] for one in world.network.invoices.values()] == ["INV-1"]


def test_a_discount_that_changes_after_it_was_posted_is_held() -> None:
    world, bill_id, payment_id = with_discount()
    world.settle(days=1)
    part = world.network.payments[payment_id]["applications"][0]
    changed = {"invoices": {part["invoice_id"]: None}, "discounts": {part["invoice_id"]: "3.00"}}
    world.person(world.avidxchange, "change_applications", payment_id=payment_id, **changed)
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "applications_changed")
    assert credits(world)[0]["TotalAmt"] == 2


def test_the_discount_waits_for_its_account_and_goes_once_that_is_chosen() -> None:
    world, bill_id, payment_id = with_discount(mapped=False)
    world.settle(days=1)
    assert (of_payment(payment_id).code, credits(world)) == ("unmapped_discount", [])
    account = map_discounts(world)
    world.settle(days=1)
    [credit] = credits(world)
    assert credit["Line"][0]["AccountBasedExpenseLineDetail"]["AccountRef"]["value"] == account
    assert (of_payment(payment_id).state, balance(world, bill_id)) == (State.SYNCED, "0.00")


def test_a_discount_has_the_class_and_location_of_its_bills_first_line() -> None:
    world = begin()
    for feature in ("classes", "departments"):
        world.person(world.quickbooks, "switch_feature", feature=feature, on=True)
    made = {
        name: world.person(world.quickbooks, "create", entity=name, body={"Name": "North"})["Id"]
        for name in ("Class", "Department")
    }
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": "100.00",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}, "ClassRef": {"value": made["Class"]}},
    }
    body = {"VendorRef": {"value": enter_vendor(world)}, "DocNumber": "INV-1", "Line": [line]}
    body |= {"TxnDate": "2026-03-02", "DepartmentRef": {"value": made["Department"]}}
    world.person(world.quickbooks, "create", entity="Bill", body=body)
    world.settle(days=1)
    map_discounts(world)
    invoice_id = approve(world)
    world.person(world.avidxchange, "pay", invoices={invoice_id: None}, discounts={invoice_id: "2.00"})
    world.settle(days=1)
    [credit] = credits(world)
    assert credit["DepartmentRef"]["value"] == made["Department"]
    assert credit["Line"][0]["AccountBasedExpenseLineDetail"]["ClassRef"]["value"] == made["Class"]


# Closed periods


def with_closed_books(through: str = "2026-03-20") -> tuple[World, str, str]:
    """A world in which a payment is executed on a day for which the books have been closed before it is read."""
    world, bill_id = with_bill()
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.person(world.quickbooks, "close_books", through=through)
    return world, bill_id, payment_id


def test_a_payment_of_a_closed_period_is_held_by_default() -> None:
    world, bill_id, payment_id = with_closed_books()
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "period_closed")
    assert posted(world) == []


@pytest.mark.parametrize("trouble", TROUBLES)
def test_by_policy_it_is_posted_on_the_first_open_day_and_says_when_it_was_paid(trouble: str) -> None:
    world, bill_id, payment_id = with_closed_books()
    world.settle(days=1)
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    by_policy(world, "closed_period", "first_open_day")
    world.settle(days=1)
    [posting] = posted(world)
    issued = str(world.network.payments[payment_id]["payment_date"])[:10]
    assert (posting["TxnDate"], balance(world, bill_id)) == ("2026-03-21", "0.00")
    assert f"; paid {issued};" in posting["PrivateNote"]
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_moved_posting_keeps_its_day_when_more_becomes_known_of_the_payment(trouble: str) -> None:
    world, bill_id, payment_id = with_closed_books()
    by_policy(world, "closed_period", "first_open_day")
    world.settle(days=1)
    [before] = posted(world)
    by_policy(world, "closed_period", "hold")
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    execute(world, payment_id, to="cleared")
    world.settle(days=2)
    [after] = posted(world)
    assert (after["Id"], after["TxnDate"]) == (before["Id"], "2026-03-21")
    assert "; cleared " in after["PrivateNote"]
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


def test_a_payment_by_hand_on_the_day_of_payment_is_seen_although_ours_would_stand_on_another() -> None:
    world, bill_id = with_bill("241.00")
    invoice_id = approve(world)
    payment_id = str(world.person(world.avidxchange, "pay", invoices={invoice_id: "120.50"}))
    execute(world, payment_id)
    day = str(world.network.payments[payment_id]["payment_date"])[:10]
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="120.50", TxnDate=day)
    world.person(world.quickbooks, "close_books", through="2026-03-20")
    by_policy(world, "closed_period", "first_open_day")
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert balance(world, bill_id) == "120.50"


def test_a_reversal_of_a_posting_in_a_closed_period_is_held_and_goes_once_the_books_are_open() -> None:
    world, bill_id, payment_id = with_discount()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.quickbooks, "close_books", through="2026-03-20")
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "reversal_refused")
    assert "Stopped" in of_payment(payment_id).reason
    assert "The ERP shows its bills as paid" in of_payment(payment_id).reason
    assert (len(posted(world)), len(credits(world)), balance(world, bill_id)) == (1, 1, "0.00")
    world.person(world.quickbooks, "close_books", through=None)
    services.replay(sync_record=of_payment(payment_id), by="Ann", why="books are open", now=world.clock.now())
    world.settle(days=1)
    assert (posted(world), credits(world), balance(world, bill_id)) == ([], [], "100.00")


# Everything at once


def with_everything() -> tuple[World, dict[str, str], str, str]:
    """A payment of a bill with a discount, a part of a second bill, and a credit; nothing of it is read yet."""
    world = begin()
    vendor = enter_vendor(world)
    bills = {number: enter_bill(world, vendor, "100.00", number) for number in ("INV-1", "INV-2")}
    credit_id = enter_credit(world, vendor, "20.00")
    world.settle(days=1)
    map_discounts(world)
    first, second, credit = (approve(world, number) for number in (*bills, "CR-1"))
    paid = {"invoices": {first: None, second: "60.00", credit: None}, "discounts": {first: "2.00"}}
    return world, bills, credit_id, str(world.person(world.avidxchange, "pay", **paid))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_discount_a_part_and_a_credit_in_one_payment_are_posted_and_taken_back_to_the_cent(trouble: str) -> None:
    world, bills, credit_id, payment_id = with_everything()
    for match in PIECES if trouble != "none" else ():
        getattr(world.quickbooks, trouble)(match)
    execute(world, payment_id)
    world.settle(days=2)
    [posting] = posted(world)
    assert posting["TotalAmt"] == 138
    assert sorted(line["Amount"] for line in posting["Line"]) == [2, 20, 60, 100]
    assert [balance(world, bill_id) for bill_id in bills.values()] == ["0.00", "40.00"]
    assert credit_balance(world, credit_id) == 0
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    for match in PIECES if trouble != "none" else ():
        getattr(world.quickbooks, trouble)(match)
    world.settle(days=2)
    assert posted(world) == []
    assert [balance(world, bill_id) for bill_id in bills.values()] == ["100.00", "100.00"]
    assert [(one["Id"], one["Balance"]) for one in credits(world)] == [(credit_id, 20)]
    assert open_problems() == []


def test_a_reissue_takes_the_discount_anew_once_the_first_ones_is_taken_back() -> None:
    world, bill_id, payment_id = with_discount()
    execute(world, payment_id)
    world.settle(days=1)
    [first] = credits(world)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.person(world.avidxchange, "reissue_payment", payment_id=payment_id)
    world.settle(days=2)
    [second], [posting] = credits(world), posted(world)
    assert second["Id"] != first["Id"]
    assert (second["Balance"], posting["TotalAmt"], balance(world, bill_id)) == (0, 98, "0.00")
    assert open_problems() == []


def test_a_posting_that_a_person_voided_gives_its_discount_back_when_the_payment_is_reversed() -> None:
    world, bill_id, payment_id = with_discount()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.quickbooks, "void_payment", payment_id=posted(world)[0]["Id"])
    world.settle(days=1)
    assert of_payment(payment_id).code == "posting_gone"
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (posted(world), credits(world), balance(world, bill_id)) == ([], [], "100.00")


def test_what_a_restored_backup_has_forgotten_of_a_discount_is_found_and_not_made_again() -> None:
    world, bill_id, payment_id = with_discount()
    execute(world, payment_id)
    world.settle(days=1)
    before = [(one["Id"], one["SyncToken"]) for one in (*credits(world), *posted(world))]
    RemoteRecord.objects.filter(kind="payment", connection=world.integration.erp).update(key="forgotten")
    forgotten = {"state": "pending", "target_id": "", "target_version": "", "settled": 0, "settled_fingerprint": ""}
    SyncRecord.objects.filter(stream__kind="payment").update(**forgotten, next_attempt_at=world.clock.now())
    deliver(world, "payment")
    world.settle(days=1)
    assert [one["Id"] for one in (*credits(world), *posted(world))] == [id for id, _ in before]
    assert (of_payment(payment_id).state, balance(world, bill_id)) == (State.SYNCED, "0.00")


# Bills on several AP accounts


def with_two_accounts(*discounts: str) -> tuple[World, list[str], str]:
    """A payment of two bills that lie on different AP accounts, with a discount each if any; nothing of it is read."""
    world = begin()
    vendor = enter_vendor(world)
    account = world.person(world.quickbooks, "create_account", name="AP South", account_type="Accounts Payable")["Id"]
    bills = [
        enter_bill(world, vendor, "70.00", "INV-1"),
        enter_bill(world, vendor, "30.00", "INV-2", APAccountRef={"value": account}),
    ]
    world.person(world.quickbooks, "warn_of_repeated_numbers", preference="WarnDuplicateCheckNumber", on=True)
    world.settle(days=1)
    if not discounts:
        return world, bills, release(world, "INV-1", "INV-2")
    map_discounts(world)
    ids = [approve(world, number) for number in ("INV-1", "INV-2")]
    taken = dict(zip(ids, discounts, strict=False))
    payment = world.person(world.avidxchange, "pay", invoices=dict.fromkeys(ids), discounts=taken)
    return world, bills, str(payment)


@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_payment_over_two_ap_accounts_is_posted_in_two_parts_whatever_is_lost(trouble: str, place: int) -> None:
    world, bills, payment_id = with_two_accounts()
    lost(world, trouble, place)
    world.settle(days=1)
    pending = posted(world)
    assert sorted(one["TotalAmt"] for one in pending) == [30, 70]
    assert [balance(world, bill_id) for bill_id in bills] == ["0.00", "0.00"]
    lost(world, trouble, place)
    execute(world, payment_id)
    world.settle(days=2)
    executed = posted(world)
    assert [one["Id"] for one in executed] == [one["Id"] for one in pending]
    assert not any(one["DocNumber"].startswith("PND-") for one in executed)
    assert of_payment(payment_id).target_id == "+".join(one["Id"] for one in executed)
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []
    lost(world, trouble, place)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert (posted(world), [balance(world, bill_id) for bill_id in bills]) == ([], ["70.00", "30.00"])
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []
    assert len(world.company.bill_payments) == 2


def lost(world: World, trouble: str, place: int, match: str = PAYMENT_POST) -> None:
    """Trouble comes over the post of a payment at this place, counted from now on."""
    if trouble == "none":
        return
    if place == 2:
        world.quickbooks.fault(match, lambda request, proceed: proceed())
    getattr(world.quickbooks, trouble)(match)


def test_of_a_payment_over_two_ap_accounts_nothing_is_posted_where_a_part_is_refused() -> None:
    world, bills, payment_id = with_two_accounts()
    world.quickbooks.fault(PAYMENT_POST, lambda request, proceed: proceed())
    refusal = {"Fault": {"Error": [{"Message": "No", "Detail": "No", "code": "6000"}], "type": "ValidationFault"}}
    world.quickbooks.refuse(PAYMENT_POST, Response(status=400, body=json.dumps(refusal).encode()))
    world.settle(days=1)
    assert (of_payment(payment_id).state, posted(world)) == (State.HELD, [])
    services.replay(sync_record=of_payment(payment_id), by="Ann", why="mended", now=world.clock.now())
    world.settle(days=1)
    assert (len(posted(world)), [balance(world, bill_id) for bill_id in bills]) == (2, ["0.00", "0.00"])


def test_a_payment_taken_back_after_its_first_part_leaves_nothing_behind() -> None:
    world, bills, payment_id = with_two_accounts()
    execute(world, payment_id)
    lost(world, "drop_request", 2)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    deliver(world, "payment")
    assert len(posted(world)) == 1
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    world.settle(days=1)
    assert (posted(world), [balance(world, bill_id) for bill_id in bills]) == ([], ["70.00", "30.00"])


def test_a_part_that_a_person_deletes_is_seen_and_not_made_again() -> None:
    world, bills, payment_id = with_two_accounts()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.quickbooks, "delete_payment", payment_id=posted(world)[1]["Id"])
    world.settle(days=2)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "posting_gone")
    assert len(posted(world)) == 1


def test_what_our_parts_settle_does_not_stop_their_bills() -> None:
    world, bills, payment_id = with_two_accounts()
    execute(world, payment_id)
    world.settle(days=3)
    assert SyncRecord.objects.filter(stream__kind="bill").exclude(state=State.SYNCED).count() == 0
    assert not any(one["workflow_status"] == "cancelled" for one in world.network.invoices.values())


def test_what_a_restored_backup_has_forgotten_of_two_parts_is_found_and_not_made_again() -> None:
    world, bills, payment_id = with_two_accounts()
    execute(world, payment_id)
    world.settle(days=1)
    before = [one["Id"] for one in posted(world)]
    forgotten = {"state": "pending", "target_id": "", "target_version": "", "settled": 0, "settled_fingerprint": ""}
    SyncRecord.objects.filter(stream__kind="payment").update(**forgotten, next_attempt_at=world.clock.now())
    deliver(world, "payment")
    world.settle(days=1)
    assert ([one["Id"] for one in posted(world)], len(world.company.bill_payments)) == (before, 2)
    assert (of_payment(payment_id).state, of_payment(payment_id).target_id) == (State.SYNCED, "+".join(before))


@pytest.mark.parametrize("step", ["claimed", "looked for our marks", "sent"])
def test_a_worker_killed_over_two_parts_leaves_each_part_once(step: str) -> None:
    world, bills, payment_id = with_two_accounts()
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    run_until(worker(world, "payment"), step)
    world.settle(days=1)
    assert (len(world.company.bill_payments), [balance(world, bill_id) for bill_id in bills]) == (2, ["0.00", "0.00"])


def test_credits_above_the_bills_of_their_ap_account_are_refused_before_anything_is_posted() -> None:
    world, bills, _ = with_two_accounts()
    vendor = str(world.company.bills[bills[0]]["VendorRef"]["value"])
    account = world.company.bills[bills[1]]["APAccountRef"]["value"]
    enter_bill(world, vendor, "10.00", "INV-3", APAccountRef={"value": account})
    enter_bill(world, vendor, "90.00", "INV-4")
    enter_credit(world, vendor, "50.00", APAccountRef={"value": account})
    world.settle(days=1)
    before = len(posted(world))
    payment_id = release(world, "INV-3", "INV-4", "CR-1")
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "payment_shape")
    assert len(posted(world)) == before


# Discounts on several AP accounts


@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize(
    ("trouble", "piece"), [("none", ""), *((one, piece) for one in TROUBLES[1:] for piece in PIECES)]
)
def test_each_part_takes_the_discount_of_its_own_bills_whatever_answer_is_lost(
    trouble: str, piece: str, place: int
) -> None:
    world, bills, payment_id = with_two_accounts("7.00", "3.00")
    lost(world, trouble, place, piece)
    world.settle(days=1)
    assert_parts_with_discounts(world)
    lost(world, trouble, place, PAYMENT_POST)
    execute(world, payment_id)
    world.settle(days=2)
    assert_parts_with_discounts(world)
    assert [balance(world, bill_id) for bill_id in bills] == ["0.00", "0.00"]
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []
    lost(world, trouble, place, piece)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=2)
    assert (posted(world), credits(world), [balance(world, bill_id) for bill_id in bills]) == (
        [],
        [],
        ["70.00", "30.00"],
    )
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


def assert_parts_with_discounts(world: World) -> None:
    """Each part stands once, and has used up a credit of its own on its own AP account."""
    by_account = {one["APAccountRef"]["value"]: one for one in credits(world)}
    assert len(by_account) == len(credits(world)) == 2
    assert len({one["DocNumber"] for one in credits(world)}) == 2
    for part in posted(world):
        own = by_account[part["APAccountRef"]["value"]]
        gross = {70: 7, 30: 3}
        [bill, credit] = [line["Amount"] for line in part["Line"]]
        assert (credit, own["TotalAmt"], own["Balance"]) == (gross[bill], gross[bill], 0)
        assert part["TotalAmt"] == bill - credit
    assert sorted(one["TotalAmt"] for one in posted(world)) == [27, 63]


def test_of_two_parts_only_one_may_take_a_discount() -> None:
    world, bills, payment_id = with_two_accounts("7.00")
    execute(world, payment_id)
    world.settle(days=1)
    assert sorted(one["TotalAmt"] for one in posted(world)) == [30, 63]
    assert [one["TotalAmt"] for one in credits(world)] == [7]
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])


@pytest.mark.parametrize("piece", PIECES)
def test_where_a_part_is_refused_no_credit_of_any_part_stays(piece: str) -> None:
    world, bills, payment_id = with_two_accounts("7.00", "3.00")
    world.quickbooks.fault(piece, lambda request, proceed: proceed())
    refusal = {"Fault": {"Error": [{"Message": "No", "Detail": "No", "code": "6000"}], "type": "ValidationFault"}}
    world.quickbooks.refuse(piece, Response(status=400, body=json.dumps(refusal).encode()))
    world.settle(days=1)
    assert (of_payment(payment_id).state, posted(world), credits(world)) == (State.HELD, [], [])
    services.replay(sync_record=of_payment(payment_id), by="Ann", why="mended", now=world.clock.now())
    world.settle(days=1)
    assert_parts_with_discounts(world)


def test_a_payment_taken_back_after_the_credit_of_its_second_part_leaves_nothing_behind() -> None:
    world, bills, payment_id = with_two_accounts("7.00", "3.00")
    execute(world, payment_id)
    lost(world, "drop_request", 2)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    deliver(world, "payment")
    assert (len(posted(world)), len(credits(world))) == (1, 2)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    world.settle(days=1)
    assert (posted(world), credits(world), [balance(world, bill_id) for bill_id in bills]) == (
        [],
        [],
        ["70.00", "30.00"],
    )
