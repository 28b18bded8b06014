"""Budget: how many requests may still be sent to one app or account, shared by all processes."""

from django.db import models

from connectors.models.tenant import Tenant


class Budget(models.Model):
    """A token bucket; `owner` is `app:<id>` or `connection:<id>`. Nothing is sent before `blocked_until`.

    `part_of` is the owner of the budget of which this is one connection's part; empty for a whole budget.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="+")
    owner = models.CharField(max_length=60)
    part_of = models.CharField(max_length=30, blank=True, db_default="")
    level = models.DecimalField(max_digits=12, decimal_places=3)
    filled_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "owner"), nulls_distinct=False, name="one_budget_of_an_owner"),
        )
        indexes = (
            models.Index(
                fields=("tenant", "part_of", "filled_at"), condition=~models.Q(part_of=""), name="parts_of_a_budget"
            ),
        )

    def __str__(self) -> str:
        return self.owner
