"""RemoteRevision: how an object looked before and after each change."""

from django.db import models

from audit.models import WrittenJSON


class RemoteRevision(models.Model):
    """One state of a remote record; append-only, partitioned by id."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField()
    remote_record_id = models.BigIntegerField()
    revision = models.IntegerField()
    version = models.TextField()
    fingerprint = models.TextField()
    gone = models.TextField()
    observed_at = models.DateTimeField()
    trace_id = models.TextField()
    body = WrittenJSON()

    class Meta:
        managed = False
        db_table = "syncs_remote_revision"

    def __str__(self) -> str:
        return f"revision {self.revision} of remote record {self.remote_record_id}"
