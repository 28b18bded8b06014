"""What operations is asked about integrations; whether it fits is for the services to say."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from connectors.models import Connection
from connectors.operations import ReasonForm
from syncs.mapping.policies import DEFAULTS
from syncs.models import Integration
from syncs.selectors import accounts_to_map, codes_to_map, connections_of_role
from syncs.services.rules import HELD_FOR, LONGEST_HOLD, SOURCES

WAYS = {"*": "every other way", "check": "check", "ach": "ACH", "card": "virtual card"}


class PairForm(forms.Form):
    """Two connections to be kept in step."""

    erp = forms.ModelChoiceField(Connection.objects.none(), label="ERP", widget=UnfoldAdminSelectWidget)
    ap_network = forms.ModelChoiceField(Connection.objects.none(), label="AP network", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in ("erp", "ap_network"):
            field = self.fields[role]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = connections_of_role(role)


class MappingForm(forms.Form):
    """Which account of the ERP stands for what."""

    subject = forms.ChoiceField(
        choices=[(subject, subject.label) for subject in HELD_FOR], label="For", widget=UnfoldAdminSelectWidget
    )
    source = forms.ChoiceField(
        choices=[(source, WAYS[source]) for source in SOURCES],
        label="Paid by",
        widget=UnfoldAdminSelectWidget,
        help_text="Payments in transit, discounts and tax have one account for every way of paying.",
    )
    target = forms.ChoiceField(
        label="Account in the ERP",
        widget=UnfoldAdminSelectWidget,
        help_text="Of type Bank for payments; an income or expense account for discounts; for tax the one that finance "
        "books the tax of bills on, such as recoverable tax.",
    )
    why = forms.CharField(
        label="Why", widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="Stays with it, with your name."
    )

    def __init__(self, integration: Integration, data: Any = None) -> None:
        super().__init__(data)
        target = self.fields["target"]
        assert isinstance(target, forms.ChoiceField)
        target.choices = [(one.id, f"{one.type}: {one.name} ({one.id})") for one in accounts_to_map(integration)]


class CodeForm(ReasonForm):
    """Which code of the AP network stands for an account or dimension of the ERP."""

    source = forms.ChoiceField(
        label="In the ERP", widget=UnfoldAdminSelectWidget, help_text="Accounts and dimensions that were not sent."
    )
    target = forms.ChoiceField(
        label="At the AP network",
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text="What it has already under a code of its own; nothing to send what is in the ERP again.",
    )
    field_order = ("source", "target", "why")

    def __init__(self, integration: Integration, data: Any = None) -> None:
        super().__init__(data)
        ours, there = codes_to_map(integration)
        for name, choices in (("source", ours), ("target", [("", "nothing: it stands for itself"), *there])):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


class PendingPaymentsForm(ReasonForm):
    """Whether payments are posted before they are executed."""

    value = forms.ChoiceField(
        label="Post payments that are not executed yet",
        choices=[("yes", "yes, against payments in transit"), ("no", "no, leave the bill alone until they are")],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("value", "why")

    def clean_value(self) -> bool:
        return bool(self.cleaned_data["value"] == "yes")


class ReversalEntryForm(PendingPaymentsForm):
    """Whether a payment of a closed period is taken back by a journal entry."""

    value = forms.ChoiceField(
        label="Take back a payment whose period is closed",
        choices=[("yes", "yes, by a journal entry on the first open day"), ("no", "no, hold it for a person")],
        widget=UnfoldAdminSelectWidget,
    )


class ListForm(ReasonForm):
    """A policy that is a list of words."""

    value = forms.CharField(widget=UnfoldAdminTextInputWidget, required=False)
    field_order = ("value", "why")

    def clean_value(self) -> list[str]:
        return [self.spelt(word.strip()) for word in self.cleaned_data["value"].split(",") if word.strip()]

    @staticmethod
    def spelt(word: str) -> str:
        return word.lower()


class CurrenciesForm(ListForm):
    """Which currencies the network pays."""

    value = forms.CharField(
        label="Currencies that are paid", widget=UnfoldAdminTextInputWidget, help_text="By their codes, as in USD, CAD."
    )

    @staticmethod
    def spelt(word: str) -> str:
        return word.upper()


class RequiredDimensionsForm(ListForm):
    """Which dimensions every line of a bill must carry."""

    value = forms.CharField(
        label="Dimensions that every line must carry",
        widget=UnfoldAdminTextInputWidget,
        required=False,
        help_text="As in department, class; empty for none. A bill with a line that lacks one is held.",
    )


class HoldDaysForm(ReasonForm):
    """How long an invoice may be on hold."""

    value = forms.IntegerField(
        label="Business days",
        min_value=1,
        max_value=LONGEST_HOLD,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="An invoice that is on hold for longer is a problem of the customer's AP.",
    )
    field_order = ("value", "why")


class ClosedPeriodForm(ReasonForm):
    """What becomes of a payment whose day lies in a closed period."""

    value = forms.ChoiceField(
        label="A payment whose day lies in a closed period",
        choices=[("hold", "is held for a person"), ("first_open_day", "is posted on the first open day")],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("value", "why")

    def clean_value(self) -> str:
        return str(self.cleaned_data["value"])


class ChangedApplicationsForm(ClosedPeriodForm):
    """What becomes of an executed payment that settles something else than it did when it was posted."""

    value = forms.ChoiceField(
        label="A posted payment that settles other bills, amounts or discounts now",
        choices=[("hold", "is held for a person"), ("post_anew", "is taken back and posted anew")],
        widget=UnfoldAdminSelectWidget,
    )


class PostOnForm(ClosedPeriodForm):
    """When a payment is posted as paid."""

    value = forms.ChoiceField(
        label="Post a payment as paid",
        choices=[("executed", "once it is executed"), ("cleared", "once it has cleared; until then it is pending")],
        widget=UnfoldAdminSelectWidget,
    )


POLICY_FORMS: dict[str, type[ReasonForm]] = {
    "pending_payments": PendingPaymentsForm,
    "currencies": CurrenciesForm,
    "required_dimensions": RequiredDimensionsForm,
    "hold_days": HoldDaysForm,
    "closed_period": ClosedPeriodForm,
    "changed_applications": ChangedApplicationsForm,
    "reversal_entry": ReversalEntryForm,
    "post_on": PostOnForm,
}
POLICY_WORDS = {
    "pending_payments": "Payments that are not executed yet",
    "currencies": "Currencies that are paid",
    "required_dimensions": "Dimensions that every line must carry",
    "hold_days": "Business days that an invoice may be on hold",
    "closed_period": "Payments whose day lies in a closed period",
    "changed_applications": "Posted payments whose bills or discounts change",
    "reversal_entry": "Payments taken back after their period was closed",
    "post_on": "When payments are posted as paid",
}
assert set(POLICY_FORMS) == set(POLICY_WORDS) == set(DEFAULTS)
