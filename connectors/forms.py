"""Forms built from a provider's own dataclasses, so that a new provider needs no form of its own.

A secret is asked for and never shown: its field is empty, and leaving it empty keeps what is stored.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from connectors.base import Environment
from connectors.models import App, Tenant
from connectors.questions import Question, questions
from connectors.registry import connectors


def fields_of(
    shape: type[msgspec.Struct], kept: Mapping[str, Any] | None = None, prefix: str = ""
) -> dict[str, forms.Field]:
    """A field for each question of a dataclass; `kept` are the values that are stored."""
    return {prefix + question.name: _field(question, kept) for question in questions(shape)}


def _field(question: Question, kept: Mapping[str, Any] | None) -> forms.Field:
    value = (kept or {}).get(question.name, question.default)
    known: dict[str, Any] = {"label": question.title, "help_text": question.help, "required": question.required}
    if question.secret:
        if value:
            known |= {"help_text": f"{question.help} One is stored: leave this empty to keep it.", "required": False}
        widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
        return forms.CharField(widget=widget, strip=True, **known)
    if question.choices:
        choices = [(choice, choice.replace("_", " ")) for choice in question.choices]
        return forms.ChoiceField(choices=choices, initial=value, widget=UnfoldAdminSelectWidget, **known)
    if question.is_flag:
        known["required"] = False
        return forms.BooleanField(initial=value, widget=UnfoldBooleanSwitchWidget, **known)
    if question.is_number:
        return forms.IntegerField(initial=value, widget=UnfoldAdminIntegerFieldWidget, **known)
    return forms.CharField(initial=value, widget=UnfoldAdminTextInputWidget, **known)


class AnswersForm(forms.Form):
    """The questions of one or more dataclasses; `answers(prefix)` gives back those of one."""

    def __init__(self, fields: Mapping[str, forms.Field], data: Any = None) -> None:
        super().__init__(data)
        self.fields.update(fields)


def answers(cleaned: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """What was entered into the fields of this prefix."""
    return {name.removeprefix(prefix): value for name, value in cleaned.items() if name.startswith(prefix)}


class TenantForm(forms.Form):
    """A customer company."""

    name = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="The customer's name, as people call it."
    )
    time_zone = forms.CharField(
        initial="America/New_York",
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text="For schedules and dates, as in America/Chicago.",
    )
    email = forms.CharField(
        label="E-mail",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Who is told before a sign-in ends; several addresses with commas between.",
    )


class ChangedTenantForm(TenantForm):
    """A customer company that is there already."""

    active = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Off: everything is kept, nothing is read or sent.",
    )
    why = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="Needed to stop the tenant or to start it again."
    )


class AllowanceForm(forms.Form):
    """How many reads a month a registration has."""

    monthly_reads = forms.IntegerField(
        label="Metered reads a month",
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="What the provider allows this registration. Empty: not watched.",
    )


class NewAppForm(forms.Form):
    """The first step of a new app: with whom, and where."""

    provider = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    environment = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget,
        choices=[(environment.value, environment.value) for environment in Environment],
        help_text="Simulated ones speak to the simulators only, production ones to real books.",
    )
    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget, help_text="What you call this registration."
    )
    tenant = forms.ModelChoiceField(
        Tenant.objects.all(),
        required=False,
        empty_label="every tenant",
        widget=UnfoldAdminSelectWidget,
        help_text="Who may use it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = self.fields["provider"]
        assert isinstance(provider, forms.ChoiceField)
        provider.choices = [(key, connector.name) for key, connector in connectors().items()]


class NewConnectionForm(forms.Form):
    """The first step of a new connection: whose, and through which app."""

    tenant = forms.ModelChoiceField(Tenant.objects.filter(active=True), widget=UnfoldAdminSelectWidget)
    app = forms.ModelChoiceField(
        App.objects.defer("credentials"),
        widget=UnfoldAdminSelectWidget,
        help_text="It decides on the provider and on whether this is production. A new one is made under Apps.",
    )
