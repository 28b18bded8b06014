"""Decision: what a person decided about one delivery, and whether it still holds."""

from django.db import models
from django.db.models import Q

from connectors.models import Tenant
from syncs.models.sync_record import SyncRecord


class Decision(models.Model):
    """One decision with who and why; ended, never changed, when it no longer holds.

    LINK: the payment is `target_id` of the ERP, which is not ours; it explains what is settled of `bills`, and
    `money` is what the payment was then. BILL: the network's invoice `source_id` is the bill `target_id` of the ERP.
    VENDOR: the vendor is `target_id` of the network. POST: the objection of this `code` and `reason` is overruled for
    `revision`, once a second person has confirmed it.
    """

    class What(models.TextChoices):
        LINK = "link", "linked to a payment of the ERP"
        BILL = "bill", "an invoice linked to its bill"
        VENDOR = "vendor", "linked to a vendor that is there"
        POST = "post", "posted anyway"

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    sync_record = models.ForeignKey(SyncRecord, models.PROTECT, related_name="decisions")
    what = models.CharField(max_length=20, choices=What.choices)
    source_id = models.TextField(blank=True)
    target_id = models.TextField(blank=True)
    bills = models.JSONField(default=list)
    money = models.TextField(blank=True)
    code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    revision = models.IntegerField(default=0)
    decided_by = models.TextField()
    why = models.TextField()
    decided_at = models.DateTimeField()
    confirmed_by = models.TextField(blank=True)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-decided_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "sync_record", "what", "source_id"),
                condition=Q(ended_at=None) & ~Q(what="post"),
                name="one_decision_in_force",
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "what", "target_id"), condition=Q(ended_at=None), name="decision_of_target"),
            models.Index(fields=("tenant", "what", "source_id"), condition=Q(ended_at=None), name="decision_of_source"),
        )

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.sync_record_id}"
