"""One refresh at a time, whoever wants it: workers between any two steps, threads, and processes on one database."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from django.db import connection as database

from connectors.conversation import Conversation, finish
from connectors.errors import AuthError, TransientError
from connectors.models import Connection, Token
from connectors.simulator_server import SimulatorServer
from connectors.simulators import Response
from tests.payables import run_until
from tests.processes import in_processes
from tests.simulation.world import World, begin, sign_in
from tests.test_tokens import DEAD_SIGN_IN, TOKEN_CALL, talk, token_calls, token_row

SOON_OVER = timedelta(minutes=57)
OVER = timedelta(hours=2)
stepped = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db: None) -> World:
    return begin()


# Between two steps.


@stepped
def test_who_finds_somebody_refreshing_goes_on_with_the_old_token_while_it_lives(world: World) -> None:
    old = token_row(world).secrets["access"]
    world.clock.advance(SOON_OVER)
    first = talk(world).token()
    run_until(first, "refresh begun")
    assert finish(talk(world).token()) == old
    run_until(first, "refresh answered")
    assert finish(talk(world).token()) == old
    assert finish(first) == finish(talk(world).token()) != old
    assert token_calls(world.quickbooks) == [200, 200]


@stepped
def test_who_finds_somebody_refreshing_a_dead_token_comes_back_in_a_moment(world: World) -> None:
    world.clock.advance(OVER)
    first = talk(world).token()
    run_until(first, "refresh begun")
    with pytest.raises(TransientError) as error:
        finish(talk(world).token())
    assert error.value.code == "token_in_flight"
    assert finish(first) == finish(talk(world).token())
    assert token_calls(world.quickbooks) == [200, 200]


@stepped
def test_a_token_that_two_were_refused_with_is_replaced_once(world: World) -> None:
    refused = token_row(world).secrets["access"]
    first, second = talk(world).token(rejected=refused), talk(world).token(rejected=refused)
    fresh = finish(first)
    assert finish(second) == fresh != refused
    assert token_calls(world.quickbooks) == [200, 200]


@stepped
def test_a_refresh_that_slept_too_long_is_not_saved_over_the_newer_one(world: World) -> None:
    world.quickbooks.switches = replace(world.quickbooks.switches, refresh_grace=timedelta(days=1))
    world.clock.advance(OVER)
    sleeper = talk(world).token()
    run_until(sleeper, "refresh answered")
    world.clock.advance(timedelta(seconds=76))
    newer = finish(talk(world).token())
    with pytest.raises(TransientError):
        finish(sleeper)
    row = token_row(world)
    assert (row.secrets["access"], row.generation, row.refreshing_until) == (newer, 2, None)


@stepped
def test_of_two_refreshes_that_overlap_the_one_that_asked_last_is_kept(world: World) -> None:
    world.clock.advance(OVER)
    sleeper, newer, third = talk(world).token(), talk(world).token(), talk(world).token()
    run_until(sleeper, "refresh answered")
    world.clock.advance(timedelta(seconds=76))
    run_until(newer, "refresh begun")
    kept = finish(sleeper)
    assert token_row(world).secrets["access"] == kept == finish(third)
    assert token_row(world).refreshing_until is not None
    asked_last = finish(newer)
    row = token_row(world)
    assert (row.secrets["access"], row.generation, row.refreshing_until) == (asked_last, 3, None)


@stepped
def test_a_person_s_sign_in_is_not_overwritten_by_a_refresh_of_what_was_before(world: World) -> None:
    world.clock.advance(OVER)
    sleeper = talk(world).token()
    run_until(sleeper, "refresh answered")
    sign_in(world)
    signed_in = token_row(world).secrets
    with pytest.raises(TransientError):
        finish(sleeper)
    assert token_row(world).secrets == signed_in
    assert finish(talk(world).call(lambda connector: connector.account())).name == "Blue Ridge Wholesale"


@stepped
def test_the_only_good_refresh_token_is_saved_even_late_when_the_others_were_refused(world: World) -> None:
    world.quickbooks.switches = replace(world.quickbooks.switches, rotate_each_refresh=True)
    world.clock.advance(OVER)
    sleeper = talk(world).token()
    run_until(sleeper, "refresh answered")  # from here on only the sleeper knows the refresh token
    world.clock.advance(timedelta(seconds=76))
    with pytest.raises(AuthError):
        finish(talk(world).token())
    kept = finish(sleeper)
    newest = world.quickbooks.tokens.grants[-1].refresh_token
    assert token_row(world).secrets == {"access": kept, "refresh": newest}


@stepped
@pytest.mark.parametrize("answer", [DEAD_SIGN_IN, Response(status=503), Response(status=429)])
def test_a_refresh_in_vain_leaves_the_way_free(world: World, answer: Response) -> None:
    world.clock.advance(OVER)
    world.quickbooks.refuse(TOKEN_CALL, answer, times=2)
    with pytest.raises((AuthError, TransientError)):
        finish(talk(world).token())
    assert token_row(world).refreshing_until is None
    world.quickbooks.clear_faults()
    assert finish(talk(world).token()) == token_row(world).secrets["access"]


# At the same moment.


@dataclass(frozen=True)
class Served:
    """A committed world whose access token is over, and the address of its simulators."""

    world: World
    address: str

    def want_a_token(self, number: int) -> str:
        """What a worker of its own gets, coming back as often as it is told to."""
        with httpx.HTTPTransport() as wire:
            effects = replace(self.world.effects(f"worker {number}"), transport=wire, simulator_url=self.address)
            connection = Connection.objects.select_related("app").get(provider="quickbooks")
            for _ in range(500):
                try:
                    return finish(Conversation(connection=connection, effects=effects, trace_id="race").token())
                except TransientError as error:
                    if error.code != "token_in_flight":
                        raise
                    time.sleep(0.02)
        raise TimeoutError("no token")

    def holds_one_refresh(self, got: list[str]) -> bool:
        """Whether there was one refresh, of which all had the token."""
        row = Token.objects.get(owner__startswith="connection:")
        assert set(got) == {row.secrets["access"]}
        assert (row.generation, row.refreshing_until) == (2, None)
        return token_calls(self.world.quickbooks) == [200, 200]


@pytest.fixture
def served(transactional_db: None) -> Iterator[Served]:
    world = begin()
    world.clock.advance(OVER)
    simulators = {"quickbooks": world.quickbooks, "avidxchange": world.avidxchange}
    with SimulatorServer(simulators, latency=0.3) as server:
        yield Served(world, server.address)


@committed
def test_twenty_processes_that_want_one_token_make_one_refresh(served: Served) -> None:
    got = in_processes(20, served.want_a_token)
    assert len(got) == 20
    assert served.holds_one_refresh(got)


@committed
def test_threads_of_one_process_that_want_one_token_make_one_refresh(served: Served) -> None:
    def want(number: int) -> str:
        try:
            return served.want_a_token(number)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(want, range(8)))
    assert served.holds_one_refresh(got)
