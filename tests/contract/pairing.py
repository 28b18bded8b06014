"""A connector on its own simulator, paired with one of the other role; no provider is named here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from connectors.base import SHA256, Connector, Write
from connectors.clock import VirtualClock
from connectors.conversation import Conversation, Job, finish
from connectors.models import Connection, Tenant
from connectors.questions import questions
from connectors.records import Kind
from connectors.registry import connectors
from connectors.simulator_server import find_simulators
from connectors.simulators import Simulator, SimulatorTransport
from syncs import leases
from syncs.delivery.claim import claim
from syncs.delivery.flows import FLOWS
from syncs.delivery.slice import Slice, open_slice
from syncs.integrations import activate, pair
from syncs.models import Stream
from tests.payables import deliver, read
from tests.simulation.world import BEGINNING, Engine, connect, map_account, sign_in_by_redirect

CANARY = "canary-7f3a9c"
CONTENT = b"%PDF-1.7 the invoice"


@dataclass(kw_only=True)
class Pair(Engine):
    """Two companies, each in its provider's simulator, and our rows."""

    simulators: Mapping[str, Simulator]

    def connection(self, provider: str) -> Connection:
        """The connection to this provider."""
        both = (self.integration.erp_id, self.integration.ap_network_id)
        return Connection.objects.select_related("app").get(pk__in=both, provider=provider)

    def talk(self, provider: str) -> Conversation:
        """A talk with this provider, signed in to as the engine would be."""
        return Conversation(connection=self.connection(provider), effects=self.effects(), trace_id="test")

    def furnish(self, provider: str) -> dict[str, str]:
        """What people do there so that there is something of every kind."""
        simulator = self.simulators[provider]
        accounts: dict[str, str] = simulator.person("furnish", account_id=simulator.signs_in["account_id"])
        return accounts

    def pay_what_came_in(self) -> None:
        """Some time later people go on with what has arrived."""
        self.clock.advance(timedelta(minutes=10))
        for provider in self.simulators:
            self.furnish(provider)

    def read_all(self) -> None:
        """All that both sides show, and what has changed since."""
        self.clock.advance(timedelta(minutes=10))
        for provider in self.simulators:
            for _ in range(20):
                read(self, provider)


def paired(provider: str) -> Pair:
    """This provider's simulated company, furnished and paired with one of the other role; nothing is read yet."""
    clock, chosen = VirtualClock(BEGINNING), connectors()[provider]
    other = next(one for _, one in sorted(connectors().items()) if one.role != chosen.role)
    simulators = {one.key: find_simulators()[one.key](clock) for one in (chosen, other)}
    tenant = Tenant.objects.create(name="Blue Ridge Wholesale")
    by_role = {one.role: _connect(tenant, one, simulators[one.key]) for one in (chosen, other)}
    integration = pair(erp=by_role["erp"], ap_network=by_role["ap_network"], by="test", now=clock.now())
    made = Pair(clock=clock, integration=integration, wire=SimulatorTransport(simulators), simulators=simulators)
    for one in (chosen, other):
        for subject, target in made.furnish(one.key).items():
            map_account(integration, subject, target, clock.now())
        _sign_in(made, one)
    integration.refresh_from_db()
    activate(integration, by="test", why="set up", now=clock.now())
    return made


def _connect(tenant: Tenant, connector: type[Connector], simulator: Simulator) -> Connection:
    simulator.throttled, asked = False, simulator.signs_in
    secrets = {one.name: f"{CANARY}-{one.name}" for one in questions(connector.App) if one.secret}
    for act, arguments in simulator.first_acts.items():
        simulator.person(act, **{**arguments, **{name: it for name, it in secrets.items() if name in arguments}})
    app = {**asked["app"], **secrets}
    return connect(tenant, connector.key, asked["account_id"], app, asked.get("credentials", {}), {})


def _sign_in(made: Pair, connector: type[Connector]) -> None:
    connection = made.connection(connector.key)
    if connector.sign_in == "redirect":
        redirect_uri = made.simulators[connector.key].signs_in["redirect_uri"]
        sign_in_by_redirect(connection, made.effects(), redirect_uri)
    Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.CONNECTED)


def all_in_step(provider: str) -> Pair:
    """All is read and delivered, what came in is paid, and that is delivered too."""
    made = paired(provider)
    _work(made, list(FLOWS))
    made.pay_what_came_in()
    _work(made, [Kind.PAYMENT])
    made.read_all()
    return made


def due(provider: str, kind: Kind) -> tuple[Pair, Slice, list[Write]]:
    """What the engine would write of a kind now into this provider; all that goes before it is there."""
    made = paired(provider)
    earlier = [flow.kind for flow in FLOWS.values() if flow.rank < FLOWS[kind].rank]
    _work(made, earlier)
    if FLOWS[kind].source == "ap_network":
        made.pay_what_came_in()
        made.read_all()
    stream = Stream.objects.get(kind=kind)
    lease = leases.take(Stream, stream.pk, holder="test", now=made.clock.now())
    assert lease is not None
    slice_ = open_slice(stream.pk, lease, made.effects())
    assert slice_ is not None
    limit = slice_.talk.provider.limits.batch.get(kind, 1)
    writes = [with_bytes(one.write) for one in claim(slice_).planned][:limit]
    assert writes, f"nothing of {kind} is due"
    assert slice_.target.provider == provider
    return made, slice_, writes


def _work(made: Pair, kinds: list[Kind]) -> None:
    made.read_all()
    for flow in sorted(FLOWS.values(), key=lambda flow: flow.rank):
        if flow.kind in kinds:
            deliver(made, flow.kind)


def with_bytes(write: Write) -> Write:
    """The write as it leaves: an image with what `open` of the other side would give."""
    if write.kind is not Kind.IMAGE:
        return write
    said = {**write.context, SHA256: sha256(CONTENT).hexdigest()}
    return replace(write, content=CONTENT, context=said)


def ask(slice_: Slice, job: Job[Any]) -> Any:
    """What the connector answers, signed in as the engine would be."""
    return finish(slice_.talk.call(job))
