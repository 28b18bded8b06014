"""Carrying what simulated providers send by themselves: by plain HTTP, to this machine and nowhere else."""

import threading
from collections.abc import Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from connectors.simulators import Simulator

HERE = ("127.0.0.1", "localhost", "::1")
PATIENCE = 3.0  # Intuit: a webhook must be answered within 3 seconds
PAUSE = 0.5
NOT_REACHED = 0


class Courier:
    """Looks twice a second whether a simulator has something to send; as a context manager, while it is open."""

    def __init__(self, simulators: Iterable[Simulator]) -> None:
        self._simulators = list(simulators)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="courier", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _carry(self) -> None:
        with httpx.Client(timeout=PATIENCE, trust_env=False) as http:
            while not self._stopped.wait(PAUSE):
                for simulator in self._simulators:
                    simulator.deliver(partial(post_here, http))


def post_here(http: httpx.Client, url: str, headers: Mapping[str, str], body: bytes) -> int:
    """The status of the answer; 0 where none came, and for an address that is not of this machine."""
    if urlsplit(url).hostname not in HERE:
        return NOT_REACHED
    try:
        return http.post(url, headers=dict(headers), content=body).status_code
    except httpx.HTTPError:
        return NOT_REACHED
