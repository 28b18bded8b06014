"""A bill that is deleted takes its images along, and harms no other's."""

from datetime import timedelta

import pytest

from syncs.models import SyncRecord
from syncs.states import State
from tests.payables import enter_bill, enter_vendor
from tests.scenarios.wholesaler import PDF, attach, image_there
from tests.simulation.world import begin

pytestmark = pytest.mark.django_db


def test_an_image_whose_bill_is_deleted_is_left_out_and_the_next_one_goes() -> None:
    world = begin()
    vendor = enter_vendor(world)
    deleted, kept = (enter_bill(world, vendor, number=number) for number in ("INV-1", "INV-2"))
    attach(world, "Bill", deleted)
    world.settle()
    world.person(world.quickbooks, "delete_bill", bill_id=deleted)
    attach(world, "Bill", kept)
    for _ in range(3):  # a comparison each night
        world.settle(days=1)
        world.clock.advance(timedelta(days=1))
    assert image_there(world, "INV-2") == PDF
    images = SyncRecord.objects.filter(stream__kind="image").order_by("id")
    assert [image.state for image in images] == [State.OUT_OF_SCOPE, State.SYNCED]
