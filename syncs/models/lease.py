"""Lease: who works on a feed or a stream now."""

from django.db import models


class Leased(models.Model):
    """A row that one slice of work holds at a time.

    `fence` rises each time it is taken; every commit of the slice checks that it is still its own. `due_at` is when
    there is something to do, `woken_until` until when a wake-up is under way, `leases_lost`
    how often a slice took longer than its lease. `paused` is a person's act, with when, who and why.
    """

    holder = models.TextField(blank=True)
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    woken_until = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    leases_lost = models.IntegerField(default=0)
    paused = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.TextField(default="", db_default="", blank=True)
    paused_why = models.TextField(default="", db_default="", blank=True)

    class Meta:
        abstract = True
