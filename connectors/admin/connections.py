"""Connections, and what was said through them."""

from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST
from unfold.decorators import display

from connectors import reality, services
from connectors.admin.adding import AddsByAsking, first_step
from connectors.forms import AnswersForm, NewConnectionForm, answers, fields_of
from connectors.models import Connection, Exchange
from connectors.operations import Asked, NothingToAsk, ReasonForm, StaffAdmin, View, ask, by
from connectors.registry import connector_class
from connectors.selectors import standing_of, with_ends

CREDENTIALS, SETTINGS = "credentials-", "settings-"
STATUS_LABELS = {"connected": "success", "attention": "danger", "paused": "warning", "new": "info"}


@admin.register(Connection)
class ConnectionAdmin(AddsByAsking):
    list_display = ("company", "tenant", "provider_name", "environment", "standing", "sign_in_ends", "checked_at")
    list_filter = ("status", "environment", "tenant")
    list_select_related = ("tenant", "app")
    equal = {"account_id": "Company id", "account_name": "company name"}
    fields = ("tenant", "provider_name", "environment", "app", "settings_in_words")
    empty_text = "No connection yet. Add a tenant and an app first."
    change_form_outer_before_template = "connectors/admin/connection.html"

    def acts(self) -> list[tuple[str, View]]:
        return [
            ("check", require_POST(self.check_now)),
            ("pause", self.pause),
            ("resume", self.resume),
            ("credentials", self.credentials),
            ("settings", self.settings),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_ends(super().get_queryset(request)).defer("credentials", "app__credentials")

    @admin.display(description="company")
    def company(self, connection: Connection) -> str:
        return connection.account_name or connection.account_id or "not connected yet"

    @display(description="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def standing(self, connection: Connection) -> tuple[str, str]:
        return connection.status, connection.get_status_display()

    @admin.display(description="sign-in ends")
    def sign_in_ends(self, connection: Any) -> str:
        ends = [end for end in (connection.lapses_at, connection.ends_at) if end is not None]
        return f"{min(ends):%Y-%m-%d}" if ends else ""

    @admin.display(description="settings")
    def settings_in_words(self, connection: Connection) -> str:
        return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in connection.settings.items()) or "none"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        connection = Connection.objects.select_related("app", "tenant").filter(pk=object_id).first()
        now = reality.present().now()
        shown = {"standing": standing_of(connection, now), "connection": connection} if connection else {}
        context = {**(extra_context or {}), **shown}
        return cast(HttpResponse, super().change_view(request, object_id, form_url, context))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        chosen = NewConnectionForm(request.GET or None)
        if not chosen.is_valid():
            return first_step(request, self, NewConnectionForm(request.POST or request.GET or None), "Add connection")
        first = chosen.cleaned_data
        provider = connector_class(first["app"].provider)
        made: list[Connection] = []

        def act(entered: dict[str, Any]) -> str:
            credentials, settings = answers(entered, CREDENTIALS), answers(entered, SETTINGS)
            try:
                connection = services.create_connection(
                    **first, credentials=credentials, settings=settings, by=by(request), now=reality.present().now()
                )
            except ValidationError as refused:
                raise _prefixed(refused, {CREDENTIALS: credentials, SETTINGS: settings}) from refused
            made.append(connection)
            return "The connection was added. Connect it next."

        fields = {
            **fields_of(provider.Credentials, prefix=CREDENTIALS),
            **fields_of(provider.Settings, prefix=SETTINGS),
        }
        words = f"For {first['tenant']}, through {first['app']}."
        asked = Asked(
            title=f"Connect {provider.name}", button="Add", back=self.list_address(), act=act, explanation=words
        )
        answer = ask(request, self, AnswersForm(fields, request.POST or None), asked)
        return redirect(self.address(made[0])) if made else answer

    def check_now(self, request: HttpRequest, id: int) -> HttpResponse:
        connection = _connection(id)
        try:
            found = services.check_connection(connection=connection, by=by(request), effects=reality.effects())
        except ValidationError as refused:
            messages.error(request, " ".join(refused.messages))
        else:
            missing = sum(finding.level == "missing" for finding in found)
            say = messages.warning if missing else messages.success
            say(request, f"Checked: {missing or 'nothing'} missing.")
        return redirect(self.address(connection))

    def pause(self, request: HttpRequest, id: int) -> HttpResponse:
        connection = _connection(id)

        def act(entered: dict[str, Any]) -> str:
            services.pause_connection(connection=connection, by=by(request), now=reality.present().now(), **entered)
            return "Paused. Everything waits where it stands."

        asked = Asked(
            title=f"Pause {self.company(connection)}",
            button="Pause",
            back=self.address(connection),
            act=act,
            explanation="Nothing is read or sent until somebody resumes it. Nothing is lost.",
        )
        return ask(request, self, ReasonForm(request.POST or None), asked)

    def resume(self, request: HttpRequest, id: int) -> HttpResponse:
        connection = _connection(id)

        def act(entered: dict[str, Any]) -> str:
            services.resume_connection(connection=connection, by=by(request), now=reality.present().now())
            return "Resumed. It goes on from where it stood."

        title = f"Resume {self.company(connection)}"
        asked = Asked(title=title, button="Resume", back=self.address(connection), act=act)
        return ask(request, self, NothingToAsk(request.POST if request.method == "POST" else None), asked)

    def credentials(self, request: HttpRequest, id: int) -> HttpResponse:
        connection = _connection(id)

        def act(entered: dict[str, Any]) -> str:
            now = reality.present().now()
            services.change_connection_credentials(connection=connection, values=entered, by=by(request), now=now)
            return "The credentials were changed. Check the connection next."

        fields = fields_of(connector_class(connection.provider).Credentials, connection.credentials)
        return self._answers(request, connection, fields, "Credentials", act)

    def settings(self, request: HttpRequest, id: int) -> HttpResponse:
        connection = _connection(id)

        def act(entered: dict[str, Any]) -> str:
            now = reality.present().now()
            services.change_settings(connection=connection, values=entered, by=by(request), now=now)
            return "The settings were changed. Check the connection next."

        fields = fields_of(connector_class(connection.provider).Settings, connection.settings)
        return self._answers(request, connection, fields, "Settings", act)

    def _answers(
        self, request: HttpRequest, connection: Connection, fields: dict[str, forms.Field], what: str, act: Any
    ) -> HttpResponse:
        title, back = f"{what} of {self.company(connection)}", self.address(connection)
        asked = Asked(title=title, button="Save", back=back, act=act)
        data = request.POST if request.method == "POST" else None
        return ask(request, self, AnswersForm(fields, data), asked)


@admin.register(Exchange)
class ExchangeAdmin(StaffAdmin):
    list_display = ("at", "method", "path", "status", "seconds", "request_id", "error")
    list_per_page = 50
    list_filter = ("method",)
    equal = {"trace_id": "Trace id"}
    ordering = ("-id",)
    empty_text = "Nothing was said to a provider yet."

    @admin.display(description="path")
    def path(self, exchange: Exchange) -> str:
        return urlsplit(exchange.url).path


def _prefixed(refused: ValidationError, given: dict[str, dict[str, Any]]) -> ValidationError:
    """The same sentences, beside the fields of the form."""
    if not hasattr(refused, "error_dict"):
        return refused
    places = {name: prefix + name for prefix, values in given.items() for name in values}
    return ValidationError({places.get(name, name): said for name, said in refused.message_dict.items()})


def _connection(id: int) -> Connection:
    return get_object_or_404(Connection.objects.select_related("app", "tenant"), pk=id)
