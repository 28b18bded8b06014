"""The database of the tests, and what no test may do: HTTP with a transaction open."""

import os
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from pytest_django import DjangoDbBlocker

from mlconnector import embedded_postgres
from mlconnector.postgres_files import NAME
from tests import http_guard
from tests.owner import flush_as_owner

# Browser tests hold an event loop of playwright's in the thread that also asks the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def pytest_configure(config: pytest.Config) -> None:
    if settings.EMBEDDED_POSTGRES and not hasattr(config, "workerinput"):
        embedded_postgres.ensure(settings.EMBEDDED_POSTGRES, fast=True)
        _drop_left_over_databases()


def _drop_left_over_databases() -> None:
    """Databases of runs that were killed; a run's databases carry the number of its process."""
    folder = str(settings.DATABASES["default"]["HOST"])
    with psycopg.connect(host=folder, user=NAME, dbname=NAME, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9]+'").fetchall():
            try:
                os.kill(int(name.split("_")[1]), 0)
            except ProcessLookupError:
                with suppress(psycopg.errors.InsufficientPrivilege):  # it is being vacuumed: the next run drops it
                    connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            except PermissionError:
                continue


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The test database is made by the user who signs in: the role that the application assumes may not."""
    connections["default"].settings_dict["OPTIONS"].pop("assume_role")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """From here on tests have the rights of the application, no more."""
    connection = connections["default"]
    connection.settings_dict["OPTIONS"]["assume_role"] = settings.WORK_ROLE
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "execute_sql_flush", flush_as_owner)  # truncating is the owner's
        yield
    connection.settings_dict["OPTIONS"].pop("assume_role")
    connection.close()


@pytest.fixture(autouse=True)
def no_http_in_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    http_guard.install(monkeypatch)
