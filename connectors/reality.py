"""The real world as `Effects`: the database's time, the network, threads. Tasks, commands and views begin here."""

import os
import socket
from datetime import datetime
from functools import cache

import httpx
from django.conf import settings
from django.db import connection as database

from connectors.clock import SystemClock, anchored
from connectors.conversation import Effects


def effects() -> Effects:
    """Everything that reaches outside, for one slice of work or one request of a person."""
    return Effects(
        clock=present(), transport=_transport(os.getpid()), holder=holder(), simulator_url=settings.SIMULATOR_URL
    )


def present() -> SystemClock:
    """A clock on the database's time."""
    return anchored(_database_time, settings.CLOCK_SHIFT_FILE)


def holder() -> str:
    """Who we are on a lease: machine and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _database_time(statement: str) -> datetime:
    with database.cursor() as cursor:
        cursor.execute(statement)
        moment: datetime = cursor.fetchone()[0]
        return moment


@cache
def _transport(process: int) -> httpx.HTTPTransport:
    """Connections of one process: they must not cross a fork."""
    return httpx.HTTPTransport(limits=httpx.Limits(max_connections=50, max_keepalive_connections=20))
