"""What was read: feeds, remote records, and rows that could not be read."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from connectors.operations import StaffAdmin, View, by
from connectors.reality import present
from connectors.records import Kind, from_minor_units
from syncs import services
from syncs.mirror.pull import polled_in_words
from syncs.models import Feed, RemoteRecord, SyncRun, UnreadableRow


@admin.register(Feed)
class FeedAdmin(StaffAdmin):
    list_display = (
        "connection", "tenant", "now_reading", "polled", "read_at", "due_at", "records_read", "failures", "paused",
    )  # fmt: skip
    list_filter = ("tenant",)
    list_select_related = ("connection", "tenant")
    empty_text = "Feeds are made when two connections are paired."
    change_form_outer_before_template = "syncs/admin/feed.html"

    def acts(self) -> list[tuple[str, View]]:
        return [("read", require_POST(self.read))]

    @admin.display(description="reads now")
    def now_reading(self, feed: Feed) -> str:
        return f"every {feed.stage.replace('_', ' ')}" if feed.stage else "what changed"

    @admin.display(description="how often")
    def polled(self, feed: Any) -> str:
        return polled_in_words(feed, feed.now)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(now=Value(present().now())).defer("connection__credentials")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        feed = self.get_queryset(request).filter(pk=object_id).first()
        context = {**(extra_context or {}), **({"polled": self.polled(feed)} if feed else {})}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))

    def read(self, request: HttpRequest, id: int) -> HttpResponse:
        feed = get_object_or_404(Feed, pk=id)
        in_full = "in_full" in request.POST
        act = services.read_in_full if in_full else services.read_now
        act(feed=feed, by=by(request), now=present().now())
        messages.success(request, "It is read in full next." if in_full else "It is read next.")
        return redirect(self.address(feed))


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
    list_display = ("started_at", "what", "counts", "error")
    list_filter = ("tenant",)
    list_select_related = ("feed__connection", "stream__integration__erp", "stream__integration__ap_network")
    ordering = ("-id",)
    empty_text = "Nothing has run yet."

    @admin.display(description="of")
    def what(self, run: SyncRun) -> str:
        return str(run.feed or run.stream)
