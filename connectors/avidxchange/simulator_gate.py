"""The gateway before the simulated network: tokens, the two sign-ins, throttling, and refusals in three dialects.

WSO2: asking for a token again within the life of an opaque one returns the same token with its remaining life; faults
come as wrapped JSON (2.x, 3.x), flat JSON (4.x) or XML; `Retry-After` is an HTTP date and is missing when a burst is
refused. Assumed: which headers carry tokens and company, and that a throttle's window begins with its first request.
"""

import base64
import binascii
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.contract_sections import Header
from connectors.avidxchange.simulator_books import RequestRefused, Serial
from connectors.simulators import Request, Response

# WSO2: fault code -> HTTP status, message, description.
GATEWAY_FAULTS: Mapping[int, tuple[int, str, str]] = {
    102511: (400, "Incomplete payload", "The payload could not be read whole."),
    101503: (503, "Error connecting to the back end", "Error connecting to the back end."),
    101504: (504, "Connection timed out", "The back end did not answer in time."),
    101505: (502, "Connection closed", "The back end closed the connection."),
    101508: (504, "Connection timeout", "The connection to the back end timed out."),
    700700: (503, "API blocked", "This API has been blocked temporarily. Please try again later."),
    900800: (429, "Message throttled out", "You have exceeded your quota."),
    900801: (503, "Hard limit exceeded", "You have exceeded the limit of the back end."),
    900802: (429, "Message throttled out", "You have exceeded your quota for this resource."),
    900803: (429, "Message throttled out", "You have exceeded your quota for this application."),
    900804: (429, "Message throttled out", "You have exceeded your quota for this subscription."),
    900805: (429, "Message blocked", "You have been blocked from accessing the resource."),
    900806: (429, "Message throttled out", "You have exceeded a custom quota."),
    900807: (429, "Message throttled out", "You have exceeded the number of requests per second."),
    900900: (500, "Unclassified Authentication Failure", "Error while accessing backend services for key validation"),
    900901: (401, "Invalid Credentials", "Make sure you have provided the correct security credentials."),
    900902: (401, "Missing Credentials", "Make sure your invocation of the API has a header with credentials."),
    900905: (401, "Incorrect Access Token Type is provided", "The access token type is not supported here."),
    900906: (403, "No matching resource found in the API", "Check the API's path and verb."),
    900907: (401, "The requested API is temporarily blocked", "The API or its user is blocked."),
    900908: (403, "Resource forbidden", "The application is not subscribed to this API."),
    900909: (401, "The subscription to the API is inactive", "The subscription awaits approval."),
    900910: (403, "The access token does not allow you to access the requested resource", "The scope is missing."),
}
_WITHOUT_TIME = {900805, 900807}  # blocked, and a burst: the gateway does not say until when
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


class GatewayRefused(Exception):
    """The gateway does not let a request through."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(kw_only=True)
class AccessToken:
    """A bearer token of a partner application."""

    value: str
    client_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: whose requests are counted, which application it is if one, and the company that is meant."""

    budget: str
    client_id: str | None
    company_id: str


def gateway_fault(code: int, dialect: str, free_at: datetime | None = None) -> Response:
    """The gateway's refusal; `free_at` is when a throttled caller may come again."""
    status, message, description = GATEWAY_FAULTS[code]
    headers = {}
    until = None
    if free_at is not None and code not in _WITHOUT_TIME:
        free_at = free_at.astimezone(UTC)
        until = f"{free_at:%Y}-{_MONTHS[free_at.month - 1]}-{free_at:%d %H:%M:%S}+0000 UTC"
        headers["retry-after"] = format_datetime(free_at.replace(microsecond=0), usegmt=True)
    if dialect == "xml":
        prefix, of = ("amt", "throttling") if status == 429 or code == 900801 else ("ams", "security")
        parts = {"code": str(code), "message": message, "description": description}
        parts |= {"nextAccessTime": until} if until else {}
        inner = "".join(f"<{prefix}:{name}>{escape(text)}</{prefix}:{name}>" for name, text in parts.items())
        body = f'<{prefix}:fault xmlns:{prefix}="http://wso2.org/apimanager/{of}">{inner}</{prefix}:fault>'
        return Response(status=status, headers={**headers, "content-type": "text/xml"}, body=body.encode())
    fault: dict[str, object] = {"message": message, "description": description}
    fault |= {"nextAccessTime": until} if until else {}
    if dialect == "jsonWrapped":
        return Response.json({"fault": {"code": code, **fault}}, status, headers)
    return Response.json({"code": str(code), **fault}, status, headers)


class Gate:
    """Who may come in, and how often."""

    def __init__(self, profile: Profile, serial: Serial, token_seconds: int) -> None:
        self._profile = profile
        self._serial = serial
        self._tokens: dict[tuple[str, str], AccessToken] = {}
        self._windows: dict[tuple[str, int], tuple[datetime, int]] = {}
        self.token_seconds = token_seconds
        self.clients: dict[str, str] = {}
        self.issued: dict[str, AccessToken] = {}
        self.company_tokens: dict[str, str] = {}
        self.user_tokens: dict[str, str] = {}
        self.limited_users: set[str] = set()
        self.resource_limit: int | None = None
        self.hard_limit: int | None = None

    # Tokens.

    def issue(self, request: Request, now: datetime) -> Response:
        """The token endpoint: client credentials in a Basic header, no refresh token."""
        client_id = self._client_of(request)
        if client_id is None:
            return _oauth_error(401, "invalid_client", "Client authentication failed.")
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "The grant type is not supported.")
        scope = form.get("scope", "default")
        token = self._tokens.get((client_id, scope))
        if token is None or token.expires_at - now < timedelta(seconds=1):
            ends = now + timedelta(seconds=self.token_seconds)
            token = AccessToken(value=self.secret(client_id), client_id=client_id, expires_at=ends)
            self._tokens[client_id, scope] = self.issued[token.value] = token
        return Response.json(
            {
                "access_token": token.value,
                "scope": f"am_application_scope {scope}",
                "token_type": "Bearer",
                "expires_in": int((token.expires_at - now).total_seconds()),
            }
        )

    def revoke(self, request: Request) -> Response:
        """The revocation endpoint: a revoked or unknown token is answered alike."""
        if self._client_of(request) is None:
            return _oauth_error(401, "invalid_client", "Client authentication failed.")
        self.forget(request.form().get("token", ""))
        return Response(status=200)

    def forget(self, token: str) -> None:
        """This token, of whatever sort, is not accepted any more."""
        self.issued.pop(token, None)
        self._tokens = {key: kept for key, kept in self._tokens.items() if kept.value != token}
        self.company_tokens.pop(token, None)
        self.user_tokens.pop(token, None)

    def secret(self, of: str) -> str:
        """A new token: looks random, is the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{of}:{self._serial.number('token')}"))

    def _client_of(self, request: Request) -> str | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return client_id if scheme.lower() == "basic" and self.clients.get(client_id, "") == secret != "" else None

    # Coming in.

    def admit(self, request: Request, now: datetime) -> Caller:
        """Who asks, by whichever sign-in the headers show."""
        oauth, tokens = self._profile.oauth, self._profile.tokens
        names = {header.name.lower() for header in tokens.headers} if tokens else set()
        shared = {header.name.lower() for header in oauth.headers} if oauth else set()
        if tokens and (names - shared) & request.headers.keys():
            slots = read_slots(tokens.headers, request.headers)
            caller = self._admit_by_tokens(slots)
            if request.method != "GET" and slots["user_token"] in self.limited_users:
                raise RequestRefused(403, "user_not_permitted", "The user may not send anything.")
            return caller
        return self._admit_application(read_slots(oauth.headers if oauth else [], request.headers), now)

    def _admit_application(self, slots: Mapping[str, str], now: datetime) -> Caller:
        if "access_token" not in slots:
            raise GatewayRefused(900902)
        token = self.issued.get(slots["access_token"])
        if token is None or token.expires_at <= now:
            raise GatewayRefused(900901)
        client_id = token.client_id
        return Caller(budget=client_id, client_id=client_id, company_id=slots.get("company_id", ""))

    def _admit_by_tokens(self, slots: Mapping[str, str]) -> Caller:
        if not {"company_token", "user_token"} <= slots.keys():
            raise GatewayRefused(900902)
        company = self.company_tokens.get(slots["company_token"])
        user_company = self.user_tokens.get(slots["user_token"])
        if company is None or user_company is None:
            raise GatewayRefused(900901)
        if company != user_company:
            raise RequestRefused(403, "token_company_mismatch", "The tokens belong to two companies.")
        pair = f"{slots['company_token']} {slots['user_token']}"
        return Caller(budget=pair, client_id=None, company_id=company)

    # Throttling.

    def count(self, caller: Caller, path: str, now: datetime) -> tuple[int, datetime] | None:
        """Count one request; the fault and when the window ends if it is one too many."""
        limits = self._profile.limits
        for code, budget, seconds, most in (
            (900801, "", 60, self.hard_limit),
            (900807, caller.budget, 1, limits.requests_per_second),
            (900803, caller.budget, 60, limits.requests_per_minute),
            (900802, f"{caller.budget} {path}", 60, self.resource_limit),
        ):
            begun, counted = self._windows.get((budget, seconds), (now, 0))
            ends = begun + timedelta(seconds=seconds)
            if now >= ends:
                begun, counted, ends = now, 0, now + timedelta(seconds=seconds)
            if most is not None and counted >= most:
                return code, ends
            if most is not None:
                self._windows[budget, seconds] = (begun, counted + 1)
        return None


def read_slots(headers: list[Header], sent: Mapping[str, str]) -> dict[str, str]:
    """What stands in the slots of these headers, as far as they were sent in their form."""
    read = {header.slot(): header.read(sent.get(header.name.lower(), "")) for header in headers}
    return {slot: value for slot, value in read.items() if value is not None}


def _oauth_error(status: int, error: str, description: str) -> Response:
    return Response.json({"error": error, "error_description": description}, status)
