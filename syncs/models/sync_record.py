"""SyncRecord: the delivery of one remote record in one stream."""

from django.db import models

from connectors.models import Tenant
from syncs.models.problem import Problem
from syncs.models.remote_record import RemoteRecord
from syncs.models.stream import Stream
from syncs.states import LABELS, State


class SyncRecord(models.Model):
    """The delivery of one remote record: its state, its revisions, and the record on the other side that it stands for.

    `wanted` counts the revisions that were to be sent, `sent` is the last that was tried, `settled` the last that the
    other side holds for sure. `target_id` is empty until the other side has it. `reason` says in plain words why the
    record stands where it stands. `attempt_id` is the attempt under way or in doubt. `scheduled_for` is when a schedule
    lets it be made on the other side; empty until it was asked. `taken_back` joins the ids of postings of ours that are
    taken back so that it is posted anew (`syncs.delivery.reposts`).
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    stream = models.ForeignKey(Stream, models.PROTECT, related_name="records", db_index=False)
    remote_record = models.ForeignKey(RemoteRecord, models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=20, choices=list(LABELS.items()), default=State.PENDING)
    record_key = models.CharField(max_length=32)
    wanted = models.IntegerField(default=1)
    sent = models.IntegerField(default=0)
    settled = models.IntegerField(default=0)
    wanted_fingerprint = models.TextField()
    settled_fingerprint = models.TextField(blank=True)
    trace_id = models.TextField()
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    scheduled_for = models.DateTimeField(null=True)
    attempt_id = models.BigIntegerField(null=True)
    target_id = models.TextField(blank=True)
    target_version = models.TextField(blank=True)
    taken_back = models.TextField(blank=True, default="", db_default="")
    waiting_kind = models.CharField(max_length=30, blank=True)
    waiting_id = models.TextField(blank=True)
    code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    problem = models.ForeignKey(Problem, models.SET_NULL, null=True, related_name="sync_records")
    synced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "stream", "remote_record"), name="one_delivery_of_a_record"),
            models.UniqueConstraint(fields=("tenant", "stream", "record_key"), name="one_delivery_of_a_key"),
        )
        indexes = (
            models.Index(fields=("tenant", "stream", "state", "next_attempt_at")),
            models.Index(fields=("tenant", "stream", "target_id")),
            models.Index(
                fields=("tenant", "waiting_kind", "waiting_id"),
                condition=models.Q(state="waiting"),
                name="sync_record_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.remote_record} ({self.get_state_display()})"

    @property
    def was_sent(self) -> bool:
        """Whether something of it stands, or once stood, on the other side."""
        return bool(self.settled or self.target_id)
