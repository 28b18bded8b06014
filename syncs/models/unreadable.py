"""UnreadableRow: a row that a provider showed and we could not decode."""

from django.db import models

from connectors.models import Connection, Tenant


class UnreadableRow(models.Model):
    """Kept with the reason until the same object is readable again, so that nothing vanishes."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="unreadable_rows")
    kind = models.CharField(max_length=30)
    remote_id = models.TextField()
    why = models.TextField()
    raw = models.TextField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "connection", "kind", "remote_id"), name="one_unreadable_row_of_an_id"
            ),
        )

    def __str__(self) -> str:
        return f"unreadable {self.kind} {self.remote_id}: {self.why}"
