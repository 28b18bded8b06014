"""MeteredReads: how many reads that a provider charges for a connection has made in a month."""

from django.db import models

from connectors.models.connection import Connection
from connectors.models.tenant import Tenant


class MeteredReads(models.Model):
    """A month's count, by UTC; `since` is when the first of them was made."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="metered_reads")
    month = models.DateField()
    reads = models.BigIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField("last one")

    class Meta:
        ordering = ("-month", "-reads")
        verbose_name_plural = "metered reads"
        constraints = (models.UniqueConstraint(fields=("tenant", "connection", "month"), name="one_count_of_a_month"),)

    def __str__(self) -> str:
        return f"{self.reads} reads in {self.month:%B %Y}"
