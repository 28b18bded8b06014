"""Holiday: a day on which a tenant does no business."""

from django.db import models

from connectors.models import Tenant


class Holiday(models.Model):
    """One day of a tenant's list: schedules by business days leave it out, days of a cycle move past it."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="holidays")
    day = models.DateField()
    name = models.TextField(blank=True)

    class Meta:
        ordering = ("tenant", "day")
        constraints = (models.UniqueConstraint(fields=("tenant", "day"), name="one_holiday_of_a_day"),)

    def __str__(self) -> str:
        return f"{self.day:%a %-d %b %Y} {self.name}".strip()
