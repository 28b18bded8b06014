"""What was delivered, what was not and why: sync records and attempts."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from connectors.operations import Asked, ReasonForm, StaffAdmin, View, ask, by
from connectors.reality import present
from syncs import services
from syncs.admin.decisions import PAGES, offers
from syncs.admin.reading import story_link
from syncs.models import Attempt, Problem, SyncRecord
from syncs.story.tell import money

AT_ONCE = 200
MOST_DECISIONS = 20
LONGEST_ID = 19
ACTS = {
    "replay": (services.replay, "Send again", "Each is sent again under a new request key; only held ones can be."),
    "ignore": (services.ignore, "Ignore for good", ""),
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

    def acts(self) -> list[tuple[str, View]]:
        return [(act, partial(page, self)) for act, page in PAGES.items()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        found = SyncRecord.objects.select_related("remote_record", "stream__integration").filter(pk=object_id)
        if object_id.isdecimal() and (record := found.first()) is not None:
            shown = {"offers": list(offers(record)), "decisions": record.decisions.all()[:MOST_DECISIONS]}
        context = {**(extra_context or {}), **shown}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))

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
        return money(row.remote_record.amount_minor, row.remote_record.currency)

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
        if act not in ACTS:
            raise Http404(f"Records cannot be asked to {act}.")
        records, wrong = _chosen(request.GET.get("ids", ""))
        if wrong:
            return self._refuse(request, ACTS[act][1], wrong)
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

        words = words or _left_out(records)
        named = ", ".join(str(record.remote_record) for record in records[:5]) + (" …" if len(records) > 5 else "")
        asked = Asked(
            title=title, button=title, back=self._back(request, records), act=each, explanation=f"{named}. {words}"
        )
        return ask(request, self, ReasonForm(request.POST or None), asked)

    def _back(self, request: HttpRequest, records: Sequence[SyncRecord]) -> str:
        """Where they were chosen: the page of a problem, of the one record, or the list."""
        problem = request.GET.get("problem", "")
        if problem.isdecimal() and len(problem) < LONGEST_ID and Problem.objects.filter(pk=int(problem)).exists():
            return reverse("admin:syncs_problem_change", args=[int(problem)])
        return self.address(records[0]) if len(records) == 1 else reverse("admin:syncs_syncrecord_changelist")

    def _refuse(self, request: HttpRequest, title: str, wrong: Sequence[str]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.model._meta, "title": title, "wrong": wrong}
        return TemplateResponse(request, "syncs/admin/cannot_decide.html", context, status=400)


def _left_out(records: Sequence[SyncRecord]) -> str:
    """What ignoring means for what was not sent yet, and for what was."""
    sent = sum(record.was_sent for record in records)
    words = []
    if sent < len(records):
        words.append("Never sent, whatever changes; not while it may be on its way.")
    if sent:
        which = "It was sent already" if sent == len(records) == 1 else f"{sent} of them were sent already"
        words.append(f"{which}: what was sent stays on the other side as it is, and no change of it follows.")
    return " ".join(words)


def _chosen(text: str) -> tuple[list[SyncRecord], list[str]]:
    """The records of these ids, in their order, and a sentence for each thing that is wrong; then nothing is done."""
    asked = list(dict.fromkeys(id.strip() for id in text.split(",") if id.strip()))
    if not asked:
        return [], ["No record was chosen. Choose some from the list first."]
    if len(asked) > AT_ONCE:
        return [], [f"{len(asked)} records were chosen; choose at most {AT_ONCE} at a time."]
    ids = [id for id in asked if id.isdecimal() and len(id) < LONGEST_ID]
    rows = {
        str(row.pk): row
        for row in SyncRecord.objects.filter(pk__in=[int(id) for id in ids]).select_related("remote_record", "stream")
    }
    wrong = [f"“{id[:50]}” is no record's number." for id in asked if id not in ids]
    wrong += [f"There is no record {id}." for id in ids if str(int(id)) not in rows]
    return list(rows.values()), wrong


@admin.register(Attempt)
class AttemptAdmin(StaffAdmin):
    list_display = ("started_at", "action", "revision", "sync_record_id", "outcome", "code", "message", "ended_at")
    list_filter = ("action", "outcome")
    equal = {"sync_record_id": "Sync record's id", "request_key": "request key", "trace_id": "trace id"}
    ordering = ("-id",)
    empty_text = "Nothing was sent yet."
