"""`manage.py simulate`: the simulated providers on a loopback port, for the demo and as a sandbox for partners."""

import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.clock import Clock, machine_clock
from connectors.simulator_server import ShiftedClock, SimulatorServer, find_simulators
from connectors.simulators import Simulator


class Command(BaseCommand):
    """Serves until it is interrupted; with a journal it goes on where it stopped, also after a kill."""

    help = "Serve the simulated providers on 127.0.0.1, each below its own folder."
    requires_system_checks: list[str] = []  # noqa: RUF012 (Django's own attribute); it needs no database either

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8900, help="0 for any free port")
        parser.add_argument("--journal", type=Path, metavar="DIR", help="where the books are kept between two starts")
        parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds before each answer")
        parser.add_argument("--clock-shift", type=Path, metavar="FILE", help="the demo's step forward in time")
        parser.add_argument("--no-throttle", action="store_true", help="accept any number of requests")

    def handle(self, *args: Any, **options: Any) -> None:
        clock = ShiftedClock(options["clock_shift"]) if options["clock_shift"] else machine_clock()
        simulators = open_simulators(clock, options["journal"], throttled=not options["no_throttle"])
        try:
            server = SimulatorServer(simulators, options["port"], options["latency"] / 1000)
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error.strerror}; choose another.") from None
        for key in simulators:
            self.stdout.write(f"{server.address}/{key}")
        self.stdout.flush()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
        server.serve()
        server.close()


def open_simulators(clock: Clock, folder: Path | None, *, throttled: bool) -> dict[str, Simulator]:
    """Every simulator there is, with the books of its journal in this folder."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    opened = {}
    for key, kind in sorted(find_simulators().items()):
        opened[key] = kind(clock, folder / f"{key}.jsonl" if folder is not None else None)
        opened[key].throttled = throttled
    return opened
