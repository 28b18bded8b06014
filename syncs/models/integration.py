"""Integration: one ERP connection paired with one AP-network connection."""

from django.db import models
from django.db.models import F, Q

from connectors.models import Connection, Tenant


class Integration(models.Model):
    """A pair of connections of one tenant that is kept in step; both production or neither.

    While it is active, each of its two companies belongs to it alone.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="integrations")
    erp = models.ForeignKey(Connection, models.PROTECT, related_name="integrations_as_erp")
    ap_network = models.ForeignKey(Connection, models.PROTECT, related_name="integrations_as_ap_network")
    active = models.BooleanField(default=False, editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("tenant", "id")
        constraints = (
            models.UniqueConstraint(fields=("erp",), condition=Q(active=True), name="one_active_integration_of_an_erp"),
            models.UniqueConstraint(
                fields=("ap_network",), condition=Q(active=True), name="one_active_integration_of_a_network"
            ),
            models.CheckConstraint(condition=~Q(erp=F("ap_network")), name="two_different_connections"),
        )
        indexes = (models.Index(fields=("tenant", "active")),)

    def __str__(self) -> str:
        return f"{self.erp} ⇄ {self.ap_network}"
