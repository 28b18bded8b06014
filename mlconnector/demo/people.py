"""The people of the demo at work in the simulated books; an act may be repeated after a kill at any moment."""

from mlconnector.demo.approvers import Approvers
from mlconnector.demo.bookkeeper import Bookkeeper
from mlconnector.demo.plan import Act
from mlconnector.demo.simulated import Simulated


class People:
    """Everybody who acts in the story; they look at the books once for acts of one kind in a row."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated
        self.bookkeeper = Bookkeeper(simulated)
        self.approvers = Approvers(simulated)
        self._last = ""

    def begin_day(self) -> None:
        """Time has passed, and others have acted."""
        self._last = ""

    def do(self, act: Act) -> None:
        """Do one act of the plan, if it has not been done."""
        if act.verb != self._last:
            self._simulated.look_anew()
            self._last = act.verb
        who = self.bookkeeper if hasattr(self.bookkeeper, act.verb) else self.approvers
        getattr(who, act.verb)(act)
