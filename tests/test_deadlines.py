"""Nothing that may change a provider's books leaves after the deadline of its attempt, however the time was lost."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest

from connectors.errors import TooLate
from connectors.http import Answer, Http

GREETING = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Ticking:
    """A clock of which each look takes a second."""

    at: float = 0.0
    asked: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        self.at += 1.0
        self.asked.append(self.at)
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def chance(self) -> float:
        return 0.5


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """A server that keeps whatever it receives and says yes."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                if request := connection.recv(65536):
                    received.append(request)
                    connection.sendall(GREETING)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", received
        thread.join(timeout=5)


def accept(answer: Answer) -> None:
    return None


def write(host: str, latest: float | None) -> Answer:
    with httpx.HTTPTransport() as transport:
        http = Http(transport=transport, clock=Ticking(), hosts=frozenset({host}), private_hosts_allowed=True)
        http.latest = latest
        return http.write(f"http://{host}/billpayment", classify=accept, body=b"{}")


def test_what_is_in_time_is_sent() -> None:
    with listening() as (host, received):
        assert write(host, latest=100.0).status == 200
    assert len(received) == 1


def test_what_is_late_before_a_connection_is_made_is_not_sent() -> None:
    with httpx.HTTPTransport() as transport:
        http = Http(transport=transport, clock=Ticking(), hosts=frozenset({"nowhere"}), private_hosts_allowed=True)
        http.latest = 0.5
        with pytest.raises(TooLate):
            http.write("http://nowhere/billpayment", classify=accept, body=b"{}")
    assert http.exchanged == []


def test_what_is_late_once_the_connection_stands_is_not_sent_either() -> None:
    with listening() as (host, received), pytest.raises(TooLate):
        write(host, latest=2.5)  # in time when asked first, late when the first byte would leave
    assert received == []


def test_a_read_is_never_too_late() -> None:
    with listening() as (host, received), httpx.HTTPTransport() as transport:
        http = Http(transport=transport, clock=Ticking(), hosts=frozenset({host}), private_hosts_allowed=True)
        http.latest = 0.0
        assert http.read(f"http://{host}/bill", classify=accept).status == 200
    assert received[0].startswith(b"GET /bill")
