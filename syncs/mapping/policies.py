"""The policies that there are, their defaults, and which value is in force."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from django.db.models import Q

from syncs.models import Policy

DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "currencies": ["USD"],
        "pending_payments": True,
        "required_dimensions": [],
        "hold_days": 5,
        "closed_period": "hold",
        "changed_applications": "hold",
        "reversal_entry": False,
        "post_on": "executed",
    }
)
# Of a policy that is one of some words.
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "closed_period": ("hold", "first_open_day"),
        "changed_applications": ("hold", "post_anew"),
        "post_on": ("executed", "cleared"),
    }
)


def policies_in_force(integration_id: int, *, at: datetime) -> dict[str, object]:
    """Every policy's value at this time."""
    chosen = Policy.objects.order_by("key", "-valid_from").filter(
        Q(valid_to=None) | Q(valid_to__gt=at), integration_id=integration_id, valid_from__lte=at
    )
    return {**DEFAULTS, **dict(chosen.values_list("key", "value"))}
