"""What every connector promises for every kind that it writes, asked of each that there is, on its own simulator.

The writes are the engine's own: all is worked off up to the kind in question, and what is claimed then is written here.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from connectors.base import SHA256, Receipt, Write
from connectors.conversation import Conversation, Job, finish
from connectors.errors import OutcomeUnknown
from connectors.models import Connection
from connectors.records import AnyRecord, Kind, canonical, restore
from connectors.registry import connectors
from syncs import leases
from syncs.delivery.claim import claim
from syncs.delivery.flows import FLOWS, NEVER_INTO_AN_ERP
from syncs.delivery.slice import Slice, open_slice
from syncs.models import RemoteRecord, Stream
from tests.payables import deliver, read, release
from tests.scenarios.wholesaler import PDF, attach, bill_order, enter_credit, open_books, order
from tests.simulation.world import World

WRITTEN = [(key, kind) for key, one in sorted(connectors().items()) for kind in sorted(one.writes)]
UNKNOWN = "987654321"
rows = pytest.mark.django_db
written = pytest.mark.parametrize(("provider", "kind"), WRITTEN)


@pytest.mark.parametrize("provider", sorted(connectors()))
def test_no_account_and_no_dimension_is_written_into_an_erp(provider: str) -> None:
    connector = connectors()[provider]
    assert connector.role != "erp" or not connector.writes & NEVER_INTO_AN_ERP


@pytest.mark.parametrize("provider", sorted(connectors()))
def test_every_kind_that_is_written_flows_there_in_sets_of_a_stated_size(provider: str) -> None:
    connector = connectors()[provider]
    assert {FLOWS[kind].target for kind in connector.writes} <= {connector.role}
    assert set(connector.limits.batch) <= connector.writes
    assert all(size > 0 for size in connector.limits.batch.values())


@rows
@written
def test_what_is_not_there_is_proved_absent_and_found_once_it_is_written(provider: str, kind: Kind) -> None:
    world, slice_, writes = due(kind)
    assert slice_.target.provider == provider
    assert ask(slice_, lambda connector: connector.find(writes)) == {one.record_key: None for one in writes}
    outcomes = ask(slice_, lambda connector: connector.write(writes))
    assert [type(outcome) for outcome in outcomes] == [Receipt] * len(writes)
    found = ask(slice_, lambda connector: connector.find(writes))
    assert {key: receipt.id for key, receipt in found.items() if receipt} == {
        one.record_key: outcome.id for one, outcome in zip(writes, outcomes, strict=True)
    }


@rows
@written
def test_the_same_write_a_second_time_changes_nothing_in_the_books(provider: str, kind: Kind) -> None:
    world, slice_, writes = due(kind)
    first = ask(slice_, lambda connector: connector.write(writes))
    before = deepcopy(books(world, provider))
    again = ask(slice_, lambda connector: connector.write(writes))
    assert books(world, provider) == before
    assert [outcome.id for outcome in again] == [outcome.id for outcome in first]


@rows
@written
def test_a_lost_answer_is_in_doubt_and_what_was_written_is_found(provider: str, kind: Kind) -> None:
    world, slice_, writes = due(kind)
    simulator = simulator_of(world, provider)
    for verb in ("POST", "PUT"):
        simulator.drop_answer(verb)
    assert in_doubt(slice_, writes)
    simulator.clear_faults()
    found = ask(slice_, lambda connector: connector.find(writes))
    missing = [one for one in writes if found[one.record_key] is None]
    if missing:  # what a value stands under was written, and the value itself not yet
        ask(slice_, lambda connector: connector.write(missing))
    before = deepcopy(books(world, provider))
    found = ask(slice_, lambda connector: connector.find(writes))
    assert {one.record_key for one in writes} == {key for key, receipt in found.items() if receipt}
    ask(slice_, lambda connector: connector.write(writes))
    assert books(world, provider) == before


@rows
@pytest.mark.parametrize("provider", sorted(connectors()))
def test_what_is_read_keeps_its_bytes_and_what_is_not_there_is_left_out(provider: str) -> None:
    world = stocked()
    world.settle(days=1)
    both = (world.integration.erp_id, world.integration.ap_network_id)
    connection = Connection.objects.select_related("app").get(pk__in=both, provider=provider)
    talk = Conversation(connection=connection, effects=world.effects(), trace_id="test")
    kept = RemoteRecord.objects.filter(connection=talk.connection)
    assert kept.exists()
    for row in kept:
        assert canonical(restore(Kind(row.kind), row.body)).decode() == row.body
    for kind in sorted(connectors()[provider].reads):
        ids = list(kept.filter(kind=kind).values_list("remote_id", flat=True)[:3])
        fetched = finish(talk.call(_fetching(kind, [*ids, UNKNOWN])))
        assert sorted(fetched) == sorted(ids), kind


def _fetching(kind: Kind, ids: list[str]) -> Job[dict[str, AnyRecord]]:
    return lambda connector: connector.fetch(kind, ids)


# The engine's own writes.


def stocked() -> World:
    """A wholesaler whose order is billed, with a credit and an image; nothing is read yet but the order."""
    world, books_ = open_books()
    ordered = order(world, books_)
    world.settle(days=1)
    bill_id = bill_order(world, ordered["Id"])
    enter_credit(world, books_.vendor)
    attach(world, "Bill", bill_id)
    return world


def due(kind: Kind) -> tuple[World, Slice, list[Write]]:
    """What the engine would write of a kind now; all that goes before it is there."""
    if kind in (Kind.VENDOR, Kind.ACCOUNT, Kind.DIMENSION, Kind.PURCHASE_ORDER):
        world, books_ = open_books()
        order(world, books_)
    else:
        world = stocked()
    if kind is Kind.PAYMENT:
        world.settle(days=1)
        release(world, "INV-1")
    world.clock.advance(timedelta(minutes=10))
    for provider in ("quickbooks", "avidxchange"):
        for _ in range(20):
            read(world, provider)
    for flow in sorted(FLOWS.values(), key=lambda flow: flow.rank):
        if flow.rank < FLOWS[kind].rank:
            deliver(world, flow.kind)
    stream = Stream.objects.get(kind=kind)
    lease = leases.take(Stream, stream.pk, holder="test", now=world.clock.now())
    assert lease is not None
    slice_ = open_slice(stream.pk, lease, world.effects())
    assert slice_ is not None
    limit = slice_.talk.provider.limits.batch.get(kind, 1)
    writes = [_with_bytes(one.write) for one in claim(slice_).planned][:limit]
    assert writes
    return world, slice_, writes


def _with_bytes(write: Write) -> Write:
    if write.kind is not Kind.IMAGE:
        return write
    return replace(write, content=PDF, context={**write.context, SHA256: sha256(PDF).hexdigest()})


def ask(slice_: Slice, job: Job[Any]) -> Any:
    """What the connector answers, signed in as the engine would be."""
    return finish(slice_.talk.call(job))


def in_doubt(slice_: Slice, writes: Sequence[Write]) -> bool:
    """Whether the connector says of all of these that their outcome is not known, together or one by one."""
    try:
        outcomes = ask(slice_, lambda connector: connector.write(writes))
    except OutcomeUnknown:
        return True
    return any(isinstance(outcome, OutcomeUnknown) for outcome in outcomes)


def simulator_of(world: World, provider: str) -> Any:
    """The provider's stand-in."""
    return getattr(world, provider)


def books(world: World, provider: str) -> Any:
    """All that the provider holds."""
    return simulator_of(world, provider).books()
