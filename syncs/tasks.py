"""What django-q2 calls: tasks carry ids, may run twice, may be lost. Each gets what it needs and calls the engine."""

import logging
from collections.abc import Callable

from audit.seal import seal
from connectors.conversation import Effects, Steps, finish
from connectors.reality import effects, holder, present
from connectors.upkeep import look_after
from syncs import leases, scheduler, services
from syncs.delivery.deliver import deliver_stream
from syncs.leases import LeaseLost
from syncs.mirror.pull import read_feed
from syncs.models import Feed, Stream

log = logging.getLogger(__name__)


def read(feed_id: int) -> None:
    """One slice of reading one feed."""
    _slice(Feed, read_feed, feed_id)


def deliver(stream_id: int) -> None:
    """One slice of delivering one stream."""
    _slice(Stream, deliver_stream, stream_id)


def look_after_sign_in(connection_id: int) -> None:
    """Renew the sign-in of one connection if it is time, and warn of its end."""
    finish(look_after(connection_id, effects()))


def tick() -> None:
    """Wake what is due: the same that `manage.py work` does four times a second, for a plain cluster."""
    now = present().now()
    scheduler.tick(now, wake=scheduler.enqueue)
    scheduler.tick_sign_ins(now, wake=scheduler.enqueue)


def send_again() -> None:
    """The next set of what people asked to be sent again."""
    services.go_on(present().now())


def seal_audit() -> None:
    """Seal what the audit has committed."""
    seal(now=present().now(), holder=holder())


def _slice(model: type[Feed] | type[Stream], work: Callable[[int, Effects], Steps[None]], row_id: int) -> None:
    try:
        finish(work(row_id, effects()))
    except LeaseLost as lost:
        leases.lost(model, row_id)
        log.warning("%s", lost)
