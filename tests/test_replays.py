"""Everything that a problem holds is sent again: after a look at what it is about, in sets, and stoppable."""

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from syncs import services
from syncs.models import Mapping, Problem, Replay, SyncRecord
from syncs.services.replays import BETWEEN
from syncs.states import State
from tests.payables import enter_bill, enter_vendor, execute, release
from tests.simulation.world import World, bank, begin

pytestmark = pytest.mark.django_db
WHO = {"by": "olivia", "why": "the account is mapped now"}


def held_payments(count: int) -> tuple[World, Problem]:
    """A world in which payments are held for one cause, which somebody has cleared behind the product's back."""
    world = begin()
    Mapping.objects.filter(subject="funding_account").delete()
    vendor = enter_vendor(world)
    for number in range(count):
        enter_bill(world, vendor, "10.50", number=f"INV-{number}")
    world.settle(days=0.05)
    for payment in [release(world, f"INV-{number}") for number in range(count)]:
        execute(world, payment)
    world.settle(days=0.05)
    Mapping.objects.create(
        tenant=world.tenant, integration=world.integration, subject="funding_account", source="*",
        target=bank(world, "Checking"), valid_from=world.clock.now(), changed_by="test", why="test",
    )  # fmt: skip
    return world, Problem.objects.get(code="unmapped_funding_account")


def held() -> int:
    return SyncRecord.objects.filter(state=State.HELD).count()


def test_the_preview_says_how_many_records_and_how_much_money() -> None:
    _, problem = held_payments(3)
    found = services.preview(problem)
    assert (found.records, found.money) == (3, {"USD": 3150})


def test_all_of_a_cause_is_sent_in_sets_each_once_and_asking_twice_does_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("syncs.services.replays.AT_ONCE", 2)
    world, problem = held_payments(5)
    first = services.replay_all(problem=problem, now=world.clock.now(), **WHO)
    assert services.replay_all(problem=problem, by="peter", why="me too", now=world.clock.now()).pk == first.pk
    assert held() == 3
    assert services.go_on(world.clock.now()) == 0
    world.clock.advance(BETWEEN)
    assert services.go_on(world.clock.now()) == 2
    world.clock.advance(BETWEEN)
    assert services.go_on(world.clock.now()) == 1
    assert services.go_on(world.clock.now() + BETWEEN) == 0
    replay = Replay.objects.get()
    assert (replay.done, replay.records, replay.ended_at) == (5, 5, world.clock.now())
    world.settle(days=0.05)
    assert len(world.company.bill_payments) == 5
    problem.refresh_from_db()
    assert problem.resolved_at is not None
    told = Event.objects.filter(verb="record_replayed")
    assert {(event.actor, event.why) for event in told} == {("olivia", WHO["why"])}
    assert told.count() == 5


def test_what_is_stopped_stays_held_and_can_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncs.services.replays.AT_ONCE", 2)
    world, problem = held_payments(5)
    services.replay_all(problem=problem, now=world.clock.now(), **WHO)
    assert services.stop_replay(problem=problem, by="peter", why="wait", now=world.clock.now())
    assert not services.stop_replay(problem=problem, by="peter", why="wait", now=world.clock.now())
    assert services.go_on(world.clock.now() + BETWEEN) == 0
    world.settle(days=0.05)
    assert (held(), len(world.company.bill_payments)) == (3, 2)
    again = services.replay_all(problem=problem, now=world.clock.now(), **WHO)
    assert again.records == 3
    assert Event.objects.get(verb="replay_stopped").actor == "peter"


def test_what_is_held_again_for_the_same_cause_is_not_sent_round_and_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncs.services.replays.AT_ONCE", 2)
    world, problem = held_payments(3)
    Mapping.objects.filter(subject="funding_account").delete()
    services.replay_all(problem=problem, now=world.clock.now(), **WHO)
    for _ in range(4):
        world.settle(days=0.01)
        services.go_on(world.clock.now())
    assert held() == 3
    assert Replay.objects.get().done == 3


def test_nothing_is_sent_again_without_a_reason_or_without_anything_held() -> None:
    world, problem = held_payments(1)
    with pytest.raises(ValidationError):
        services.replay_all(problem=problem, by="olivia", why=" ", now=world.clock.now())
    services.replay_all(problem=problem, now=world.clock.now(), **WHO)
    with pytest.raises(ValidationError, match="holds nothing"):
        services.replay_all(problem=problem, now=world.clock.now(), **WHO)
