"""Everything in one run, in a database of its own with real commits."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from connectors.records import Kind
from tests.bench.company import open_companies
from tests.bench.delivering import deliver_all, pay, prepare, waiting
from tests.bench.plain import deliver_plainly, read_plainly
from tests.bench.providers import Providers
from tests.bench.race import Run, race
from tests.bench.reading import poll, read_in_full
from tests.simulation.run import own_database

WORKERS = (1, 2, 4)
DELIVERING_WORKERS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured: bills read of each company, bills and payments delivered for each, the waiting time."""

    bills: int = 20_000
    vendors: int = 500
    delivered: int = 2_000
    payments: int = 600
    plainly: int = 60
    latency: float = 0.04  # seconds before each answer


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run and how many records it did."""

    records: int
    run: Run

    @property
    def a_second(self) -> float:
        return self.records / self.run.seconds

    def each(self, seconds: float) -> float:
        """Microseconds for each record."""
        return seconds / self.records * 1e6


@dataclass(kw_only=True)
class Row:
    """One path: the plain loop, and the engine by its number of workers."""

    name: str
    unit: str
    plain: Measured
    engine: dict[int, Measured] = field(default_factory=dict)


@dataclass(kw_only=True)
class Figures:
    """All that was measured."""

    sizes: Sizes
    server: str
    first: Row
    again: Row
    poll_seconds: float
    bills: Row
    payments: Row


def measure(sizes: Sizes, told: Callable[[str], None]) -> Figures:
    """Measure all paths one after the other."""
    with Providers(sizes.latency) as providers, own_database():
        told("Reading ...")
        first, again, poll_seconds = _reading(providers, sizes)
        told("Delivering ...")
        bills, payments = _delivering(providers, sizes)
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            server = str(cursor.fetchone()[0]).split()[0]
    return Figures(
        sizes=sizes,
        server=server,
        first=first,
        again=again,
        poll_seconds=poll_seconds,
        bills=bills,
        payments=payments,
    )


def _reading(providers: Providers, sizes: Sizes) -> tuple[Row, Row, float]:
    (company,) = open_companies(providers, 1, vendors=sizes.vendors, bills=min(1000, sizes.bills))
    plain = [Measured(records=company.bills, run=race(providers, [read_plainly(company)], {})) for _ in range(2)]
    first = Row(name="First full reading", unit="bill", plain=plain[0])
    again = Row(name="Nightly comparison, nothing changed", unit="bill", plain=plain[1])
    polled = 0.0
    for workers in WORKERS:
        companies = open_companies(providers, workers, vendors=sizes.vendors, bills=sizes.bills)
        for row in (first, again):
            row.engine[workers] = Measured(records=workers * sizes.bills, run=read_in_full(providers, companies))
        polled = polled or poll(providers, companies[0])
    return first, again, polled


def _delivering(providers: Providers, sizes: Sizes) -> tuple[Row, Row]:
    vendors, kinds = sizes.vendors // 5, (Kind.BILL, Kind.PAYMENT)
    (company,) = open_companies(providers, 1, vendors=vendors, bills=sizes.plainly)
    prepare(providers, [company])
    plain = {}
    for kind in kinds:
        run = race(providers, [deliver_plainly(company, kind, sizes.plainly)], {})
        plain[kind] = Measured(records=sizes.plainly, run=run)
        if kind is Kind.BILL:
            pay(providers, [company], sizes.plainly)
    bills = Row(name="Bills to AvidXchange, in batches of 50", unit="bill", plain=plain[Kind.BILL])
    payments = Row(name="Payments posted to QuickBooks, one by one", unit="payment", plain=plain[Kind.PAYMENT])
    for workers in DELIVERING_WORKERS:
        companies = open_companies(providers, workers, vendors=vendors, bills=sizes.delivered)
        prepare(providers, companies)
        for row, kind in ((bills, Kind.BILL), (payments, Kind.PAYMENT)):
            due = sum(waiting(company, kind) for company in companies)
            row.engine[workers] = Measured(records=due, run=deliver_all(providers, companies, kind))
            if kind is Kind.BILL:
                pay(providers, companies, sizes.payments)
    return bills, payments
