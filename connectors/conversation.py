"""Talking to one connection: its token, its permits, and a record of every exchange.

A call is a row of steps (a generator that names each step it has made): between two of them nothing is held, so that a
simulation can stop, interleave or kill a worker there. What was said is kept in memory until `kept_exchanges` writes it
in a transaction of the caller.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, TypeVar

import httpx
import msgspec

from connectors import governor
from connectors.base import Connector, Environment, Session
from connectors.clock import Clock
from connectors.errors import AuthError, ConnectorError, RateLimited, TokenExpired, TransientError
from connectors.governor import BudgetOwner
from connectors.http import Exchanged, Http
from connectors.metering import count_reads
from connectors.models import Connection, Exchange
from connectors.oauth import access_token
from connectors.pace import Pace
from connectors.questions import questions
from connectors.records import AnyRecord, Kind
from connectors.registry import connector_class
from connectors.threads import in_threads
from connectors.tokens import StoredTokens
from connectors.vault import UNREADABLE

MOMENT, LONGER = 0.5, 2.0  # seconds that one call, or a set of them, waits for permits before it is put off
BUDGET_SPENT = "budget_spent"  # nothing was sent: it waits for its turn

T = TypeVar("T")
Steps = Generator[str, None, T]
Job = Callable[[Connector], T]


def fetching(kind: Kind, ids: Sequence[str]) -> Job[dict[str, AnyRecord]]:
    """Asking for these records by id; what is not there is left out."""
    return lambda connector: connector.fetch(kind, ids)


def budget_of(connection: Connection, *, shared: bool) -> BudgetOwner:
    """The budget of a connection: its own, or its part of the one that all connections of its app share."""
    itself, limits = f"connection:{connection.pk}", connector_class(connection.provider).limits
    return BudgetOwner(
        tenant_id=connection.app.tenant_id if shared else connection.tenant_id,
        owner=f"app:{connection.app_id}" if shared else itself,
        sharer=itself if shared else "",
        per_minute=limits.per_minute,
        per_second=limits.per_second,
    )


@dataclass(frozen=True, kw_only=True)
class Effects:
    """All that reaches outside: time and chance, the network, threads, budgets, and who we are."""

    clock: Clock
    transport: httpx.BaseTransport
    holder: str
    simulator_url: str = ""
    concurrently: Callable[[Sequence[Callable[[], Any]], int], list[Any]] = in_threads
    budgets: bool = True


@dataclass(kw_only=True)
class Conversation:
    """One slice's talk with one connection; `trace_id` goes onto every exchange."""

    connection: Connection
    effects: Effects
    trace_id: str
    _sent: list[tuple[Http, str]] = field(default_factory=list)

    @property
    def provider(self) -> type[Connector]:
        """The connector class."""
        return connector_class(self.connection.provider)

    def connector(self, token: str, trace_id: str = "") -> Connector:
        """A connector for this connection that signs its requests with this access token."""
        connection, provider = self.connection, self.provider
        environment = Environment(connection.environment)
        try:
            app = msgspec.convert(connection.app.credentials, provider.App)
            credentials = msgspec.convert(connection.credentials, provider.Credentials)
        except msgspec.ValidationError:
            raise TransientError(UNREADABLE, provider=connection.provider, code="credentials_unreadable") from None
        http = Http(
            transport=self.effects.transport,
            clock=self.effects.clock,
            pace=Pace(self.effects.clock, provider.limits.per_second),
            hosts=provider.hosts(environment, app, self.effects.simulator_url),
            private_hosts_allowed=environment is Environment.SIMULATED,
        )
        http.hide(token, *_secrets_in(app), *_secrets_in(credentials))
        self._sent.append((http, trace_id or self.trace_id))
        return provider(
            Session(
                environment=environment,
                account_id=connection.account_id,
                app=app,
                credentials=credentials,
                settings=msgspec.convert(connection.settings, provider.Settings),
                http=http,
                simulator_url=self.effects.simulator_url,
                access_token=token,
            )
        )

    def token(self, rejected: str = "") -> Steps[str]:
        """The steps to an access token that is good now; empty where the credentials sign every request themselves."""
        connector = self.connector("")
        if not connector.uses_access_token:
            return ""
        return (
            yield from access_token(
                StoredTokens.of(self.connection), connector.obtain, self.effects.clock, rejected=rejected
            )
        )

    def call(self, job: Job[T], patience: float = MOMENT, *, each: int = 1) -> Steps[T]:
        """One call of so many requests, which waits so many seconds for permits; raises what the connector raises."""
        outcomes = yield from self.call_all([(job, "")], patience, each=each)
        if isinstance(outcomes[0], ConnectorError):
            raise outcomes[0]
        return outcomes[0]

    def call_all(
        self, jobs: Sequence[tuple[Job[T], str]], patience: float = LONGER, *, each: int = 1
    ) -> Steps[list[T | ConnectorError]]:
        """Calls at the same time, each with its trace id; the outcome or the error of each, in order.

        A call refused for its access token is made once more with a fresh one. They begin in groups, each with its
        permits, `each` being how many requests a call is; those for which there are none soon are RateLimited. Raises
        what concerns them all: no permit for the first, no token.
        """
        at_once = min(max(1, self.budget.burst // each), self.provider.limits.concurrency)
        together = at_once if self.effects.budgets else len(jobs)
        until = self.effects.clock.monotonic() + patience
        yield from self._permits(each * min(together, len(jobs)), until)
        try:
            token = yield from self.token()
        except RateLimited as error:
            self._wait_as_told([error])
            raise
        outcomes: list[T | ConnectorError] = []
        while len(outcomes) < len(jobs):
            some = jobs[len(outcomes) : len(outcomes) + together]
            try:
                if outcomes:
                    yield from self._permits(each * len(some), until)
            except RateLimited as error:  # what was answered so far must not be lost
                return outcomes + [error] * (len(jobs) - len(outcomes))
            answers, token = yield from self._ask(some, token, each)
            outcomes += answers
        return outcomes

    def _ask(
        self, jobs: Sequence[tuple[Job[T], str]], token: str, each: int
    ) -> Steps[tuple[list[T | ConnectorError], str]]:
        """What these come to, each refused for its access token once more with a fresh one; and the token that is."""
        outcomes = self._run(jobs, token, each)
        again = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, TokenExpired)]
        if again:
            yield "token refused"
            try:
                token = yield from self.token(rejected=token)
            except ConnectorError as error:
                second: list[T | ConnectorError] = [error] * len(again)  # the others' outcomes must not be lost
            else:
                second = self._run([jobs[place] for place in again], token, each)
            for place, outcome in zip(again, second, strict=True):
                outcomes[place] = _final(outcome)
        self._wait_as_told(outcomes)
        return outcomes, token

    @cached_property
    def budget(self) -> BudgetOwner:
        """Whose permits a request of this connection takes: where its own credentials sign it, nobody shares them."""
        shared = self.provider.limits.shared_by_app and self.connector("").uses_access_token
        return budget_of(self.connection, shared=shared)

    def sent_soon(self, together: int, *, most: int) -> int:
        """How many records, so many in each request, find their permits before long."""
        soon = together * (self.budget.burst + int(self.budget.rate * Decimal(LONGER)))
        return min(most, soon) if self.effects.budgets else most

    def must_wait(self) -> float:
        """The seconds until our budget has a permit again; 0 where there is one now or in a moment."""
        wait = governor.wait_for_one(self.budget, now=self.effects.clock.now()) if self.effects.budgets else 0
        return wait if wait > MOMENT else 0

    def _permits(self, count: int, until: float) -> Steps[None]:
        """Take permits, waiting for them where they come by then on the monotonic clock; RateLimited where not."""
        clock = self.effects.clock
        while self.effects.budgets and (wait := governor.take(self.budget, count, now=clock.now())):
            if clock.monotonic() + wait > until:
                raise RateLimited("Our budget is spent for a moment.", retry_after=wait, code=BUDGET_SPENT)
            yield "waiting for a permit"
            clock.sleep(wait)

    def _wait_as_told(self, outcomes: Sequence[object]) -> None:
        """Block the budget for all who share it, where the provider has told one of them to wait."""
        for outcome in outcomes:
            if isinstance(outcome, RateLimited) and self.effects.budgets:
                governor.block(self.budget, outcome.retry_after, now=self.effects.clock.now())

    def _run(self, jobs: Sequence[tuple[Job[T], str]], token: str, each: int) -> list[T | ConnectorError]:
        def doing(job: Job[T], connector: Connector) -> Callable[[], T | ConnectorError]:
            def do() -> T | ConnectorError:
                try:
                    return job(connector)
                except ConnectorError as error:
                    return error

            return do

        connectors = [self.connector(token, trace_id) for _, trace_id in jobs]
        doings = [doing(job, connector) for (job, _), connector in zip(jobs, connectors, strict=True)]
        outcomes = self.effects.concurrently(doings, self.provider.limits.concurrency)
        if self.provider.limits.metered_reads:
            said = [exchanged for connector in connectors for exchanged in connector.session.http.exchanged]
            count_reads(self.connection, said, now=self.effects.clock.now())
        beyond = sum(len(connector.session.http.exchanged) for connector in connectors) - each * len(jobs)
        if beyond > 0 and self.effects.budgets:  # a call may be more requests than was thought
            governor.owe(self.budget, beyond, now=self.effects.clock.now())
        return outcomes

    def kept_exchanges(self) -> dict[str, int]:
        """Write what was said since the last time, in the caller's transaction; the last exchange's id by trace id."""
        said = [(exchanged, trace_id) for http, trace_id in self._sent for exchanged in http.exchanged]
        self._sent.clear()
        rows = Exchange.objects.bulk_create(self._rows(said))
        return {row.trace_id: row.pk for row in rows}

    def _rows(self, said: Iterable[tuple[Exchanged, str]]) -> list[Exchange]:
        return [
            Exchange(
                tenant_id=self.connection.tenant_id,
                connection_id=self.connection.pk,
                at=exchanged.started_at,
                trace_id=trace_id,
                method=exchanged.method,
                url=exchanged.url,
                status=exchanged.status,
                seconds=Decimal(f"{exchanged.seconds:.3f}"),
                request_id=exchanged.request_id,
                request_body=exchanged.request_body,
                answer_body=exchanged.answer_body,
                error=exchanged.error,
            )
            for exchanged, trace_id in said
        ]


def _secrets_in(answers: msgspec.Struct) -> list[str]:
    return [str(getattr(answers, name)) for name in _secret_names(type(answers))]


@cache
def _secret_names(shape: type[msgspec.Struct]) -> list[str]:
    return [question.name for question in questions(shape) if question.secret]


def _final(outcome: T | ConnectorError) -> T | ConnectorError:
    if isinstance(outcome, TokenExpired):
        return AuthError(
            outcome.message,
            detail=outcome.detail,
            provider=outcome.provider,
            status=outcome.status,
            code=outcome.code,
            request_id=outcome.request_id,
        )
    return outcome


def finish(steps: Steps[T]) -> T:
    """Make all the steps at once: what everybody does who is not a simulation."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value
