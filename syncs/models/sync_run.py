"""SyncRun: one slice of a feed or a stream that did something."""

from django.db import models

from connectors.models import Tenant
from syncs.models.feed import Feed
from syncs.models.stream import Stream


class SyncRun(models.Model):
    """What one slice did, in numbers."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    feed = models.ForeignKey(Feed, models.CASCADE, null=True, related_name="runs")
    stream = models.ForeignKey(Stream, models.CASCADE, null=True, related_name="runs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("tenant", "started_at")),)

    def __str__(self) -> str:
        return f"run of {self.feed or self.stream}"
