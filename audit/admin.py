"""The audit in the admin: to be read, by nobody to be changed."""

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from audit.models import Event, Seal

MOST_ROWS = 10_000


class NewestRows(Paginator[Any]):
    """Pages over the newest rows only, because counting all of them takes longer the older the audit gets."""

    @cached_property
    def count(self) -> int:
        return cast("QuerySet[Event]", self.object_list)[:MOST_ROWS].count()


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    paginator = NewestRows
    show_full_result_count = False
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """All staff may see everything."""
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="tenant")
    def tenant(self, row: Event | Seal) -> str | SafeString:
        """The tenant's number, as a link to what is only of this tenant."""
        if not row.tenant_id:
            return "installation"
        return format_html('<a href="?tenant_id={}">{}</a>', row.tenant_id, row.tenant_id)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "tenant", "sentence", "actor", "why"]
    search_fields = ["subject_id", "trace_id"]
    search_help_text = "A subject's id or a trace id, in full"
    ordering = ["-id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """By equality, since nothing else finds its way by an index."""
        if search_term:
            queryset = queryset.filter(Q(subject_id=search_term) | Q(trace_id=search_term))
        return queryset, False


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    list_display = ["at", "tenant", "number", "first", "last", "count", "hash"]
    ordering = ["-id"]
