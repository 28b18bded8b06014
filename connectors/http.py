"""The one place that speaks HTTP: time-outs, retries of reads, allowed hosts, redaction, and what a failure means.

A provider's client builds requests and reads answers; status codes and bodies become errors through the `classify`
function that it passes. Reads are retried in place; a write is never sent twice from here.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from connectors.clock import Clock
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, TransientError, UnexpectedResponse

READ_TRIES = 3
READ_WAIT_CAP = 4.0
KEPT_BODY = 4_000
NOT_KEPT = "(not kept)"
SECRET_NAMES = re.compile(r"authorization|token|secret|password|cookie|api-?key|signature", re.IGNORECASE)
CARD_REMOVED = "(card number removed)"
CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as plain values, numbers with a point as Decimal; UnexpectedResponse when it is not JSON."""
        try:
            return _decode(self.body)
        except msgspec.DecodeError as error:
            raise UnexpectedResponse(
                "The answer is not readable JSON.", detail=str(error), status=self.status
            ) from error


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


Classify = Callable[[Answer], ConnectorError | None]


@dataclass(kw_only=True)
class Http:
    """Requests of one session; every exchange is appended to `exchanged`."""

    transport: httpx.BaseTransport
    clock: Clock
    hosts: frozenset[str]
    private_hosts_allowed: bool = False
    request_id_header: str = ""
    exchanged: list[Exchanged] = field(default_factory=list)

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
        return self._send(method, url, params, headers, body, timeout, classify, keep_bodies=True)

    def sign_in(
        self, url: str, *, classify: Classify, body: bytes, headers: Mapping[str, str], timeout: float = 30.0
    ) -> Answer:
        """Call a token endpoint: once, and neither body is ever kept."""
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
    ) -> Answer:
        self._refuse_other_hosts(url)
        started_at, started = self.clock.now(), self.clock.monotonic()
        outcome = self._ask(method, url, params, headers, body, timeout)
        answer = outcome if isinstance(outcome, Answer) else None
        failure = outcome if isinstance(outcome, ConnectorError) else classify(outcome)
        self.exchanged.append(
            Exchanged(
                method=method,
                url=redact_url(str(url)),
                status=answer.status if answer else None,
                started_at=started_at,
                seconds=self.clock.monotonic() - started,
                request_body=redact(body) if keep_bodies else NOT_KEPT,
                answer_body="" if answer is None else redact(answer.body) if keep_bodies else NOT_KEPT,
                request_id=answer.headers.get(self.request_id_header, "") if answer and self.request_id_header else "",
                error=failure.message if failure else "",
            )
        )
        if failure is not None:
            raise failure
        assert answer is not None
        return answer

    def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes,
        timeout: float,
    ) -> Answer | ConnectorError:
        try:
            with httpx.Client(transport=_Borrowed(self.transport), timeout=timeout, follow_redirects=False) as client:
                got = client.request(method, url, params=params, headers=headers, content=body or None)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return TransientError("The connection could not be made.", detail=type(error).__name__)
        except httpx.TransportError as error:
            return OutcomeUnknown("The request was sent, but no answer came.", detail=type(error).__name__)
        except httpx.InvalidURL as error:
            return UnexpectedResponse("The address is not valid.", detail=str(error))
        return Answer(status=got.status_code, headers=got.headers, body=got.content)

    def _refuse_other_hosts(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.netloc not in self.hosts:
            raise UnexpectedResponse(f"Requests may not go to {parts.hostname}.", code="host_not_allowed")
        if parts.scheme != "https" and not self.private_hosts_allowed:
            raise UnexpectedResponse("Requests go out over https only.", code="host_not_allowed")


def _still_failing(error: ConnectorError) -> TransientError:
    """A read changes nothing, so whatever went wrong with its last try, it may be tried again."""
    return TransientError(
        error.message,
        detail=error.detail,
        provider=error.provider,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
    )


class _Borrowed(httpx.BaseTransport):
    """A transport that outlives the client using it, so that connections stay open between requests."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


def redact_url(url: str) -> str:
    """The address without what must not be kept."""
    return re.sub(r"([?&][^=&]*(?:token|secret|code|signature)[^=&]*=)[^&]*", r"\1(redacted)", url, flags=re.IGNORECASE)


def redact(body: bytes) -> str:
    """The start of a body with values of secret-looking names and full card numbers taken out."""
    text = body[:KEPT_BODY].decode("utf-8", "replace")
    text = re.sub(
        r'("(?:[^"\\]*(?:token|secret|password|authorization)[^"\\]*)"\s*:\s*)"(?:[^"\\]|\\.)*"?',
        r'\1"(redacted)"',
        text,
        flags=re.IGNORECASE,
    )
    return without_card_numbers(text)


def without_card_numbers(text: str) -> str:
    """The text with every full card number taken out, also one that has other digits beside it."""
    return CARD_NUMBER.sub(lambda found: _without_card_number(found.group()), text)


def _without_card_number(digits: str) -> str:
    groups = re.split("([ -])", digits)
    for first in range(0, len(groups), 2):
        for last in range(len(groups), first, -2):
            if is_card_number("".join(groups[first:last])):
                rest = without_card_numbers("".join(groups[last:]))
                return "".join(groups[:first]) + CARD_REMOVED + rest
    return digits


def is_card_number(text: str) -> bool:
    """Whether these digits, blanks and hyphens left out, are 13 to 19 long and pass the Luhn check."""
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def digest(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _decode(body: bytes) -> Any:
    return _decoder.decode(body)


_decoder = msgspec.json.Decoder(float_hook=Decimal)
