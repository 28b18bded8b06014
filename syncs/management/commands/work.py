"""`manage.py work`: what a worker machine runs, as many machines as are needed on one database."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connectors.clock import machine_clock
from syncs import cluster
from syncs.supervisor import Supervisor


class Command(BaseCommand):
    """Works until it is interrupted or told to end, and then ends with all its processes within ten seconds."""

    help = "Wake what is due and do it: run this on each worker machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cluster", metavar="NAME", help="for its own use: be the cluster of this name")
        parser.add_argument("--signs", type=int, nargs=2, metavar="FILE", help="for its own use: the cluster's signs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster"]:
            cluster.serve(options["cluster"], *options["signs"])
            return
        supervisor = Supervisor(machine_clock())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop())
        self.stdout.write("Working. Ctrl-C ends it.")
        self.stdout.flush()
        supervisor.run()
