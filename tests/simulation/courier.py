"""QuickBooks' webhooks on their way to us: late, lost, twice, in any order, mixed with another company's, or forged."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from connectors.base import Delivered
from connectors.models import App, WebhookDelivery
from connectors.services import receive_webhook
from tests.simulation.faults import Faults, WorkerKilled
from tests.simulation.world import World

VERIFIER = "b5771f19b12ddb4bcdb9f08bdc50bc63878a"
STRANGER = "9130350000000099"  # a company that consented to the same app and is not connected here
FORGED = 1 / 30


@dataclass
class Courier:
    """The way from QuickBooks to our address."""

    world: World
    faults: Faults
    format: str

    def __post_init__(self) -> None:
        app, chance, quickbooks = self._app(), self.faults.chance, self.world.quickbooks
        app.credentials = {**app.credentials, "webhook_verifier": VERIFIER}
        app.save()
        quickbooks.person(
            "register_webhook",
            client_id="qb-app",
            url="https://ours.example",
            verifier=VERIFIER,
            format=self.format,
            duplicates=chance.choice([0, 0, 1]),
            newest_first=chance.random() < 0.5,
            together=chance.choice([1, 3, 100]),
        )
        quickbooks.create_company(STRANGER, "Harbor Foods")
        grant = quickbooks.tokens.grants[-1]
        other = type(grant)(grant.client_id, STRANGER, grant.scopes, self.world.clock.now())
        quickbooks.tokens.grants.append(other)

    def deliver(self) -> int:
        """All that waits is brought, or is not; how much of it there was."""
        if self.faults.strikes(0.3, "a company unknown here tells something too"):
            number = len(self.world.quickbooks.company(STRANGER).vendors)
            self.world.quickbooks.person("create_vendor", realm_id=STRANGER, name=f"Vendor of theirs {number}")
        return self.world.quickbooks.deliver(self._bring)

    def _bring(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status that we answer, as far as QuickBooks is told."""
        if self.faults.strikes(0.05, "webhook lost for good"):
            return 200
        if self.faults.strikes(0.1, "webhook not answered"):
            return 503
        if self.faults.strikes(FORGED, "webhook forged"):
            forged = body.replace(b"Update", b"Delete").replace(b".updated.", b".deleted.") + b" "
            assert self._receive(headers, forged).outcome == "refused"
        try:
            outcome = self._receive(headers, body).outcome
        except WorkerKilled:
            transaction.set_rollback(False)
            return 500
        return 200 if outcome == "accepted" else 400

    def _receive(self, headers: Mapping[str, str], body: bytes) -> WebhookDelivery:
        delivered = Delivered(headers={name.lower(): value for name, value in headers.items()}, body=body)
        return receive_webhook(app=self._app(), delivered=delivered, now=self.world.clock.now())

    def _app(self) -> App:
        return App.objects.get(provider="quickbooks")
