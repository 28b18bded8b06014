"""The one place that speaks HTTP: time-outs, retries of reads, allowed hosts, what is kept, what a failure means.

A provider's client builds requests and reads answers; status codes and bodies become errors through the `classify`
function that it passes. Reads are retried in place; a write is never sent twice from here.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from connectors.clock import Clock
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, TooLate, TransientError, UnexpectedResponse
from connectors.pace import Pace
from connectors.redaction import CARD_FOUND as CARD_FOUND  # provider folders find them here
from connectors.redaction import REDACTED, redact_url
from connectors.redaction import TRACE as TRACE
from connectors.redaction import clean_of_cards as clean_of_cards
from connectors.redaction import redact as redact
from connectors.redaction import without_card_numbers as without_card_numbers

READ_TRIES = 3
READ_WAIT_CAP = 4.0
CHUNK = 65_536
NOT_KEPT = "(not kept)"
FACTS = ("detail", "provider", "status", "code", "request_id")
SHORTEST_SECRET = 8  # a shorter one would take too much with it
PRIVATE_NAMES = ("local", "localhost", "internal", "lan", "home", "corp")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as plain values, numbers with a point as Decimal; UnexpectedResponse when it is not JSON."""
        try:
            return _decoder.decode(self.body)
        except msgspec.DecodeError as error:
            raise UnexpectedResponse("The answer is no JSON.", detail=str(error), status=self.status) from error


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """One HTTP request and its answer, redacted: what is kept for support."""

    method: str
    url: str
    status: int | None
    started_at: datetime
    seconds: float
    request_body: str
    answer_body: str
    request_id: str = ""
    error: str = ""
    is_read: bool = False


Classify = Callable[[Answer], ConnectorError | None]
Trace = Callable[[str, Mapping[str, Any]], None]


@dataclass(kw_only=True)
class Http:
    """Requests of one session; every exchange is appended to `exchanged`."""

    transport: httpx.BaseTransport
    clock: Clock
    hosts: frozenset[str]
    private_hosts_allowed: bool = False
    request_id_header: str = ""
    exchanged: list[Exchanged] = field(default_factory=list)
    pace: Pace | None = None
    latest: float | None = None  # by the monotonic clock: what may change their books does not leave after this
    _hidden: tuple[bytes, ...] = field(default=(), init=False, repr=False)

    def hide(self, *secrets: str) -> None:
        """Take these out of whatever comes back from now on, before anybody reads, quotes or keeps it."""
        spelled = {
            spelling
            for secret in secrets
            if len(secret) >= SHORTEST_SECRET
            for spelling in (secret.encode(), quote(secret, safe="").encode(), msgspec.json.encode(secret)[1:-1])
        }
        self._hidden = tuple(sorted({*self._hidden, *spelled}, key=len, reverse=True))

    def read(
        self,
        url: str,
        *,
        classify: Classify,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
        timeout: float = 30.0,
    ) -> Answer:
        """Ask for something that changes nothing; tried again in place when it fails for a moment."""
        for attempt in range(READ_TRIES):
            if self.pace:
                self.pace.keep()
            try:
                return self._send(method, url, params, headers, body, timeout, classify, keep_bodies=True)
            except RateLimited:
                raise
            except (TransientError, OutcomeUnknown) as error:
                if attempt == READ_TRIES - 1:
                    raise _still_failing(error) from error
                self.clock.sleep(self.clock.chance() * min(READ_WAIT_CAP, 2.0**attempt))
        raise AssertionError("the last try returns or raises")

    def write(
        self,
        url: str,
        *,
        classify: Classify,
        body: bytes,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        timeout: float = 120.0,
    ) -> Answer:
        """Send something that may change their books, once. OutcomeUnknown when it was sent and no answer came."""
        self._refuse_late()
        trace = self._before_the_first_byte
        return self._send(method, url, params, headers, body, timeout, classify, keep_bodies=True, trace=trace)

    def file(self, url: str, *, classify: Classify, most: int, timeout: float = 60.0) -> Iterator[bytes]:
        """A file behind an address that is signed in itself: with no header of ours, in chunks, never kept.

        No more than `most` bytes are read; an answer other than 200 is told to `classify` without its body.
        """
        self._refuse_other_hosts(url)
        started_at, started = self.clock.now(), self.clock.monotonic()
        status, failure = None, ""
        try:
            with (
                httpx.Client(transport=_Borrowed(self.transport), timeout=timeout, follow_redirects=False) as client,
                client.stream("GET", url) as got,
            ):
                status = got.status_code
                if status != 200:
                    refused = classify(Answer(status=status, headers=got.headers, body=b""))
                    raise refused or UnexpectedResponse("There is no file at this address.", status=status)
                for chunk in got.iter_bytes(CHUNK):
                    yield chunk[:most]
                    most -= len(chunk)
                    if most <= 0:
                        return
        except httpx.RequestError as error:
            failure = "The file could not be read to its end."
            raise TransientError(failure, detail=type(error).__name__) from error
        except ConnectorError as error:
            failure = error.message
            raise
        finally:
            kept = Exchanged(
                method="GET",
                url=redact_url(url.partition("?")[0]),
                status=status,
                started_at=started_at,
                seconds=self.clock.monotonic() - started,
                request_body="",
                answer_body=NOT_KEPT,
                error=failure,
            )
            self.exchanged.append(kept)

    def sign_in(
        self, url: str, *, classify: Classify, body: bytes, headers: Mapping[str, str], timeout: float = 30.0
    ) -> Answer:
        """Call a token endpoint: once, and neither body is ever kept; the answer has the new secrets as they came."""
        return self._send("POST", url, None, headers, body, timeout, classify, keep_bodies=False)

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes,
        timeout: float,
        classify: Classify,
        *,
        keep_bodies: bool,
        trace: Trace | None = None,
    ) -> Answer:
        self._refuse_other_hosts(url)
        started_at, started = self.clock.now(), self.clock.monotonic()
        outcome = self._ask(method, url, params, headers, body, timeout, trace)
        answer = replace(outcome, body=self._without_secrets(outcome.body)) if isinstance(outcome, Answer) else None
        failure = outcome if isinstance(outcome, ConnectorError) else classify(answer) if answer else None
        self.exchanged.append(
            Exchanged(
                method=method,
                url=redact_url(url if keep_bodies else url.partition("?")[0], params, self._without_secrets),
                status=answer.status if answer else None,
                started_at=started_at,
                seconds=self.clock.monotonic() - started,
                request_body=redact(self._without_secrets(body)) if keep_bodies else NOT_KEPT,
                answer_body="" if answer is None else redact(answer.body) if keep_bodies else NOT_KEPT,
                request_id=answer.headers.get(self.request_id_header, "") if answer and self.request_id_header else "",
                error=failure.message if failure else "",
                is_read=keep_bodies and trace is None,
            )
        )
        if failure is not None:
            raise failure
        assert answer is not None
        assert isinstance(outcome, Answer)
        return answer if keep_bodies else outcome

    def _without_secrets(self, text: bytes) -> bytes:
        for secret in self._hidden:
            text = text.replace(secret, REDACTED.encode())
        return text

    def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes,
        timeout: float,
        trace: Trace | None,
    ) -> Answer | ConnectorError:
        try:
            with httpx.Client(transport=_Borrowed(self.transport), timeout=timeout, follow_redirects=False) as client:
                seen = {"trace": trace} if trace else {}
                got = client.request(method, url, params=params, headers=headers, content=body or None, extensions=seen)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return TransientError("The connection could not be made.", detail=type(error).__name__)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return UnexpectedResponse("The address is not valid.", detail=str(error))
        except httpx.RequestError as error:
            return OutcomeUnknown("The request was sent, but no readable answer came.", detail=type(error).__name__)
        return Answer(status=got.status_code, headers=got.headers, body=got.content)

    def _before_the_first_byte(self, event: str, facts: Mapping[str, Any]) -> None:
        """Finding the address, a place in the pool and the handshake take time of which no time-out tells."""
        if event.endswith("send_request_headers.started"):
            self._refuse_late()

    def _refuse_late(self) -> None:
        if self.latest is not None and self.clock.monotonic() > self.latest:
            raise TooLate("It was too late to send it: the worker was stopped in between.")

    def _refuse_other_hosts(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise UnexpectedResponse("The address is not valid.", code="host_not_allowed") from None
        if parts.netloc not in self.hosts:
            raise UnexpectedResponse(f"Requests may not go to {host or 'no host'}.", code="host_not_allowed")
        if parts.scheme != "https" and not (self.private_hosts_allowed and parts.scheme == "http"):
            raise UnexpectedResponse("Requests go out over https only.", code="host_not_allowed")
        if not (self.private_hosts_allowed or is_public_name(host)):
            raise UnexpectedResponse(f"Requests go to public names only, not to {host}.", code="host_not_allowed")


def _still_failing(error: ConnectorError) -> TransientError:
    """A read changes nothing, so whatever went wrong with its last try, it may be tried again."""
    return TransientError(error.message, **{name: getattr(error, name) for name in FACTS})


class _Borrowed(httpx.BaseTransport):
    """A transport that outlives the client using it, so that connections stay open between requests."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


def is_public_name(host: str) -> bool:
    """Whether this is a name on the internet: no address in digits, however it is written, and no local name."""
    first, _, last = host.rstrip(".").rpartition(".")
    return bool(first) and last[:1].isalpha() and last.lower() not in PRIVATE_NAMES


def digest(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


_decoder = msgspec.json.Decoder(float_hook=Decimal)
