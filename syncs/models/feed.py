"""Feed: what one connection reads."""

from datetime import datetime, timedelta

from django.db import models

from connectors.models import Connection, Tenant
from syncs.models.lease import Leased

COMPARE_EVERY = timedelta(hours=24)


class Feed(Leased):
    """The reading of one connection: first every kind in full, then changes; integrations on the connection share it.

    `cursor` is the connector's own; `sweep` counts full readings, `stage` says which kind is being read in full, empty
    once only changes are read. `full_after` is when the next comparison with everything begins.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="feeds")
    connection = models.OneToOneField(Connection, models.PROTECT, related_name="feed")
    interval_seconds = models.IntegerField(default=300)
    stage = models.CharField(max_length=30, blank=True)
    cursor = models.JSONField(default=dict)
    changes_cursor = models.JSONField(default=dict)
    sweep = models.IntegerField(default=0)
    full_after = models.DateTimeField(null=True)
    records_read = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("due_at",)),)

    @property
    def complete_until(self) -> datetime | None:
        """Whatever the connection held at this moment has been read; None before the first full reading has ended."""
        if self.full_after is None:
            return None
        return self.full_after - COMPARE_EVERY if self.stage else self.read_at

    def __str__(self) -> str:
        return f"feed of {self.connection}"
