"""Sign-ins over years: renewed daily though nothing uses them, and their end told in time, each time once."""

from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection as database
from pytest_django.fixtures import Settings

from connectors.base import Tokens
from connectors.conversation import Conversation, finish
from connectors.expiries import threshold
from connectors.models import Connection, ExpiryNotice, Token
from connectors.services import pause_connection
from connectors.simulators import Response
from connectors.tokens import StoredTokens
from connectors.upkeep import EVERY, look_after, take_due
from syncs import scheduler
from syncs.models import Feed, Problem
from tests.http_guard import is_in_transaction
from tests.payables import run_until
from tests.simulation.world import BEGINNING, REALM, World, begin, sign_in
from tests.test_tokens import token_calls

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HARD_END = timedelta(days=5 * 365)


class Outbox(EmailBackend):
    """Django's outbox in memory, which refuses to send inside a transaction, and may be down."""

    down = 0

    def send_messages(self, messages: Any) -> int:
        assert not is_in_transaction(database)
        if Outbox.down:
            Outbox.down -= 1
            raise SMTPServerDisconnected("please run connect() first")
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def outbox(settings: Settings) -> Iterator[None]:
    settings.EMAIL_BACKEND = "tests.test_sign_in_upkeep.Outbox"
    settings.EMAIL_HOST, settings.OPERATIONS_EMAIL = "smtp.example.com", ["operations@example.com"]
    Outbox.down = 0
    yield
    Outbox.down = 0


@pytest.fixture
def world() -> World:
    """Nothing uses this connection."""
    made = begin()
    made.tenant.email = "ap@blueridge.example, controller@blueridge.example"
    made.tenant.save()
    Feed.objects.update(paused=True)
    return made


def erp() -> Connection:
    return Connection.objects.select_related("app", "tenant").get(provider="quickbooks")


def token() -> Token:
    return Token.objects.get(owner=f"connection:{erp().pk}")


def live(world: World, span: timedelta, *, step: timedelta = 2 * HOUR) -> None:
    """Let so much time pass, with a tick at every step of it."""
    until = world.clock.now() + span
    while world.clock.now() < until:
        tick(world)
        world.clock.advance(step)


def tick(world: World) -> list[int]:
    """What one tick of the scheduler brings about; the connections that it woke."""
    woken: list[int] = []
    scheduler.tick_sign_ins(world.clock.now(), wake=lambda what, id: woken.append(id))
    for id in woken:
        finish(look_after(id, world.effects()))
    return woken


def shortly_before_the_end(world: World, left: timedelta) -> None:
    """Move to so long before the last end of the sign-in, which was used all the time."""
    [grant] = world.quickbooks.tokens.grants
    grant.granted_at = world.clock.now() + left - HARD_END
    grant.used_at = grant.issued_at = world.clock.now()
    finish(
        Conversation(connection=erp(), effects=world.effects(), trace_id="t").token(rejected=token().secrets["access"])
    )
    Connection.objects.update(upkeep_at=None)


def of_erp() -> list[tuple[str, int]]:
    return list(ExpiryNotice.objects.filter(connection=erp()).order_by("id").values_list("what", "days"))


# Renewed.


def test_a_sign_in_that_nothing_uses_is_renewed_daily_and_lives_on_for_months(world: World) -> None:
    live(world, 130 * DAY)
    assert erp().status == "connected"
    assert 130 <= len(token_calls(world.quickbooks)) <= 200
    finish(Conversation(connection=erp(), effects=world.effects(), trace_id="t").call(lambda one: one.account()))
    assert mail.outbox == []
    assert of_erp() == []


def test_a_sign_in_that_is_used_is_not_renewed_besides(world: World) -> None:
    Feed.objects.update(paused=False)
    until = world.clock.now() + 2 * DAY
    calls = 0
    while world.clock.now() < until:
        world.work()
        calls = len(token_calls(world.quickbooks))
        tick(world)
        assert len(token_calls(world.quickbooks)) == calls
        world.clock.advance(HOUR / 2)
    assert calls > 40


def test_a_connection_that_somebody_paused_is_there_when_it_is_resumed(world: World) -> None:
    pause_connection(connection=erp(), by="olivia", why="year end", now=world.clock.now())
    live(world, 110 * DAY)
    assert erp().status == "paused"
    finish(Conversation(connection=erp(), effects=world.effects(), trace_id="t").call(lambda one: one.account()))


def test_each_connection_is_taken_by_one_of_many_and_again_if_that_one_dies(world: World) -> None:
    taken = take_due(world.clock.now())
    assert len(taken) == 2
    assert take_due(world.clock.now()) == []
    world.clock.advance(timedelta(minutes=16))
    assert take_due(world.clock.now()) == taken


def test_two_that_look_after_one_sign_in_make_one_refresh(world: World) -> None:
    world.clock.advance(DAY)
    first, second = look_after(erp().pk, world.effects("one")), look_after(erp().pk, world.effects("two"))
    run_until(first, "refresh begun")
    finish(second)
    finish(first)
    assert token_calls(world.quickbooks) == [200, 200]
    assert finish(Conversation(connection=erp(), effects=world.effects(), trace_id="t").token())


def test_a_renewal_that_fails_for_a_moment_is_tried_again_within_the_hour(world: World) -> None:
    world.clock.advance(DAY)
    world.quickbooks.refuse("POST /tokens/bearer", Response(status=503), times=2)
    tick(world)
    before = token().generation
    assert erp().status == "connected"
    world.clock.advance(HOUR)
    tick(world)
    assert token().generation == before + 1


# Told in time.


@pytest.mark.parametrize(
    ("left", "days"),
    [(31.0, None), (30.0, 30), (14.1, 30), (14.0, 14), (7.0, 7), (1.1, 7), (1.0, 1), (0.0, 1), (-3.0, 1)],
)
def test_the_nearest_threshold_counts(left: float, days: int | None) -> None:
    assert threshold(BEGINNING + timedelta(days=left), BEGINNING) == days


def test_the_last_end_is_told_four_times_before_it_comes(world: World) -> None:
    shortly_before_the_end(world, 40 * DAY)
    live(world, 39.9 * DAY)
    assert of_erp() == [("ends", 30), ("ends", 14), ("ends", 7), ("ends", 1)]
    assert len(mail.outbox) == 4
    assert {message.subject for message in mail.outbox} == {
        f"The sign-in of {world.tenant} to QuickBooks Online ends on {BEGINNING + 40 * DAY:%Y-%m-%d}"
    }
    first = mail.outbox[0]
    assert first.to == ["ap@blueridge.example", "controller@blueridge.example"]
    assert first.bcc == ["operations@example.com"]
    assert f"Sign in again: http://127.0.0.1:8000/connect/{erp().pk}/" in first.body
    assert world.tenant.name in first.body
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 4


def test_the_problem_of_an_end_closes_when_somebody_has_signed_in_again(world: World) -> None:
    shortly_before_the_end(world, 20 * DAY)
    live(world, DAY)
    [problem] = Problem.objects.filter(code="sign_in_ends")
    assert problem.resolved_at is None
    assert "ends for good on 22 March 2026" in problem.cause
    sign_in(world)
    Connection.objects.update(upkeep_at=None)
    tick(world)
    problem.refresh_from_db()
    assert problem.resolved_at == world.clock.now()
    assert not ExpiryNotice.objects.filter(closed_at=None).exists()
    live(world, 30 * DAY)
    assert len(mail.outbox) == 1


def test_a_sign_in_that_nobody_could_renew_is_told_before_it_lapses(world: World) -> None:
    world.quickbooks.refuse("POST /tokens/bearer", Response(status=503), times=100_000)
    live(world, 95 * DAY, step=12 * HOUR)
    assert of_erp() == [("lapses", 30), ("lapses", 14), ("lapses", 7)]
    assert "has not been renewed for days and lapses on" in mail.outbox[0].body
    world.quickbooks.clear_faults()
    live(world, DAY)
    assert not Problem.objects.filter(resolved_at=None).exists()


def test_a_revocation_is_told_at_once_and_once(world: World) -> None:
    world.clock.advance(DAY)
    world.quickbooks.person("disconnect", realm_id=REALM)
    tick(world)
    assert erp().status == "attention"
    assert of_erp() == [("stopped", 0)]
    [message] = mail.outbox
    assert "has stopped" in message.subject
    assert "no longer accepts our sign-in" in message.body
    live(world, 10 * DAY)
    assert len(mail.outbox) == 1
    [problem] = Problem.objects.filter(resolved_at=None)
    assert problem.connection_id == erp().pk


def test_a_revocation_that_reading_meets_is_mailed_with_the_next_tick(world: World) -> None:
    Feed.objects.update(paused=False)
    live(world, timedelta(minutes=1), step=timedelta(minutes=1))
    world.quickbooks.person("disconnect", realm_id=REALM)
    world.clock.advance(HOUR)
    world.work()
    assert erp().status == "attention"
    assert mail.outbox == []
    assert erp().pk in tick(world)
    assert len(mail.outbox) == 1


# Each once.


def test_a_mail_server_that_is_down_delays_a_warning_and_loses_none(world: World) -> None:
    shortly_before_the_end(world, 20 * DAY)
    Outbox.down = 3
    live(world, DAY, step=timedelta(minutes=5))
    [notice] = ExpiryNotice.objects.all()
    assert (notice.tries, notice.failure) == (4, "")
    assert notice.sent_at is not None
    assert notice.sent_at - notice.made_at < HOUR
    assert len(mail.outbox) == 1


def test_one_of_many_workers_sends_a_warning(world: World) -> None:
    shortly_before_the_end(world, 20 * DAY)
    workers = [look_after(erp().pk, world.effects(f"worker {number}")) for number in range(3)]
    for worker in workers:
        run_until(worker, "warned")
    for worker in workers:
        next(worker, None)
    for worker in workers:
        finish(worker)
    assert (of_erp(), len(mail.outbox)) == ([("ends", 30)], 1)


@pytest.mark.parametrize(("step", "sent"), [("warned", 1), ("notice claimed", 1), ("notice sent", 1)])
def test_a_worker_that_dies_leaves_the_warning_to_the_next(world: World, step: str, sent: int) -> None:
    shortly_before_the_end(world, 20 * DAY)
    dying = look_after(erp().pk, world.effects())
    run_until(dying, step)
    dying.close()
    live(world, DAY, step=timedelta(minutes=5))
    assert len(mail.outbox) == sent
    assert of_erp() == [("ends", 30)]


def test_without_a_mail_server_or_an_address_it_is_told_in_the_admin_alone(world: World, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    shortly_before_the_end(world, 20 * DAY)
    tick(world)
    assert mail.outbox == []
    assert Problem.objects.filter(code="sign_in_ends", resolved_at=None).exists()
    assert ExpiryNotice.objects.get().sent_to == ""


def test_an_end_that_is_told_in_seconds_left_does_not_move_with_every_answer(world: World) -> None:
    store, now = StoredTokens.of(erp()), world.clock.now()
    held = store.load()

    def answer(late: int, **ends: Any) -> None:
        later = now + timedelta(seconds=late)
        assert store.begin_refresh(store.load().generation, now=later, until=later + HOUR)
        store.save(Tokens(access_token="a", expires_in=3600, **ends), now=later)

    answer(0, hard_expires_in=1_000_000, refresh_expires_in=500_000)
    ends = token().hard_expires_at
    answer(3600, hard_expires_in=1_000_000 - 3601)
    assert token().hard_expires_at == ends
    answer(7200, hard_expires_in=2_000_000, refresh_expires_in=500_000)
    assert token().hard_expires_at == now + timedelta(seconds=7200 + 2_000_000)
    assert token().refresh_expires_at == now + timedelta(seconds=7200 + 500_000)
    store.replace(Tokens(access_token="b", expires_in=3600), now=now)
    assert (token().hard_expires_at, token().refresh_expires_at) == (None, None)
    assert held.generation


def test_it_is_looked_at_four_times_a_day(world: World) -> None:
    assert len(tick(world)) == 2
    world.clock.advance(EVERY - timedelta(minutes=1))
    assert tick(world) == []
    world.clock.advance(timedelta(minutes=2))
    assert len(tick(world)) == 2
