"""Reread: when a payment of the AP network is fetched again, since "paid" is not final."""

from django.db import models

from connectors.models import Connection, Tenant
from syncs.models.remote_record import RemoteRecord


class Reread(models.Model):
    """The next moment at which one payment is fetched by its id, whether or not a change of it is shown."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+", db_index=False)
    remote_record = models.OneToOneField(RemoteRecord, models.CASCADE, related_name="+")
    due_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("tenant", "connection", "due_at"), name="reread_due"),)

    def __str__(self) -> str:
        return f"{self.remote_record} at {self.due_at}"
