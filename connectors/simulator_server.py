"""Serving simulators on a loopback port: one address, each simulator below its own folder.

A fault that breaks the connection breaks it here too. Beside the providers' own paths there is a way for a person to
act (`POST /__sim/<provider>/person/<act>`, arguments and result as JSON) and to read the books
(`GET /__sim/<provider>/books`); both are for the demo and for tests, no provider has them.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from connectors.clock import Clock, machine_clock, read_shift
from connectors.simulator_courier import Courier
from connectors.simulators import Request, Response, Simulator, request_of

CONTROL = "__sim"
LARGEST_BODY = 100 * 1024 * 1024

read_json = msgspec.json.Decoder(float_hook=Decimal).decode
write_json = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


def find_simulators() -> dict[str, type[Simulator]]:
    """The simulators by their keys: a subfolder with a `simulator.py` has one, and nothing else lists them."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*/simulator.py")):
        module = import_module(f"{__package__}.{path.parent.name}.simulator")
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Simulator) and kind.__module__ == module.__name__:
                found[kind.key] = kind
    return found


class ShiftedClock:
    """The machine's time, moved by what stands in a file; the file is looked at on each reading."""

    def __init__(self, shift_file: Path) -> None:
        self._clock: Clock = machine_clock()
        self._file = shift_file
        self._read: tuple[int, int] | None = None
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """The shifted present."""
        try:
            status = self._file.stat()
            seen = status.st_mtime_ns, status.st_ino
        except FileNotFoundError:
            seen = None
        if seen != self._read:
            self._shift, self._read = read_shift(self._file), seen
        return self._clock.now() + self._shift

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)

    def chance(self) -> float:
        """A random number."""
        return self._clock.chance()


class SimulatorServer:
    """A server on a loopback port, 0 for any free one; as a context manager it serves from a thread of its own."""

    def __init__(self, simulators: Mapping[str, Simulator], port: int = 0, latency: float = 0.0) -> None:
        handler = type(
            "Handler",
            (_Handler,),
            {
                "simulators": simulators,
                "latency": latency,
                "wait": machine_clock().sleep,
            },
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._courier = Courier(simulators.values())
        self._thread = threading.Thread(target=self.serve, name="simulators", daemon=True)

    @property
    def address(self) -> str:
        """The address that the simulators' folders stand below."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Answer, and carry what the providers send, until stopped."""
        with self._courier:
            self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Answer no more; called from another thread than the serving one."""
        self._server.shutdown()

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._thread.join()
        self.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer leaves in one piece
    simulators: Mapping[str, Simulator]
    latency: float
    wait: Callable[[float], None]

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 (the names that http.server calls)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are read from the simulators, not from a log."""

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY or self.headers.get("transfer-encoding"):
            self.close_connection = True
            self._send(Response(status=411))
            return
        body = self.rfile.read(length)
        if self.latency:
            type(self).wait(self.latency)
        try:
            response = self._answer(body)
        except httpx.TransportError:
            self.close_connection = True
            return
        self._send(response)

    def _answer(self, body: bytes) -> Response:
        prefix, _, rest = self.path.lstrip("/").partition("?")[0].partition("/")
        if prefix == CONTROL:
            return self._control(rest.strip("/").split("/"), body)
        if prefix not in self.simulators:
            return Response(status=404)
        url = f"http://{self.headers.get('host', '127.0.0.1')}{self.path}"
        request: Request = request_of(self.command, url, dict(self.headers.items()), body, prefix)
        return self.simulators[prefix].handle(request)

    def _control(self, path: list[str], body: bytes) -> Response:
        """What a person does to the simulators from outside."""
        simulator = self.simulators.get(path[0])
        if simulator is None:
            return Response(status=404)
        if (self.command, path[1:]) == ("GET", ["books"]):
            return _json(simulator.books())
        if self.command != "POST" or path[1:2] != ["person"] or not hasattr(simulator, f"person_{path[-1]}"):
            return Response(status=404)
        try:
            return _json(simulator.person(path[-1], **(read_json(body) if body else {})))
        except (ValueError, TypeError, LookupError) as refused:
            return _json({"error": str(refused)}, 400)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()


def _json(value: Any, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=write_json(value))
