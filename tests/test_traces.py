"""What can be told afterwards: problems, audit events and trace ids lead from a record to what became of it."""

from collections.abc import Callable

import pytest

from audit.models import Event
from audit.seal import EVERYTHING, seal
from audit.verify import verify
from connectors.models import Connection, Exchange
from connectors.simulators import Request, Response
from syncs.models import Attempt, Problem, Stream, SyncRecord
from syncs.states import State
from tests.payables import (
    PAYMENT_POST,
    attempts,
    edit_bill,
    enter_bill,
    enter_vendor,
    execute,
    invoice,
    of_bill,
    of_payment,
    open_problems,
    postings,
    requests,
    verbs,
    with_bill,
    with_payment,
    with_posting,
)
from tests.simulation.world import World, begin, sign_in

pytestmark = pytest.mark.django_db


def test_a_trace_leads_from_the_remote_record_through_attempt_and_exchange_to_the_posted_payment() -> None:
    world, bill_id, payment_id = with_posting()
    record = of_payment(payment_id)
    assert record.remote_record.remote_id == payment_id
    [attempt] = Attempt.objects.filter(trace_id=record.trace_id)
    assert attempt.sync_record_id == record.pk
    assert attempt.exchange_id is not None
    exchange = Exchange.objects.get(pk=attempt.exchange_id)
    assert (exchange.method, exchange.status) == ("POST", 200)
    assert attempt.record_key in exchange.request_body
    [posted] = postings(world, bill_id)
    assert f'"Id":"{posted["Id"]}"' in exchange.answer_body.replace(" ", "")
    assert record.target_id == posted["Id"]
    assert set(Event.objects.filter(trace_id=record.trace_id).values_list("verb", flat=True)) == {
        "attempt_started",
        "delivered",
    }


def test_a_new_revision_has_a_trace_of_its_own() -> None:
    world, bill_id = with_bill()
    first = of_bill().trace_id
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    assert of_bill().trace_id != first
    assert [attempt.trace_id for attempt in attempts(of_bill())] == [first, of_bill().trace_id]


def test_every_attempt_says_what_was_sent_under_which_keys_and_what_came_of_it() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    created, updated = attempts(of_payment(payment_id))
    assert (created.action, updated.action) == ("create", "update")
    assert created.link_id == ""
    assert updated.link_id == of_payment(payment_id).target_id
    for attempt in (created, updated):
        assert (len(attempt.record_key), len(attempt.request_key)) == (32, 36)
        assert attempt.started_at < attempt.deadline
        assert attempt.ended_at is not None
        assert attempt.outcome == "accepted"
        assert bill_id in attempt.body


def test_the_whole_story_is_in_the_audit_and_the_audit_is_whole() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.settle(days=1)
    assert [verb for verb in verbs(of_bill()) if verb != "delivery_waiting"] == ["attempt_started", "delivered"]
    assert verbs(of_payment(payment_id)) == ["attempt_started", "delivered"] * 3
    assert Event.objects.filter(verb="page_read").exists()
    seal(now=world.clock.now(), holder="test", horizon=EVERYTHING)
    assert verify(world.tenant.pk, now=world.clock.now()) == []


def test_every_step_of_a_delivery_writes_one_event_in_the_same_commit() -> None:
    world = begin()
    vendor = enter_vendor(world)
    for number in ("INV-1", "INV-2", ""):
        enter_bill(world, vendor, number=number)
    world.settle(days=1)
    for record in SyncRecord.objects.all():
        happened = verbs(record)
        assert happened.count("attempt_started") == len(attempts(record))
        assert happened[-1] == {State.SYNCED: "delivered", State.HELD: "delivery_held"}[State(record.state)]


# Problems.


def test_a_problem_is_opened_once_told_once_and_closes_by_itself() -> None:
    world = begin()
    bill_id = enter_bill(world, enter_vendor(world))
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id, amount="20.00")
    world.settle(days=1)
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    edit_bill(world, bill_id, DueDate="2026-05-30")
    world.settle(days=1)
    [problem] = Problem.objects.all()
    assert (problem.code, problem.records, problem.money) == ("partly_settled", 1, {"USD": 12050})
    assert problem.remedy
    [paid] = world.company.payments_of_bill(bill_id)
    world.person(world.quickbooks, "void_payment", payment_id=paid["Id"])
    world.settle(days=1)
    [problem] = Problem.objects.all()
    assert (problem.records, problem.money, problem.resolved_at is None) == (0, {}, False)
    told = Event.objects.filter(subject_kind="problem").values_list("verb", flat=True)
    assert list(told) == ["problem_opened", "problem_resolved"]


def test_a_problem_that_comes_back_is_a_new_one() -> None:
    world, bill_id, payment_id = with_payment()
    for times in (1, 2):
        world.person(world.avidxchange, "break_promise", payment_id=payment_id, promise="unknown_status")
        world.settle(days=1)
        assert len(open_problems()) == 1
        assert Problem.objects.count() == times
        world.person(world.avidxchange, "keep_promises", kind="payment", id=payment_id)
        world.settle(days=1)
        assert open_problems() == []
    assert len(postings(world, bill_id)) == 1


# Connections.


def test_a_dead_credential_pauses_its_connection_with_one_problem_and_everything_resumes() -> None:
    world, bill_id, payment_id = with_payment()
    world.person(world.quickbooks, "disconnect")
    world.settle(days=1)
    assert states(world) == {"quickbooks": "attention", "avidxchange": "connected"}
    [problem] = open_problems()
    assert problem.connection_id == world.integration.erp_id
    assert of_payment(payment_id).state == State.PENDING
    asked = len(world.quickbooks.requests)
    world.settle(days=0.1)
    assert len(world.quickbooks.requests) == asked
    sign_in(world)
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1
    assert open_problems() == []


def test_a_sign_in_that_dies_between_two_requests_of_a_posting_loses_and_doubles_nothing() -> None:
    world, bill_id, payment_id = with_payment()
    world.quickbooks.fault(PAYMENT_POST, dying_sign_in(world))
    world.settle(days=1)
    assert states(world)["quickbooks"] == "attention"
    assert of_payment(payment_id).attempts == 0
    sign_in(world)
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1
    assert requests(world.quickbooks, PAYMENT_POST) == 2  # refused, done


def dying_sign_in(world: World) -> Callable[[Request, Callable[[], Response]], Response]:
    def act(request: Request, proceed: Callable[[], Response]) -> Response:
        world.person(world.quickbooks, "disconnect")
        return proceed()

    return act


def test_the_erp_refusing_us_while_a_bill_is_to_be_stopped_does_not_pause_the_network() -> None:
    world, bill_id = with_bill()
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    Stream.objects.update(paused=True)
    world.settle(days=0.05)
    world.person(world.quickbooks, "disconnect")
    Stream.objects.update(paused=False)
    world.settle(days=0.05)
    assert states(world) == {"quickbooks": "attention", "avidxchange": "connected"}
    assert invoice(world)["workflow_status"] == "received"
    sign_in(world)
    world.settle(days=1)
    assert invoice(world)["workflow_status"] == "cancelled"
    assert open_problems() == []


def states(world: World) -> dict[str, str]:
    return dict(Connection.objects.filter(tenant=world.tenant).values_list("provider", "status"))
