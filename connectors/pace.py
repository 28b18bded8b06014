"""A call that is many requests keeps the provider's pace: no more leave within a second than it takes."""

from collections import deque

from connectors.clock import Clock


class Pace:
    """When the last requests of one call left; `per_second` is 0 where the provider does not say how many it takes."""

    def __init__(self, clock: Clock, per_second: int) -> None:
        self._clock = clock
        self._left: deque[float] = deque(maxlen=per_second)

    def keep(self) -> None:
        """Wait until one more may leave, and take note that it does."""
        if self._left and len(self._left) == self._left.maxlen:
            self._clock.sleep(max(0.0, self._left[0] + 1.0 - self._clock.monotonic()))
        self._left.append(self._clock.monotonic())
