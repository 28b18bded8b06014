"""Images go with their bills: after them, and only where they go."""

from base64 import b64encode

import pytest

from syncs import services
from syncs.models import Problem, SyncRecord
from syncs.states import State
from tests.payables import enter_bill, enter_vendor, invoice, of_bill
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db
SCAN = b"%PDF-1.4 a scan"


def of_image() -> SyncRecord:
    return SyncRecord.objects.get(stream__kind="image")


def attach(world: World, bill_id: str) -> None:
    content = b64encode(SCAN).decode()
    names = {"file_name": "scan.pdf", "content_type": "application/pdf"}
    world.person(world.quickbooks, "attach", entity="Bill", identity=bill_id, content=content, **names)


def decide(world: World, currencies: list[str]) -> None:
    now, integration = world.clock.now(), world.integration
    services.set_policy(integration=integration, key="currencies", value=currencies, by="Ann", why="paid now", now=now)


def test_the_image_of_a_bill_that_is_left_out_is_left_out_too_and_goes_once_the_bill_does() -> None:
    world = begin()
    bill_id = enter_bill(world, enter_vendor(world))
    attach(world, bill_id)
    decide(world, ["CAD"])
    world.settle(days=1)
    assert (of_bill().state, of_image().state) == (State.OUT_OF_SCOPE, State.OUT_OF_SCOPE)
    assert not Problem.objects.filter(resolved_at=None).exists()

    decide(world, ["CAD", "USD"])
    world.settle(days=1)
    assert (of_bill().state, of_image().state) == (State.SYNCED, State.SYNCED)
    assert world.network.images[invoice(world)["id"]].content == SCAN
