"""Where the demo runs: its folder, its ports, and nobody else there at the same time."""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection as database

from mlconnector import embedded_postgres
from mlconnector.demo.household import CannotStart

CHOSEN = "MLCONNECTOR_DEMO_PORTS_CHOSEN"
MOST_PORTS = 200
_flags: list[socket.socket] = []


def folder() -> Path:
    """Where the demo keeps what has to survive it."""
    place: Path = settings.HOME / "demo"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else runs this demo meanwhile; CannotStart if somebody does."""
    with (folder() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"This demo runs already, in {settings.HOME}.") from None
        yield


def choose_ports() -> None:
    """Go on at free ports; settings are read once, so with other ports than theirs the program begins anew."""
    if CHOSEN in os.environ:
        return
    wanted = {"PUBLIC_URL": settings.PUBLIC_URL, "SIMULATOR_URL": settings.SIMULATOR_URL}
    free = {name: f"http://127.0.0.1:{free_port(urlsplit(url).port or 80)}" for name, url in wanted.items()}
    if free != wanted:
        os.environ.update({**free, CHOSEN: "yes"})
        os.execv(sys.executable, [sys.executable, *sys.argv])


def free_port(wanted: int) -> int:
    """This port of 127.0.0.1, or the next that nobody uses."""
    for port in range(wanted, wanted + MOST_PORTS):
        with suppress(OSError):
            _reserve(port)
            return port
    raise CannotStart(f"No port from {wanted} to {wanted + MOST_PORTS - 1} of 127.0.0.1 is free.")


def _reserve(port: int) -> None:
    """OSError if somebody serves there, or another demo is about to: the UDP port of this number is its flag."""
    flag = socket.socket(type=socket.SOCK_DGRAM)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            flag.bind(("127.0.0.1", port))
        except OSError:
            flag.close()
            raise
    flag.set_inheritable(True)  # also held if the program begins anew
    _flags.append(flag)


@contextmanager
def database_ended() -> Iterator[None]:
    """The embedded server, which outlives other commands, ends with the demo."""
    try:
        yield
    finally:
        database.close()
        if settings.EMBEDDED_POSTGRES:
            embedded_postgres.stop(settings.EMBEDDED_POSTGRES)
