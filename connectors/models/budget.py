"""Budget: how many requests may still be sent to one app or account, shared by all processes."""

from django.db import models

from connectors.models.tenant import Tenant


class Budget(models.Model):
    """A token bucket; `owner` is `app:<id>` or `connection:<id>`. Nothing is sent before `blocked_until`."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="+")
    owner = models.CharField(max_length=60)
    level = models.DecimalField(max_digits=12, decimal_places=3)
    filled_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "owner"), nulls_distinct=False, name="one_budget_of_an_owner"),
        )

    def __str__(self) -> str:
        return self.owner
