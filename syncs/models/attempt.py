"""Attempt: one try to deliver one revision."""

from django.db import models

from audit.models import WrittenJSON


class Attempt(models.Model):
    """Stored and committed before anything is sent: keys, place in the batch, deadline, and what exactly is sent.

    `outcome` is empty while it is under way. Partitioned by id.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField()
    sync_record_id = models.BigIntegerField()
    revision = models.IntegerField()
    action = models.TextField()
    record_key = models.TextField()
    request_key = models.TextField()
    batch = models.TextField()
    place = models.IntegerField()
    delivery_fingerprint = models.TextField()
    body_hash = models.TextField()
    body = WrittenJSON()
    context = WrittenJSON()
    link_id = models.TextField()
    link_version = models.TextField()
    fence = models.BigIntegerField()
    trace_id = models.TextField()
    started_at = models.DateTimeField()
    deadline = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.TextField()
    code = models.TextField()
    message = models.TextField()
    exchange_id = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "syncs_attempt"

    def __str__(self) -> str:
        return f"{self.action} (revision {self.revision})"
