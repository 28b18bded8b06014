"""StoppedInvoice: an invoice, or a payment of some, that stands still at the AP network."""

from django.db import models

from connectors.models import Connection, Tenant
from syncs.models.problem import Problem
from syncs.models.remote_record import RemoteRecord


class StoppedInvoice(models.Model):
    """One invoice that is rejected, unusable or on hold there, or one payment that is pending, or by policy waits to
    clear, and since when; gone once it moves on.

    `problem` is what was opened for it: at once, or when it had been standing for too long.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+", db_index=False)
    remote_record = models.OneToOneField(RemoteRecord, models.CASCADE, related_name="stopped")
    status = models.TextField()
    since = models.DateTimeField()
    problem = models.ForeignKey(Problem, models.SET_NULL, null=True, related_name="stopped_invoices")

    class Meta:
        indexes = (models.Index(fields=("tenant", "connection"), name="stopped_invoice_of"),)

    def __str__(self) -> str:
        return f"{self.remote_record}: {self.status}"
