"""App: one registration of this installation with a provider."""

from django.db import models

from connectors.clock import unguessable
from connectors.models.tenant import Tenant
from connectors.vault import EncryptedJSONField


class App(models.Model):
    """Client id and secret with a provider; shared by all tenants, or belonging to one.

    `public_id` is the end of the address to which the provider posts its webhooks.
    """

    tenant = models.ForeignKey(
        Tenant,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="apps",
        help_text="Empty: every tenant may use it. Otherwise only this one.",
    )
    provider = models.CharField(max_length=40)
    environment = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    credentials = EncryptedJSONField(default=dict)
    public_id = models.CharField(max_length=64, unique=True, default=unguessable, editable=False)
    monthly_reads = models.BigIntegerField(
        "metered reads a month",
        null=True,
        blank=True,
        help_text="How many reads a month the provider allows this registration. Empty: not watched.",
    )

    class Meta:
        ordering = ("provider", "environment", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "provider", "environment", "name"),
                nulls_distinct=False,
                name="one_app_of_a_name",
                violation_error_message="There is already an app of this name for this provider and environment.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.provider}, {self.environment})"
