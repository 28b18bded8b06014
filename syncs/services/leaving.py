"""A problem that a person leaves as it is."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from syncs.models import Problem
from syncs.problems import leaving


def leave(*, problem: Problem, by: str, why: str, now: datetime) -> None:
    """Acknowledge it: nothing is sent, it stays visible as left, and it is back when what it rests on changes."""
    if not why.strip():
        raise ValidationError({"why": "Say why: it stays with the problem."})
    with transaction.atomic():
        locked = Problem.objects.select_for_update().get(pk=problem.pk)
        if locked.resolved_at is not None:
            raise ValidationError("It is resolved already.")
        if locked.left_at is not None:
            raise ValidationError(f"It is left as it is already, by {locked.left_by}.")
        leaving.leave(locked, by=by, why=why, now=now)
