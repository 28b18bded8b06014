"""`manage.py demo`: the whole product on simulated providers, a month of accounts payable in minutes."""

import signal
import sys
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlconnector.demo.accounting import read_books
from mlconnector.demo.figures import Figures, complaints, figures, lost
from mlconnector.demo.household import CannotStart
from mlconnector.demo.performance import Performance
from mlconnector.demo.premises import alone, choose_ports, database_ended
from mlconnector.demo.simulated import ActRefused
from mlconnector.demo.stillness import NeedsSomebody
from mlconnector.demo.telling import Telling, to_terminal
from mlconnector.demo.visitor import Visitor


class Command(BaseCommand):
    """Plays the story to its end and stays up until Ctrl-C; a second start goes on where the first one stopped."""

    help = "Run the whole product on simulated providers; Ctrl-C ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when the story is over; last line: the figures")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo moves time and makes up books: it does not run in production.")
        for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts what is in its background deaf to the first
            signal.signal(number, signal.default_int_handler)
        telling = to_terminal()
        try:
            choose_ports()
            with alone():
                found = self._play(telling, stay=not options["once"])
        except KeyboardInterrupt:
            telling.say("\nEverything has ended. The next start goes on from here.")
            sys.exit(130)
        except (ActRefused, CannotStart, NeedsSomebody) as trouble:
            raise CommandError(str(trouble)) from None
        wrong = complaints(found)
        if wrong:
            telling.say(f"The books do not agree: {'; '.join(wrong)}.")
        if options["once"]:
            telling.say(msgspec.json.Encoder(decimal_format="number").encode(found).decode())
        sys.exit(1 if wrong else 0)

    def _play(self, telling: Telling, *, stay: bool) -> Figures:
        telling.heading("A month of accounts payable at a wholesale distributor: QuickBooks Online ⇄ AvidXchange")
        call_command("migrate", verbosity=0)
        visitor = Visitor.welcome()
        performance = Performance(telling)
        with database_ended(), performance.household:
            performance.play(visitor.user)
            books = read_books(performance.simulated)
            found = figures(books)
            visitor.sum_up(telling, found, lost(books))
            if stay:
                visitor.show_around(telling, performance.simulated.url)
                try:
                    performance.look_after()
                except KeyboardInterrupt:
                    telling.say("\nEnding everything. The next start has the same books.")
            return found
