"""What everybody who acts in a history has in common."""

import random
from dataclasses import dataclass, field

from tests.simulation.features import Features
from tests.simulation.world import World


@dataclass
class Somebody:
    """A person, and what all of them have done so far; `bills_left` are still to be entered.

    `forgotten` are the documents that stood in the books when our rows were restored from a backup.
    """

    world: World
    chance: random.Random
    features: Features
    bills_left: int
    expenses: list[str] = field(default_factory=list)
    payables: list[str] = field(default_factory=list)
    entered: int = 0
    ordered: int = 0
    credited: int = 0
    attached: int = 0
    class_id: str = ""
    may_delete: bool = True
    forgotten: set[str] = field(default_factory=set)

    def happens(self, likelihood: float) -> bool:
        """Whether somebody feels like it now."""
        return self.chance.random() < likelihood
