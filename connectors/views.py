"""Connecting by redirect, as pages: out to the provider, back, and the person's confirmation. Staff only."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from connectors import reality, services
from connectors.models import Connection
from connectors.registry import connector_class


@never_cache
@staff_member_required
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What is about to happen, and on POST the way to the provider."""
    connection = get_object_or_404(Connection.objects.select_related("tenant", "app"), pk=connection_id)
    effects = reality.effects()
    try:
        if request.method == "POST":
            return redirect(services.begin_sign_in(connection=connection, user=_user(request), effects=effects))
        destination = services.sign_in_address(connection=connection, effects=effects)
    except ValidationError as refused:
        return _failed(request, refused, connection)
    host = urlsplit(destination)
    page = _page("connectors/connect.html", connection, host=host.netloc)
    # Browsers hold the redirect that answers a form against form-action, too.
    return cast(HttpResponse, csp_update({"form-action": [f"{host.scheme}://{host.netloc}"]})(page)(request))


@never_cache
@staff_member_required
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Where every provider sends people back to; a second visit with the same address changes nothing."""
    try:
        signed_in = services.complete_sign_in(answer=request.GET.dict(), user=_user(request), effects=reality.effects())
    except ValidationError as refused:
        return _failed(request, refused)
    if signed_in.needs_confirmation:
        return redirect("connectors:confirm", signed_in.connection.pk)
    services.forget_check(connection=signed_in.connection)
    if signed_in.unchecked:
        messages.warning(
            request,
            f"Your sign-in to {signed_in.connection.account_name} is kept and everything goes on, but it could not be "
            f"checked just now: {signed_in.unchecked} The check follows with the next reading.",
        )
    else:
        messages.success(request, f"{signed_in.connection.account_name} is connected again; everything goes on.")
        _check(request, signed_in.connection)
    return redirect(_home(signed_in.connection))


@never_cache
@staff_member_required
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The company that was found, and the person's word on it."""
    connection = get_object_or_404(Connection.objects.select_related("tenant", "app"), pk=connection_id)
    if request.method != "POST":
        return _page("connectors/confirm.html", connection)(request)
    by, effects = _user(request).get_username(), reality.effects()
    try:
        if "decline" in request.POST:
            services.decline_company(connection=connection, by=by, now=effects.clock.now())
            messages.info(request, "The company was declined and its sign-in forgotten; nothing was read from it.")
            return redirect(_home(connection))
        company_id = request.POST.get("company_id", "")
        services.confirm_company(connection=connection, company_id=company_id, by=by, now=effects.clock.now())
    except ValidationError as refused:
        return _failed(request, refused, connection)
    messages.success(request, f"{connection.account_name} is connected.")
    connection.refresh_from_db()
    _check(request, connection)
    return redirect(_home(connection))


def _check(request: HttpRequest, connection: Connection) -> None:
    """See at once what this sign-in may do; that it cannot be asked just now is only told."""
    try:
        services.check_connection(connection=connection, by=_user(request).get_username(), effects=reality.effects())
    except ValidationError as refused:
        messages.warning(request, " ".join(refused.messages))


def _page(template: str, connection: Connection, **more: Any) -> Callable[[HttpRequest], HttpResponse]:
    provider = connector_class(connection.provider)
    context = {"connection": connection, "provider": provider.name, "home": _home(connection), **more}
    return lambda request: render(request, template, context)


def _failed(request: HttpRequest, refused: ValidationError, connection: Connection | None = None) -> HttpResponse:
    context = {"reasons": refused.messages, "home": _home(connection)}
    return render(request, "connectors/sign_in_failed.html", context, status=400)


def _home(connection: Connection | None) -> str:
    if connection is None:
        return reverse("admin:connectors_connection_changelist")
    return reverse("admin:connectors_connection_change", args=[connection.pk])


def _user(request: HttpRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)
    return request.user
