"""Answers that are lost: looked up when nothing can be under way any more, settled once, sent again under one key."""

import json
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from connectors.simulators import Request, Response
from syncs import services
from syncs.models import Attempt, SyncRecord
from syncs.states import State
from tests.payables import (
    ATTEMPT_AND_TIMEOUT,
    BILLS,
    CANCEL,
    MOMENT,
    PAYMENT_POST,
    attempts,
    by_policy,
    deliver,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    open_problems,
    postings,
    read,
    requests,
    run_until,
    verbs,
    with_bill,
    with_payment,
    with_posting,
    worker,
)
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db


def work_until(world: World, record_is: str, kind: str, *, minutes: int = 30) -> SyncRecord:
    """Work until the one delivery of this kind stands like this."""
    for _ in range(minutes * 6):
        world.work()
        found = SyncRecord.objects.filter(stream__kind=kind, state=record_is).first()
        if found:
            return found
        world.clock.advance(timedelta(seconds=10))
    raise AssertionError(f"no {kind} was ever {record_is}")


def three_bills(world: World) -> None:
    vendor = enter_vendor(world)
    for number in ("INV-1", "INV-2", "INV-3"):
        enter_bill(world, vendor, number=number)


def test_a_batch_of_bills_whose_answer_is_lost_is_looked_up_and_settled_once() -> None:
    world = begin()
    three_bills(world)
    world.avidxchange.drop_answer(BILLS)
    doubted = work_until(world, State.IN_DOUBT, "bill")
    assert SyncRecord.objects.filter(stream__kind="bill", state=State.IN_DOUBT).count() == 3
    [attempt] = attempts(doubted)
    world.settle(days=1)

    assert len(world.network.invoices) == 3
    assert {invoice(world, f"INV-{n}")["version"] for n in (1, 2, 3)} == {1}
    assert requests(world.avidxchange, BILLS) == 0  # the one that was lost never got to its answer
    for number in ("INV-1", "INV-2", "INV-3"):
        record = of_bill(number)
        assert (record.state, record.settled, record.target_id) == (State.SYNCED, 1, invoice(world, number)["id"])
        assert verbs(record)[-3:] == ["attempt_started", "delivery_in_doubt", "delivery_found"]
    assert Attempt.objects.get(pk=attempt.pk).outcome == "found"


def test_nothing_is_looked_up_before_the_deadline_and_the_providers_own_time_out_have_passed() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    doubted = work_until(world, State.IN_DOUBT, "payment")
    [attempt] = attempts(doubted)
    earliest = attempt.started_at + ATTEMPT_AND_TIMEOUT["quickbooks"]
    assert attempt.deadline + timedelta(seconds=120) == earliest
    assert doubted.next_attempt_at is not None
    assert doubted.next_attempt_at >= earliest
    asked = requests(world.quickbooks, "GET /query")
    world.clock.advance(earliest - world.clock.now() - MOMENT)
    deliver(world, "payment")
    assert requests(world.quickbooks, "GET /query") == asked
    world.settle(days=1)
    assert of_payment(payment_id).state == State.SYNCED
    assert len(postings(world, bill_id)) == 1


def test_a_worker_killed_while_it_sends_leaves_what_is_looked_up_no_sooner() -> None:
    world, bill_id, payment_id = with_payment()
    read(world, "avidxchange")
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    run_until(worker(world, "payment"), "claimed")
    [attempt] = attempts(of_payment(payment_id))
    assert of_payment(payment_id).state == State.SENDING
    assert of_payment(payment_id).next_attempt_at == attempt.started_at + ATTEMPT_AND_TIMEOUT["quickbooks"]


def test_a_payment_whose_answer_is_lost_is_found_and_stands_once() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    work_until(world, State.IN_DOUBT, "payment")
    world.settle(days=1)

    [posted] = postings(world, bill_id)
    record = of_payment(payment_id)
    assert (record.state, record.target_id) == (State.SYNCED, posted["Id"])
    assert record.settled_fingerprint == record.wanted_fingerprint
    assert verbs(record) == ["attempt_started", "delivery_in_doubt", "delivery_found"]
    assert requests(world.quickbooks, PAYMENT_POST) == 0


def test_a_payment_that_never_arrived_is_proved_absent_and_sent_again_under_the_same_key() -> None:
    world, bill_id, payment_id = with_payment()
    lose_request(world)
    work_until(world, State.IN_DOUBT, "payment")
    world.settle(days=1)

    first, second = attempts(of_payment(payment_id))
    assert (first.outcome, second.outcome) == ("absent", "accepted")
    assert first.request_key == second.request_key
    assert first.record_key == second.record_key
    assert verbs(of_payment(payment_id)) == [
        "attempt_started", "delivery_in_doubt", "delivery_absent", "attempt_started", "delivered",
    ]  # fmt: skip
    assert len(postings(world, bill_id)) == 1


def test_a_newer_revision_is_not_sent_while_the_one_before_is_in_doubt() -> None:
    world, bill_id = with_bill()
    world.avidxchange.drop_answer(BILLS)
    edit_bill(world, bill_id, DueDate="2026-04-10")
    doubted = work_until(world, State.IN_DOUBT, "bill")
    edit_bill(world, bill_id, DueDate="2026-04-20")
    world.clock.advance(timedelta(seconds=30))
    read(world)
    deliver(world, "bill")

    record = of_bill()
    assert (record.state, record.wanted, record.sent) == (State.IN_DOUBT, doubted.wanted + 1, doubted.sent)
    assert record.next_attempt_at == doubted.next_attempt_at
    assert str(invoice(world)["due_date"]) == "2026-04-10"
    assert len(attempts(record)) == 2
    world.settle(days=1)
    assert str(invoice(world)["due_date"]) == "2026-04-20"
    assert (of_bill().settled, of_bill().state) == (3, State.SYNCED)
    assert [attempt.revision for attempt in attempts(record)] == [1, 2, 3]


def test_a_payment_that_executes_while_its_posting_is_in_doubt_is_updated_and_stands_once() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    work_until(world, State.IN_DOUBT, "payment")
    execute(world, payment_id)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert not posted["DocNumber"].startswith("PND-")
    assert [attempt.action for attempt in attempts(of_payment(payment_id))] == ["create", "update"]


def test_a_payment_taken_back_while_its_posting_is_in_doubt_is_voided_if_it_arrived() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    work_until(world, State.IN_DOUBT, "payment")
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    world.settle(days=1)
    assert postings(world, bill_id) == []
    assert world.company.bills[bill_id]["Balance"] == world.company.bills[bill_id]["TotalAmt"]
    [voided] = world.company.bill_payments.values()
    assert voided["PrivateNote"].startswith("Voided")
    assert of_payment(payment_id).state == State.SYNCED


def test_a_payment_taken_back_while_its_posting_is_in_doubt_is_not_posted_if_it_never_arrived() -> None:
    world, bill_id, payment_id = with_payment()
    lose_request(world)
    work_until(world, State.IN_DOUBT, "payment")
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    world.settle(days=1)
    assert not world.company.bill_payments
    record = of_payment(payment_id)
    assert (record.state, record.code) == (State.OUT_OF_SCOPE, "payment_reversed_before_posting")


def test_what_carries_our_mark_and_settles_something_else_is_brought_to_what_was_sent() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    work_until(world, State.IN_DOUBT, "payment")
    [posted] = postings(world, bill_id)
    part = [{"Amount": "20.00", "LinkedTxn": [{"TxnId": bill_id, "TxnType": "Bill"}]}]
    changes = {"TotalAmt": "20.00", "Line": part, "VendorRef": posted["VendorRef"]}
    world.person(world.quickbooks, "edit", entity="BillPayment", identity=posted["Id"], changes=changes)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert str(posted["TotalAmt"]) == "120.50"
    assert of_payment(payment_id).state == State.SYNCED


def not_as_sent(request: Request, proceed: Callable[[], Response]) -> Response:
    """The ERP answers that it has the payment, and is about to print a check for it."""
    body = json.loads(proceed().body)
    body["BillPayment"]["CheckPayment"]["PrintStatus"] = "NeedToPrint"
    return Response(status=200, body=json.dumps(body).encode())


@pytest.mark.parametrize("first", ["create", "update"])
def test_what_stands_otherwise_than_it_was_sent_is_held_until_a_person_decides(first: str) -> None:
    world, bill_id, payment_id = with_payment() if first == "create" else with_posting()
    if first == "update":
        execute(world, payment_id)
    world.quickbooks.fault(PAYMENT_POST, not_as_sent)
    work_until(world, State.IN_DOUBT, "payment")
    world.settle(days=1)
    execute(world, payment_id, to="cleared")
    world.settle(days=1)
    record, [posted] = of_payment(payment_id), postings(world, bill_id)
    assert (record.state, record.code, record.target_id) == (State.HELD, "not_as_sent", posted["Id"])
    assert "printed" in record.reason
    assert [problem.code for problem in open_problems()] == ["not_as_sent"]
    services.replay(sync_record=record, by="Ann", why="it is right now", now=world.clock.now())
    world.settle(days=1)
    assert (of_payment(payment_id).state, len(postings(world, bill_id)), open_problems()) == (State.SYNCED, 1, [])


def test_an_update_whose_answer_is_lost_is_read_by_its_id_and_compared() -> None:
    world, bill_id, payment_id = with_posting()
    world.quickbooks.drop_answer(PAYMENT_POST)
    execute(world, payment_id)
    work_until(world, State.IN_DOUBT, "payment")
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert posted["SyncToken"] == "1"
    assert verbs(of_payment(payment_id))[-1] == "delivery_found"


def test_what_waits_to_clear_still_does_after_its_answer_was_lost_and_goes_by_the_policy_that_is_in_force() -> None:
    world, bill_id, payment_id = with_posting()
    by_policy(world, "post_on", "cleared")
    world.quickbooks.drop_answer(PAYMENT_POST)
    execute(world, payment_id)
    world.settle(days=1)
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.SYNCED, "payment_not_cleared")
    by_policy(world, "post_on", "executed")
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    assert not posted["DocNumber"].startswith("PND-")
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.SYNCED, "")


def test_a_void_whose_answer_is_lost_is_done_once() -> None:
    world, bill_id, payment_id = with_posting()
    world.quickbooks.drop_answer(PAYMENT_POST)
    world.person(world.avidxchange, "void_payment", payment_id=payment_id)
    work_until(world, State.IN_DOUBT, "payment")
    world.settle(days=1)
    assert postings(world, bill_id) == []
    assert of_payment(payment_id).state == State.SYNCED
    assert [attempt.action for attempt in attempts(of_payment(payment_id))] == ["create", "void"]


def test_a_withdrawal_whose_answer_is_lost_is_done_once() -> None:
    world, bill_id = with_bill()
    world.avidxchange.drop_answer(CANCEL)
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    work_until(world, State.IN_DOUBT, "bill")
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert of_bill().state == State.SYNCED
    assert requests(world.avidxchange, CANCEL) == 0, "the answer of the first was lost, and no second one was sent"
    tries = [(attempt.action, attempt.outcome) for attempt in attempts(of_bill())]
    assert tries == [("create", "accepted"), ("withdraw", "found"), ("withdraw", "found")], "looked up, and left"


def test_a_failing_look_up_leaves_everything_in_doubt_and_is_made_again() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    doubted = work_until(world, State.IN_DOUBT, "payment")
    world.quickbooks.drop_answer("GET /query", times=30)
    assert doubted.next_attempt_at is not None
    world.clock.advance(doubted.next_attempt_at - world.clock.now() + MOMENT)
    deliver(world, "payment")
    later = of_payment(payment_id)
    assert later.state == State.IN_DOUBT
    assert later.next_attempt_at is not None
    assert later.next_attempt_at > world.clock.now()
    assert later.attempt_id == doubted.attempt_id
    world.quickbooks.clear_faults()
    world.settle(days=1)
    assert of_payment(payment_id).state == State.SYNCED
    assert len(postings(world, bill_id)) == 1


def test_what_stays_in_doubt_for_long_is_a_problem_with_its_money_until_it_is_found() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.drop_answer(PAYMENT_POST)
    work_until(world, State.IN_DOUBT, "payment")
    world.quickbooks.drop_answer("GET /query", times=100_000)
    world.settle(days=0.25)
    assert of_payment(payment_id).state == State.IN_DOUBT
    problem = of_payment(payment_id).problem
    assert problem is not None
    assert problem in open_problems()
    assert (problem.records, problem.money) == (1, {"USD": 12050})
    world.quickbooks.clear_faults()
    world.settle(days=1)
    assert of_payment(payment_id).state == State.SYNCED
    assert open_problems() == []


def test_a_batch_is_looked_up_whole_before_any_of_it_is_sent_again() -> None:
    world = begin()
    vendor = enter_vendor(world)
    for number in range(60):
        enter_bill(world, vendor, number=f"INV-{number}")
    lose_request(world, "avidxchange", BILLS, times=2)
    work_until(world, State.IN_DOUBT, "bill")
    doubted = SyncRecord.objects.filter(stream__kind="bill", state=State.IN_DOUBT)
    assert doubted.count() == 60
    world.clock.advance(timedelta(minutes=3))
    run_until(worker(world, "bill"), "claimed")
    assert not doubted.exists()
    assert SyncRecord.objects.filter(stream__kind="bill", state=State.SENDING).count() == 60


def lose_request(world: World, simulator: str = "quickbooks", match: str = PAYMENT_POST, times: int = 1) -> None:
    """The request is lost on its way, so late that the caller cannot tell: nothing happened."""

    def act(request: Request, proceed: Callable[[], Response]) -> Response:
        raise httpx.ReadTimeout("no answer")

    getattr(world, simulator).fault(match, act, times)
