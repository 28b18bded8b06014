"""What goes wrong in a history: on the wire, in the database, and with a worker, each by chance from the seed."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.db import connection as database

from connectors.clock import VirtualClock

WRITES = ("POST", "PUT")
SAVEPOINTS = ("SAVEPOINT", "RELEASE", "ROLLBACK")


class WorkerKilled(BaseException):
    """The process is gone: nothing after this line ever runs."""


@dataclass
class Faults:
    """How often things go wrong; `calm` turns all of it off. `happened` counts what did."""

    chance: random.Random
    wire: float
    statement: float
    step: float
    wake: float
    happened: Counter[str] = field(default_factory=Counter)
    calm: bool = False

    def strikes(self, likelihood: float, name: str) -> bool:
        """Whether this happens now."""
        if self.calm or self.chance.random() >= likelihood:
            return False
        self.happened[name] += 1
        return True


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request that may change somebody's books, and when it left."""

    at: datetime
    method: str
    url: httpx.URL
    body: bytes


class FaultyTransport(httpx.BaseTransport):
    """A network on which requests and answers are lost, late, doubled or broken."""

    def __init__(self, inner: httpx.BaseTransport, faults: Faults, clock: VirtualClock) -> None:
        self._inner = inner
        self._faults = faults
        self._clock = clock
        self._depth = len(database.savepoint_ids)
        self.sent: list[Sent] = []
        self.lost: list[Sent] = []  # of these, whose answer never came
        self._acts: list[tuple[str, Callable[[httpx.Request], httpx.Response]]] = [
            ("request lost", self._request_lost),
            ("answer lost", self._answer_lost),
            ("killed before the request", self._killed_before),
            ("killed after the request", self._killed_after),
            ("answer late", self._answer_late),
            ("request doubled", self._request_doubled),
            ("answer cut in half", self._answer_cut),
            ("401", self._refused(401, {"fault": {"error": [{"code": "3200", "detail": "Token expired"}]}})),
            ("429", self._refused(429, {"fault": {"error": [{"code": "3001"}]}})),
            ("500 before", self._refused(500, {})),
            ("500 after", self._broken_after),
            ("503 before", self._refused(503, {})),
        ]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert len(database.savepoint_ids) == self._depth, "a transaction is open while HTTP is under way"
        self._clock.advance(timedelta(milliseconds=40))
        request.read()
        if request.method in WRITES:
            self.sent.append(Sent(at=self._clock.now(), method=request.method, url=request.url, body=request.content))
        if not self._faults.calm and self._faults.chance.random() < self._faults.wire:
            name, act = self._faults.chance.choice(self._acts)
            self._faults.happened[name] += 1
            return act(request)
        return self._inner.handle_request(request)

    def _request_lost(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    def forget(self) -> None:
        """Nobody knows any more what was sent: our rows are from a backup."""
        self.sent.clear()
        self.lost.clear()

    def _lose_answer(self, request: httpx.Request) -> None:
        if request.method in WRITES:
            self.lost.append(self.sent[-1])

    def _answer_lost(self, request: httpx.Request) -> httpx.Response:
        self._inner.handle_request(request)
        self._lose_answer(request)
        self._clock.advance(timedelta(seconds=30))
        raise httpx.ReadTimeout("the answer was lost")

    def _killed_before(self, request: httpx.Request) -> httpx.Response:
        raise WorkerKilled

    def _killed_after(self, request: httpx.Request) -> httpx.Response:
        self._inner.handle_request(request)
        raise WorkerKilled

    def _answer_late(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        self._clock.advance(timedelta(seconds=self._faults.chance.choice([1, 8, 25, 90])))
        return answer

    def _request_doubled(self, request: httpx.Request) -> httpx.Response:
        self._inner.handle_request(request)
        return self._inner.handle_request(request)

    def _answer_cut(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        whole = answer.read()
        self._lose_answer(request)
        return httpx.Response(
            answer.status_code, headers={"content-type": "application/json"}, content=whole[: len(whole) // 2]
        )

    def _broken_after(self, request: httpx.Request) -> httpx.Response:
        self._inner.handle_request(request)
        self._lose_answer(request)
        return httpx.Response(500, json={})

    def _refused(self, status: int, body: dict[str, Any]) -> Callable[[httpx.Request], httpx.Response]:
        return lambda request: httpx.Response(status, json=body)


@contextmanager
def dying_in_statements(faults: Faults) -> Iterator[None]:
    """A worker may die at any statement, inside a transaction, too: what it had not committed is undone."""

    def execute(run: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not str(sql).startswith(SAVEPOINTS) and faults.strikes(faults.statement, "killed in a statement"):
            raise WorkerKilled
        return run(sql, params, many, context)

    with database.execute_wrapper(execute):
        yield
