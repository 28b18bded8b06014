"""The rows of the audit; their tables are made by the SQL of the migration, with partitions, policies and refusals."""

from typing import Any

from django.db import models

from audit.verbs import say


class WrittenJSON(models.TextField[str, str]):
    """A `json` column read as the very text that was written, since its bytes are what is sealed."""

    def db_type(self, connection: Any) -> str:
        return "json"

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"{sql}::text", params


class Event(models.Model):
    """One thing that happened; never changed, never deleted but with its whole partition."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField(null=True, help_text="Empty for what concerns the whole installation.")
    at = models.DateTimeField()
    verb = models.TextField()
    subject_kind = models.TextField()
    subject_id = models.TextField()
    actor = models.TextField(help_text='"system" or the name of a person.')
    why = models.TextField(blank=True, help_text="The person's reason.")
    trace_id = models.TextField(blank=True)
    data = WrittenJSON()

    class Meta:
        db_table = "audit_event"

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        return say(self.verb, self.subject_kind, self.subject_id)


class EventOrder(models.Model):
    """The place of an event in its tenant's order: empty until a sealer is sure that nothing can come before it."""

    event_id = models.BigIntegerField(primary_key=True)
    tenant_id = models.BigIntegerField(help_text="0 for the installation.")
    transaction_id = models.BigIntegerField(help_text="The transaction that wrote the event.")
    number = models.BigIntegerField(null=True)
    digest = models.BinaryField(null=True, help_text="Of the event as it was when it got its number.")

    class Meta:
        db_table = "audit_eventorder"

    def __str__(self) -> str:
        return f"event {self.event_id}, number {self.number} of tenant {self.tenant_id}"


class Seal(models.Model):
    """What fixes a stretch of a tenant's events for ever, chained to the seal before."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField(help_text="0 for the installation.")
    number = models.BigIntegerField()
    first = models.BigIntegerField(help_text="Number of the first event.")
    last = models.BigIntegerField(help_text="Number of the last event.")
    count = models.BigIntegerField()
    root_hash = models.TextField()
    previous_hash = models.TextField()
    hash = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "audit_seal"

    def __str__(self) -> str:
        return f"seal {self.number} of tenant {self.tenant_id}"


class Sealing(models.Model):
    """Who seals a tenant's events now, and until when nobody else may."""

    tenant_id = models.BigIntegerField(primary_key=True, help_text="0 for the installation.")
    holder = models.TextField()
    fence = models.BigIntegerField()
    until = models.DateTimeField()

    class Meta:
        db_table = "audit_sealing"

    def __str__(self) -> str:
        return f"sealing of tenant {self.tenant_id} by {self.holder}"
