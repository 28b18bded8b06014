#!/usr/bin/env python
"""Runs a command; the database server is started first if it is the embedded one and the command may need it."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from mlconnector import embedded_postgres, environment
from mlconnector.postgres_files import EmbeddedPostgresError

WITHOUT_DATABASE = {"check", "collectstatic", "help", "postgres", "simulate", "version", "--help", "--version", "-h"}
BEFORE_MIGRATING = {"bench", "demo", "migrate", "simulate_faults"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlconnector.settings")
    try:
        run(sys.argv)
    except (ImproperlyConfigured, EmbeddedPostgresError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def run(arguments: list[str]) -> None:
    command = arguments[1] if len(arguments) > 1 else "help"
    if command not in WITHOUT_DATABASE and not {"--help", "-h"}.intersection(arguments):
        if settings.EMBEDDED_POSTGRES:
            embedded_postgres.ensure(settings.EMBEDDED_POSTGRES)
        environment.refuse_unusable(
            settings.DATABASES["default"], settings.WORK_ROLE, migrated=command not in BEFORE_MIGRATING
        )
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
