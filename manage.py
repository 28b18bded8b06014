#!/usr/bin/env python
"""Runs a command; the embedded database server is started first if the command may need it.

Besides Django's and ours there is `manage.py postgres start|stop|status`, for that server.
"""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from mlconnector import embedded_postgres
from mlconnector.postgres_files import EmbeddedPostgresError

WITHOUT_DATABASE = {"check", "collectstatic", "help", "version", "--help", "--version", "-h"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlconnector.settings")
    try:
        run(sys.argv)
    except (ImproperlyConfigured, EmbeddedPostgresError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def run(arguments: list[str]) -> None:
    home = settings.EMBEDDED_POSTGRES
    if arguments[1:2] == ["postgres"]:
        if home is None:
            sys.exit("DATABASE_URL is set, so there is no embedded server to start or stop.")
        match arguments[2:]:
            case ["start"]:
                embedded_postgres.ensure(home)
            case ["stop"]:
                embedded_postgres.stop(home)
            case ["status"]:
                pass
            case _:
                sys.exit("Say manage.py postgres start, stop or status.")
        sys.stdout.write(f"PostgreSQL is {embedded_postgres.status(home)}.\n")
        return
    if home and not WITHOUT_DATABASE.intersection(arguments[1:2] or ["help"]):
        embedded_postgres.ensure(home)
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
