"""How what we know of a record is looked up when a history has come to rest."""

import re

from connectors.records import Kind
from syncs.models import SyncRecord
from syncs.states import State
from tests.simulation.world import World

OURS = "ml-connector:"
PIECE = re.compile(r"/discount(-\d)?; ")  # behind the record key, in the memo of a vendor credit that is our discount


def state_of(world: World, remote_id: str, kind: Kind) -> SyncRecord | None:
    """The delivery of this record."""
    return (
        SyncRecord.objects.filter(tenant=world.tenant, remote_record__kind=kind, remote_record__remote_id=remote_id)
        .select_related("problem")
        .first()
    )


def is_visible(world: World, remote_id: str, kind: Kind) -> bool:
    """Whether an open problem names it."""
    record = state_of(world, remote_id, kind)
    return record is not None and record.problem is not None and record.problem.resolved_at is None


def code_of(world: World, remote_id: str, kind: Kind) -> str:
    """The code that its delivery was ruled by."""
    record = state_of(world, remote_id, kind)
    return record.code if record is not None else ""


def is_decided(world: World, remote_id: str, kind: Kind) -> bool:
    """Whether an open problem names it, or a named person has ignored it or linked it to what somebody else entered."""
    record = state_of(world, remote_id, kind)
    by_a_person = record is not None and (record.state == State.IGNORED or record.code == "linked")
    return by_a_person or is_visible(world, remote_id, kind)


def is_out_of_scope(world: World, remote_id: str, kind: Kind) -> bool:
    """Whether a rule leaves it out."""
    record = state_of(world, remote_id, kind)
    return record is not None and record.state == State.OUT_OF_SCOPE
