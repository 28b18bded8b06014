"""Under which contract with the network a story is told.

The older one takes no bills, so its company has them already.
"""

import pytest

from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.models import Connection
from connectors.simulators import SimulatorTransport
from tests.payables import enter_bill, enter_vendor
from tests.simulation.world import COMPANY, World, begin

OLDER = "avidsuite-v1-observed"
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


def go_back(world: World) -> None:
    """The company is shown by the older interface from now on, and signed in to by its two tokens."""
    older = AvidXchangeSimulator(world.clock, profile=OLDER, throttle=False)
    older.companies = world.avidxchange.companies
    world.avidxchange = older
    world.wire = SimulatorTransport({"quickbooks": world.quickbooks, "avidxchange": older})
    connection = Connection.objects.get(pk=world.integration.ap_network_id)
    connection.settings = {**connection.settings, "profile": OLDER}
    connection.credentials = older.person("issue_tokens", company_id=COMPANY)
    connection.save()


def call(world: World, operation: str) -> str:
    """A request for this operation as the network's contract has it, to put something in its way."""
    asked = world.avidxchange.profile.operation(operation)
    return f"{asked.method} {asked.path}"
