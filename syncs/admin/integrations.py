"""Integrations with what was decided for them, and their streams."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors.models import Connection
from connectors.operations import Asked, ReasonForm, StaffAdmin, View, ask, by
from connectors.reality import present
from syncs import services
from syncs.forms import POLICY_FORMS, POLICY_WORDS, CodeForm, MappingForm, PairForm
from syncs.integrations import activate, pair
from syncs.models import Feed, Integration, Mapping, Policy, Stream
from syncs.schedule_forms import schedule_in_words
from syncs.selectors import Overview, overview


@admin.register(Integration)
class IntegrationAdmin(StaffAdmin):
    list_display = ("name", "tenant", "active", "activated_at")
    list_filter = ("active", "tenant")
    list_select_related = ("tenant", "erp", "ap_network")
    fields = ("tenant", "erp_connection", "network_connection", "activated_at")
    empty_text = "No integration yet. Connect an ERP and an AP network of one tenant, then pair them here."
    change_form_outer_before_template = "syncs/admin/integration.html"

    def acts(self) -> list[tuple[str, View]]:
        policies: list[tuple[str, View]] = [(f"policy_{key}", self._policy(key)) for key in POLICY_FORMS]
        return [
            ("activate", self.activate),
            ("deactivate", self.deactivate),
            ("mapping", self.mapping),
            ("code", self.code),
            *policies,
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    @admin.display(description="ERP")
    def erp_connection(self, integration: Integration) -> str | SafeString:
        return _link(self, integration.erp)

    @admin.display(description="AP network")
    def network_connection(self, integration: Integration) -> str | SafeString:
        return _link(self, integration.ap_network)

    @admin.display(description="integration")
    def name(self, integration: Integration) -> str:
        return str(integration)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        def act(entered: dict[str, Any]) -> str:
            made = pair(**entered, by=by(request), now=present().now())
            return f"{made} was added. Map its accounts, then activate it."

        back = reverse("admin:syncs_integration_changelist")
        asked = Asked(title="Pair two connections", button="Pair", back=back, act=act)
        return ask(request, self, PairForm(request.POST or None), asked)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        if integration := Integration.objects.filter(pk=object_id).first():
            found = overview(integration, now=present().now())
            values = {key: _meaning(key, row.value) for key, row in found.policies.items()}
            shown = {
                "overview": found,
                "policy_words": POLICY_WORDS,
                "policy_values": values,
            }
            shown["work"] = list(_work(found))
        context = {**(extra_context or {}), **shown}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))

    def activate(self, request: HttpRequest, id: int) -> HttpResponse:
        integration = _integration(id)

        def act(entered: dict[str, Any]) -> str:
            activate(integration, by=by(request), now=present().now(), **entered)
            return "Active. Both sides are read in full first; then everything that flows is delivered."

        words = "Both connections are read in full, then vendors, accounts and open bills are sent to the AP network."
        return self._ask(request, integration, ReasonForm, "Activate", act, words)

    def deactivate(self, request: HttpRequest, id: int) -> HttpResponse:
        integration = _integration(id)

        def act(entered: dict[str, Any]) -> str:
            services.deactivate(integration=integration, by=by(request), now=present().now(), **entered)
            return "Stopped. Everything waits where it stands."

        return self._ask(request, integration, ReasonForm, "Stop", act, "Nothing is delivered until it is activated.")

    def mapping(self, request: HttpRequest, id: int) -> HttpResponse:
        integration = _integration(id)

        def act(entered: dict[str, Any]) -> str:
            decided = services.set_mapping(integration=integration, by=by(request), now=present().now(), **entered)
            return f"Mapped from now on. Released: {decided.released}."

        asked = Asked(title="Map an account", button="Map it from now on", back=self.address(integration), act=act)
        return ask(request, self, MappingForm(integration, request.POST or None), asked)

    def code(self, request: HttpRequest, id: int) -> HttpResponse:
        integration = _integration(id)

        def act(entered: dict[str, Any]) -> str:
            decided = services.map_code(integration=integration, by=by(request), now=present().now(), **entered)
            return f"Mapped from now on. Looked at again: {decided.released}."

        back = self.address(integration)
        asked = Asked(title="Map to a code of the AP network", button="Map it from now on", back=back, act=act)
        return ask(request, self, CodeForm(integration, request.POST or None), asked)

    def _policy(self, key: str) -> View:
        def view(request: HttpRequest, id: int) -> HttpResponse:
            integration = _integration(id)

            def act(entered: dict[str, Any]) -> str:
                now = present().now()
                decided = services.set_policy(integration=integration, key=key, by=by(request), now=now, **entered)
                return f"In force from now on. Released: {decided.released}."

            asked = Asked(title=POLICY_WORDS[key], button="From now on", back=self.address(integration), act=act)
            return ask(request, self, POLICY_FORMS[key](request.POST or None), asked)

        return view

    def _ask(
        self,
        request: HttpRequest,
        integration: Integration,
        form: type[ReasonForm],
        button: str,
        act: Callable[[dict[str, Any]], str],
        words: str,
    ) -> HttpResponse:
        back = self.address(integration)
        asked = Asked(title=f"{button} {integration}", button=button, back=back, act=act, explanation=words)
        return ask(request, self, form(request.POST or None), asked)


@admin.register(Mapping)
class MappingAdmin(StaffAdmin):
    list_display = ("subject", "source", "target", "integration", "valid_from", "valid_to", "changed_by", "why")
    list_filter = ("subject", "tenant")
    list_select_related = ("integration__erp", "integration__ap_network")
    ordering = ("-valid_from", "-id")
    empty_text = "No account is mapped yet. Mappings are made on the page of an integration."


@admin.register(Policy)
class PolicyAdmin(StaffAdmin):
    list_display = ("key", "value", "integration", "valid_from", "valid_to", "changed_by", "why")
    list_filter = ("key", "tenant")
    list_select_related = ("integration__erp", "integration__ap_network")
    ordering = ("-valid_from", "-id")
    empty_text = "Every integration goes by the defaults. Policies are set on the page of an integration."


def _work(found: Overview) -> Iterator[dict[str, object]]:
    """What is read and what is delivered, one line each, with what can be done."""
    rows: list[Feed | Stream] = [*found.feeds, *found.streams]
    for row in rows:
        kind, run = ("feed", "read") if isinstance(row, Feed) else ("stream", "deliver")
        addresses = {
            name: reverse(f"admin:syncs_{kind}_{act}", args=[row.pk])
            for name, act in (("address", "change"), ("run", run), ("pause", "pause"), ("resume", "resume"))
        }
        if isinstance(row, Feed):
            what, doing = f"Reading {row.connection}", row.stage.replace("_", " ")
        else:
            what, doing = f"Delivering {row.kind.replace('_', ' ')}s", ""
        goes_by = schedule_in_words(row, getattr(row, "schedule", None))
        yield {"row": row, "what": what, "now": f"every {doing}" if doing else "", "goes_by": goes_by, **addresses}


def _link(page: StaffAdmin, connection: Connection) -> str | SafeString:
    return format_html('<a href="{}">{}</a>', page.address(connection), connection)


def _integration(id: int) -> Integration:
    return get_object_or_404(Integration.objects.select_related("tenant", "erp__app", "ap_network__app"), pk=id)


def _meaning(key: str, value: str) -> str:
    """A policy's value as the form that asks for it says it."""
    choices = dict(getattr(POLICY_FORMS[key].base_fields["value"], "choices", ()))
    return str(choices.get(value, value))
