"""Apps, codes and tokens: who may reach which company, and until when.

Lifetimes are Intuit's: codes 10 minutes (assumed), access tokens 60 minutes, refresh tokens 101 days from their last
use and five years in all, with a new value about once in 24 hours. Values are made of counters, so that a replayed
journal issues the same ones again.
"""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.quickbooks.simulator_switches import Switches

CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(minutes=60)
REFRESH_LIFE = timedelta(seconds=8726400)
REFRESH_TURN = timedelta(hours=24)
GRANT_LIFE = timedelta(days=5 * 365)


@dataclass
class RegisteredApp:
    """An app of the developer portal."""

    client_id: str
    client_secret: str
    redirect_uris: list[str]


@dataclass
class Grant:
    """One app's permission to one company, and its chain of refresh tokens."""

    client_id: str
    realm_id: str
    scopes: list[str]
    granted_at: datetime
    refresh_token: str = ""
    issued_at: datetime = field(init=False)
    used_at: datetime = field(init=False)
    turned_at: dict[str, datetime] = field(default_factory=dict)
    alive: bool = True

    def __post_init__(self) -> None:
        self.issued_at = self.used_at = self.granted_at

    def ends_at(self) -> datetime:
        """When even a token in use lapses."""
        return self.granted_at + GRANT_LIFE


@dataclass
class Code:
    """An authorization code, good for one exchange."""

    grant: Grant
    redirect_uri: str
    issued_at: datetime
    used: bool = False


@dataclass
class AccessToken:
    """A bearer token."""

    grant: Grant
    expires_at: datetime


class InvalidGrant(Exception):
    """The code or refresh token is not accepted."""


class Tokens:
    """All apps and all that was granted to them."""

    def __init__(self) -> None:
        self.apps: dict[str, RegisteredApp] = {}
        self.grants: list[Grant] = []
        self._codes: dict[str, Code] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, Grant] = {}
        self._issued = 0

    def _value(self, kind: str, parts: int = 1) -> str:
        self._issued += 1
        digests = (hashlib.sha256(f"{kind} {self._issued} {part}".encode()).digest() for part in range(parts))
        return ".".join(urlsafe_b64encode(digest).decode().rstrip("=") for digest in digests)

    def issue_code(self, client_id: str, realm_id: str, scopes: list[str], redirect_uri: str, now: datetime) -> str:
        """A person consents: a code for this app and company."""
        value = self._value("code")
        self._codes[value] = Code(Grant(client_id, realm_id, scopes, now), redirect_uri, now)
        return value

    def exchange(self, client_id: str, value: str, redirect_uri: str, now: datetime) -> tuple[str, Grant]:
        """Tokens for a code; older tokens of the same app and company die (assumed), a used code ends what it gave."""
        code = self._codes.get(value)
        if code is None or code.grant.client_id != client_id or code.redirect_uri != redirect_uri:
            raise InvalidGrant
        if code.used:
            code.grant.alive = False
        if code.used or now - code.issued_at > CODE_LIFE:
            raise InvalidGrant
        code.used = True
        self.end(code.grant.realm_id, client_id)
        self.grants.append(code.grant)
        self._turn(code.grant, now)
        return self._issue_access(code.grant, now), code.grant

    def refresh(self, client_id: str, value: str, switches: Switches, now: datetime) -> tuple[str, Grant]:
        """A new access token, and once in 24 hours a new refresh token that ends the old one."""
        grant = self._refresh.get(value)
        if grant is None or grant.client_id != client_id or not grant.alive:
            raise InvalidGrant
        turned_at = grant.turned_at.get(value)
        if turned_at is not None:
            if not switches.refresh_grace or now - turned_at > switches.refresh_grace:
                grant.alive = not switches.revoke_on_reuse
                raise InvalidGrant
        elif now - grant.used_at > REFRESH_LIFE or now > grant.ends_at():
            raise InvalidGrant
        elif switches.rotate_each_refresh or now - grant.issued_at >= REFRESH_TURN:
            self._turn(grant, now)
        grant.used_at = now
        return self._issue_access(grant, now), grant

    def _turn(self, grant: Grant, now: datetime) -> None:
        if grant.refresh_token:
            grant.turned_at[grant.refresh_token] = now
        grant.refresh_token = "AB11" + self._value("refresh")
        grant.issued_at = grant.used_at = now
        self._refresh[grant.refresh_token] = grant

    def _issue_access(self, grant: Grant, now: datetime) -> str:
        value = "eyJ" + self._value("access", parts=5)
        self._access[value] = AccessToken(grant, now + ACCESS_LIFE)
        return value

    def access(self, value: str) -> AccessToken | None:
        """The bearer token of this value, dead or alive."""
        return self._access.get(value)

    def revoke(self, client_id: str, value: str) -> bool:
        """End the connection that either token belongs to."""
        access = self._access.get(value)
        grant = access.grant if access else self._refresh.get(value)
        if grant is None or grant.client_id != client_id or not grant.alive:
            return False
        grant.alive = False
        return True

    def end(self, realm_id: str, client_id: str | None = None) -> None:
        """End every connection of a company, or the one of an app."""
        for grant in self.grants:
            if grant.realm_id == realm_id and client_id in (None, grant.client_id):
                grant.alive = False
