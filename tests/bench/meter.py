"""Where the time goes: seconds by part, each moment counted for exactly one of them.

The engine is not changed for it: functions of the engine and of the database driver are wrapped in the process that
measures. Only the main thread is looked at; what threads of a slice do counts for the part that waits for them.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from threading import current_thread, main_thread
from typing import Any, TypeVar

import httpx

Result = TypeVar("Result")

HTTP = "waiting for HTTP"
DECODING = "JSON to records"
SPEAKING = "HTTP, encoding and decoding in threads"
HASHING = "columns, canonical bytes, hashes"
STATEMENTS = "COPY and statements"
COMMIT = "commit"
REST = "the rest"

DATABASE = {
    "psycopg.Connection.wait": STATEMENTS,
    "django.db.backends.postgresql.base.DatabaseWrapper._commit": COMMIT,
}
READING = {
    **DATABASE,
    "connectors.conversation.Conversation._run": DECODING,
    "syncs.mirror.page._told_apart": HASHING,
    "syncs.mirror.page.fingerprint": HASHING,
    "syncs.mirror.observe._staged": HASHING,
    "syncs.mirror.observe.bring": STATEMENTS,
}
DELIVERING = {**DATABASE, "connectors.conversation.Conversation._run": SPEAKING}


class Meter:
    """A stopwatch that knows which part is under way; it measures by the clock and by the processor's time."""

    def __init__(self) -> None:
        self.begin()

    def install(self, parts: Mapping[str, str]) -> None:
        """Wrap these functions, given by their dotted names."""
        for path, part in parts.items():
            owner, name = _find(path)
            setattr(owner, name, self.timed(part, getattr(owner, name)))

    def timed(self, part: str, function: Callable[..., Result]) -> Callable[..., Result]:
        """The same function; a part that begins within another one interrupts it, a commit is not interrupted."""

        @wraps(function)
        def measured(*arguments: Any, **options: Any) -> Result:
            if self._part == COMMIT or current_thread() is not main_thread():
                return function(*arguments, **options)
            before = self._part
            self._turn(part)
            try:
                return function(*arguments, **options)
            finally:
                self._turn(before)

        return measured

    def begin(self) -> None:
        """From now on."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.processor: defaultdict[str, float] = defaultdict(float)
        self._part, self._since, self._used = REST, time.perf_counter(), time.process_time()

    def end(self) -> None:
        """Count what is under way until now."""
        self._turn(REST)

    def _turn(self, part: str) -> None:
        now, used = time.perf_counter(), time.process_time()
        self.seconds[self._part] += now - self._since
        self.processor[self._part] += used - self._used
        self._part, self._since, self._used = part, now, used


class MeteredTransport(httpx.BaseTransport):
    """The network, with the whole answer waited for."""

    def __init__(self, meter: Meter) -> None:
        self._network = httpx.HTTPTransport(limits=httpx.Limits(max_connections=50, max_keepalive_connections=20))
        self._ask = meter.timed(HTTP, self._whole_answer)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._ask(request)

    def _whole_answer(self, request: httpx.Request) -> httpx.Response:
        response = self._network.handle_request(request)
        response.read()
        return response


def _find(path: str) -> tuple[Any, str]:
    """The module or class that holds this name; a name that is no longer there is an error."""
    *above, name = path.split(".")
    for length in range(len(above), 0, -1):
        try:
            owner: Any = import_module(".".join(above[:length]))
        except ModuleNotFoundError:
            continue
        for part in above[length:]:
            owner = getattr(owner, part)
        return owner, name
    raise ModuleNotFoundError(path)
