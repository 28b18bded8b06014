"""What was delivered, what was not and why: sync records, problems, attempts."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from connectors.operations import Asked, ReasonForm, StaffAdmin, ask, by
from connectors.reality import present
from connectors.records import from_minor_units
from syncs import services
from syncs.admin.reading import story_link
from syncs.models import Attempt, Problem, SyncRecord
from syncs.selectors import amounts

AT_ONCE = 200
ACTS = {
    "replay": (services.replay, "Send again", "Each is sent again under a new request key; only held ones can be."),
    "ignore": (services.ignore, "Ignore for good", "Never sent, whatever changes; not while it may be on its way."),
    "stop_ignoring": (services.stop_ignoring, "Stop ignoring", "Delivered again like any other."),
}
STATE_LABELS = {
    "synced": "success", "held": "danger", "in_doubt": "warning", "waiting": "warning", "pending": "info",
    "sending": "info",
}  # fmt: skip


@admin.register(SyncRecord)
class SyncRecordAdmin(StaffAdmin):
    list_display = ("record", "kind", "standing", "amount", "reason", "next_attempt_at", "attempts", "story")
    list_filter = ("state", "stream__kind", "tenant")
    list_select_related = ("remote_record", "stream")
    equal = {"remote_record__number": "Number", "target_id": "id on the other side", "record_key": "record key"}
    ordering = ("-id",)
    actions = ("replay", "ignore", "stop_ignoring")  # type: ignore[assignment]
    empty_text = "Nothing to deliver yet: it comes with what is read."
    change_form_outer_before_template = "syncs/admin/syncrecord.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [path("decide/<slug:act>/", wrap(self.decide), name="syncs_syncrecord_decide")]
        return [*own, *super().get_urls()]

    @admin.display(description="record")
    def record(self, row: SyncRecord) -> str:
        return row.remote_record.number or row.remote_record.name or row.remote_record.remote_id

    @admin.display(description="kind")
    def kind(self, row: SyncRecord) -> str:
        return row.stream.kind.replace("_", " ")

    @display(description="state", label=STATE_LABELS)  # type: ignore[untyped-decorator]
    def standing(self, row: SyncRecord) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="amount")
    def amount(self, row: SyncRecord) -> str:
        remote = row.remote_record
        return (
            ""
            if remote.amount_minor is None
            else f"{from_minor_units(remote.amount_minor, remote.currency):,} {remote.currency}"
        )

    @admin.display(description="story")
    def story(self, row: SyncRecord) -> str | SafeString:
        return story_link(row.remote_record)

    @admin.action(description="Send again …")
    def replay(self, request: HttpRequest, chosen: QuerySet[SyncRecord]) -> HttpResponse:
        return self._ask_why("replay", chosen)

    @admin.action(description="Ignore for good …")
    def ignore(self, request: HttpRequest, chosen: QuerySet[SyncRecord]) -> HttpResponse:
        return self._ask_why("ignore", chosen)

    @admin.action(description="Stop ignoring …")
    def stop_ignoring(self, request: HttpRequest, chosen: QuerySet[SyncRecord]) -> HttpResponse:
        return self._ask_why("stop_ignoring", chosen)

    def _ask_why(self, act: str, chosen: QuerySet[SyncRecord]) -> HttpResponse:
        ids = ",".join(str(id) for id in chosen.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        return redirect(f"{reverse('admin:syncs_syncrecord_decide', args=[act])}?ids={ids}")

    def decide(self, request: HttpRequest, act: str) -> HttpResponse:
        """Asks why, then does it to each of the chosen; one that cannot be done stops none of the others."""
        back = reverse("admin:syncs_syncrecord_changelist")
        ids = [int(id) for id in request.GET.get("ids", "").split(",") if id.isdecimal()][:AT_ONCE]
        records = list(SyncRecord.objects.filter(pk__in=ids).select_related("remote_record", "stream"))
        if act not in ACTS or not records:
            messages.error(request, "Choose records from the list first.")
            return redirect(back)
        service, title, words = ACTS[act]

        def each(entered: dict[str, Any]) -> str:
            done = 0
            for record in records:
                try:
                    service(sync_record=record, by=by(request), now=present().now(), **entered)
                except ValidationError as refused:
                    if hasattr(refused, "error_dict"):
                        raise
                    messages.warning(request, " ".join(refused.messages))
                else:
                    done += 1
            return f"{title}: done for {done} of {len(records)}." if done else ""

        named = ", ".join(str(record.remote_record) for record in records[:5]) + (" …" if len(records) > 5 else "")
        only = self.address(records[0]) if len(records) == 1 else back
        asked = Asked(title=title, button=title, back=only, act=each, explanation=f"{named}. {words}")
        return ask(request, self, ReasonForm(request.POST or None), asked)


@admin.register(Problem)
class ProblemAdmin(StaffAdmin):
    list_display = ("cause", "who_acts", "remedy", "blocked", "records", "opened_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "actor", "code", "tenant")
    list_select_related = ("tenant",)
    ordering = ("-seen_at", "-id")
    empty_of_this_sort = "No problem of this sort"
    empty_text = "No problem: everything is in step, out of scope by a rule, or ignored by somebody."
    change_form_outer_before_template = "syncs/admin/problem.html"

    @admin.display(description="who acts")
    def who_acts(self, problem: Problem) -> str:
        return problem.actor

    @admin.display(description="money blocked")
    def blocked(self, problem: Problem) -> str:
        return amounts(problem.money)


@admin.register(Attempt)
class AttemptAdmin(StaffAdmin):
    list_display = ("started_at", "action", "revision", "sync_record_id", "outcome", "code", "message", "ended_at")
    list_filter = ("action", "outcome")
    equal = {"sync_record_id": "Sync record's id", "request_key": "request key", "trace_id": "trace id"}
    ordering = ("-id",)
    empty_text = "Nothing was sent yet."
