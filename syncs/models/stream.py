"""Stream: one kind delivered one way in one integration."""

from django.db import models

from connectors.models import Tenant
from syncs.models.integration import Integration
from syncs.models.lease import Leased


class Stream(Leased):
    """The delivery of one kind, out of remote records; it never reads a provider's lists."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="streams")
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="streams")
    kind = models.CharField(max_length=30)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "integration", "kind"), name="one_stream_of_a_kind"),)
        indexes = (models.Index(fields=("due_at",)),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.integration}"
