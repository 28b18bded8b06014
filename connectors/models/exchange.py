"""Exchange: one HTTP request and its answer, redacted."""

from django.db import models


class Exchange(models.Model):
    """What was sent to a provider and what came back, for support; partitioned by id, made by the first migration."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField()
    connection_id = models.BigIntegerField()
    at = models.DateTimeField()
    trace_id = models.TextField()
    method = models.TextField()
    url = models.TextField()
    status = models.IntegerField(null=True)
    seconds = models.DecimalField(max_digits=10, decimal_places=3)
    request_id = models.TextField()
    request_body = models.TextField()
    answer_body = models.TextField()
    error = models.TextField()

    class Meta:
        managed = False
        db_table = "connectors_exchange"

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
