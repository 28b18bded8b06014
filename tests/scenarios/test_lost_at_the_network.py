"""What went in and is lost at the network: the night notices it, and until then its bills are tried in vain."""

from datetime import timedelta

import pytest

from connectors.conversation import Conversation, finish
from connectors.records import Kind
from syncs import leases
from syncs.mirror.unshown import observe_unshown
from syncs.models import Feed
from syncs.states import State
from tests.payables import (
    attempts,
    enter_bill,
    enter_vendor,
    invoice,
    of_bill,
    of_payment,
    of_vendor,
    open_problems,
    with_posting,
)
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import assert_at_rest, there
from tests.simulation.world import World, begin

pytestmark = pytest.mark.django_db
AN_HOUR = 1 / 24


@everything
@pytest.mark.parametrize("nights", [0, 1])
def test_a_vendor_that_is_lost_at_the_network_is_sent_once_more_and_its_bill_goes(profile: str, nights: int) -> None:
    world, vendor = with_vendor(profile)
    for _ in range(nights):
        night(world)
    lost = there(world, "vendors", Kind.VENDOR, vendor)
    world.person(world.avidxchange, "lose_record", kind="vendor", external_id=lost["external_id"])
    enter_bill(world, vendor, "80.00", "INV-2")
    world.settle(days=2 * AN_HOUR)
    assert (of_bill("INV-2").state, open_problems()[0].code) == (State.PENDING, "tried_too_often")
    assert len(attempts(of_bill("INV-2"))) < 40
    night(world)
    anew = there(world, "vendors", Kind.VENDOR, vendor)
    assert (anew["name"], of_vendor().target_id) == (lost["name"], anew["id"])
    assert anew["id"] != lost["id"]
    assert (invoice(world, "INV-2")["vendor_external_id"], len(world.network.vendors)) == (lost["external_id"], 1)
    assert_at_rest()


@everything
def test_a_vendor_that_the_network_has_under_another_id_is_linked_to_that_one(profile: str) -> None:
    world, vendor = with_vendor(profile)
    lost = there(world, "vendors", Kind.VENDOR, vendor)
    world.person(world.avidxchange, "lose_record", kind="vendor", external_id=lost["external_id"])
    anew = world.network.vendors.add({**lost, "id": "another"}, world.clock.now())
    night(world)
    enter_bill(world, vendor, "80.00", "INV-2")
    world.settle(days=AN_HOUR)
    assert of_vendor().target_id == anew["id"] == "another"
    assert (len(world.network.vendors), len(world.network.invoices)) == (1, 2)
    assert_at_rest()


def with_vendor(profile: str) -> tuple[World, str]:
    """A company whose only vendor is known to the network and has been billed once; the vendor's id."""
    world = begin(profile=profile)
    vendor = enter_vendor(world)
    enter_bill(world, vendor)
    world.settle(days=1)
    return world, vendor


def night(world: World) -> None:
    """The network is compared, and what follows from it is done."""
    world.clock.advance(timedelta(hours=24))
    world.settle(days=2 * AN_HOUR)


def test_no_list_of_the_network_sends_a_payment_once_more() -> None:
    world, _, payment_id = with_posting()
    before = len(attempts(of_payment(payment_id)))
    feed = Feed.objects.select_related("connection__app", "tenant").get(connection__provider="avidxchange")
    feed.stage = Kind.PAYMENT
    lease = leases.take(Feed, feed.pk, holder="worker", now=world.clock.now())
    assert lease is not None
    talk = Conversation(connection=feed.connection, effects=world.effects(), trace_id="payments")
    finish(observe_unshown(feed, lease, talk))
    assert (of_payment(payment_id).state, len(attempts(of_payment(payment_id)))) == (State.SYNCED, before)
