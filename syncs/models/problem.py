"""Problem: one root cause, with all the records and the money that it blocks."""

import re

from django.db import models
from django.db.models import Q

from connectors.models import Connection, Tenant
from syncs.models.integration import Integration

SENTENCE_END = re.compile(r"(?<=\w[.!?]) ")


class Problem(models.Model):
    """One cause that somebody has to clear; open until what it blocked has gone through.

    `cause_key` makes records with the same cause share one problem. Money is kept per currency in minor units. One that
    a person leaves as it is says who and why; `left_facts` is what it rested on then, and when that changes it is back.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="problems")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="problems")
    connection = models.ForeignKey(Connection, models.PROTECT, null=True, related_name="problems")
    code = models.CharField(max_length=60)
    cause_key = models.TextField()
    cause = models.TextField()
    actor = models.CharField(max_length=40)
    remedy = models.TextField()
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    records = models.IntegerField(default=0)
    money = models.JSONField(default=dict)
    left_at = models.DateTimeField(null=True)
    left_by = models.TextField(blank=True, db_default="")
    left_why = models.TextField(blank=True, db_default="")
    left_facts = models.TextField(blank=True, db_default="")

    class Meta:
        ordering = ("-seen_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "code", "cause_key"),
                condition=Q(resolved_at=None),
                name="one_open_problem_of_a_cause",
            ),
        )
        indexes = (models.Index(fields=("tenant", "resolved_at")),)

    def __str__(self) -> str:
        return self.headline

    @property
    def headline(self) -> str:
        """What is wrong, in one sentence."""
        return SENTENCE_END.split(self.cause, maxsplit=1)[0]

    @property
    def detail(self) -> str:
        """What is known beyond the headline; a provider often says the same once more."""
        return " ".join(sentence for sentence in SENTENCE_END.split(self.cause)[1:] if sentence != self.headline)
