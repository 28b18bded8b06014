"""Webhooks as they came, and what they named."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from connectors.models import Hint, WebhookDelivery
from connectors.operations import StaffAdmin

LABELS = {"accepted": "success", "refused": "danger", "unreadable": "warning", "received": "info"}


class OfAnUnknownCompany(admin.SimpleListFilter):
    """Hints that were kept aside, and the others."""

    title = "company"
    parameter_name = "company"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", "known"), ("unknown", "unknown, kept aside")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(connection__isnull=self.value() == "unknown")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(StaffAdmin):
    list_display = ("at", "app", "what_became_of_it", "hints", "unknown", "why")
    list_select_related = ("app",)
    list_filter = ("outcome",)
    fields = ("at", "app", "what_became_of_it", "hints", "unknown", "why", "digest", "text")
    ordering = ("-id",)
    empty_text = "No provider has sent a webhook yet. The page of an app shows the address to register."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("app__credentials")

    @display(description="what became of it", label=LABELS)  # type: ignore[untyped-decorator]
    def what_became_of_it(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.outcome, delivery.get_outcome_display()

    @admin.display(description="body")
    def text(self, delivery: WebhookDelivery) -> str:
        return bytes(delivery.body).decode("utf-8", "replace") or "not kept"


@admin.register(Hint)
class HintAdmin(StaffAdmin):
    list_display = ("received_at", "company", "kind", "remote_id", "settled_at")
    list_select_related = ("connection",)
    list_filter = (OfAnUnknownCompany, "kind")
    equal = {"account_id": "Company id", "remote_id": "id there", "event": "event"}
    ordering = ("-id",)
    empty_text = "No webhook has named a record yet."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("connection__credentials")

    @admin.display(description="company")
    def company(self, hint: Hint) -> str:
        return str(hint.connection) if hint.connection else f"{hint.account_id}: unknown, kept aside"
