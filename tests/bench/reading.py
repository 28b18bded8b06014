"""Measuring the read path: a first full reading, the nightly comparison that finds nothing, and a poll of nothing."""

from collections.abc import Sequence

from connectors.conversation import Effects, finish
from connectors.records import Kind
from syncs.mirror.pull import read_feed
from syncs.models import Feed, RemoteRecord
from tests.bench.company import Company
from tests.bench.meter import READING
from tests.bench.providers import Providers
from tests.bench.race import Job, Run, race

POLLS = 20


def read_in_full(providers: Providers, companies: Sequence[Company]) -> Run:
    """Read every company from the beginning, each by a worker of its own; all of it has to be there afterwards."""
    for company in companies:
        Feed.objects.filter(pk=company.erp_feed.pk).update(full_after=None)
    run = race(providers, [sweep(company.erp_feed.pk) for company in companies], READING)
    for company in companies:
        kept = RemoteRecord.objects.filter(connection=company.integration.erp, kind=Kind.BILL).count()
        if kept != company.bills:
            raise RuntimeError(f"{kept} of {company.bills} bills were kept.")
    return run


def poll(providers: Providers, company: Company) -> float:
    """The seconds that it takes to ask a company for changes where there are none."""

    def ask(effects: Effects) -> None:
        for _ in range(POLLS):
            finish(read_feed(company.erp_feed.pk, effects))

    return race(providers, [ask], READING).seconds / POLLS


def sweep(feed_id: int) -> Job:
    """Slices of reading until a full reading is done; the last of them asks for changes once."""

    def read(effects: Effects) -> None:
        finish(read_feed(feed_id, effects))
        while not _is_read(feed_id):
            finish(read_feed(feed_id, effects))

    return read


def _is_read(feed_id: int) -> bool:
    feed = Feed.objects.get(pk=feed_id)
    if feed.failures:
        raise RuntimeError(f"Reading has failed: {feed.runs.exclude(error='').latest('id').error}")
    return feed.full_after is not None and not feed.stage
