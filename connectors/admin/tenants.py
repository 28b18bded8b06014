"""Tenants, and the apps that they may use."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from connectors import reality, services
from connectors.admin.adding import AddsByAsking, first_step
from connectors.forms import AllowanceForm, AnswersForm, ChangedTenantForm, NewAppForm, TenantForm, fields_of
from connectors.models import App, Tenant
from connectors.operations import Asked, View, ask, by
from connectors.registry import connector_class
from connectors.selectors import metered_of_app


@admin.register(Tenant)
class TenantAdmin(AddsByAsking):
    list_display = ("name", "time_zone", "is_active")
    list_filter = ("active",)
    equal = {"name": "Name"}
    change_form_outer_before_template = "connectors/admin/tenant.html"

    def acts(self) -> list[tuple[str, View]]:
        return [("edit", self.edit)]

    @admin.display(description="active", boolean=True)
    def is_active(self, tenant: Tenant) -> bool:
        return tenant.active

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        def act(entered: dict[str, Any]) -> str:
            made = services.create_tenant(**entered, by=by(request), now=reality.present().now())
            return f"{made} was added. Make its connections next."

        asked = Asked(title="Add tenant", button="Add tenant", back=self.list_address(), act=act)
        return ask(request, self, TenantForm(request.POST or None), asked)

    def edit(self, request: HttpRequest, id: int) -> HttpResponse:
        tenant = get_object_or_404(Tenant, pk=id)

        def act(entered: dict[str, Any]) -> str:
            services.change_tenant(tenant=tenant, **entered, by=by(request), now=reality.present().now())
            return f"{tenant} was changed."

        initial = {field: getattr(tenant, field) for field in ("name", "time_zone", "email", "active")}
        asked = Asked(title=f"Change {tenant}", button="Save", back=self.address(tenant), act=act)
        return ask(request, self, ChangedTenantForm(request.POST or None, initial=initial), asked)


@admin.register(App)
class AppAdmin(AddsByAsking):
    list_display = ("name", "provider_name", "environment", "usable_by")
    list_filter = ("environment",)
    list_select_related = ("tenant",)
    equal = {"name": "Name"}
    fields = ("name", "provider_name", "environment", "usable_by")
    empty_text = "No app yet: register with a provider first, then add what it gave you."
    change_form_outer_before_template = "connectors/admin/app.html"

    def acts(self) -> list[tuple[str, View]]:
        return [("credentials", self.credentials), ("allowance", self.allowance)]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        app = App.objects.filter(pk=object_id).first()
        context = {**(extra_context or {}), **(self._watched(app) if app else {})}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))

    def _watched(self, app: App) -> dict[str, Any]:
        provider = connector_class(app.provider)
        address = f"{settings.PUBLIC_URL}{reverse('connectors:webhook', args=[app.public_id])}"
        return {
            "provider": provider.name,
            "webhook_address": address if provider.announces else "",
            "metered": metered_of_app(app, reality.present().now()),
        }

    @admin.display(description="who may use it")
    def usable_by(self, app: App) -> str:
        return str(app.tenant or "every tenant")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        chosen = NewAppForm(request.GET or None)
        if request.method == "GET" and "provider" not in request.GET or not chosen.is_valid():
            return first_step(request, self, NewAppForm(request.POST or request.GET or None), "Add app")
        first = chosen.cleaned_data
        provider = connector_class(first["provider"])

        def act(entered: dict[str, Any]) -> str:
            made = services.create_app(**first, values=entered, by=by(request), now=reality.present().now())
            return f"{made.name} was added."

        words = f"{first['name']}, {first['environment']}. Addresses and keys are in the provider's developer portal."
        if provider.sign_in == "redirect":
            words += f" Register this redirect address there, exactly: {services.redirect_uri()}"
        asked = Asked(
            title=f"Add {provider.name} app", button="Add app", back=self.list_address(), act=act, explanation=words
        )
        return ask(request, self, AnswersForm(fields_of(provider.App), request.POST or None), asked)

    def credentials(self, request: HttpRequest, id: int) -> HttpResponse:
        app = get_object_or_404(App, pk=id)

        def act(entered: dict[str, Any]) -> str:
            services.change_app_credentials(app=app, values=entered, by=by(request), now=reality.present().now())
            return f"The credentials of {app.name} were changed. Check its connections next."

        fields = fields_of(connector_class(app.provider).App, app.credentials)
        asked = Asked(title=f"Credentials of {app.name}", button="Save", back=self.address(app), act=act)
        return ask(request, self, AnswersForm(fields, request.POST or None), asked)

    def allowance(self, request: HttpRequest, id: int) -> HttpResponse:
        app = get_object_or_404(App, pk=id)

        def act(entered: dict[str, Any]) -> str:
            services.change_allowance(app=app, **entered, by=by(request), now=reality.present().now())
            return "It was changed."

        words = "Connections go on reading beyond it; the pages show when a month's reads will not suffice."
        title = f"Metered reads a month of {app.name}"
        asked = Asked(title=title, button="Save", back=self.address(app), act=act, explanation=words)
        return ask(
            request, self, AllowanceForm(request.POST or None, initial={"monthly_reads": app.monthly_reads}), asked
        )
