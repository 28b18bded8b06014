"""What one slice of delivery works with: the stream, both its connections, and what is in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connectors.conversation import Conversation, Effects
from connectors.models import Connection
from connectors.records import Kind
from connectors.registry import connector_class
from syncs.delivery.closed import closed_through
from syncs.delivery.flows import FLOWS, Flow
from syncs.leases import Lease
from syncs.mapping.accounts import AccountMappings, mappings_in_force
from syncs.mapping.codes import Codes, codes_in_force
from syncs.mapping.policies import policies_in_force
from syncs.models import Integration, Stream

ATTEMPT = timedelta(seconds=20)


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One slice: nothing in it changes while it lasts."""

    stream: Stream
    lease: Lease
    effects: Effects
    source: Connection
    target: Connection
    talk: Conversation
    policies: Mapping[str, object]
    accounts: AccountMappings
    codes: Codes
    closed_through: date | None

    @property
    def integration(self) -> Integration:
        return self.stream.integration

    @property
    def tenant_id(self) -> int:
        return self.stream.tenant_id

    @property
    def kind(self) -> Kind:
        return Kind(self.stream.kind)

    @property
    def flow(self) -> Flow:
        return FLOWS[self.kind]

    @property
    def source_name(self) -> str:
        """What the source is called."""
        return connector_class(self.source.provider).name

    def now(self) -> datetime:
        return self.effects.clock.now()

    @property
    def doubt(self) -> timedelta:
        """How long after an attempt's deadline the provider may still be at work on it."""
        return timedelta(seconds=self.talk.provider.limits.timeout)


def open_slice(stream_id: int, lease: Lease, effects: Effects) -> Slice | None:
    """The slice, or None if the stream is not to be worked on now: not active, or a connection that does not work."""
    stream = Stream.objects.select_related("tenant", "integration__erp__app", "integration__ap_network__app").get(
        pk=stream_id
    )
    integration = stream.integration
    working = all(
        connection.status == Connection.Status.CONNECTED for connection in (integration.erp, integration.ap_network)
    )
    if not (stream.tenant.active and integration.active and working):
        return None
    roles = {"erp": integration.erp, "ap_network": integration.ap_network}
    flow, now = FLOWS[Kind(stream.kind)], effects.clock.now()
    trace_id = f"stream-{stream_id}-{lease.fence}"
    return Slice(
        stream=stream,
        lease=lease,
        effects=effects,
        source=roles[flow.source],
        target=roles[flow.target],
        talk=Conversation(connection=roles[flow.target], effects=effects, trace_id=trace_id),
        policies=policies_in_force(integration.pk, at=now),
        accounts=mappings_in_force(integration, at=now),
        codes=codes_in_force(integration, at=now),
        closed_through=closed_through(roles[flow.target]) if flow.kind is Kind.PAYMENT else None,
    )
