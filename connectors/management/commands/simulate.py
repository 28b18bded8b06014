"""`manage.py simulate`: the simulated providers on a loopback port, for the demo and as a sandbox for partners."""

import argparse
import json
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.clock import Clock, machine_clock
from connectors.simulator_server import CONTROL, ShiftedClock, SimulatorServer, find_simulators
from connectors.simulators import Simulator

PORT, LAST_PORT = 8900, 65535


class Command(BaseCommand):
    """Serves until it is interrupted; with a journal it goes on where it stopped, also after a kill."""

    help = "Serve the simulated providers on 127.0.0.1, each below its own folder."
    requires_system_checks: list[str] = []  # noqa: RUF012 (Django's own attribute); it needs no database either

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A parser whose help ends with how to begin."""
        shape = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=how_to_begin(), formatter_class=shape, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=PORT, help="0 for any free port")
        parser.add_argument("--journal", type=Path, metavar="DIR", help="where the books are kept between two starts")
        parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds before each answer")
        parser.add_argument("--clock-shift", type=Path, metavar="FILE", help="the demo's step forward in time")
        parser.add_argument("--no-throttle", action="store_true", help="accept any number of requests")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["port"] <= LAST_PORT:
            raise CommandError(
                f"--port {options['port']} is none: choose one up to {LAST_PORT}, or 0 for any free one."
            )
        if options["latency"] < 0:
            raise CommandError("--latency is less than nothing: give milliseconds from 0 on.")
        clock = ShiftedClock(options["clock_shift"]) if options["clock_shift"] else machine_clock()
        try:
            simulators = open_simulators(clock, options["journal"], throttled=not options["no_throttle"])
        except OSError as error:
            raise CommandError(f"--journal {options['journal']}: {error.strerror}; choose another folder.") from None
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


def how_to_begin() -> str:
    """How an app and a company are made known to each simulator: by acts of a person, over HTTP."""
    lines = [
        "to begin, register an app and open a company in each (no provider has these paths; the values are yours):"
    ]
    for key, kind in find_simulators().items():
        for act, arguments in kind.first_acts.items():
            url = f"http://127.0.0.1:{PORT}/{CONTROL}/{key}/person/{act}"
            lines.append(f"  curl {url} -d '{json.dumps(arguments)}'")
    lines.append(f"the books are read at http://127.0.0.1:{PORT}/{CONTROL}/<provider>/books")
    return "\n".join(lines)
