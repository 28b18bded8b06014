"""Adding rows by asking, in one step or two."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from connectors.models import App, Connection
from connectors.operations import Asked, StaffAdmin, ask
from connectors.selectors import provider_name


class AddsByAsking(StaffAdmin):
    """Rows are added on a page that asks."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def list_address(self) -> str:
        return reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist")

    @admin.display(description="provider")
    def provider_name(self, row: App | Connection) -> str:
        return provider_name(row.provider)


def first_step(request: HttpRequest, admin: StaffAdmin, form: forms.Form, title: str) -> HttpResponse:
    """Choose first; what is asked next depends on it, so the choice goes into the address."""
    if request.method == "POST" and form.is_valid():
        chosen = {name: form.data.get(name, "") for name in form.fields}
        return redirect(f"{request.path}?{urlencode(chosen)}")
    back = reverse(f"admin:{admin.model._meta.app_label}_{admin.model._meta.model_name}_changelist")
    return ask(request, admin, form, Asked(title=title, button="Next", back=back, act=lambda entered: ""))
