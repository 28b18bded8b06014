"""Replay: a person's order to send again everything that one problem holds."""

from django.db import models
from django.db.models import Q

from connectors.models import Tenant
from syncs.models.problem import Problem


class Replay(models.Model):
    """Carried out in sets in the background: `after_id` is how far it has come, `due_at` when the next set is due.

    `records` and `money` are what was held when it was ordered, `done` how many were sent back. Records up to
    `up_to_id` are meant; what is held later is not.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    problem = models.ForeignKey(Problem, models.CASCADE, related_name="replays")
    asked_by = models.TextField()
    why = models.TextField()
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    after_id = models.BigIntegerField(default=0)
    up_to_id = models.BigIntegerField()
    records = models.IntegerField()
    money = models.JSONField(default=dict)
    done = models.IntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    stopped_by = models.TextField(default="", blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "problem"), condition=Q(ended_at=None), name="one_replay_of_a_problem_at_a_time"
            ),
        )
        indexes = (models.Index(fields=("due_at",), condition=Q(ended_at=None), name="replay_due"),)

    def __str__(self) -> str:
        return f"replay of {self.problem}"
