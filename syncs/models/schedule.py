"""ScheduleRow: when a feed is read, or a stream makes new records on the other side, if not by the default."""

from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from django.db import models
from django.db.models import Q

from connectors.models import Tenant
from syncs.models.feed import Feed
from syncs.models.stream import Stream
from syncs.schedules import Schedule, in_words


class ScheduleRow(models.Model):
    """What a person chose for one feed or one stream; without a row there is the default.

    `rule` is a `syncs.schedules.Schedule`; its times are those of the tenant's time zone.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="schedules")
    feed = models.OneToOneField(Feed, models.CASCADE, null=True, related_name="schedule")
    stream = models.OneToOneField(Stream, models.CASCADE, null=True, related_name="schedule")
    rule = models.JSONField()
    since = models.DateTimeField()
    changed_by = models.TextField()
    why = models.TextField()

    class Meta:
        db_table = "syncs_schedule"
        verbose_name = "schedule"
        constraints = (
            models.CheckConstraint(
                condition=Q(feed=None, stream__isnull=False) | Q(feed__isnull=False, stream=None),
                name="schedule_of_a_feed_or_a_stream",
            ),
        )

    def __str__(self) -> str:
        return in_words(self.schedule)

    @property
    def schedule(self) -> Schedule:
        """The rule as a value."""
        schedule: Schedule = msgspec.convert(self.rule, Schedule)
        return schedule

    @property
    def zone(self) -> ZoneInfo:
        """Where its times are told."""
        return ZoneInfo(self.tenant.time_zone)

    @property
    def holidays(self) -> frozenset[date]:
        """The days on which the tenant does no business."""
        return frozenset(self.tenant.holidays.values_list("day", flat=True))
