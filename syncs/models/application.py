"""Application: one payment × one bill or credit."""

from django.db import models

from connectors.models import Connection, Tenant
from syncs.models.remote_record import RemoteRecord


class Application(models.Model):
    """The part of one side's payment that settles one bill or credit of that side; minor units of the currency."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey(RemoteRecord, models.CASCADE, related_name="applications")
    place = models.IntegerField()
    target_kind = models.CharField(max_length=30)
    target_id = models.TextField()
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "payment", "place"), name="one_application_at_a_place"),
        )
        indexes = (models.Index(fields=("tenant", "connection", "target_kind", "target_id")),)

    def __str__(self) -> str:
        return f"application of {self.payment} to {self.target_kind} {self.target_id}"
