"""manage.py bench: the read path and the delivery path against a plain loop, in one run."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from connectors.clock import machine_clock


class Command(BaseCommand):
    """Measure on a database and on simulated providers of its own; takes a minute or two."""

    help = "Measures how many bills are read and delivered a second, against a plain loop in the same run."
    requires_system_checks: list[str] = []  # nothing of the pages is used

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bills", type=int, default=20_000, help="bills of each company that is read (20000)")
        parser.add_argument("--delivered", type=int, default=2_000, help="bills of each company delivered (2000)")
        parser.add_argument("--payments", type=int, default=600, help="payments of each company posted (600)")
        parser.add_argument("--latency", type=int, default=40, metavar="MS", help="milliseconds to each answer (40)")
        parser.add_argument("--write", action="store_true", help="write the figures to docs/benchmark.md")

    def handle(self, *args: Any, **options: Any) -> None:
        from tests.bench.measure import Sizes, measure
        from tests.bench.report import page

        load, today = os.getloadavg()[0], machine_clock().now().date()
        sizes = Sizes(
            bills=options["bills"],
            delivered=options["delivered"],
            payments=options["payments"],
            latency=options["latency"] / 1000,
        )
        figures = measure(sizes, told=self.stdout.write)
        text = page(figures, today=today, load=load)
        self.stdout.write(text)
        if options["write"]:
            written = Path(settings.CHECKOUT) / "docs" / "benchmark.md"
            written.parent.mkdir(exist_ok=True)
            written.write_text(text)
