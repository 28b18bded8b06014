"""What is watched of connections over months: when their sign-ins end, and what their reads cost."""

from typing import Any

from django.contrib import admin
from django.db.models import Value
from django.http import HttpRequest
from unfold.decorators import display

from connectors import reality
from connectors.metering import forecast, month_of
from connectors.models import ExpiryNotice, MeteredReads
from connectors.operations import StaffAdmin

LABELS = {"sent": "success", "over": "info", "waiting": "warning", "failing": "danger"}


class OfConnection(StaffAdmin):
    list_select_related = ("connection", "tenant")
    list_filter: Any = ("tenant",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("connection__credentials")


@admin.register(ExpiryNotice)
class ExpiryNoticeAdmin(OfConnection):
    list_display = ("made_at", "connection", "text", "days", "mail", "sent_to", "closed_at")
    fields = (
        "connection", "tenant", "text", "expires_at", "days", "made_at", "mail", "sent_at", "sent_to", "tries",
        "failure", "closed_at",
    )  # fmt: skip
    ordering = ("-id",)
    empty_text = "No sign-in ends within a month, and none has been revoked."

    @display(description="e-mail", label=LABELS)  # type: ignore[untyped-decorator]
    def mail(self, notice: ExpiryNotice) -> tuple[str, str]:
        if notice.sent_at:
            return "sent", "sent" if notice.sent_to else "nobody to send it to"
        if notice.closed_at:
            return "over", "no longer needed"
        return ("failing", "failed, tried again") if notice.failure else ("waiting", "being sent")


@admin.register(MeteredReads)
class MeteredReadsAdmin(OfConnection):
    list_display = ("of_month", "connection", "tenant", "reads", "by_the_end_of_the_month", "until")
    ordering = ("-month", "-reads")
    empty_text = "No provider that charges for reads has been read yet."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(now=Value(reality.present().now()))

    @admin.display(description="month", ordering="month")
    def of_month(self, counted: MeteredReads) -> str:
        return f"{counted.month:%B %Y}"

    @admin.display(description="by the end of the month")
    def by_the_end_of_the_month(self, counted: Any) -> str:
        over = counted.month < month_of(counted.now)
        return f"{counted.reads if over else forecast(counted.reads, since=counted.since, now=counted.now):,}"
