"""Mapping: what stands for what on the other side, and since when."""

from django.db import models
from django.db.models import Q

from connectors.models import Tenant
from syncs.models.integration import Integration


class Mapping(models.Model):
    """One effective-dated answer of a person; the one in force has no end. Rows are ended, never changed."""

    class Subject(models.TextChoices):
        FUNDING_ACCOUNT = "funding_account", "bank account that payments are posted to, by method"
        IN_TRANSIT = "in_transit", "payments in transit"
        DISCOUNT = "discount", "discounts taken"
        TAX = "tax", "tax on bills and credits"
        CODE = "code", "account or dimension that the AP network has under a code of its own"

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="mappings")
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="mappings")
    subject = models.CharField(max_length=40, choices=Subject.choices)
    source = models.TextField(help_text="The payment method, or * for every other; or a kind and id in the ERP.")
    target = models.TextField(help_text="The account's id in the ERP; of a code, its id at the AP network.")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    changed_by = models.TextField()
    why = models.TextField()

    class Meta:
        ordering = ("integration", "subject", "source", "-valid_from")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "integration", "subject", "source"),
                condition=Q(valid_to=None),
                name="one_mapping_in_force",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} {self.source} → {self.target}"
