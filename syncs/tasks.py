"""What django-q2 calls: tasks carry ids, may run twice, may be lost. Each fetches what it needs and calls the engine."""

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime
from functools import cache

import httpx
from django.conf import settings
from django.db import connection as database

from audit.seal import seal
from connectors.clock import SystemClock, anchored
from connectors.conversation import Effects, Steps, finish
from syncs import scheduler
from syncs.delivery.deliver import deliver_stream
from syncs.leases import LeaseLost
from syncs.mirror.pull import read_feed

log = logging.getLogger(__name__)
WORK = {"feed": read_feed, "stream": deliver_stream}


def read(feed_id: int) -> None:
    """One slice of reading one feed."""
    _slice(read_feed, feed_id)


def deliver(stream_id: int) -> None:
    """One slice of delivering one stream."""
    _slice(deliver_stream, stream_id)


def tick() -> None:
    """Wake what is due: the same that `manage.py work` does four times a second, for a plain cluster."""
    scheduler.tick(present().now(), wake=scheduler.enqueue)


def seal_audit() -> None:
    """Seal what the audit has committed."""
    seal(now=present().now(), holder=holder())


def present() -> SystemClock:
    """A clock on the database's time."""
    return anchored(_database_time, settings.CLOCK_SHIFT_FILE)


def effects() -> Effects:
    """The real world: the database's time, the network, threads."""
    return Effects(
        clock=present(), transport=_transport(os.getpid()), holder=holder(), simulator_url=settings.SIMULATOR_URL
    )


def holder() -> str:
    """Who we are on a lease: machine and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _slice(work: Callable[[int, Effects], Steps[None]], row_id: int) -> None:
    try:
        finish(work(row_id, effects()))
    except LeaseLost as lost:
        log.warning("%s", lost)


def _database_time(statement: str) -> datetime:
    with database.cursor() as cursor:
        cursor.execute(statement)
        moment: datetime = cursor.fetchone()[0]
        return moment


@cache
def _transport(process: int) -> httpx.HTTPTransport:
    """Connections of one process: they must not cross a fork."""
    return httpx.HTTPTransport(limits=httpx.Limits(max_connections=50, max_keepalive_connections=20))
