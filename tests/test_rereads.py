"""Payments are fetched again although no change of them was shown: what came back late is found all the same."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from connectors.records import Kind, Method, Payment, Phase, Ref
from syncs.mirror.rereads import next_reread
from syncs.models import RemoteRecord, Reread
from syncs.states import State
from tests.payables import balance, execute, of_payment, open_problems, read, requests, with_posting
from tests.simulation.world import World

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def payment(phase: Phase, paid: date | None = None, cleared: date | None = None, id: str = "p") -> Payment:
    return Payment(
        id=id, vendor=Ref(Kind.VENDOR, "v"), amount=Decimal(1), currency="USD", method=Method.CHECK, phase=phase,
        date=paid, cleared_date=cleared,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "within"),
    [
        (payment(Phase.EXECUTED, date(2025, 1, 1)), 1),
        (payment(Phase.PENDING), 1),
        (payment(Phase.EXECUTED, date(2026, 2, 1), date(2026, 2, 20)), 7),
        (payment(Phase.REVERSED, date(2026, 5, 1)), 7),
        (payment(Phase.EXECUTED, date(2025, 12, 1), date(2026, 1, 1)), None),
        (payment(Phase.REVERSED, date(2025, 12, 1)), None),
        (payment(Phase.NONE, date(2026, 5, 1)), None),
    ],
)
def test_live_payments_are_read_daily_recent_ones_weekly_and_final_ones_no_more(
    one: Payment, within: int | None
) -> None:
    due = next_reread(one, "company-1", now=NOW)
    assert (due is None) == (within is None)
    if due is not None and within is not None:
        assert NOW < due <= NOW + timedelta(days=within)
        assert next_reread(one, "company-1", now=due) == due + timedelta(days=within)


def test_the_payments_of_many_companies_are_spread_over_the_day_and_those_of_one_come_in_four_turns() -> None:
    live = [payment(Phase.EXECUTED, id=f"pay-{number}") for number in range(200)]
    assert len({next_reread(one, "company-1", now=NOW) for one in live}) == 4
    assert len({next_reread(live[0], f"company-{number}", now=NOW) for number in range(100)}) > 90


class Silent(httpx.BaseTransport):
    """A wire on which the network's list of changes shows no payment any more; by their ids it still shows them."""

    def __init__(self, world: World) -> None:
        self._inner = world.wire
        world.wire = self

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.url.path.endswith("/payments") and "ids" not in request.url.params:
            body = json.loads(answer.read())
            return httpx.Response(answer.status_code, json={**body, "items": []}, request=request)
        return answer


@pytest.mark.django_db
@pytest.mark.parametrize("cleared", [False, True])
def test_a_check_taken_back_after_ninety_days_is_found_though_no_change_is_shown(cleared: bool) -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id, to="cleared" if cleared else "issued")
    world.settle(days=1)
    assert balance(world, bill_id) == "0.00"
    world.clock.advance(timedelta(days=90))
    world.settle(days=1)
    Silent(world)
    if cleared:
        world.person(world.avidxchange, "return_payment", payment_id=payment_id)
    else:
        assert world.person(world.avidxchange, "age_checks", days=90) == [payment_id]
    for _ in range(8):
        world.clock.advance(timedelta(days=1))
        world.settle(days=1)
    assert RemoteRecord.objects.get(kind="payment", remote_id=payment_id).status == Phase.REVERSED
    assert (of_payment(payment_id).state, balance(world, bill_id)) == (State.SYNCED, "120.50")
    assert open_problems() == []


@pytest.mark.django_db
def test_a_quiet_day_costs_one_call_for_each_turn_that_has_payments() -> None:
    world, _, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    before, polled = requests(world.avidxchange, "GET /payments"), requests(world.avidxchange, "GET /invoices")
    for _ in range(22):
        world.clock.advance(timedelta(hours=1))
        read(world, "avidxchange")
    polls = requests(world.avidxchange, "GET /invoices") - polled
    assert (Reread.objects.count(), polls) == (1, 22)
    assert requests(world.avidxchange, "GET /payments") - before - polls <= 1
