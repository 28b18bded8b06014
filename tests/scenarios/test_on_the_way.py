"""Trouble between us and the network: refusals within a batch, lost answers, throttles, dead tokens, restarts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.models import Connection
from connectors.records import Kind
from connectors.simulators import Request, Response
from syncs.models import RemoteRecord, SyncRecord
from syncs.states import State
from tests.payables import (
    balance,
    enter_bill,
    enter_vendor,
    execute,
    feed_id,
    of_payment,
    open_problems,
    postings,
    read,
    release,
)
from tests.scenarios.contracts import call, everything, payments_only, with_bills
from tests.scenarios.wholesaler import assert_at_rest
from tests.simulation.world import OLDER, World, begin

pytestmark = pytest.mark.django_db
BURST = 900807  # of which the gateway never says how long it lasts, but in a header of seconds
THROTTLES = (900800, 900802, 900803, 900804, 900806, BURST)


@everything
def test_11_3_of_50_invoices_rejected_because_their_vendor_is_missing(profile: str) -> None:
    world = begin(profile=profile)
    kept, mislaid = enter_vendor(world), enter_vendor(world, "Bolt Tools")
    world.settle(days=1)
    [lost] = [one for one in world.network.vendors.values() if one["name"] == "Bolt Tools"]
    known = world.network.vendors._ids.pop(lost["external_id"])
    for place in range(50):
        enter_bill(world, mislaid if place % 20 == 0 else kept, f"{place + 1}.00", f"INV-{place}")
    world.settle(days=0.02)
    assert len(world.network.invoices) == 47
    waiting = SyncRecord.objects.filter(stream__kind="bill").exclude(state=State.SYNCED)
    assert {(one.state, one.code) for one in waiting} == {(State.PENDING, "vendor_not_there")}
    world.network.vendors._ids[lost["external_id"]] = known
    world.settle(days=1)
    assert len(world.network.invoices) == 50
    assert {one["version"] for one in world.network.invoices.values()} == {1}
    assert_at_rest()


@everything
@pytest.mark.parametrize("operation", ["upsert_vendors", "upsert_gl_accounts", "submit_invoices"])
def test_12_connection_drops_after_write_to_the_network(profile: str, operation: str) -> None:
    world = begin(profile=profile)
    world.avidxchange.drop_answer(call(world, operation))
    enter_bill(world, enter_vendor(world))
    world.settle(days=1)
    assert (len(world.network.vendors), len(world.network.invoices)) == (1, 1)
    sent = {one["version"] for shelf in ("vendors", "gl_accounts") for one in world.network.shelf(shelf).values()}
    assert sent == {1}
    assert_at_rest()


@payments_only
def test_12_connection_drops_after_a_payment_was_posted(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    world.quickbooks.drop_answer("POST /billpayment", times=2)
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert len(world.company.bill_payments) == 1
    assert posted["DocNumber"] == world.network.payments[payment_id]["check_number"]
    assert_at_rest()


@everything
@pytest.mark.parametrize("told", ["date", "seconds", "absent"])
def test_13_429_with_each_code_with_and_without_retry_after_and_503_900801(profile: str, told: str) -> None:
    world = begin(profile=profile)
    vendor = enter_vendor(world)
    world.settle(days=1)
    for code in (*THROTTLES, 900801):
        asked = refused_once(world, "submit_invoices", code, wait_seconds=None if told == "absent" else 90, told=told)
        enter_bill(world, vendor, f"{code}.00", f"INV-{code}")
        world.settle(days=1)
        assert len(asked) == 2
        if told == "seconds" or (told == "date" and code != BURST):
            assert asked[1] - asked[0] >= timedelta(seconds=90)
    assert len(world.network.invoices) == len(THROTTLES) + 1
    assert_at_rest()


@payments_only
def test_13_429_on_the_payments_cycle_loses_nothing(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    for code in (*THROTTLES, 900801):
        world.avidxchange.refuse_at_gateway(call(world, "list_payments"), code, wait_seconds=60)
    world.settle(days=1)
    world.clock.advance(timedelta(minutes=20))
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1
    assert_at_rest()


@payments_only
def test_13_900805_blocks_the_application_and_is_told_at_once(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.avidxchange.refuse_at_gateway(call(world, "list_payments"), 900805, times=99)
    world.settle(days=0.05)
    assert Connection.objects.get(provider="avidxchange").status == Connection.Status.ATTENTION
    assert [problem.code for problem in open_problems()] == ["app_blocked"]
    assert not world.company.bill_payments
    world.avidxchange.clear_faults()
    connect_again()
    world.settle(days=1)
    assert of_payment(payment_id).state == State.SYNCED
    assert len(postings(world, bill_id)) == 1


@everything
def test_14_token_expires_mid_sweep(profile: str) -> None:
    world = begin(profile=profile)
    world.settle(days=1)
    enter_invoices(world, 450)
    after_first_page(world, lambda: world.avidxchange.person("revoke_all_tokens"))
    world.settle(days=1)
    assert known(world, Kind.BILL) == set(world.network.invoices)
    assert Connection.objects.get(provider="avidxchange").status == Connection.Status.CONNECTED
    assert open_problems() == []


@payments_only
def test_14_sign_in_revoked_and_given_anew(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    if profile == OLDER:
        connection = Connection.objects.get(provider="avidxchange")
        world.avidxchange.person("revoke_token", token=connection.credentials["user_token"])
    else:
        world.avidxchange.person("register_app", client_id="partner-app", client_secret="another")
        world.avidxchange.person("revoke_all_tokens")
    world.settle(days=0.1)
    assert Connection.objects.get(provider="avidxchange").status == Connection.Status.ATTENTION
    assert len(open_problems()) == 1
    execute(world, payment_id)
    if profile == OLDER:
        connect_again(credentials=world.person(world.avidxchange, "issue_tokens"))
    else:
        world.avidxchange.person("register_app", client_id="partner-app", client_secret="partner-secret")
        connect_again()
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert posted["DocNumber"] == world.network.payments[payment_id]["check_number"]


@everything
def test_14_wrong_company(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    world.person(world.avidxchange, "unlink_company")
    enter_bill(world, "1", "80.00", "INV-2")
    world.settle(days=0.1)
    assert Connection.objects.get(provider="avidxchange").status == Connection.Status.ATTENTION
    assert [problem.code for problem in open_problems()] == ["company_not_linked"]
    world.person(world.avidxchange, "link_company", name="Blue Ridge Wholesale")
    connect_again()
    world.settle(days=1)
    assert len(world.network.invoices) == 2


@payments_only
def test_15_record_updated_while_paging(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    enter_invoices(world, 450)
    payment_id = release(world, "INV-1")
    moved = list(world.network.invoices.values())[3]
    after_first_page(world, lambda: world.network.invoices.change(moved, {}, world.clock.now()))
    world.settle(days=1)
    assert known(world, Kind.BILL) == set(world.network.invoices)
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


@payments_only
def test_15_date_granularity_shows_what_changes_several_times_a_day(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    world.settle(days=1)
    world.clock.advance(timedelta(hours=11))  # a new day where the days are counted
    world.settle(days=1)
    for stage in ("issued", "cleared"):
        execute(world, payment_id, to=stage)
        world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert world.network.payments[payment_id]["cleared_date"].isoformat() in posted["PrivateNote"]
    assert_at_rest()


@payments_only
@pytest.mark.parametrize("word", ["unknown_status", "unknown_method"])
def test_16_unknown_status_word_or_method(profile: str, word: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.person(world.avidxchange, "break_promise", payment_id=payment_id, promise=word)
    world.settle(days=1)
    held = of_payment(payment_id)
    assert (held.state, held.code) == (State.HELD, "payment_status_unknown")
    assert ("Teleported" in held.reason) == (word == "unknown_status")
    assert not world.company.bill_payments
    world.person(world.avidxchange, "keep_promises", kind="payment", id=payment_id)
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1
    assert_at_rest()


@payments_only
def test_17_same_sweep_twice(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.settle(days=1)
    [before] = postings(world, bill_id)
    for _ in range(3):
        read(world, "avidxchange")
    world.settle(days=1)
    assert postings(world, bill_id) == [before]
    assert_at_rest()


@payments_only
def test_17_restart_mid_window(profile: str) -> None:
    world, [bill_id] = with_bills(profile, "120.50")
    enter_invoices(world, 450)
    payment_id = release(world, "INV-1")
    execute(world, payment_id)
    world.clock.advance(timedelta(minutes=10))
    for step in ("leased", "page read", "observed"):
        slice_ = world.steps("feed", feed_id(world, "avidxchange"))
        for name in slice_:
            if name == step:
                break
        world.clock.advance(timedelta(minutes=2))
    world.settle(days=1)
    assert known(world, Kind.BILL) == set(world.network.invoices)
    assert len(postings(world, bill_id)) == 1
    assert balance(world, bill_id) == "0.00"


# How things go wrong.


def refused_once(world: World, operation: str, code: int, *, wait_seconds: int | None, told: Any) -> list[datetime]:
    """The gateway refuses the next such request; when it and those after it came."""
    asked: list[datetime] = []

    def act(request: Request, proceed: Callable[[], Response]) -> Response:
        asked.append(world.clock.now())
        if len(asked) > 1:
            return proceed()
        refusal = world.avidxchange.gateway_refusal(code, wait_seconds=wait_seconds, retry_after=told)
        return world.avidxchange.dress(request, refusal)

    world.avidxchange.clear_faults()
    world.avidxchange.fault(call(world, operation), act, times=9)
    return asked


def after_first_page(world: World, happens: Callable[[], object]) -> None:
    """Something happens once the first page of invoices was read."""

    def act(request: Request, proceed: Callable[[], Response]) -> Response:
        answer = proceed()
        happens()
        return answer

    world.avidxchange.fault(call(world, "list_invoices"), act)


def enter_invoices(world: World, count: int) -> None:
    """So many invoices come to the network by mail, from a vendor that only the network knows."""
    vendor = world.person(world.avidxchange, "add_vendor", name="Known to the network")
    for number in range(count):
        world.person(
            world.avidxchange, "enter_invoice", vendor_id=vendor, invoice_number=f"MAIL-{number}", amount="1.00"
        )


def connect_again(**changed: Any) -> None:
    """Operations has put right what it had to, and says so."""
    connection = Connection.objects.get(provider="avidxchange")
    for name, value in {"status": Connection.Status.CONNECTED, **changed}.items():
        setattr(connection, name, value)
    connection.save()


def known(world: World, kind: Kind) -> set[str]:
    """The ids of what we have seen of the network."""
    rows = RemoteRecord.objects.filter(connection=world.integration.ap_network_id, kind=kind)
    return set(rows.values_list("remote_id", flat=True))
