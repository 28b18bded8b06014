"""Measuring the delivery path: bills to the AP network in batches, payments posted to the ERP one by one."""

from collections import Counter
from collections.abc import Sequence

from connectors.conversation import Effects, finish
from connectors.records import Kind
from syncs.delivery.deliver import deliver_stream
from syncs.models import Stream, SyncRecord
from syncs.states import State
from tests.bench.company import Company
from tests.bench.meter import DELIVERING
from tests.bench.providers import Providers
from tests.bench.race import Job, Run, race
from tests.bench.reading import sweep

UNDER_WAY = (State.PENDING, State.SENDING, State.IN_DOUBT, State.WAITING)
PATIENCE = 60.0  # seconds without a single record settled


def prepare(providers: Providers, companies: Sequence[Company]) -> None:
    """Everything that a bill refers to stands on the other side; the bills themselves wait."""
    race(providers, [sweep(company.erp_feed.pk) for company in companies], {})
    for kind in (Kind.VENDOR, Kind.ACCOUNT):
        race(providers, [deliver(company.stream(kind)) for company in companies], {})


def deliver_all(providers: Providers, companies: Sequence[Company], kind: Kind) -> Run:
    """Deliver all that waits of this kind, each company by a worker of its own; all of it has to be settled."""
    return race(providers, [deliver(company.stream(kind)) for company in companies], DELIVERING)


def pay(providers: Providers, companies: Sequence[Company], count: int) -> None:
    """So many bills of each company are paid at the AP network, and the payments have been read from there."""
    for company in companies:
        providers.do("pay", company_id=company.integration.ap_network.account_id, count=count)
    race(providers, [sweep(company.network_feed.pk) for company in companies], {})


def waiting(company: Company, kind: Kind) -> int:
    """How many records of this kind are still to be delivered."""
    return SyncRecord.objects.filter(stream=company.stream(kind), state__in=UNDER_WAY).count()


def deliver(stream: Stream) -> Job:
    """Slices of delivery until nothing is under way; whatever does not end settled is an error."""

    def work(effects: Effects) -> None:
        records = SyncRecord.objects.filter(stream=stream)
        left, since = -1, effects.clock.monotonic()
        while (
            now_left := records.filter(state__in=UNDER_WAY).count()
        ) and effects.clock.monotonic() < since + PATIENCE:
            if now_left != left:
                left, since = now_left, effects.clock.monotonic()
            finish(deliver_stream(stream.pk, effects))
        states = Counter(records.exclude(state=State.SYNCED).values_list("state", "code", "reason"))
        if states:
            raise RuntimeError(f"Not all of kind {stream.kind} was settled: {states.most_common(3)}")

    return work
