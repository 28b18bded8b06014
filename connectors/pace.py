"""A call that is many requests keeps the provider's pace, with room for what else left just before it."""

from collections import deque

from connectors.clock import Clock

A_SECOND = 1.1  # by our clock: theirs counts when a request arrives
SHARE = 0.7  # of what the provider takes in a second


class Pace:
    """When the last requests of one call left; `per_second` is 0 where the provider does not say how many it takes."""

    def __init__(self, clock: Clock, per_second: int) -> None:
        self._clock = clock
        self._left: deque[float] = deque(maxlen=int(per_second * SHARE))

    def keep(self) -> None:
        """Wait until one more may leave, and take note that it does."""
        if self._left and len(self._left) == self._left.maxlen:
            self._clock.sleep(max(0.0, self._left[0] + A_SECOND - self._clock.monotonic()))
        self._left.append(self._clock.monotonic())
