"""Budgets: no more is asked of a provider than it allows, by all processes together, and "wait" is heard by all."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from connectors import governor
from connectors.base import AccountInfo, Connector
from connectors.clock import VirtualClock
from connectors.conversation import Conversation, Effects, finish
from connectors.governor import BudgetOwner
from connectors.models import Budget, Connection, Tenant
from connectors.services import check_connection
from connectors.simulators import Response, Simulator
from syncs.admin.words import polled_in_words
from syncs.models import Attempt, Feed, Stream, SyncRecord
from syncs.states import State
from syncs.timing import next_reading
from tests.connecting import START
from tests.processes import in_processes
from tests.simulation.world import ADDRESS, World, begin

RATE = 60
BURST = 10  # ten seconds' worth
OURS = BudgetOwner(tenant_id=None, owner="app:1", per_minute=RATE)
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=150)
rows = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def spend(budget: BudgetOwner = OURS, now: datetime = START) -> int:
    """Take one permit after the other until there is none; how many there were."""
    taken = 0
    while not governor.take(budget, 1, now=now):
        taken += 1
    return taken


def most_in_a_minute(granted: list[tuple[datetime, int]]) -> int:
    return max(sum(count for at, count in granted if since <= at < since + MINUTE) for since, _ in granted)


def ask_often(budget: BudgetOwner, largest: int, minutes: int) -> list[tuple[datetime, int]]:
    """Ask for sets of up to so many, far more often than there are permits; what was granted when."""
    clock, granted = VirtualClock(START, seed=7), []
    while clock.now() < START + minutes * MINUTE:
        count = 1 + int(clock.chance() * largest)
        if not governor.take(budget, count, now=clock.now()):
            granted.append((clock.now(), count))
        clock.sleep(clock.chance() * 2)
    return granted


# The rate.


@rows
def test_no_minute_has_more_than_the_rate_and_the_burst_and_nothing_is_wasted() -> None:
    granted = ask_often(OURS, largest=5, minutes=6)
    assert most_in_a_minute(granted) <= RATE + BURST
    assert sum(count for _, count in granted) >= 6 * RATE * 0.95


@rows
def test_a_set_larger_than_the_burst_is_granted_and_paid_off_before_anything_else() -> None:
    assert spend() == BURST
    assert governor.take(OURS, 40, now=after(1)) > 0
    assert governor.take(OURS, 40, now=after(10)) == 0
    assert governor.take(OURS, 1, now=after(39)) > 0
    assert governor.take(OURS, 1, now=after(42)) == 0
    granted = ask_often(replace(OURS, owner="app:2"), largest=40, minutes=6)
    assert sum(count for _, count in granted) <= 6 * RATE + 40


@rows
def test_a_provider_that_counts_by_the_second_meets_no_burst_beyond_that_and_the_rate_a_minute_stays() -> None:
    budget = replace(OURS, per_minute=500, per_second=10)
    assert spend(budget) == 10
    assert spend(budget, now=after(1)) == 8
    assert spend(budget, now=after(60)) == 10


@rows
def test_what_was_sent_without_a_permit_is_owed() -> None:
    assert spend() == BURST
    governor.owe(OURS, 5, now=START)
    assert governor.take(OURS, 1, now=after(5.9)) > 0
    assert governor.take(OURS, 1, now=after(6)) == 0


@rows
def test_what_was_sent_without_a_permit_is_owed_also_while_everybody_is_told_to_wait() -> None:
    assert spend() == BURST
    governor.block(OURS, 5, now=START)
    governor.owe(OURS, 10, now=START)
    assert governor.take(OURS, 1, now=after(10.9)) > 0
    assert governor.take(OURS, 1, now=after(11)) == 0


@rows
def test_who_waits_as_long_as_told_is_granted_and_nobody_sooner() -> None:
    spend()
    wait = governor.take(OURS, 5, now=START)
    assert wait == pytest.approx(5)
    assert governor.take(OURS, 5, now=after(wait * 0.9)) > 0
    assert governor.take(OURS, 5, now=after(wait)) == 0


@rows
def test_budgets_of_different_owners_do_not_touch() -> None:
    tenants = [Tenant.objects.create(name=name) for name in ("First", "Second")]
    budgets = [OURS, replace(OURS, owner="app:2"), *(replace(OURS, tenant_id=tenant.pk) for tenant in tenants)]
    assert [spend(budget) for budget in budgets] == [BURST] * 4


@committed
def test_all_processes_together_have_one_budget() -> None:
    granted = in_processes(8, lambda number: sum(not governor.take(OURS, 1, now=START) for _ in range(5)))
    assert sum(granted) == BURST
    assert Budget.objects.get().level == 0
    assert sum(in_processes(4, lambda number: spend(now=after(3)))) == 3


# Being told to wait.


@rows
def test_a_block_holds_until_its_end_and_the_longest_counts() -> None:
    governor.block(OURS, 30, now=START)
    governor.block(OURS, 5, now=after(1))
    assert governor.take(OURS, 1, now=after(2)) == pytest.approx(28)
    assert governor.take(OURS, 1, now=after(29.9)) > 0
    governor.block(OURS, 30, now=after(20))
    assert governor.take(OURS, 1, now=after(31)) == pytest.approx(19)
    assert governor.take(OURS, 1, now=after(50)) == 0
    assert governor.take(replace(OURS, owner="app:2"), 1, now=after(2)) == 0


@committed
def test_a_block_in_one_process_is_honoured_by_all() -> None:
    in_processes(1, lambda number: governor.block(OURS, 30, now=START))
    assert in_processes(4, lambda number: governor.take(OURS, 1, now=after(10))) == pytest.approx([20] * 4)


# Several connections, one budget.


def asked_by_turns(gaps: dict[str, float], minutes: int = 3) -> Counter[str]:
    """How many permits each of them gets of one budget that asks again after so many seconds."""
    due, granted, clock = dict.fromkeys(gaps, START), Counter[str](), VirtualClock(START, seed=7)
    while clock.now() < START + minutes * MINUTE:
        for sharer in sorted(due, key=lambda one: due[one]):
            if due[sharer] <= clock.now():
                granted[sharer] += not governor.take(replace(OURS, sharer=sharer), 1, now=clock.now())
                due[sharer] = clock.now() + timedelta(seconds=gaps[sharer])
        clock.sleep(0.5)
    return granted


@rows
def test_one_of_those_who_share_has_all_of_it_while_the_others_are_idle() -> None:
    assert asked_by_turns({"busy": 0.5})["busy"] >= 3 * RATE * 0.95


@rows
def test_whoever_asks_ten_times_as_often_gets_no_more_than_its_half() -> None:
    granted = asked_by_turns({"busy": 0.5, "calm": 1.5})
    assert granted["calm"] >= 3 * RATE / 2 * 0.9
    assert sum(granted.values()) >= 3 * RATE * 0.95


@rows
def test_what_the_calm_leave_the_busy_one_gets() -> None:
    granted = asked_by_turns({"busy": 0.5, "calm": 10.0})
    assert granted["calm"] == 18, "it never has to ask twice"
    assert granted["busy"] >= (3 * RATE - 18) * 0.95


@rows
def test_of_many_who_ask_all_the_time_none_gets_less_than_the_others() -> None:
    granted = asked_by_turns({f"connection:{number}": 1.0 for number in range(5)})
    assert min(granted.values()) >= 0.8 * max(granted.values())


@rows
def test_who_is_told_to_wait_is_granted_then_where_others_have_a_part() -> None:
    busy, calm = (replace(OURS, sharer=name) for name in ("busy", "calm"))
    assert governor.take(calm, 1, now=START) == 0
    spend(busy)
    wait = governor.take(busy, 1, now=START)
    assert 0 < wait <= 2
    assert governor.take(calm, 1, now=START) == 0
    assert governor.take(busy, 1, now=after(wait + 1)) == 0


# A clock that runs backwards.


@rows
def test_a_clock_that_runs_backwards_gives_nothing_away_and_takes_nothing() -> None:
    assert governor.take(OURS, 5, now=after(60)) == 0
    assert governor.take(OURS, 1, now=START) == 0
    assert spend(now=after(60)) == BURST - 6
    assert governor.take(OURS, 1, now=START) > 0
    assert spend(now=after(63)) == 3


@rows
def test_a_clock_that_runs_backwards_does_not_end_a_block() -> None:
    governor.block(OURS, 30, now=after(60))
    governor.block(OURS, 30, now=START)
    assert governor.take(OURS, 1, now=START) == pytest.approx(90)
    assert governor.take(OURS, 1, now=after(89)) > 0
    assert governor.take(OURS, 1, now=after(90)) == 0


# What the engine makes of it.


class Governed(World):
    """A world in which budgets count."""

    def effects(self, holder: str = "worker") -> Effects:
        return replace(super().effects(holder), budgets=True)

    def talk(self, connection_id: int) -> Conversation:
        connection = Connection.objects.select_related("app").get(pk=connection_id)
        return Conversation(connection=connection, effects=self.effects(), trace_id="test")


@pytest.fixture
def world(db: None) -> Governed:
    """A vendor that waits to be sent to AvidXchange; everything else is read."""
    governed = Governed(**vars(begin()))
    governed.settle()
    governed.person(governed.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    return governed


def work_until(world: World, happened: Callable[[], object]) -> None:
    for _ in range(100):
        if happened():
            return
        if not world.work():
            world.wait_for_what_is_due()
    pytest.fail("it never happened")


def requests(simulator: Simulator, method: str, part: str) -> list[int]:
    return [status for how, path, status in simulator.requests if how == method and part in path]


def test_a_provider_that_says_wait_is_left_alone_and_no_attempt_is_counted(world: Governed) -> None:
    wait = replace(world.avidxchange.gateway_refusal(900803), headers={"retry-after": "40"})
    world.avidxchange.refuse("POST /vendors", wait, times=9)
    work_until(world, lambda: requests(world.avidxchange, "POST", "/vendors"))
    record = SyncRecord.objects.get(stream__kind="vendor")
    stream = Stream.objects.get(kind="vendor")
    until = world.clock.now() + timedelta(seconds=40)
    assert (record.state, record.attempts, record.code) == (State.PENDING, 0, "throttled_app")
    assert Attempt.objects.filter(sync_record_id=record.pk).count() == 1
    for moment in (record.next_attempt_at, stream.due_at, Budget.objects.get(owner__startswith="app:").blocked_until):
        assert moment is not None
        assert abs(moment - until) <= timedelta(seconds=2)
    world.avidxchange.clear_faults()
    world.settle()
    assert requests(world.avidxchange, "POST", "/vendors") == [429, 200]
    assert len(world.network.vendors) == 1


def test_a_connection_that_shares_the_app_waits_too_and_asks_nothing(world: Governed) -> None:
    network = world.integration.ap_network_id
    governor.block(world.talk(network).budget, 300, now=world.clock.now())
    asked = len(world.avidxchange.requests)
    feed = Feed.objects.get(connection_id=network)
    work_until(world, lambda: Feed.objects.get(pk=feed.pk).due_at != feed.due_at)
    after = Feed.objects.get(pk=feed.pk)
    assert after.due_at == Budget.objects.get(owner__startswith="app:").blocked_until
    assert (after.failures, after.cursor, len(world.avidxchange.requests)) == (0, feed.cursor, asked)


def test_what_our_own_budget_does_not_allow_is_not_asked_and_is_no_failure(world: Governed) -> None:
    erp = world.integration.erp_id
    feed = Feed.objects.get(connection_id=erp)
    world.clock.advance(timedelta(seconds=feed.interval_seconds))
    spend(world.talk(erp).budget, now=world.clock.now())
    governor.owe(world.talk(erp).budget, 20, now=world.clock.now())
    asked = len(world.quickbooks.requests)
    world.work()
    waiting = Feed.objects.get(pk=feed.pk)
    assert (waiting.failures, len(world.quickbooks.requests)) == (0, asked)
    assert waiting.due_at is not None
    assert world.clock.now() + timedelta(seconds=2) < waiting.due_at <= world.clock.now() + timedelta(seconds=3)
    world.settle()
    assert len(world.network.vendors) == 1


def asked_at_once(world: Governed, count: int) -> list[bool]:
    """Which of so many calls to the ERP, made together, were answered."""
    world.clock.advance(MINUTE)
    world.quickbooks.throttled = True
    talk = world.talk(world.integration.erp_id)
    jobs = [(lambda connector: connector.account(), f"job-{place}") for place in range(count)]
    return [isinstance(outcome, AccountInfo) for outcome in finish(talk.call_all(jobs))]


def test_many_calls_at_once_begin_no_faster_than_the_provider_takes_them(world: Governed) -> None:
    started = world.clock.now()
    assert all(asked_at_once(world, 25))
    assert world.clock.now() - started - MINUTE == pytest.approx(timedelta(seconds=15 / (500 / 60)), abs=MOMENT)
    assert 429 not in requests(world.quickbooks, "GET", "/companyinfo")


def test_calls_that_would_wait_long_for_a_permit_are_put_off_and_what_was_answered_stays(world: Governed) -> None:
    answered = asked_at_once(world, 60)
    assert answered == [True] * 24 + [False] * 36
    assert requests(world.quickbooks, "GET", "/companyinfo")[-24:] == [200] * 24
    assert len(requests(world.quickbooks, "GET", "/companyinfo")) < 60


def test_a_provider_that_says_wait_in_the_middle_of_many_calls_is_asked_no_further(world: Governed) -> None:
    world.quickbooks.refuse("GET /companyinfo", Response(status=429, headers={"retry-after": "40"}), times=99)
    assert not any(asked_at_once(world, 25))
    assert len(requests(world.quickbooks, "GET", "/companyinfo")) == 8


def test_calls_that_are_known_to_be_several_requests_have_their_permits_before_they_begin(world: Governed) -> None:
    world.clock.advance(MINUTE)
    world.quickbooks.throttled = True
    talk, started = world.talk(world.integration.erp_id), world.clock.now()

    def twice(connector: Connector) -> AccountInfo:
        connector.account()
        return connector.account()

    answers = finish(talk.call_all([(twice, f"job-{place}") for place in range(9)], each=2))
    assert [type(answer) for answer in answers] == [AccountInfo] * 9
    assert world.clock.now() - started >= timedelta(seconds=8 / (500 / 60)) - MOMENT
    assert 429 not in requests(world.quickbooks, "GET", "/companyinfo")
    assert Budget.objects.get(owner=f"connection:{world.integration.erp_id}").level >= 0


def test_a_call_of_several_requests_pays_for_all_of_them(world: Governed) -> None:
    world.clock.advance(MINUTE)
    talk = world.talk(world.integration.erp_id)
    asked = len(world.quickbooks.requests)
    finish(talk.call(lambda connector: connector.check()))
    budget = Budget.objects.get(owner=f"connection:{world.integration.erp_id}")
    paid = len(world.quickbooks.requests) - asked
    assert paid - 1 <= 10 - budget.level <= paid


def test_no_more_is_claimed_than_there_are_permits_for_soon(world: Governed) -> None:
    network, erp = (world.talk(one) for one in (world.integration.ap_network_id, world.integration.erp_id))
    assert erp.sent_soon(1, most=200) == 10 + 16
    assert network.sent_soon(50, most=200) == 200


def test_a_check_of_many_questions_keeps_the_provider_s_pace_and_finds_nothing_missing(world: Governed) -> None:
    world.clock.advance(MINUTE)
    world.quickbooks.throttled = True
    erp = Connection.objects.select_related("app").get(pk=world.integration.erp_id)
    asked = len(world.quickbooks.requests)
    findings = check_connection(connection=erp, by="Ann", effects=world.effects())
    assert not [finding for finding in findings if finding.level == "missing"]
    statuses = [status for _, _, status in world.quickbooks.requests[asked:]]
    assert len(statuses) > 10
    assert set(statuses) == {200}


def test_a_check_that_the_provider_is_too_busy_for_says_so_and_calls_nothing_missing(world: Governed) -> None:
    world.quickbooks.refuse("GET /query", Response(status=429, headers={"retry-after": "40"}), times=99)
    erp = Connection.objects.select_related("app").get(pk=world.integration.erp_id)
    with pytest.raises(ValidationError, match="Try again in a minute"):
        check_connection(connection=erp, by="Ann", effects=world.effects())
    assert Connection.objects.get(pk=erp.pk).findings == []


def test_many_who_share_an_app_are_asked_less_often_and_their_feeds_say_so(world: Governed) -> None:
    feed = Feed.objects.select_related("connection__app", "tenant").get(connection_id=world.integration.ap_network_id)
    assert polled_in_words(feed, world.clock.now()) == "polled every 4 minutes"
    ours = Budget.objects.get(owner=f"connection:{feed.connection_id} of app:{feed.connection.app_id}")
    for number in range(300):
        ours.pk, ours.owner, ours.filled_at = None, f"another {number}", world.clock.now()
        ours.save(force_insert=True)
    stretched = "polled every 25 minutes, stretched because many companies share this app's quota"
    assert polled_in_words(feed, world.clock.now()) == stretched
    assert next_reading(feed, world.clock.now()) - world.clock.now() > timedelta(minutes=25)


def test_a_connection_with_tokens_of_its_own_has_a_budget_of_its_own(world: Governed) -> None:
    network = Connection.objects.get(pk=world.integration.ap_network_id)
    assert world.talk(network.pk).budget.owner == f"app:{network.app_id}"
    network.credentials = {"company_token": "c" * 8, "user_token": "u" * 8}
    network.save()
    assert world.talk(network.pk).budget.owner == f"connection:{network.pk}"


def test_a_token_endpoint_that_says_wait_blocks_the_budget_too(world: Governed) -> None:
    world.clock.advance(timedelta(hours=2))
    world.quickbooks.refuse("POST /tokens/bearer", Response(status=429, headers={"retry-after": "90"}))
    world.work()
    [budget] = Budget.objects.filter(owner=f"connection:{world.integration.erp_id}")
    assert budget.blocked_until == world.clock.now() + timedelta(seconds=90)
    assert Feed.objects.get(connection_id=world.integration.erp_id).failures == 0
