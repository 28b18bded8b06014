"""ExpiryNotice: one warning that a sign-in ends, made and sent once."""

from django.db import models

from connectors.models.connection import Connection
from connectors.models.tenant import Tenant


class ExpiryNotice(models.Model):
    """One connection, one expiry, one threshold: the row is there before anything is sent.

    `days` is how long before the end it warns, 0 for a sign-in that has ended. Until `claimed_until` somebody is
    sending it, or nobody tries; `closed_at` is when the expiry was put off.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="expiry_notices")
    what = models.CharField(max_length=30)
    expires_at = models.DateTimeField()
    days = models.IntegerField("days before")
    text = models.TextField()
    made_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    failure = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    sent_to = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "end of a sign-in"
        verbose_name_plural = "ends of sign-ins"
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "connection", "what", "expires_at", "days"), name="one_notice_of_a_threshold"
            ),
        )

    def __str__(self) -> str:
        return f"{self.text} ({self.connection})"
