"""Tokens that do not die: how often they are asked for, what a lost answer costs, and what a dead sign-in stops."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
import pytest

from connectors.base import Tokens
from connectors.conversation import Conversation, finish
from connectors.errors import AuthError, TransientError
from connectors.models import Connection, Token
from connectors.simulators import Request, Response, Simulator
from connectors.tokens import keep
from syncs.models import Attempt, Feed, SyncRecord
from syncs.states import State
from tests.payables import run_until
from tests.simulation.world import ADDRESS, REALM, World, begin, sign_in

pytestmark = pytest.mark.django_db
TOKEN_CALL = "POST /tokens/bearer"
REFUSED_TOKEN = Response.json({"fault": {"error": [{"code": "3200", "detail": "Token expired"}]}}, 401)
DEAD_SIGN_IN = Response.json({"error": "invalid_grant"}, 400)


@pytest.fixture
def world(db: None) -> World:
    return begin()


def token_calls(simulator: Simulator) -> list[int]:
    """The answers to the calls of the token endpoint."""
    return [status for method, path, status in simulator.requests if method == "POST" and "/token" in path]


def talk(world: World, connection: Connection | None = None) -> Conversation:
    stored = Connection.objects.select_related("app").get(pk=(connection or world.integration.erp).pk)
    return Conversation(connection=stored, effects=world.effects(), trace_id="test")


def token_row(world: World) -> Token:
    return Token.objects.get(owner=f"connection:{world.integration.erp_id}")


def erp(world: World) -> Connection:
    return Connection.objects.get(pk=world.integration.erp_id)


def live_for(world: World, length: timedelta) -> None:
    """Do what is due for so long."""
    until = world.clock.now() + length
    while world.clock.now() < until:
        if not world.work():
            world.wait_for_what_is_due()


def enter_bill(world: World, number: str, amount: str = "120.50") -> str:
    vendor = next(iter(world.company.vendors.values()), None) or world.person(
        world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS
    )
    bill = {"vendor_id": vendor["Id"], "lines": [["8", amount]], "DocNumber": number, "TxnDate": "2026-03-02"}
    return str(world.person(world.quickbooks, "create_bill", **bill)["Id"])


def pay(world: World) -> list[str]:
    """Every invoice that AvidXchange has is approved and its payment released, each by itself."""
    payments = []
    for invoice in list(world.network.invoices.values()):
        world.person(world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
        payments.append(str(world.person(world.avidxchange, "pay", invoices={invoice["id"]: None})))
    return payments


# How often a token is asked for, and what is kept.


def test_a_token_serves_its_whole_life_and_the_next_is_there_before_it_ends(world: World) -> None:
    world.settle()
    before = len(token_calls(world.quickbooks)), len(token_calls(world.avidxchange))
    live_for(world, timedelta(hours=6))
    assert len(token_calls(world.quickbooks)) - before[0] == 6
    assert len(token_calls(world.avidxchange)) - before[1] <= 12  # it gives the same token until that one is over
    assert not [entry for entry in world.quickbooks.requests + world.avidxchange.requests if entry[2] >= 400]


def test_a_token_is_refreshed_five_minutes_before_its_end_and_not_sooner(world: World) -> None:
    first = finish(talk(world).token())
    world.clock.advance(timedelta(minutes=54, seconds=59))
    assert finish(talk(world).token()) == first
    world.clock.advance(timedelta(seconds=2))
    assert finish(talk(world).token()) != first
    assert len(token_calls(world.quickbooks)) == 2  # with the sign-in


def test_the_ends_of_a_sign_in_are_kept_and_move_with_each_refresh(world: World) -> None:
    signed_in_at, row = world.clock.now(), token_row(world)
    assert row.expires_at == signed_in_at + timedelta(hours=1)
    assert row.refresh_expires_at == signed_in_at + timedelta(seconds=8726400)
    assert row.hard_expires_at == signed_in_at + timedelta(days=5 * 365)
    world.clock.advance(timedelta(days=2))
    finish(talk(world).token())
    row = token_row(world)
    assert row.refresh_expires_at == world.clock.now() + timedelta(seconds=8726400)
    assert row.hard_expires_at == signed_in_at + timedelta(days=5 * 365)
    keep(row, Tokens(access_token="later", expires_in=60), now=world.clock.now())
    assert token_row(world).hard_expires_at == signed_in_at + timedelta(days=5 * 365)
    assert token_row(world).secrets["refresh"]


def test_an_answer_with_odd_lifetimes_loses_no_token(world: World) -> None:
    def odd(request: Request, proceed: Callable[[], Response]) -> Response:
        whole = proceed()
        return replace(whole, body=whole.body.replace(b":3600", b':"soon"').replace(b":8726400", b":null"))

    world.clock.advance(timedelta(days=2))
    world.quickbooks.fault(TOKEN_CALL, odd)
    token = finish(talk(world).token())
    assert token_row(world).secrets == {"access": token, "refresh": world.quickbooks.tokens.grants[-1].refresh_token}


@dataclass
class Watched(httpx.BaseTransport):
    """A wire that looks into our rows whenever a request with an access token leaves."""

    inner: httpx.BaseTransport
    world: World
    used: set[str] = field(default_factory=set)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "/quickbooks/v3/" in str(request.url):
            used = request.headers["authorization"].removeprefix("Bearer ")
            newest = self.world.quickbooks.tokens.grants[-1].refresh_token
            assert token_row(self.world).secrets == {"access": used, "refresh": newest}
            self.used.add(used)
        return self.inner.handle_request(request)


def test_a_new_refresh_token_stands_in_our_rows_before_its_access_token_is_used(world: World) -> None:
    world.quickbooks.switches = replace(world.quickbooks.switches, rotate_each_refresh=True)
    world.wire = watched = Watched(world.wire, world)
    live_for(world, timedelta(hours=3))
    assert len(watched.used) == 4


def test_an_application_s_token_is_shared_by_its_connections(world: World) -> None:
    network = world.integration.ap_network
    world.avidxchange.person("link_company", company_id="company-2", name="Harbor Foods")
    second = Connection.objects.create(
        tenant=network.tenant, app=network.app, provider="avidxchange", environment="simulated", account_id="company-2",
        credentials={"company_id": "company-2"}, settings=network.settings, status="connected",
    )  # fmt: skip
    names = [finish(talk(world, one).call(lambda connector: connector.account())).name for one in (network, second)]
    assert names == ["Blue Ridge Wholesale", "Harbor Foods"]
    assert token_calls(world.avidxchange) == [200]
    assert Token.objects.filter(owner=f"app:{network.app_id}").count() == Token.objects.count() - 1 == 1


# Lost answers and killed workers.


@pytest.mark.parametrize("grace", [None, timedelta(minutes=5)], ids=["the same value", "a new value with grace"])
def test_a_lost_refresh_answer_is_recovered_at_once_by_the_same_refresh_token(
    world: World, grace: timedelta | None
) -> None:
    held = token_row(world).secrets
    if grace:
        world.quickbooks.switches = replace(world.quickbooks.switches, refresh_grace=grace, rotate_each_refresh=True)
    world.clock.advance(timedelta(hours=2))
    world.quickbooks.drop_answer(TOKEN_CALL)
    assert finish(talk(world).call(lambda connector: connector.account())).id == REALM
    assert token_calls(world.quickbooks) == [200, 200]  # the sign-in and, after the lost answer, one more
    assert (token_row(world).secrets["refresh"] == held["refresh"]) is (grace is None)
    assert token_row(world).refreshing_until is None


def test_a_sign_in_service_that_stays_silent_is_asked_twice_and_then_later(world: World) -> None:
    world.clock.advance(timedelta(hours=2))
    world.quickbooks.drop_answer(TOKEN_CALL, times=2)
    with pytest.raises(TransientError):
        finish(talk(world).token())
    assert erp(world).status == Connection.Status.CONNECTED
    assert finish(talk(world).token()) == token_row(world).secrets["access"]


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["refresh begun", "refresh answered", "refresh kept"])
def test_a_worker_killed_during_a_refresh_costs_a_minute_and_no_sign_in(world: World, step: str) -> None:
    world.clock.advance(timedelta(hours=2))
    steps = talk(world).token()
    run_until(steps, step)
    with pytest.raises(Killed):
        steps.throw(Killed)
    if step != "refresh kept":
        with pytest.raises(TransientError):
            finish(talk(world).token())
        world.clock.advance(timedelta(seconds=76))
    assert finish(talk(world).call(lambda connector: connector.account())).id == REALM
    assert set(token_calls(world.quickbooks)) == {200}


# A sign-in that is dead: everything waits where it stands.


def test_a_refused_token_is_replaced_once_without_anybody_noticing(world: World) -> None:
    world.settle()
    before = len(token_calls(world.quickbooks))
    world.quickbooks.refuse("GET /v3/company", REFUSED_TOKEN)
    enter_bill(world, "INV-1")
    world.settle()
    assert len(token_calls(world.quickbooks)) == before + 1
    assert erp(world).status == Connection.Status.CONNECTED
    assert len(world.network.invoices) == 1


def test_a_token_that_is_refused_twice_needs_somebody(world: World) -> None:
    world.quickbooks.refuse("GET /v3/company", REFUSED_TOKEN, times=2)
    with pytest.raises(AuthError):
        finish(talk(world).call(lambda connector: connector.account()))
    assert len(token_calls(world.quickbooks)) == 2
    world.quickbooks.refuse("GET /v3/company", REFUSED_TOKEN, times=2)
    world.work()
    assert erp(world).status == Connection.Status.ATTENTION
    assert len(token_calls(world.quickbooks)) == 3


def test_a_dead_sign_in_stops_its_connection_and_all_goes_on_from_where_it_stood(world: World) -> None:
    enter_bill(world, "INV-1")
    world.settle()
    [payment_id] = pay(world)
    world.settle()
    world.quickbooks.switches = replace(world.quickbooks.switches, rotate_each_refresh=True)
    world.clock.advance(timedelta(hours=2))
    stood = dict(Feed.objects.values_list("connection_id", "changes_cursor")), _deliveries()
    world.quickbooks.drop_answer(TOKEN_CALL)
    enter_bill(world, "INV-2", "75.00")
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to="issued")
    live_for(world, timedelta(hours=1))

    assert erp(world).status == Connection.Status.ATTENTION
    assert token_calls(world.quickbooks) == [200, 400]  # the sign-in, and after the lost answer the same token again
    feed = Feed.objects.get(connection=erp(world))
    assert (feed.changes_cursor, feed.stage, feed.sweep) == (stood[0][feed.connection_id], "", 1)
    assert _deliveries().keys() == stood[1].keys()
    assert world.network.invoices.keys() == {invoice for kind, invoice in stood[1].values() if kind == "bill"}

    sign_in(world)
    world.settle()
    feed.refresh_from_db()
    assert feed.sweep == 1  # it went on by its cursor and read nothing in full
    assert all(_deliveries()[id] == where for id, where in stood[1].items())
    assert len(world.network.invoices) == len(world.company.bills) == 2
    [posted] = world.company.bill_payments.values()
    assert not posted["DocNumber"].startswith("PND-")
    assert not SyncRecord.objects.exclude(state__in=(State.SYNCED, State.OUT_OF_SCOPE)).exists()


def _deliveries() -> dict[int, tuple[str, str]]:
    """What stands where on the other side, by the id of its sync record."""
    rows = SyncRecord.objects.values_list("id", "stream__kind", "target_id")
    return {id: (kind, target_id) for id, kind, target_id in rows}


def test_a_refused_token_amid_a_set_of_payments_loses_no_other_s_outcome(world: World) -> None:
    bills = [enter_bill(world, f"INV-{number}", f"{number}0.00") for number in (1, 2, 3)]
    world.settle()
    pay(world)
    sent = 0

    def refuse_the_second(request: Request, proceed: Callable[[], Response]) -> Response:
        nonlocal sent
        sent += 1
        return REFUSED_TOKEN if sent == 2 else proceed()

    world.quickbooks.fault("POST /billpayment", refuse_the_second, times=3)
    world.quickbooks.refuse(TOKEN_CALL, DEAD_SIGN_IN)
    live_for(world, timedelta(minutes=20))
    assert erp(world).status == Connection.Status.ATTENTION
    payments = SyncRecord.objects.filter(stream__kind="payment").order_by("id")
    assert sorted(payments.values_list("state", flat=True)) == [State.PENDING, State.SYNCED, State.SYNCED]
    assert len(world.company.bill_payments) == 2
    assert payments.get(state=State.PENDING).attempts == 0

    sign_in(world)
    world.settle()
    assert [len(world.quickbooks.payments_of_bill(REALM, bill)) for bill in bills] == [1, 1, 1]
    assert set(payments.values_list("state", flat=True)) == {State.SYNCED}
    assert Attempt.objects.filter(sync_record_id__in=payments.values("id"), outcome="in doubt").count() == 0
