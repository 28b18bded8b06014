"""Feeds and streams: what each does now and when it does it next, and the acts of people on them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.decorators import display

from connectors.models import Tenant
from connectors.operations import Asked, ReasonForm, StaffAdmin, View, ask, by
from connectors.reality import present
from syncs import services
from syncs.admin.words import described, polled_in_words, progress_in_words
from syncs.models import Feed, Holiday, ScheduleRow, Stream
from syncs.runs import Progress, delivery_progress, reading_progress
from syncs.schedule_forms import HolidaysForm, ScheduleForm, schedule_in_words
from syncs.timing import next_times, schedule_of

PAUSED_MEANS = {
    Feed: "While it is paused nothing is read of it: what changes there is noticed, and what has to be stopped is "
    "stopped, only once somebody resumes it.",
    Stream: "While it is paused nothing of this kind is sent, changed, stopped or voided on the other side.",
}
MOST_RUNS = 10
Act = Callable[[dict[str, Any]], str]


class WorkAdmin(StaffAdmin):
    """What the pages of feeds and streams have in common."""

    list_filter: tuple[str, ...] = ("paused", "tenant")

    @display(description="stands", label={"paused": "danger", "running": "success"})  # type: ignore[untyped-decorator]
    def stands(self, row: Feed | Stream) -> tuple[str, str]:
        return ("paused", f"paused by {row.paused_by}" if row.paused_by else "paused") if row.paused else RUNNING

    @admin.display(description="schedule")
    def goes_by(self, row: Feed | Stream) -> str:
        return schedule_in_words(row, getattr(row, "schedule", None))

    def in_words(self, row: Any, chosen: ScheduleRow | None, now: datetime) -> str:
        """When it runs."""
        return schedule_in_words(row, chosen)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        row = self.model.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is not None:
            chosen, now = schedule_of(row), present().now()
            shown = {
                "paused_means": PAUSED_MEANS[self.model],
                "schedule": chosen,
                "goes_by": self.in_words(row, chosen, now),
                "next_times": _in_its_time(chosen, now) if chosen else "",
                "zone": row.tenant.time_zone,
                "progress": progress_in_words(_progress(row, now)),
                "runs": [described(run) for run in row.runs.order_by("-id")[:MOST_RUNS]],
            }
        return cast(HttpResponse, super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown}))

    def pause(self, request: HttpRequest, id: int) -> HttpResponse:
        row = self._row(request, id)

        def act(entered: dict[str, Any]) -> str:
            paused = services.pause(row=row, by=by(request), now=present().now(), **entered)
            return "Paused. What is under way ends; nothing is lost." if paused else "It was paused already."

        return self._ask(request, row, "Pause", act, PAUSED_MEANS[self.model])

    def resume(self, request: HttpRequest, id: int) -> HttpResponse:
        row = self._row(request, id)

        def act(entered: dict[str, Any]) -> str:
            resumed = services.resume(row=row, by=by(request), now=present().now(), **entered)
            return "Resumed. It goes on from where it stood." if resumed else "It was running already."

        return self._ask(request, row, "Resume", act, "It goes on at once from where it stood.")

    def set_schedule(self, request: HttpRequest, id: int) -> HttpResponse:
        row = self._row(request, id)

        def act(entered: dict[str, Any]) -> str:
            why = entered["why"]
            services.set_schedule(row=row, schedule=entered["schedule"], by=by(request), why=why, now=present().now())
            return f"From now on: {schedule_in_words(row, schedule_of(row))}."

        form = ScheduleForm(row, schedule_of(row), request.POST or None)
        words = f"Times are those of {row.tenant.time_zone}. {SCHEDULED_MEANS[self.model]}"
        return self._ask(request, row, "Schedule", act, words, form, button="From now on")

    def _row(self, request: HttpRequest, id: int) -> Any:
        return get_object_or_404(self.get_queryset(request), pk=id)

    def _ask(
        self,
        request: HttpRequest,
        row: Feed | Stream,
        title: str,
        act: Act,
        words: str,
        form: forms.Form | None = None,
        button: str = "",
    ) -> HttpResponse:
        asked = Asked(
            title=f"{title}: {self.named(row)}",
            button=button or title,
            back=self.address(row),
            act=act,
            explanation=words,
        )
        return ask(request, self, form or ReasonForm(request.POST or None), asked)

    def named(self, row: Any) -> str:
        """What people call it."""
        raise TypeError(f"{type(self).__name__} does not say")


def _progress(row: Feed | Stream, now: datetime) -> Progress | None:
    return reading_progress(row) if isinstance(row, Feed) else delivery_progress(row, now)


def _in_its_time(chosen: ScheduleRow, now: datetime) -> str:
    return ", ".join(f"{moment.astimezone(chosen.zone):%a %-d %b %H:%M %Z}" for moment in next_times(chosen, now))


RUNNING = ("running", "running")
SCHEDULED_MEANS = {
    Feed: "However rarely it is read, everything is read and compared once a day. What is deleted or paid by hand in "
    "between is stopped on the other side only when it is read, so read often.",
    Stream: "New records wait for their time. A change, a stop or a void of what was sent already never waits.",
}


@admin.register(Holiday)
class HolidayAdmin(StaffAdmin):
    list_display = ("day", "name", "tenant")
    list_filter = ("tenant",)
    empty_text = "No holidays yet. They are entered on the page of a tenant."

    def acts(self) -> list[tuple[str, View]]:
        return [("set", self.set)]

    def set(self, request: HttpRequest, id: int) -> HttpResponse:
        """The list of the tenant with this id."""
        tenant = get_object_or_404(Tenant, pk=id)

        def act(entered: dict[str, Any]) -> str:
            services.set_holidays(tenant=tenant, by=by(request), now=present().now(), **entered)
            return "Kept. What waits for a schedule is timed anew."

        asked = Asked(
            title=f"Holidays of {tenant}",
            button="Keep",
            back=self.address(tenant),
            act=act,
            explanation="Schedules by business days leave these out; a payment day that falls on one moves past it.",
        )
        return ask(request, self, HolidaysForm(tenant, request.POST or None), asked)


@admin.register(Feed)
class FeedAdmin(WorkAdmin):
    list_display = (
        "connection", "tenant", "stands", "now_reading", "goes_by", "read_at", "due_at", "records_read", "failures",
    )  # fmt: skip
    list_select_related = ("connection", "tenant", "schedule")
    empty_text = "Feeds are made when two connections are paired."
    change_form_outer_before_template = "syncs/admin/feed.html"
    fields = ("connection", "tenant", "cursor", "changes_cursor", "sweep", "full_after", "holder", "lease_until")

    def acts(self) -> list[tuple[str, View]]:
        return [
            ("read", self.read),
            ("read_in_full", self.read_in_full),
            ("pause", self.pause),
            ("resume", self.resume),
            ("schedule", self.set_schedule),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        feeds = Feed.objects.select_related("connection", "tenant", "schedule").defer("connection__credentials")
        return feeds.annotate(now=Value(present().now()))

    @admin.display(description="schedule")
    def goes_by(self, row: Any) -> str:
        return self.in_words(row, getattr(row, "schedule", None), row.now)

    @admin.display(description="reads now")
    def now_reading(self, feed: Feed) -> str:
        return f"every {feed.stage.replace('_', ' ')}" if feed.stage else "what changed"

    def in_words(self, row: Feed, chosen: ScheduleRow | None, now: datetime) -> str:
        """With healthy webhooks a feed without a schedule is polled more rarely."""
        return super().in_words(row, chosen, now) if chosen else polled_in_words(row, now)

    def read(self, request: HttpRequest, id: int) -> HttpResponse:
        feed = self._row(request, id)

        def act(entered: dict[str, Any]) -> str:
            services.read_now(feed=feed, by=by(request), now=present().now(), **entered)
            return "It is read next."

        return self._ask(request, feed, "Read now", act, "What changed since the last time is asked for at once.")

    def read_in_full(self, request: HttpRequest, id: int) -> HttpResponse:
        feed = self._row(request, id)

        def act(entered: dict[str, Any]) -> str:
            services.read_in_full(feed=feed, by=by(request), now=present().now(), **entered)
            return "It is read in full next."

        words = "Everything is read and compared, as every night. It takes as many requests as a first reading."
        return self._ask(request, feed, "Read everything again", act, words)

    def named(self, row: Feed) -> str:
        return f"reading {row.connection}"


@admin.register(Stream)
class StreamAdmin(WorkAdmin):
    list_display = ("named", "integration", "stands", "goes_by", "due_at", "failures")
    list_filter = ("kind", "paused", "tenant")
    list_select_related = ("integration__erp", "integration__ap_network", "schedule")
    empty_text = "Streams are made with an integration."
    change_form_outer_before_template = "syncs/admin/stream.html"
    fields = ("integration", "tenant", "kind", "holder", "lease_until")

    def acts(self) -> list[tuple[str, View]]:
        return [
            ("deliver", self.deliver),
            ("pause", self.pause),
            ("resume", self.resume),
            ("schedule", self.set_schedule),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return Stream.objects.select_related("integration__erp", "integration__ap_network", "tenant", "schedule")

    def deliver(self, request: HttpRequest, id: int) -> HttpResponse:
        stream = self._row(request, id)

        def act(entered: dict[str, Any]) -> str:
            hastened = services.deliver_now(stream=stream, by=by(request), now=present().now(), **entered)
            return f"Delivered next: {hastened} that waited for their time, and all that is due."

        words = "What waits for its schedule or for its next try is delivered at once."
        return self._ask(request, stream, "Deliver now", act, words)

    @admin.display(description="what", ordering="kind")
    def named(self, row: Stream) -> str:
        return f"delivering {row.kind.replace('_', ' ')}s"
