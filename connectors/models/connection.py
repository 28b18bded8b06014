"""Connection: one tenant's authorised link to one provider."""

from django.db import models
from django.db.models import Q

from connectors.models.app import App
from connectors.models.tenant import Tenant
from connectors.vault import EncryptedJSONField


class Connection(models.Model):
    """One tenant's link to one provider: who we are there, whether it works, and what to do when it does not.

    Credentials live apart from settings, so that connecting again keeps every setting. `webhook_at` is when a verified
    webhook last named this company, `hinted_at` from when on something that it named is to be fetched, `doubted_at`
    when a reading last found what no webhook had told. `upkeep_at` is when its sign-in is looked at next.
    """

    class Status(models.TextChoices):
        NEW = "new", "not connected yet"
        CONNECTED = "connected", "connected"
        ATTENTION = "attention", "needs somebody to sign in again"
        PAUSED = "paused", "paused by a person"

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="connections")
    app = models.ForeignKey(App, models.PROTECT, related_name="connections")
    provider = models.CharField(max_length=40)
    environment = models.CharField(max_length=20)
    account_id = models.CharField(
        "company id", max_length=100, blank=True, help_text="The company's id with the provider; signing in fills it."
    )
    account_name = models.CharField("company name", max_length=200, blank=True, editable=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NEW, editable=False)
    attention = models.TextField(blank=True, editable=False)
    credentials = EncryptedJSONField(default=dict)
    settings = models.JSONField(default=dict, editable=False)
    findings = models.JSONField(default=list, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    webhook_at = models.DateTimeField(null=True, editable=False)
    hinted_at = models.DateTimeField(null=True, editable=False)
    doubted_at = models.DateTimeField(null=True, editable=False)
    upkeep_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("tenant", "provider")
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "environment", "account_id"),
                condition=~Q(account_id=""),
                name="one_connection_of_a_company",
                violation_error_message="This company is already connected.",
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "provider")),
            models.Index(fields=("hinted_at",), condition=~Q(hinted_at=None), name="connection_hinted"),
            models.Index(fields=("upkeep_at",), condition=~Q(status="new"), name="connection_upkeep"),
        )

    def __str__(self) -> str:
        return f"{self.account_name or self.account_id or 'not connected'} ({self.provider}, {self.environment})"
