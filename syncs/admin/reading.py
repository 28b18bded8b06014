"""What was read: feeds, remote records, and rows that could not be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from connectors.operations import StaffAdmin
from connectors.records import Kind, from_minor_units
from syncs.admin.words import counts_in_words, length_in_words, speed_in_words
from syncs.models import RemoteRecord, SyncRun, UnreadableRow


@admin.register(RemoteRecord)
class RemoteRecordAdmin(StaffAdmin):
    list_display = ("number_or_name", "kind", "connection", "date", "amount", "status", "gone", "seen_at", "story")
    list_filter = ("kind", "connection", "gone")
    list_select_related = ("connection",)
    equal = {"number": "Number", "remote_id": "id there"}
    ordering = ("-id",)
    empty_text = "Nothing was read yet. An active integration reads by itself."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("connection__credentials")

    @admin.display(description="record")
    def number_or_name(self, row: RemoteRecord) -> str:
        return " ".join(filter(None, (row.number, row.name))) or row.remote_id

    @admin.display(description="amount")
    def amount(self, row: RemoteRecord) -> str:
        return (
            "" if row.amount_minor is None else f"{from_minor_units(row.amount_minor, row.currency):,} {row.currency}"
        )

    @admin.display(description="story")
    def story(self, row: RemoteRecord) -> str | SafeString:
        return story_link(row)


def story_link(row: RemoteRecord) -> str | SafeString:
    """A link to the bill's story; nothing for other kinds."""
    if row.kind != Kind.BILL:
        return ""
    return format_html('<a href="{}">story</a>', reverse("syncs:bill", args=[row.pk]))


@admin.register(UnreadableRow)
class UnreadableRowAdmin(StaffAdmin):
    list_display = ("kind", "remote_id", "connection", "why", "seen_at")
    list_filter = ("kind", "connection")
    list_select_related = ("connection",)
    equal = {"remote_id": "Id there"}
    ordering = ("-seen_at",)
    empty_text = "Every row that was shown to us could be read."


@admin.register(SyncRun)
class SyncRunAdmin(StaffAdmin):
    list_display = ("started_at", "run", "standing", "lasted_for", "numbers", "speed", "error")
    list_filter = ("under_way", "tenant")
    list_select_related = ("feed__connection", "stream__integration__erp", "stream__integration__ap_network")
    ordering = ("-id",)
    empty_text = "Nothing has run yet. Runs are kept for 90 days."

    @admin.display(description="run")
    def run(self, run: SyncRun) -> str:
        return f"{run.what}: {run.feed.connection}" if run.feed else f"{run.what}: {run.stream}"

    @display(description="stands", label={"under way": "info"})  # type: ignore[untyped-decorator]
    def standing(self, run: SyncRun) -> str:
        return "under way" if run.under_way else "ended"

    @admin.display(description="lasted")
    def lasted_for(self, run: SyncRun) -> str:
        return length_in_words(run.lasted)

    @admin.display(description="numbers")
    def numbers(self, run: SyncRun) -> str:
        return counts_in_words(run)

    @admin.display(description="records a second")
    def speed(self, run: SyncRun) -> str:
        return speed_in_words(run.per_second)
