"""Policy: what a tenant wants done where more than one thing is right, and since when."""

from django.db import models
from django.db.models import Q

from connectors.models import Tenant
from syncs.models.integration import Integration


class Policy(models.Model):
    """One effective-dated choice of a person; without a row the default of `syncs.mapping.policies` holds."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="policies")
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="policies")
    key = models.CharField(max_length=60)
    value = models.JSONField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    changed_by = models.TextField()
    why = models.TextField()

    class Meta:
        ordering = ("integration", "key", "-valid_from")
        verbose_name_plural = "policies"
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "integration", "key"), condition=Q(valid_to=None), name="one_policy_in_force"
            ),
        )

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"
