"""The admin's first page and its sidebar, in the order of a day's work: what is wrong, what moved, what is set up."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from connectors.models import Connection, Tenant
from syncs.models import Integration, Problem
from syncs.selectors import amounts, open_problems, paused_work

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Work",
        (
            ("Problems", "error", "admin:syncs_problem_changelist"),
            ("Held records", "pan_tool", "admin:syncs_syncrecord_changelist"),
            ("Bills", "receipt_long", "syncs:bills"),
        ),
    ),
    (
        "What moved",
        (
            ("Attempts", "send", "admin:syncs_attempt_changelist"),
            ("Records seen", "visibility", "admin:syncs_remoterecord_changelist"),
            ("Unreadable rows", "help_center", "admin:syncs_unreadablerow_changelist"),
            ("Exchanges", "swap_horiz", "admin:connectors_exchange_changelist"),
            ("Webhooks", "webhook", "admin:connectors_webhookdelivery_changelist"),
            ("Hints of webhooks", "notifications", "admin:connectors_hint_changelist"),
            ("Metered reads", "speed", "admin:connectors_meteredreads_changelist"),
            ("Runs", "history", "admin:syncs_syncrun_changelist"),
        ),
    ),
    (
        "Set-up",
        (
            ("Tenants", "apartment", "admin:connectors_tenant_changelist"),
            ("Apps", "key", "admin:connectors_app_changelist"),
            ("Connections", "link", "admin:connectors_connection_changelist"),
            ("Ends of sign-ins", "schedule", "admin:connectors_expirynotice_changelist"),
            ("Integrations", "sync_alt", "admin:syncs_integration_changelist"),
            ("Mappings", "account_tree", "admin:syncs_mapping_changelist"),
            ("Policies", "rule", "admin:syncs_policy_changelist"),
            ("Feeds", "rss_feed", "admin:syncs_feed_changelist"),
            ("Streams", "water", "admin:syncs_stream_changelist"),
            ("Holidays", "event_busy", "admin:syncs_holiday_changelist"),
        ),
    ),
    (
        "Audit and people",
        (
            ("Audit", "fact_check", "admin:audit_event_changelist"),
            ("Seals", "verified", "admin:audit_seal_changelist"),
            ("Users", "group", "admin:auth_user_changelist"),
        ),
    ),
)
QUERIES = {
    "admin:syncs_problem_changelist": "?resolved_at__isempty=1",
    "admin:syncs_syncrecord_changelist": "?state__exact=held",
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar with their links."""
    return [
        {
            "title": title,
            "separator": True,
            "items": [
                {
                    "title": name,
                    "icon": icon,
                    "link": reverse(view) + QUERIES.get(view, ""),
                    "active": request.path.startswith(reverse(view)),
                    **({"badge": open_problems()} if name == "Problems" else {}),
                }
                for name, icon, view in items
                if name != "Users" or getattr(request.user, "is_superuser", False)
            ],
        }
        for title, items in GROUPS
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's first page shows: what needs somebody."""
    unwell = Connection.objects.exclude(status=Connection.Status.CONNECTED).select_related("tenant")
    problems = Problem.objects.filter(resolved_at=None).select_related("tenant")[:15]
    return {
        **context,
        "title": "Today",
        "problems": [(problem, amounts(problem.money)) for problem in problems],
        "unwell": unwell.defer("credentials")[:15],
        "has_tenants": Tenant.objects.exists(),
        "paused": paused_work(),
        "inactive": Integration.objects.filter(active=False).select_related("tenant", "erp", "ap_network")[:15],
    }
