"""Executed payments whose bills change, by policy: taken back whole, posted anew once, whatever dies in between."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import JOINT, Action, Write
from connectors.records import Application, Kind, Method, Payment, Phase, Ref
from syncs.delivery.reposts import added, is_being_taken_back, is_first_half, is_to_be_posted_anew
from syncs.delivery.scope import Circumstances, Wish, rule
from syncs.models import Mapping, RemoteRecord, Stream, SyncRecord
from syncs.states import State
from syncs.story.coming import coming
from syncs.story.facts import facts_of
from syncs.story.outlook import Coming
from syncs.story.sides import Names
from tests.payables import (
    PAYMENT_POST,
    approve,
    attempts,
    balance,
    by_policy,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    map_discounts,
    of_payment,
    open_problems,
    postings,
    read,
    verbs,
    worker,
)
from tests.simulation.world import World, begin

books = pytest.mark.django_db
TROUBLES = ("drop_answer", "truncate", "drop_request")


def with_posted(south: bool = False, discount: str = "", policy: str = "post_anew") -> tuple[World, list[str], str]:
    """A world with two bills of 100 each, the second on another AP account if `south`; a payment of the first is
    executed and posted."""
    world = begin()
    vendor, account = enter_vendor(world), {}
    if south:
        made = world.person(world.quickbooks, "create_account", name="AP South", account_type="Accounts Payable")
        account = {"APAccountRef": {"value": made["Id"]}}
    bills = [enter_bill(world, vendor, "100.00", "INV-1"), enter_bill(world, vendor, "100.00", "INV-2", **account)]
    world.settle(days=1)
    if discount:
        map_discounts(world)
    by_policy(world, "changed_applications", policy)
    first, _ = approve(world, "INV-1"), approve(world, "INV-2")
    taken = {first: discount} if discount else {}
    payment_id = str(world.person(world.avidxchange, "pay", invoices={first: None}, discounts=taken))
    execute(world, payment_id)
    world.settle(days=1)
    assert balance(world, bills[0]) == "0.00"
    return world, bills, payment_id


def change(world: World, payment_id: str, discounts: dict[str, str] | None = None, **amounts: str | None) -> None:
    """The network says that the payment has settled these invoices, by number, and no others."""
    ids = {number: invoice(world, number.replace("_", "-"))["id"] for number in amounts}
    world.person(
        world.avidxchange, "change_applications", payment_id=payment_id,
        invoices={ids[number]: amount for number, amount in amounts.items()},
        discounts={ids[number]: amount for number, amount in (discounts or {}).items()},
    )  # fmt: skip


def posted(world: World) -> list[dict[str, Any]]:
    """The payments in the ERP's books that settle something."""
    return [one for one in world.company.bill_payments.values() if one["Line"]]


def credits(world: World) -> list[dict[str, Any]]:
    return list(world.company.tables["VendorCredit"].rows.values())


def assert_posted_anew(world: World, bills: list[str], payment_id: str) -> None:
    """One posting, on the second bill alone; the first one is voided, and both have the check's number."""
    [new], [old] = posted(world), [one for one in world.company.bill_payments.values() if not one["Line"]]
    assert [balance(world, bill_id) for bill_id in bills] == ["100.00", "0.00"]
    assert (new["TotalAmt"], old["TotalAmt"], new["DocNumber"]) == (100, 0, old["DocNumber"])
    row = of_payment(payment_id)
    assert (row.state, row.target_id, row.taken_back) == (State.SYNCED, new["Id"], old["Id"])
    assert open_problems() == []


@books
def test_by_default_a_payment_whose_bills_change_is_held_and_goes_once_that_is_the_policy() -> None:
    world, bills, payment_id = with_posted(policy="hold")
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "applications_changed")
    assert balance(world, bills[0]) == "0.00"
    by_policy(world, "changed_applications", "post_anew")
    world.settle(days=1)
    assert_posted_anew(world, bills, payment_id)
    assert "delivery_taken_back" in verbs(of_payment(payment_id))


@books
@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_it_is_taken_back_and_posted_anew_once_whatever_answer_is_lost(trouble: str, place: int) -> None:
    world, bills, payment_id = with_posted()
    if place == 2:
        world.quickbooks.fault(PAYMENT_POST, lambda request, proceed: proceed())
    getattr(world.quickbooks, trouble)(PAYMENT_POST)
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    assert_posted_anew(world, bills, payment_id)


def killed(steps: Iterator[str], *names: str) -> None:
    """A worker makes its steps until each of these was made in turn, and dies there."""
    for name in names:
        assert any(step == name for step in steps), f"the slice ended before it was {name}"


@books
@pytest.mark.parametrize(
    "names",
    [
        ("bills fetched",),
        ("some not sent",),
        ("claimed", "claimed"),
        ("claimed", "claimed", "sent"),
        ("claimed", "claimed", "sent", "settled"),
        ("claimed", "claimed", "sent", "claimed", "looked for our marks"),
        ("claimed", "claimed", "sent", "claimed", "sent"),
    ],
)
def test_a_worker_killed_anywhere_in_between_leaves_one_posting(names: tuple[str, ...]) -> None:
    world, bills, payment_id = with_posted()
    change(world, payment_id, INV_2=None)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    killed(iter(worker(world, "payment")), *names)
    world.settle(days=1)
    assert_posted_anew(world, bills, payment_id)


@books
def test_what_changes_back_while_it_is_taken_back_is_posted_anew_as_it_was() -> None:
    world, bills, payment_id = taken_back()
    change(world, payment_id, INV_1=None)
    world.settle(days=1)
    assert [balance(world, bill_id) for bill_id in bills] == ["0.00", "100.00"]
    assert (len(posted(world)), of_payment(payment_id).state, open_problems()) == (1, State.SYNCED, [])


@books
def test_what_is_stopped_while_it_is_taken_back_is_not_posted_anew() -> None:
    world, bills, payment_id = taken_back()
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert (posted(world), [balance(world, bill_id) for bill_id in bills]) == ([], ["100.00", "100.00"])
    assert of_payment(payment_id).state == State.OUT_OF_SCOPE


# What objects to a first posting objects to the second


@books
def test_nothing_is_taken_back_where_the_second_posting_would_be_held() -> None:
    world, bills, payment_id = with_posted()
    world.person(world.quickbooks, "pay_bill", bill_id=bills[1], amount="30.00")
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert (balance(world, bills[0]), of_payment(payment_id).taken_back) == ("0.00", "")


@books
@pytest.mark.parametrize("missing", ["pending_payments", "in_transit"])
def test_nothing_is_taken_back_that_would_not_be_posted_again_before_it_has_cleared(missing: str) -> None:
    world, bills, payment_id = with_posted()
    by_policy(world, "post_on", "cleared")
    if missing == "pending_payments":
        by_policy(world, "pending_payments", False)
    else:
        Mapping.objects.filter(subject=missing).update(valid_to=world.clock.now())
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    assert [balance(world, bill_id) for bill_id in bills] == ["0.00", "100.00"]
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "applications_changed")
    assert "Once taken back, it would wait" in of_payment(payment_id).reason


def taken_back() -> tuple[World, list[str], str]:
    """A world in which a worker has died just after the posting was proved to be taken back."""
    world, bills, payment_id = with_posted()
    change(world, payment_id, INV_2=None)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    killed(iter(worker(world, "payment")), "claimed", "claimed", "sent", "settled")
    assert [balance(world, bill_id) for bill_id in bills] == ["100.00", "100.00"]
    return world, bills, payment_id


@books
def test_what_objects_once_it_is_taken_back_holds_it_and_the_page_says_where_the_money_is() -> None:
    world, bills, payment_id = taken_back()
    between = page(world, bills[1])
    assert "has been paid. What was posted of it is taken back in QuickBooks" in between.words
    assert "do not pay the bill again" in between.words
    world.person(world.quickbooks, "close_books", through="2026-03-20")
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "period_closed")
    held = page(world, bills[1])
    assert (held.tone, "posting it anew is held: " in held.words) == ("bad", True)
    assert "do not pay the bill again" in held.words
    by_policy(world, "closed_period", "first_open_day")
    world.settle(days=1)
    assert_posted_anew(world, bills, payment_id)


@books
def test_a_bill_that_somebody_pays_once_it_is_taken_back_is_not_paid_a_second_time() -> None:
    world, bills, payment_id = taken_back()
    world.person(world.quickbooks, "pay_bill", bill_id=bills[1], amount="30.00")
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "recorded_by_hand")
    assert (len(posted(world)), balance(world, bills[1]), page(world, bills[1]).tone) == (1, "70.00", "bad")


def page(world: World, bill_id: str) -> Coming:
    """What the bill's page says has to happen next."""
    bill = RemoteRecord.objects.get(kind="bill", connection=world.integration.erp, remote_id=bill_id)
    facts = facts_of(bill)
    return coming(facts, Names.of(facts), now=world.clock.now())


@books
def test_nothing_is_taken_back_where_the_books_are_closed_for_the_second_posting() -> None:
    world, bills, payment_id = with_posted()
    world.person(world.quickbooks, "close_books", through="2026-03-20")
    change(world, payment_id, INV_2=None)
    world.settle(days=2)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "period_closed")
    assert balance(world, bills[0]) == "0.00"


@books
def test_a_posting_that_somebody_has_changed_in_the_erp_is_not_taken_back() -> None:
    world, bills, payment_id = with_posted()
    [theirs] = posted(world)
    noted = {"PrivateNote": theirs["PrivateNote"] + " seen"}
    world.person(world.quickbooks, "edit", entity="BillPayment", identity=theirs["Id"], changes=noted)
    change(world, payment_id, INV_2=None)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    for _ in worker(world, "payment"):
        pass
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "applications_changed")
    assert balance(world, bills[0]) == "0.00"


# The number of the check that is voided


@books
def test_a_check_that_somebody_entered_under_the_same_number_meanwhile_is_no_duplicate_of_ours() -> None:
    world, bills, payment_id = taken_back()
    [ours] = world.company.bill_payments.values()
    other = enter_bill(world, enter_vendor(world, "Blue Ink"), "5.00", "INV-9")
    world.person(
        world.quickbooks, "pay_bill", bill_id=other, DocNumber=ours["DocNumber"], CheckPayment=ours["CheckPayment"]
    )
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "duplicate_number")
    assert balance(world, bills[1]) == "100.00"


# Our database is lost and an old one restored


def remembered(payment_id: str) -> dict[str, Any]:
    names = ("wanted", "sent", "settled", "target_id", "target_version", "taken_back", "settled_fingerprint")
    return dict(SyncRecord.objects.filter(pk=of_payment(payment_id).pk).values(*names).get())


def restore(world: World, payment_id: str, rows: dict[str, Any]) -> None:
    """Of the payment our rows are as they were; it is read and delivered anew."""
    due = {"state": "pending", "next_attempt_at": world.clock.now(), "attempt_id": None}
    SyncRecord.objects.filter(pk=of_payment(payment_id).pk).update(**{**rows, "wanted": rows["wanted"] + 1}, **due)
    Stream.objects.update(due_at=world.clock.now())


@books
@pytest.mark.parametrize("stopped", [False, True])
def test_a_backup_from_before_finds_the_second_posting_and_what_becomes_of_it(stopped: bool) -> None:
    world, bills, payment_id = with_posted()
    before = remembered(payment_id)
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    [second] = posted(world)
    if stopped:
        world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    restore(world, payment_id, before)
    world.settle(days=1)
    assert [one["Id"] for one in posted(world)] == ([] if stopped else [second["Id"]])
    assert (of_payment(payment_id).state, of_payment(payment_id).target_id) == (State.SYNCED, second["Id"])
    assert (len(world.company.bill_payments), open_problems()) == (2, [])


@books
def test_a_backup_from_in_between_finds_the_second_posting_and_makes_no_third() -> None:
    world, bills, payment_id = taken_back()
    between = remembered(payment_id)
    world.settle(days=1)
    [second] = posted(world)
    RemoteRecord.objects.filter(kind="payment", connection=world.integration.erp).update(key="forgotten")
    restore(world, payment_id, between)
    world.settle(days=1)
    assert [one["Id"] for one in posted(world)] == [second["Id"]]
    assert (of_payment(payment_id).target_id, len(world.company.bill_payments)) == (second["Id"], 2)


# All its parts


@books
@pytest.mark.parametrize("trouble", ["none", *TROUBLES])
def test_a_discount_that_changes_is_taken_back_with_its_posting_and_taken_anew(trouble: str) -> None:
    world, bills, payment_id = with_posted(discount="2.00")
    [first] = credits(world)
    for match in ("POST /vendorcredit", PAYMENT_POST) if trouble != "none" else ():
        getattr(world.quickbooks, trouble)(match)
    change(world, payment_id, INV_1="50.00", INV_2="50.00", discounts={"INV_2": "2.00"})
    world.settle(days=1)
    [new], [second] = posted(world), credits(world)
    assert (new["TotalAmt"], second["TotalAmt"], second["Balance"]) == (98, 2, 0)
    assert second["Id"] != first["Id"]
    assert [balance(world, bill_id) for bill_id in bills] == ["50.00", "50.00"]
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])


@books
@pytest.mark.parametrize("trouble", ["none", *TROUBLES])
def test_a_discount_that_is_taken_no_more_leaves_no_credit_behind(trouble: str) -> None:
    world, bills, payment_id = with_posted(discount="2.00")
    if trouble != "none":
        getattr(world.quickbooks, trouble)("POST /vendorcredit")
    change(world, payment_id, INV_2="98.00")
    world.settle(days=1)
    assert (len(posted(world)), credits(world)) == (1, [])
    assert [balance(world, bill_id) for bill_id in bills] == ["100.00", "2.00"]
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])


@books
@pytest.mark.parametrize("trouble", ["none", *TROUBLES])
def test_one_posting_becomes_two_parts_and_two_parts_become_one(trouble: str) -> None:
    world, bills, payment_id = with_posted(south=True)
    if trouble != "none":
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    change(world, payment_id, INV_1="60.00", INV_2="40.00")
    world.settle(days=1)
    assert sorted(one["TotalAmt"] for one in posted(world)) == [40, 60]
    assert [balance(world, bill_id) for bill_id in bills] == ["40.00", "60.00"]
    assert of_payment(payment_id).target_id == JOINT.join(one["Id"] for one in posted(world))
    for place in range(2 if trouble != "none" else 0):
        if place:
            world.quickbooks.fault(PAYMENT_POST, lambda request, proceed: proceed())
        getattr(world.quickbooks, trouble)(PAYMENT_POST)
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    [new] = posted(world)
    assert [balance(world, bill_id) for bill_id in bills] == ["100.00", "0.00"]
    assert (of_payment(payment_id).target_id, of_payment(payment_id).state) == (new["Id"], State.SYNCED)
    assert (len(world.company.bill_payments), open_problems()) == (4, [])


@books
def test_the_second_posting_has_a_request_key_of_its_own_that_names_what_it_takes_the_place_of() -> None:
    world, bills, payment_id = with_posted()
    change(world, payment_id, INV_2=None)
    world.settle(days=1)
    change(world, payment_id, INV_1=None)
    world.settle(days=1)
    tries = [one for one in attempts(of_payment(payment_id)) if one.outcome == "accepted"]
    assert [one.action for one in tries] == ["create", "void", "create", "void", "create"]
    assert len({one.request_key for one in tries}) == 5
    assert len(postings(world, bills[0])) == 1


# Pure


def test_a_posting_is_being_taken_back_when_all_of_its_pieces_are() -> None:
    assert not is_being_taken_back("", "236")
    assert not is_being_taken_back("236", "")
    assert is_being_taken_back("236", "236")
    assert not is_being_taken_back("236+240", "236")
    assert is_being_taken_back("236+240", added("236", "240", "236"))
    assert not is_being_taken_back("23", "236")


def paying(phase: Phase, gross: str = "100.00", discount: str = "0.00") -> Payment:
    net = Decimal(gross) - Decimal(discount)
    part = Application(target=Ref(Kind.BILL, "145"), gross=Decimal(gross), discount=Decimal(discount), net=net)
    return Payment(
        id="4711", vendor=Ref(Kind.VENDOR, "58"), amount=net, currency="USD", method=Method.CHECK, phase=phase,
        applications=(part,),
    )  # fmt: skip


def test_taking_back_what_lives_is_the_first_half_of_posting_it_anew() -> None:
    def wrote(action: Action, phase: Phase) -> Write:
        return Write(kind=Kind.PAYMENT, action=action, record=paying(phase), record_key="k", request_key="r")

    assert is_first_half(wrote(Action.VOID, Phase.EXECUTED))
    assert is_first_half(wrote(Action.VOID, Phase.PENDING))
    assert not is_first_half(wrote(Action.VOID, Phase.REVERSED))
    assert not is_first_half(wrote(Action.CREATE, Phase.EXECUTED))


def test_what_is_being_taken_back_is_stopped_while_its_payment_lives_and_ties() -> None:
    policies = {"currencies": ["USD"], "pending_payments": True}
    around = Circumstances(linked=True, gone=False, explained=Decimal(0), policies=policies, taken_back=True)
    assert rule(paying(Phase.EXECUTED), around).wish is Wish.STOP
    assert rule(paying(Phase.REVERSED), around).code == "payment_reversed"
    assert rule(replace(paying(Phase.EXECUTED), amount=Decimal("90.00")), around).wish is Wish.HOLD


def test_a_pending_posting_follows_its_bills_in_place_and_not_its_discounts() -> None:
    pending, executed = paying(Phase.PENDING), paying(Phase.EXECUTED)
    assert not is_to_be_posted_anew(paying(Phase.PENDING, "90.00"), pending)
    assert is_to_be_posted_anew(paying(Phase.PENDING, "100.00", "2.00"), pending)
    assert is_to_be_posted_anew(paying(Phase.EXECUTED, "90.00"), executed)
    assert not is_to_be_posted_anew(paying(Phase.EXECUTED), executed)


def test_a_posting_of_which_a_part_is_still_to_be_made_is_completed() -> None:
    first = replace(paying(Phase.PENDING, "60.00"), id="236+")
    assert not is_to_be_posted_anew(paying(Phase.EXECUTED, "100.00", "2.00"), first)
    assert is_to_be_posted_anew(paying(Phase.EXECUTED, "100.00", "2.00"), replace(first, id="236+240"))
