"""What every simulator of a provider stands on: state, a journal, faults, and two ways of being reached.

A simulator is plain state behind `handle(request) -> response`. Tests mount it in process through `transport()`;
`manage.py simulate` serves it on a loopback port. Whatever changes the books, a request or an act of a person, is
appended to a journal with its time before it is answered, and replayed at start: a killed demo loses nothing.

Faults read as sentences: `sim.drop_answer("POST /bill")` lets the next matching request happen and loses its answer.
"""

import base64
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.clock import Clock

# How a message of a provider leaves: address, headers and body; the status of the answer, 0 where none came.
Send = Callable[[str, Mapping[str, str], bytes], int]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request as a simulator sees it: the path is relative to the provider's own prefix."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    def argument(self, name: str) -> str | None:
        """The first value of a query argument."""
        return self.query[name][0] if name in self.query else None

    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body."""
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        """An answer whose body is this value; Decimals are written by the simulator beforehand."""
        return cls(
            status=status,
            headers={"content-type": "application/json;charset=UTF-8", **(headers or {})},
            body=json.dumps(value).encode(),
        )


@dataclass
class Fault:
    """One thing that goes wrong with the next requests that match: how many, and what instead."""

    match: str
    times: int
    act: Callable[[Request, Callable[[], Response]], Response]

    def matches(self, request: Request) -> bool:
        """`POST /bill` matches by method and by a part of the path; a lone method or path matches too."""
        method, _, part = self.match.partition(" ")
        if not part:
            method, part = ("", method) if method.startswith("/") else (method, "")
        return self.times > 0 and method in ("", "*", request.method) and part in request.path


class Simulator(ABC):
    """A stand-in for one provider: real paths and bodies, books that a test can read, a person who acts in them."""

    key: ClassVar[str]
    first_acts: ClassVar[Mapping[str, Mapping[str, Any]]] = {}  # a person's, that make an app and a company known
    signs_in: ClassVar[Mapping[str, Any]] = {}  # with what one connects to these: account_id, app, credentials
    throttled: bool = True  # whether requests beyond the provider's limits are refused

    def __init__(self, clock: Clock, journal: Path | None = None) -> None:
        self._clock = clock
        self._present: datetime | None = None
        self._replaying = False
        self._lock = threading.RLock()
        self._journal = journal
        self._faults: list[Fault] = []
        self.requests: list[tuple[str, str, int]] = []
        self.reset()
        if journal is not None and journal.exists():
            self._replay(whole_lines(journal))

    # What a provider's simulator writes itself.

    @abstractmethod
    def reset(self) -> None:
        """Empty books."""

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """The provider's answer to one request; changes the books where the provider would."""

    def changes_books(self, request: Request) -> bool:
        """Whether this request may change anything that must survive a restart."""
        return request.method != "GET"

    def deliver(self, send: Send) -> int:
        """Send what the provider would send by itself now; how many messages that were."""
        return 0

    # What all share.

    def now(self) -> datetime:
        """The present of this simulator: one moment for all of a request or an act, the entry's while replaying."""
        return self._present or self._clock.now()

    def handle(self, request: Request) -> Response:
        """Answer one request, with whatever fault is due for it; one at a time, whoever asks."""
        with self._at(None):
            for fault in self._faults:
                if fault.matches(request):
                    fault.times -= 1
                    response = fault.act(request, lambda: self._answer_and_keep(request))
                    break
            else:
                response = self._answer_and_keep(request)
            self.requests.append((request.method, request.path, response.status))
            return response

    def person(self, act: str, **arguments: Any) -> Any:
        """A person acts in the provider's own pages: calls `person_<act>`, and the journal keeps what succeeded."""
        with self._at(None):
            result = getattr(self, f"person_{act}")(**arguments)
            self._keep({"at": self.now().isoformat(), "person": act, "arguments": arguments})
            return result

    def person_furnish(self, account_id: str) -> dict[str, str]:
        """People enter something of every kind that can be read, consent to us, and have paid what has come in so far.

        The contract suite asks this of every simulator, a second time once all was delivered. An ERP answers with the
        accounts that payments need, by what finance maps them for.
        """
        return {}

    def books(self) -> Any:
        """All that stands in the books, for the demo and for a look from outside."""
        return {}

    @contextmanager
    def _at(self, present: datetime | None) -> Iterator[None]:
        """Nobody else acts meanwhile, and time stands still, so that a replay stamps what was stamped at first."""
        with self._lock:
            before = self._present
            self._present = present or before or self._clock.now()
            try:
                yield
            finally:
                self._present = before

    def _answer_and_keep(self, request: Request) -> Response:
        if self.changes_books(request):
            self._keep(
                {
                    "at": self.now().isoformat(),
                    "method": request.method,
                    "path": request.path,
                    "query": {name: list(values) for name, values in request.query.items()},
                    "headers": dict(request.headers),
                    "body": base64.b64encode(request.body).decode(),
                    "base_url": request.base_url,
                }
            )
        return self.answer(request)

    def _keep(self, entry: dict[str, Any]) -> None:
        if self._journal is not None and not self._replaying:
            with self._journal.open("a") as journal:
                journal.write(json.dumps(entry, default=str) + "\n")

    def _replay(self, lines: Iterable[str]) -> None:
        self._replaying = True
        for line in lines:
            entry = json.loads(line)
            with self._at(datetime.fromisoformat(entry["at"]).astimezone(UTC)):
                if "person" in entry:
                    getattr(self, f"person_{entry['person']}")(**entry["arguments"])
                else:
                    self.answer(
                        Request(
                            method=entry["method"],
                            path=entry["path"],
                            query=entry["query"],
                            headers=entry["headers"],
                            body=base64.b64decode(entry["body"]),
                            base_url=entry["base_url"],
                        )
                    )
        self._replaying = False

    # Faults.

    def fault(self, match: str, act: Callable[[Request, Callable[[], Response]], Response], times: int = 1) -> None:
        """The next `times` requests that match are answered by `act(request, proceed)`."""
        self._faults.append(Fault(match, times, act))

    def drop_request(self, match: str, times: int = 1) -> None:
        """The connection breaks before the request arrives: nothing happened."""

        def act(request: Request, proceed: Callable[[], Response]) -> Response:
            raise httpx.ConnectError("connection refused")

        self.fault(match, act, times)

    def drop_answer(self, match: str, times: int = 1) -> None:
        """The request happens and its answer is lost."""

        def act(request: Request, proceed: Callable[[], Response]) -> Response:
            proceed()
            raise httpx.ReadTimeout("the answer was lost")

        self.fault(match, act, times)

    def refuse(self, match: str, response: Response, times: int = 1) -> None:
        """The request does not happen and is answered with this."""
        self.fault(match, lambda request, proceed: response, times)

    def truncate(self, match: str, times: int = 1) -> None:
        """The request happens and only the first half of its answer arrives."""

        def act(request: Request, proceed: Callable[[], Response]) -> Response:
            whole = proceed()
            return Response(status=whole.status, headers=whole.headers, body=whole.body[: len(whole.body) // 2])

        self.fault(match, act, times)

    def slow(self, match: str, seconds: float, times: int = 1) -> None:
        """The request happens and its answer takes so long; nobody else is answered meanwhile."""

        def act(request: Request, proceed: Callable[[], Response]) -> Response:
            response = proceed()
            self._clock.sleep(seconds)
            return response

        self.fault(match, act, times)

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()


def whole_lines(journal: Path) -> list[str]:
    """The lines of a journal, without the half line that a process killed while writing left at its end."""
    written = journal.read_bytes()
    whole = written[: written.rfind(b"\n") + 1]
    if whole != written:
        journal.write_bytes(whole)
    return whole.decode().splitlines()


def request_of(method: str, url: str, headers: Mapping[str, str], body: bytes, prefix: str) -> Request:
    """A simulator's request out of an absolute URL; `prefix` is the folder that the simulator is mounted under."""
    parts = urlsplit(url)
    path = re.sub(f"^/{re.escape(prefix)}(?=/|$)", "", parts.path)
    return Request(
        method=method,
        path=path or "/",
        query=parse_qs(parts.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in headers.items()},
        body=body,
        base_url=f"{parts.scheme}://{parts.netloc}/{prefix}",
    )


class SimulatorTransport(httpx.BaseTransport):
    """The internet of a test: requests go by the first folder of their path to the simulator mounted there."""

    def __init__(self, simulators: Mapping[str, Simulator]) -> None:
        self._simulators = simulators

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        prefix = request.url.path.split("/")[1]
        if prefix not in self._simulators:
            raise httpx.ConnectError(f"nothing listens at {request.url}")
        asked = request_of(request.method, str(request.url), dict(request.headers), request.read(), prefix)
        answer = self._simulators[prefix].handle(asked)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)
