"""Under which contract with the network a story is told.

The older one takes no bills, so its company has them already.
"""

import pytest

from tests.payables import enter_bill, enter_vendor
from tests.simulation.world import OLDER, World, begin, go_back

everything = pytest.mark.parametrize("profile", ["assumed-v1", "renamed-v1"])
payments_only = pytest.mark.parametrize("profile", ["assumed-v1", "renamed-v1", OLDER])


def with_bills(profile: str, *amounts: str) -> tuple[World, list[str]]:
    """A world whose network has bills INV-1, INV-2, ... of one vendor; their ids in QuickBooks."""
    world = begin(profile="assumed-v1" if profile == OLDER else profile)
    vendor = enter_vendor(world)
    bills = [enter_bill(world, vendor, amount, f"INV-{place}") for place, amount in enumerate(amounts, 1)]
    world.settle(days=1)
    if profile == OLDER:
        go_back(world)
    return world, bills


def call(world: World, operation: str) -> str:
    """A request for this operation as the network's contract has it, to put something in its way."""
    asked = world.avidxchange.profile.operation(operation)
    return f"{asked.method} {asked.path}"
