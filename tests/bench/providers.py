"""Both providers in a process of their own, so that what they cost is not taken for ours.

Requests go over a loopback port and wait as long as told before each answer; what a measurement needs done in the books
goes through a pipe and waits for nothing.
"""

import gc
import multiprocessing
import time
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self

from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.clock import machine_clock
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulator_server import SimulatorServer

APP = {"client_id": "measured-app", "client_secret": "only-a-simulator-accepts-this"}
CALLBACK = "http://127.0.0.1:8000/connect/callback/"
SEEDED_BEFORE = timedelta(days=2)  # or the first question for changes would find everything that was just made
PAID_BEFORE = timedelta(hours=1)  # AvidXchange shows what is very new only after a while


class Providers:
    """The served simulators, as a context manager; `url` is their address."""

    def __init__(self, latency: float) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=_serve, args=(theirs, latency), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.url = str(self._pipe.recv())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def do(self, what: str, **arguments: Any) -> Any:
        """Have something done in the books: one of the methods of `Office`."""
        self._pipe.send((what, arguments))
        return self._pipe.recv()


class Office:
    """Everybody who works in the books of the measured companies."""

    def __init__(self) -> None:
        clock = MovedClock()
        self._clock = clock
        self.quickbooks = QuickBooksSimulator(clock)
        self.avidxchange = AvidXchangeSimulator(clock, throttle=False)
        self.quickbooks.throttled = False
        self.quickbooks.register_app(**APP, redirect_uris=[CALLBACK])
        self.avidxchange.person("register_app", **APP)

    def open_company(self, *, realm_id: str, company_id: str, vendors: int, bills: int) -> dict[str, str]:
        """A company at both providers, its books full, in the state of one that was read before; its bank accounts."""
        self._clock.shift = -SEEDED_BEFORE
        self.quickbooks.create_company(realm_id, realm_id)
        accounts = {
            name: self.quickbooks.person("create_account", realm_id=realm_id, name=name, account_type="Bank")["Id"]
            for name in ("Operating", "Payments in transit")
        }
        self.quickbooks.seed_many(realm_id, vendors, bills)
        for table in self.quickbooks.company(realm_id).tables.values():
            for identity in table.rows:
                table.written(identity)
        self._clock.shift = timedelta(0)
        self.avidxchange.person("link_company", company_id=company_id, name=company_id, client_id=APP["client_id"])
        self.quickbooks.person("consent_automatically", realm_id=realm_id)
        gc.freeze()  # or every collection goes through all the books
        return accounts

    def pay(self, *, company_id: str, count: int) -> None:
        """So many invoices are approved, each is paid by a payment of its own, and the money arrives."""
        self._clock.shift = -PAID_BEFORE
        person = self.avidxchange.person
        invoices = list(self.avidxchange.company(company_id).invoices.values())[:count]
        for invoice in invoices:
            person("approve_invoice", company_id=company_id, invoice_id=invoice["id"])
            paid = person("pay", company_id=company_id, invoices={invoice["id"]: None}, method="ach")
            person("advance_payment", company_id=company_id, payment_id=paid, to="issued")
        self._clock.shift = timedelta(0)

    def processor_seconds(self) -> float:
        """What answering has cost so far."""
        return time.process_time()


class MovedClock:
    """The machine's time, moved."""

    def __init__(self) -> None:
        self._clock = machine_clock()
        self.shift = timedelta(0)

    def now(self) -> datetime:
        return self._clock.now() + self.shift

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def chance(self) -> float:
        return self._clock.chance()


def _serve(pipe: Pipe, latency: float) -> None:
    office = Office()
    simulators = {"quickbooks": office.quickbooks, "avidxchange": office.avidxchange}
    with SimulatorServer(simulators, latency=latency) as server:
        pipe.send(server.address)
        while True:
            what, arguments = pipe.recv()
            pipe.send(getattr(office, what)(**arguments))
