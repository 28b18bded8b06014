"""`manage.py postgres start|stop|status`: the embedded server, which outlives the commands that start it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlconnector import embedded_postgres


class Command(BaseCommand):
    """Without DATABASE_URL every command that needs the server starts it; stopping it is for people."""

    help = "Start or stop the PostgreSQL server that is used where DATABASE_URL is not set, or say how it stands."
    requires_system_checks: list[str] = []  # noqa: RUF012 (Django's own attribute); checks would connect

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=("start", "stop", "status"))

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        home = settings.EMBEDDED_POSTGRES
        if home is None:
            raise CommandError("DATABASE_URL is set, so there is no embedded server to start or stop.")
        if act == "start":
            embedded_postgres.ensure(home)
        elif act == "stop":
            embedded_postgres.stop(home)
        self.stdout.write(f"PostgreSQL is {embedded_postgres.status(home)}.")
