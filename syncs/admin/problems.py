"""Problems: what is wrong, what it blocks, and everything that a person can do about it from one page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors.conversation import BUDGET_SPENT
from connectors.operations import Asked, ReasonForm, StaffAdmin, View, ask, by
from connectors.reality import present
from syncs import services
from syncs.admin.decisions import Act, leave, offers
from syncs.admin.deliveries import ACTS, AT_ONCE
from syncs.models import Problem, SyncRecord
from syncs.selectors import amounts, stopped_invoices, stories_of
from syncs.states import State
from syncs.story.tell import money

MOST_SHOWN = 50
NOT_TO_IGNORE = (State.SENDING, State.IN_DOUBT, State.SYNCED, State.IGNORED)
# What is decided once for the whole integration, by the code of the problem: the page that asks, and its button.
DECIDED_FOR_ALL = {
    "unmapped_funding_account": (("mapping", "Map an account"),),
    "unmapped_in_transit": (("mapping", "Map an account"), ("policy_pending_payments", "Pending payments")),
}
READ_AGAIN = ("reference_unknown",)


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """One record that the problem blocks."""

    record: SyncRecord
    amount: str
    reason: str
    story: int | None


@admin.register(Problem)
class ProblemAdmin(StaffAdmin):
    list_display = ("what", "blocked", "records", "who_acts", "opened_at", "left", "resolved_at")
    list_filter = (
        ("resolved_at", admin.EmptyFieldListFilter),
        ("left_at", admin.EmptyFieldListFilter),
        "actor",
        "code",
        "tenant",
    )
    list_select_related = ("tenant",)
    fields = ("tenant", "integration", "connection", "code", "opened_at", "seen_at", "resolved_at")
    ordering = ("-seen_at", "-id")
    empty_of_this_sort = "No problem of this sort"
    empty_text = "No problem: everything is in step, out of scope by a rule, or ignored by somebody."
    change_form_outer_before_template = "syncs/admin/problem.html"

    @admin.display(description="cause, and what to do", ordering="cause")
    def what(self, problem: Problem) -> str | SafeString:
        words = '<span class="broad">{}<span class="under-text">{}</span><strong>{}</strong></span>'
        return format_html(words, problem.headline, problem.detail, problem.remedy)

    @admin.display(description="who acts", ordering="actor")
    def who_acts(self, problem: Problem) -> str:
        return problem.actor

    @admin.display(description="left as it is", ordering="left_at")
    def left(self, problem: Problem) -> str:
        return f"by {problem.left_by}" if problem.left_at else ""

    @admin.display(description="money blocked")
    def blocked(self, problem: Problem) -> str:
        return amounts(problem.money)

    def acts(self) -> list[tuple[str, View]]:
        return [("replay", self.replay), ("stop_replay", self.stop_replay), ("leave", partial(leave, self))]

    def replay(self, request: HttpRequest, id: int) -> HttpResponse:
        """Asks why, with how many records and how much money it is about."""
        problem = get_object_or_404(Problem, pk=id)
        found = services.preview(problem)

        def act(entered: dict[str, Any]) -> str:
            replay = services.replay_all(problem=problem, by=by(request), now=present().now(), **entered)
            return f"{replay.records:,} are sent again, {AT_ONCE} at a time."

        words = f"{counted(found.records)}, {amounts(found.money) or 'no money'}. {ACTS['replay'][2]}"
        asked = Asked(
            title=f"Send again what this holds: {problem.headline}",
            button="Send again",
            back=self.address(problem),
            act=act,
            explanation=words,
        )
        return ask(request, self, ReasonForm(request.POST or None), asked)

    def stop_replay(self, request: HttpRequest, id: int) -> HttpResponse:
        problem = get_object_or_404(Problem, pk=id)

        def act(entered: dict[str, Any]) -> str:
            stopped = services.stop_replay(problem=problem, by=by(request), now=present().now(), **entered)
            return "Stopped. What was sent back already stays so." if stopped else "Nothing was being sent again."

        asked = Asked(
            title=f"Stop sending again: {problem.headline}",
            button="Stop",
            back=self.address(problem),
            act=act,
            explanation="What was sent back already is delivered; the rest stays held.",
        )
        return ask(request, self, ReasonForm(request.POST or None), asked)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        found = Problem.objects.select_related("integration", "connection").filter(pk=object_id)
        if object_id.isdecimal() and (problem := found.first()) is not None:
            known = problem.sync_records.select_related("remote_record", "stream__integration", "problem")
            records = list(known.order_by("pk")[:AT_ONCE])
            shown = {
                "blocked_money": amounts(problem.money),
                "acts": [
                    *(offers(records[0]) if len(records) == 1 else ()),
                    *self._sending_again(problem),
                    *_on_records(problem, records),
                    *_leaving(problem),
                    *_beside(problem),
                ],
                "stopped": stopped_invoices(problem),
                "replays": problem.replays.all()[:5],
                "blocked": (blocked := _blocked(records[:MOST_SHOWN])),
                "reasons_differ": any(one.reason for one in blocked),
                "acts_on": len(records),
            }
        context = {**(extra_context or {}), **shown}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))

    def _sending_again(self, problem: Problem) -> Iterator[Act]:
        """All that it holds is sent again, or that is stopped."""
        if problem.replays.filter(ended_at=None).exists():
            yield Act(words="Stop sending again …", address=self.address(problem, "stop_replay"))
        elif problem.sync_records.filter(state=State.HELD).exists():
            yield Act(words="Send again …", address=self.address(problem, "replay"))


def _blocked(records: Sequence[SyncRecord]) -> list[Blocked]:
    stories = stories_of(records)
    return [
        Blocked(
            record=record,
            amount=money(record.remote_record.amount_minor, record.remote_record.currency),
            reason="" if record.code == BUDGET_SPENT or _is_told(record) else record.reason,
            story=stories.get(record.pk),
        )
        for record in records
    ]


def _is_told(record: SyncRecord) -> bool:
    return record.problem is not None and record.reason in record.problem.cause


def counted(records: int) -> str:
    """How many records, in words."""
    return f"{records:,} record{'' if records == 1 else 's'}"


def _on_records(problem: Problem, records: Sequence[SyncRecord]) -> Iterator[Act]:
    """What else can be done with the records that it blocks."""
    if ids := [record.pk for record in records if record.state not in NOT_TO_IGNORE]:
        query = urlencode({"problem": problem.pk, "ids": ",".join(map(str, ids))}, safe=",")
        yield Act(
            words="Ignore for good …", address=f"{reverse('admin:syncs_syncrecord_decide', args=['ignore'])}?{query}"
        )


def _leaving(problem: Problem) -> Iterator[Act]:
    """It can be left as it is, once."""
    if problem.resolved_at is None and problem.left_at is None:
        yield Act(words="Leave as it is …", address=reverse("admin:syncs_problem_leave", args=[problem.pk]))


def _beside(problem: Problem) -> Iterator[Act]:
    """What is decided elsewhere: for the whole integration, or about a connection."""
    if problem.resolved_at is not None:
        return
    if (integration := problem.integration) is not None:
        for act, words in DECIDED_FOR_ALL.get(problem.code, ()):
            yield Act(words=f"{words} …", address=reverse(f"admin:syncs_integration_{act}", args=[integration.pk]))
        for connection in (integration.erp, integration.ap_network) if problem.code in READ_AGAIN else ():
            address = reverse("admin:syncs_feed_change", args=[connection.feed.pk])
            yield Act(words=f"Read {connection} …", address=address)
    if problem.connection_id is not None:
        address = reverse("admin:connectors_connection_change", args=[problem.connection_id])
        yield Act(words="Check or connect it …", address=address)
