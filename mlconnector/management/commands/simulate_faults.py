"""manage.py simulate_faults: histories under faults, checked against both providers' own books."""

import math
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Live histories in virtual time with faults at every step, and check every promise from the books."""

    help = (
        "Runs the engine, the simulators, workers and schedulers in virtual time with faults at every step, and checks "
        "from the books that nothing is paid twice, lost or put on a wrong bill."
    )

    requires_system_checks: list[str] = []  # nothing of the pages is used

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, help="one history, told as a story")
        parser.add_argument("--seeds", type=int, default=200, help="how many histories (200)")
        parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
        parser.add_argument("--minutes", type=float, default=math.inf, help="begin no more after so long")
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once")

    def handle(self, *args: Any, **options: Any) -> None:
        from tests.simulation.run import live, live_all, own_database

        if options["seed"] is not None:
            with own_database():
                figures = live(options["seed"], told=self.stdout.write)
        else:
            seeds = range(options["first"], options["first"] + options["seeds"])
            within = 60 * options["minutes"]
            figures = live_all(seeds, processes=options["processes"], within=within, told=self.stdout.write)
        for line in figures.lines():
            self.stdout.write(line)
        if figures.broken:
            raise CommandError("A promise was broken.")
