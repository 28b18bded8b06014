"""What operations is asked about schedules and holidays; whether it fits is for the schedules and services to say."""

from datetime import date
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from connectors.models import Tenant
from connectors.operations import ReasonForm
from syncs.models import Feed, ScheduleRow, Stream
from syncs.schedules import WEEKDAYS, BusinessDays, Cron, Cycle, Every, Schedule, check, in_words

DEFAULT = "default"
WAYS = {
    DEFAULT: "the default",
    "every": "an interval",
    "business_days": "business days, at certain times",
    "cycle": "certain weekdays or days of the month, at certain times",
    "cron": "a line of a crontab",
}


def schedule_in_words(row: Feed | Stream, chosen: ScheduleRow | None) -> str:
    """What a feed or a stream goes by."""
    if chosen is not None:
        return str(chosen)
    return in_words(Every(seconds=row.interval_seconds)) if isinstance(row, Feed) else "at once"


class ScheduleForm(ReasonForm):
    """One of the ways to say when; only the fields of the way that is chosen count."""

    way = forms.ChoiceField(label="By", choices=list(WAYS.items()), widget=UnfoldAdminSelectWidget)
    minutes = forms.IntegerField(
        label="Interval in minutes",
        min_value=1,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="For an interval only.",
    )
    times = forms.CharField(
        label="At",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="For business days, weekdays and days of the month: one time or more, as in 06:00, 14:00.",
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="On these weekdays",
        choices=list(enumerate(WEEKDAYS)),
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="On a holiday the next business day counts.",
    )
    month_days = forms.CharField(
        label="On these days of the month",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="As in 1, 15, 31: a day that a month does not have is its last one; on a weekend or a holiday the "
        "next business day counts.",
    )
    expression = forms.CharField(
        label="Line of a crontab",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="For a crontab only: minute, hour, day of the month, month, day of the week, as in 0 6 * * mon-fri.",
    )
    field_order = ("way", "minutes", "times", "weekdays", "month_days", "expression", "why")

    def __init__(self, row: Feed | Stream, chosen: ScheduleRow | None, data: Any = None) -> None:
        super().__init__(data, initial=_initial(chosen))
        way = self.fields["way"]
        assert isinstance(way, forms.ChoiceField)
        words = f"the default: {schedule_in_words(row, None)}"
        way.choices = [(key, words if key == DEFAULT else label) for key, label in WAYS.items()]

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or {}
        if self.errors:
            return entered
        try:
            schedule = _schedule(entered)
            if schedule is not None:
                check(schedule)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return {"schedule": schedule, "why": entered["why"]}


class HolidaysForm(ReasonForm):
    """The whole list of a tenant's holidays."""

    days = forms.CharField(
        label="Holidays",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}),
        help_text="One a line, the date first: 2026-12-25 Christmas Day.",
    )
    field_order = ("days", "why")

    def __init__(self, tenant: Tenant, data: Any = None) -> None:
        known = tenant.holidays.values_list("day", "name")
        super().__init__(data, initial={"days": "\n".join(f"{day} {name}".strip() for day, name in known)})

    def clean_days(self) -> dict[date, str]:
        days = {}
        for line in filter(None, (line.strip() for line in self.cleaned_data["days"].splitlines())):
            text, _, name = line.partition(" ")
            try:
                days[date.fromisoformat(text)] = name.strip()
            except ValueError:
                raise forms.ValidationError(f"“{line}” does not begin with a date: write it as 2026-12-25.") from None
        return days


def _schedule(entered: dict[str, Any]) -> Schedule | None:
    times = tuple(part.strip() for part in entered["times"].split(",") if part.strip())
    if entered["way"] == "every":
        return Every(seconds=60 * (entered["minutes"] or 0))
    if entered["way"] == "business_days":
        return BusinessDays(times=times)
    if entered["way"] == "cycle":
        days = [part.strip() for part in entered["month_days"].split(",") if part.strip()]
        if not all(day.isascii() and day.isdecimal() and len(day) < 3 for day in days):
            raise ValueError("Days of the month are the numbers from 1 to 31.")
        return Cycle(times=times, weekdays=tuple(sorted(entered["weekdays"])), month_days=tuple(map(int, days)))
    return Cron(expression=entered["expression"]) if entered["way"] == "cron" else None


def _initial(chosen: ScheduleRow | None) -> dict[str, Any]:
    if chosen is None:
        return {"way": DEFAULT}
    rule = chosen.rule
    return {
        "way": rule["type"],
        "minutes": rule["seconds"] // 60 if "seconds" in rule else None,
        "times": ", ".join(rule.get("times", ())),
        "weekdays": rule.get("weekdays", []),
        "month_days": ", ".join(map(str, rule.get("month_days", ()))),
        "expression": rule.get("expression", ""),
    }
