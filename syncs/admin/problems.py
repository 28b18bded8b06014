"""Problems: what is wrong, what it blocks, and everything that a person can do about it from one page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors.operations import StaffAdmin
from syncs.admin.deliveries import ACTS, AT_ONCE
from syncs.models import Problem, SyncRecord
from syncs.selectors import amounts, stories_of
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
class Act:
    """A button: where it leads to is a page that asks before anything is done."""

    words: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """One record that the problem blocks."""

    record: SyncRecord
    amount: str
    reason: str
    story: int | None


@admin.register(Problem)
class ProblemAdmin(StaffAdmin):
    list_display = ("what", "who_acts", "remedy", "blocked", "records", "opened_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "actor", "code", "tenant")
    list_select_related = ("tenant",)
    fields = ("tenant", "integration", "connection", "code", "opened_at", "seen_at", "resolved_at")
    ordering = ("-seen_at", "-id")
    empty_of_this_sort = "No problem of this sort"
    empty_text = "No problem: everything is in step, out of scope by a rule, or ignored by somebody."
    change_form_outer_before_template = "syncs/admin/problem.html"

    @admin.display(description="cause", ordering="cause")
    def what(self, problem: Problem) -> str | SafeString:
        return format_html('{}<span class="under-text">{}</span>', problem.headline, problem.detail)

    @admin.display(description="who acts", ordering="actor")
    def who_acts(self, problem: Problem) -> str:
        return problem.actor

    @admin.display(description="money blocked")
    def blocked(self, problem: Problem) -> str:
        return amounts(problem.money)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        found = Problem.objects.select_related("integration", "connection").filter(pk=object_id)
        if object_id.isdecimal() and (problem := found.first()) is not None:
            records = list(
                problem.sync_records.select_related("remote_record", "stream", "problem").order_by("pk")[:AT_ONCE]
            )
            shown = {
                "blocked_money": amounts(problem.money),
                "acts": [*_on_records(problem, records), *_beside(problem)],
                "blocked": (blocked := _blocked(records[:MOST_SHOWN])),
                "reasons_differ": any(one.reason for one in blocked),
                "acts_on": len(records),
            }
        context = {**(extra_context or {}), **shown}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))


def _blocked(records: Sequence[SyncRecord]) -> list[Blocked]:
    stories = stories_of(records)
    return [
        Blocked(
            record=record,
            amount=money(record.remote_record.amount_minor, record.remote_record.currency),
            reason="" if record.problem and record.reason in record.problem.cause else record.reason,
            story=stories.get(record.pk),
        )
        for record in records
    ]


def _on_records(problem: Problem, records: Sequence[SyncRecord]) -> Iterator[Act]:
    """What can be done with the records that it blocks."""
    held = [record.pk for record in records if record.state == State.HELD]
    ignorable = [record.pk for record in records if record.state not in NOT_TO_IGNORE]
    for act, ids in (("replay", held), ("ignore", ignorable)):
        if ids:
            query = urlencode({"problem": problem.pk, "ids": ",".join(map(str, ids))}, safe=",")
            address = f"{reverse('admin:syncs_syncrecord_decide', args=[act])}?{query}"
            yield Act(words=f"{ACTS[act][1]} …", address=address)


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
