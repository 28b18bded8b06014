"""SyncRun: a full reading, a reading of changes, or a spell of delivery that did something."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from connectors.models import Tenant
from syncs.models.feed import Feed
from syncs.models.stream import Stream


class SyncRun(models.Model):
    """What was done from its beginning until now or its end, in numbers; each commit of a slice adds its own.

    `sweep` is the number of the full reading, 0 for everything else. `ended_at` is when it last did something, and its
    end once it is no longer `under_way`. `expected` is how many of a kind there are, where the provider was asked.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    feed = models.ForeignKey(Feed, models.CASCADE, null=True, related_name="runs")
    stream = models.ForeignKey(Stream, models.CASCADE, null=True, related_name="runs")
    sweep = models.IntegerField(default=0, db_default=0)
    under_way = models.BooleanField(default=False, db_default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    expected = models.JSONField(default=dict, db_default={})
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "feed", "sweep"),
                condition=Q(under_way=True, feed__isnull=False),
                name="one_run_of_a_feed_under_way",
            ),
            models.UniqueConstraint(
                fields=("tenant", "stream"),
                condition=Q(under_way=True, stream__isnull=False),
                name="one_run_of_a_stream_under_way",
            ),
        )
        indexes = (models.Index(fields=("tenant", "started_at")), models.Index(fields=("ended_at",)))

    def __str__(self) -> str:
        return f"{self.what} of {self.feed or self.stream}"

    @property
    def what(self) -> str:
        """What sort of run it is."""
        if self.stream_id is not None:
            return "delivery"
        return "full reading" if self.sweep else "reading of changes"

    @property
    def done(self) -> int:
        """How many records it read or dealt with."""
        return int(self.counts.get("read" if self.feed_id else "dealt with", 0))

    @property
    def lasted(self) -> timedelta:
        """From its beginning to when it last did something."""
        return self.ended_at - self.started_at

    @property
    def per_second(self) -> float | None:
        """Records a second; None where it took too little time to tell."""
        seconds = self.lasted.total_seconds()
        return self.done / seconds if seconds >= 1 else None
