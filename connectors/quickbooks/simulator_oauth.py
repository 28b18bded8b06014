"""Signing in: discovery, the consent page, the token and revocation endpoints, at Intuit's paths below one address."""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from connectors.quickbooks.simulator_identity import PROFILE, id_token, key_set
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_tables import write_json
from connectors.quickbooks.simulator_tokens import ACCESS_LIFE, REFRESH_LIFE, Grant, InvalidGrant, RegisteredApp, Tokens
from connectors.simulators import Request, Response

SCOPES = {
    "com.intuit.quickbooks.accounting",
    "com.intuit.quickbooks.payment",
    "openid",
    "profile",
    "email",
    "phone",
    "address",
}
AUTHORIZE = "/connect/oauth2"
DISCOVERY = ("/.well-known/openid_sandbox_configuration", "/.well-known/openid_configuration")
NOT_CONNECTED = "Sorry, but this app did not connect"
HARD_EXPIRY_ASKED = "x-include-refresh-token-hard-expires-in"


class SignIn:
    """The OAuth endpoints; `consents_to` is the company that a person chooses without being shown the page."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.consents_to: str | None = None

    def answer(
        self,
        request: Request,
        companies: Mapping[str, str],
        switches: Switches,
        now: datetime,
    ) -> Response | None:
        """The answer, or nothing where the path is not one of signing in."""
        path = request.path.rstrip("/")
        if path in DISCOVERY:
            return _json(discovery(request.base_url))
        if path == AUTHORIZE:
            return self._authorize(request, companies, now)
        if path == "/oauth2/v1/tokens/bearer" and request.method == "POST":
            return self._token(request, switches, now)
        if path == "/v2/oauth2/tokens/revoke" and request.method == "POST":
            return self._revoke(request)
        if path == "/v1/openid_connect/userinfo":
            return self._user(request, now)
        if path == "/op/v1/jwks":
            return _json(key_set())
        return None

    def _authorize(self, request: Request, companies: Mapping[str, str], now: datetime) -> Response:
        """Show who asks for what; a choice, made or configured, goes back to the app's own address."""
        asked = {
            name: request.argument(name) or ""
            for name in ("client_id", "redirect_uri", "response_type", "scope", "state")
        }
        app = self.tokens.apps.get(asked["client_id"])
        if app is None or asked["redirect_uri"] not in app.redirect_uris:
            return _page(NOT_CONNECTED, "The client_id or the redirect_uri is not registered.", 400)
        if asked["response_type"] != "code" or not asked["state"]:
            return _page(NOT_CONNECTED, "response_type=code and a state are required.", 400)
        scopes = asked["scope"].split()
        if not scopes or not SCOPES.issuperset(scopes):
            return _back(asked, {"error": "invalid_scope"})
        choice = request.form() if request.method == "POST" else {}
        realm_id = choice.get("realm_id") or (self.consents_to if not choice else None)
        if choice.get("decision") == "deny":
            return _back(asked, {"error": "access_denied"})
        if realm_id is None or realm_id not in companies:
            return _page(f"Connect {app.client_id} to QuickBooks", _form(companies))
        code = self.tokens.issue_code(app.client_id, realm_id, scopes, asked["redirect_uri"], now)
        return _back(asked, {"code": code, "realmId": realm_id})

    def _token(self, request: Request, switches: Switches, now: datetime) -> Response:
        app = self._client(request)
        if app is None:
            return _json({"error": "invalid_client"}, 401)
        form = request.form()
        kind = form.get("grant_type")
        needed = {"authorization_code": ("code", "redirect_uri"), "refresh_token": ("refresh_token",)}
        if kind not in needed:
            return _json({"error": "unsupported_grant_type" if kind else "invalid_request"}, 400)
        if not all(form.get(name) for name in needed[kind]):
            return _json({"error": "invalid_request"}, 400)
        try:
            if kind == "authorization_code":
                access, grant = self.tokens.exchange(app.client_id, form["code"], form["redirect_uri"], now)
            else:
                access, grant = self.tokens.refresh(app.client_id, form["refresh_token"], switches, now)
        except InvalidGrant:
            described = {"error_description": "Incorrect or invalid refresh token"} if kind == "refresh_token" else {}
            return _json({"error": "invalid_grant", **described}, 400)
        return _json(_issued(request, access, grant, now))

    def _client(self, request: Request) -> RegisteredApp | None:
        """The app that signs the request, by a Basic header or by fields of the form."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
        except (NotBase64, UnicodeDecodeError):
            return None
        if not scheme:
            client_id, secret = (request.form().get(name, "") for name in ("client_id", "client_secret"))
        app = self.tokens.apps.get(client_id)
        return app if scheme.lower() in ("", "basic") and app and app.client_secret == secret else None

    def _revoke(self, request: Request) -> Response:
        app = self._client(request)
        if app is None:
            return _json({"error": "invalid_client"}, 401)
        try:
            sent = json.loads(request.body) if request.body.startswith(b"{") else request.form()
        except ValueError:
            sent = {}
        revoked = self.tokens.revoke(app.client_id, str(sent.get("token", "")))
        return Response() if revoked else _json({"error": "invalid_request"}, 400)

    def _user(self, request: Request, now: datetime) -> Response:
        access = self.tokens.access(request.headers.get("authorization", "").partition(" ")[2])
        if access is None or not access.grant.alive or now >= access.expires_at or "openid" not in access.grant.scopes:
            return _json({"error": "invalid_token"}, 401)
        return _json(PROFILE)


def discovery(base_url: str) -> dict[str, object]:
    """Where everything is."""
    return {
        "issuer": f"{base_url}/op/v1",
        "authorization_endpoint": base_url + AUTHORIZE,
        "token_endpoint": f"{base_url}/oauth2/v1/tokens/bearer",
        "userinfo_endpoint": f"{base_url}/v1/openid_connect/userinfo",
        "revocation_endpoint": f"{base_url}/v2/oauth2/tokens/revoke",
        "jwks_uri": f"{base_url}/op/v1/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
    }


def _issued(request: Request, access: str, grant: Grant, now: datetime) -> dict[str, object]:
    answer: dict[str, object] = {
        "token_type": "bearer",
        "access_token": access,
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "refresh_token": grant.refresh_token,
        "x_refresh_token_expires_in": int(REFRESH_LIFE.total_seconds()),
    }
    if request.headers.get(HARD_EXPIRY_ASKED, "").lower() == "true":
        answer["x_refresh_token_hard_expires_in"] = int((grant.ends_at() - now).total_seconds())
    if "openid" in grant.scopes:
        answer["id_token"] = id_token(grant, f"{request.base_url}/op/v1", now)
    return answer


def _json(value: object, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json;charset=UTF-8"}, body=write_json(value))


def _back(asked: Mapping[str, str], result: Mapping[str, str]) -> Response:
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    location = asked["redirect_uri"] + joint + urlencode({**result, "state": asked["state"]})
    return Response(status=302, headers={"location": location})


def _form(companies: Mapping[str, str]) -> str:
    return (
        '<form method="post"><p><label>Company <select name="realm_id">'
        + _options(companies.items())
        + (
            '</select></label></p><button name="decision" value="connect">Connect</button> '
            '<button name="decision" value="deny">No, thanks</button></form>'
        )
    )


def _options(companies: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<option value="{escape(realm)}">{escape(name)}</option>' for realm, name in companies)


def _page(title: str, content: str, status: int = 200) -> Response:
    """A small page; it refuses to be framed, as Intuit's does."""
    shown = content if content.startswith("<") else f"<p>{escape(content)}</p>"
    body = f'<!doctype html><html lang="en"><title>{escape(title)}</title><h1>{escape(title)}</h1>{shown}</html>'
    headers = {"content-type": "text/html; charset=utf-8", "x-frame-options": "DENY"}
    return Response(status=status, headers=headers, body=body.encode())
