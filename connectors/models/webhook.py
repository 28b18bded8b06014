"""WebhookDelivery: one webhook as it came. Hint: what it says has changed, at one company."""

from django.db import models

from connectors.models.app import App
from connectors.models.connection import Connection
from connectors.models.tenant import Tenant


class WebhookDelivery(models.Model):
    """What was posted to an app's address; partitioned by id, made by a migration.

    The body is kept unless it was not signed by the provider: of that the digest alone remains. The tenant is the
    app's: what comes to an app that tenants share belongs to none of them.
    """

    class Outcome(models.TextChoices):
        RECEIVED = "received", "not looked at yet"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused: not signed by the provider"
        UNREADABLE = "unreadable", "signed, but not understood"

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField(null=True)
    app = models.ForeignKey(App, models.DO_NOTHING, db_constraint=False, related_name="+")
    at = models.DateTimeField()
    outcome = models.TextField(choices=Outcome.choices)
    digest = models.TextField()
    body = models.BinaryField()
    hints = models.IntegerField()
    unknown = models.IntegerField("of unknown companies")
    why = models.TextField()

    class Meta:
        managed = False
        db_table = "connectors_webhook_delivery"
        verbose_name = "webhook"

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class Hint(models.Model):
    """A record that a webhook named; it waits until it is settled, in the commit that keeps what was fetched.

    Without a connection it is for a company that we do not know, and kept aside. `event` is the provider's id of the
    event, or the digest of what came where it gives none, so that what comes again is known. `merged_into` is the id of
    the record that took this one over, where it says so.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="hints")
    app = models.ForeignKey(App, models.CASCADE, related_name="+")
    account_id = models.CharField("company id", max_length=100)
    kind = models.CharField(max_length=30)
    remote_id = models.TextField("id there")
    merged_into = models.TextField(blank=True, db_default="")
    event = models.TextField()
    delivery_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "hint of a webhook"
        verbose_name_plural = "hints of webhooks"
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "app", "account_id", "event", "kind", "remote_id"),
                nulls_distinct=False,
                name="one_hint_of_an_event",
            ),
        )
        indexes = (
            models.Index(
                fields=("tenant", "connection", "id"), condition=models.Q(settled_at=None), name="hint_to_settle"
            ),
            models.Index(fields=("tenant", "connection", "kind", "remote_id"), name="hint_of_record"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.remote_id} of {self.account_id}"
