"""RemoteRecord: what a connection last showed us of one object."""

from django.db import models

from audit.models import WrittenJSON
from connectors.models import Connection, Tenant


class RemoteRecord(models.Model):
    """One object of one provider as last seen: typed columns for what is searched or summed, and its canonical body.

    `key` is the record key that it carries there, in an external id or a memo: what it is a copy of, if we sent it.
    Written in sets by `syncs.mirror.observe` alone.
    """

    class Gone(models.TextChoices):
        DELETED = "deleted", "deleted there"
        MERGED = "merged", "merged into another"

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="remote_records", db_index=False)
    kind = models.CharField(max_length=30)
    remote_id = models.TextField()
    version = models.TextField()
    version_number = models.BigIntegerField(null=True)
    modified_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    revision = models.IntegerField(default=1)
    sweep = models.IntegerField(default=0)
    fingerprint = models.TextField()
    gone = models.TextField(blank=True, choices=Gone.choices)
    merged_into = models.TextField(blank=True)
    number = models.TextField(blank=True)
    name = models.TextField(blank=True)
    party_id = models.TextField(blank=True)
    date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    balance_minor = models.BigIntegerField(null=True)
    status = models.TextField(blank=True)
    key = models.TextField(blank=True)
    body = WrittenJSON()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "connection", "kind", "remote_id"), name="one_remote_record_of_an_id"
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "kind", "number")),
            models.Index(fields=("tenant", "connection", "kind", "sweep"), name="remote_record_sweep"),
            models.Index(
                fields=("tenant", "connection", "key"), condition=~models.Q(key=""), name="remote_record_of_key"
            ),
            models.Index(
                fields=("tenant", "connection", "party_id"),
                condition=models.Q(kind="image"),
                name="remote_record_files_of",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.number or self.name or self.remote_id}"
