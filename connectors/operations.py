"""What the admin's pages have in common: who sees them, lists that stay quick, pages that ask before they act."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from audit.admin import ReadOnlyAdmin

View = Callable[..., HttpResponse]


class StaffAdmin(ReadOnlyAdmin):
    """Staff see everything; what changes something goes through a page that asks, and through a service."""

    list_disable_select_all = True
    warn_unsaved_form = False
    empty_text = "Nothing here yet."
    empty_of_this_sort = "Nothing of this sort"
    equal: Mapping[str, str] = {}  # what the search box looks for: the lookup, always by equality, in words

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return list(self.equal)

    @property
    def search_help_text(self) -> str:
        return f"{', '.join(self.equal.values())}, in full" if self.equal else ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By equality, since nothing else finds its way by an index."""
        wanted = search_term.replace("\0", "").strip()
        if not wanted:
            return queryset, False
        ids: set[Any] = set()
        for lookup in self.equal:
            if self._can_be(lookup, wanted):
                ids.update(queryset.order_by().filter(**{lookup: wanted}).values_list("pk", flat=True)[:200])
        return queryset.filter(pk__in=ids), False

    def _can_be(self, lookup: str, wanted: str) -> bool:
        """Whether this text can be a value of that column at all."""
        columns = [field for field in self.model._meta.concrete_fields if lookup in (field.name, field.attname)]
        numeric = bool(columns) and isinstance(columns[0], models.IntegerField)
        return not numeric or (wanted.isdecimal() and len(wanted) < 19)

    def acts(self) -> list[tuple[str, View]]:
        """Pages of this model beside its list, by the end of their address."""
        return []

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}"
        own = [
            path(f"<int:id>/{act}/", self.admin_site.admin_view(view), name=f"{name}_{act}")
            for act, view in self.acts()
        ]
        return [*own, *super().get_urls()]

    def address(self, row: Model, act: str = "change") -> str:
        """The address of a row's own page, or of one of its acts."""
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{act}", args=[row.pk])


class ReasonForm(forms.Form):
    """Asks why."""

    why = forms.CharField(
        label="Why",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        max_length=1000,
        help_text="Stays in the history, with your name.",
    )


class NothingToAsk(forms.Form):
    """Only asks whether."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A page that asks and then acts: `act` gets what was entered and says what was done.

    `rows` are what is to be compared, under `heads`. A ValidationError of `act` is shown beside the field that it
    names; nothing is done then.
    """

    title: str
    button: str
    back: str
    act: Callable[[dict[str, Any]], str]
    explanation: str = ""
    done: str = ""
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def ask(request: HttpRequest, admin: StaffAdmin, form: forms.Form, asked: Asked) -> HttpResponse:
    """Show the page, or do what it is for."""
    if request.method == "POST" and form.is_valid():
        try:
            said = asked.act(form.cleaned_data)
        except ValidationError as refused:
            put_errors(form, refused)
        else:
            if said:
                messages.success(request, said)
            return redirect(asked.done or asked.back)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": asked.title,
        "asked": asked,
        "form": form,
        "media": admin.media + form.media,
    }
    return TemplateResponse(request, "admin/ask.html", context)


def put_errors(form: forms.Form, refused: ValidationError) -> None:
    """Each sentence beside its field, those of no field of this form above all."""
    by_field = refused.message_dict if hasattr(refused, "error_dict") else {"": refused.messages}
    for name, sentences in by_field.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


def by(request: HttpRequest) -> str:
    """Who acts, for the audit."""
    return request.user.get_username()
