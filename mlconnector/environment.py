"""Reads settings from environment variables; every mistake becomes a sentence that names the variable."""

import base64
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

SHORTEST_SECRET, LEAST_VARIETY = 50, 10
HOST = re.compile(r"\*|\.?[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*|\[[\da-f:.]+\]", re.IGNORECASE)
MIGRATED = (
    "SELECT to_regclass('django_migrations') IS NOT NULL AND EXISTS (SELECT FROM pg_roles WHERE rolname = %s "
    "AND pg_has_role(current_user, oid, 'MEMBER'))"
)


class SettingError(ImproperlyConfigured):
    """An environment variable is missing or cannot be used; the message says which and what to change."""


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise SettingError(f"{name} is not set. It is required here; .env.example describes it.")
    return value


def words(name: str, default: str | None = None) -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def flag(name: str, default: bool) -> bool:
    value = text(name, "yes" if default else "no").lower()
    if value not in {"1", "0", "yes", "no", "true", "false", "on", "off"}:
        raise SettingError(f"{name} is {value!r}. Set it to yes or no.")
    return value in {"1", "yes", "true", "on"}


def number(name: str, default: int, *, at_least: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < at_least:
        raise SettingError(f"{name} is {value!r}. Set it to a whole number of at least {at_least}.")
    return int(value)


def choice(name: str, default: str, among: Sequence[str]) -> str:
    value = text(name, default).upper()
    if value not in among:
        raise SettingError(f"{name} is {value!r}. Set it to one of {', '.join(among)}.")
    return value


def url(name: str, default: str | None = None, *, example: str = "https://connector.example.com") -> str:
    """An address of a host alone; with a port where the example has one."""
    value = text(name, default).rstrip("/")
    wrong = SettingError(f"{name} is {value!r}. Set it to an address such as {example}, without a path.")
    try:
        parts, wanted = urlsplit(value), urlsplit(example)
        whole = bool(parts.hostname) and (parts.port is not None or wanted.port is None)
    except ValueError:
        raise wrong from None
    if (
        parts.scheme not in {"http", "https"}
        or not whole
        or value != f"{parts.scheme}://{parts.netloc}"
        or "@" in value
    ):
        raise wrong
    return value


def hosts(name: str) -> list[str]:
    found = words(name, "")
    if wrong := [host for host in found if not HOST.fullmatch(host)]:
        raise SettingError(f"{name} has {wrong[0]!r}. Set it to host names alone, such as connector.example.com.")
    return found


def secret(name: str) -> str:
    """What signs sessions: long and of many characters, never shown."""
    value = text(name)
    if len(value) < SHORTEST_SECRET or len(set(value)) < LEAST_VARIETY:
        raise SettingError(f"{name} is too weak. Set it to {SHORTEST_SECRET} or more random characters.")
    return value


def fernet_keys(name: str, default: str | None = None) -> list[str]:
    """Keys that encrypt, never shown; each is 32 random bytes in URL-safe base64."""
    keys = words(name, default)
    for place, key in enumerate(keys, 1):
        try:
            Fernet(key)
            weak = len(set(base64.urlsafe_b64decode(key))) < LEAST_VARIETY
        except ValueError:
            weak = True
        if weak:
            raise SettingError(f"Key {place} in {name} is no Fernet key. .env.example says how to make one.")
    return keys


def database(name: str) -> dict[str, Any]:
    """The DATABASES entry that a postgresql:// address stands for; the address, with its password, is never shown."""
    wanted = f"Set {name} to postgresql://user:password@host:5432/database"
    try:
        parts = urlsplit(text(name))
    except ValueError:
        raise SettingError(f"{name} is no address. {wanted}.") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SettingError(f"{name} begins with {parts.scheme!r}, but ml-connector runs on PostgreSQL only. {wanted}.")
    try:
        port = parts.port
    except ValueError:
        raise SettingError(f"The port in {name} is not a number. {wanted}.") from None
    if not parts.path.strip("/") or not parts.username:
        raise SettingError(f"{name} names no {'database' if parts.username else 'user'}. {wanted}.")
    return {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def made_once(file: Path, make: Callable[[], str]) -> str:
    """The text of a private file, made at first use; of processes that start together one makes it, all read it."""
    try:
        if not file.exists():
            file.parent.mkdir(mode=0o700 if os.geteuid() else 0o711, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=file.parent) as draft, suppress(FileExistsError):
                draft.write(make())
                draft.flush()
                os.link(draft.name, file)
        return file.read_text().strip()
    except OSError as error:
        raise SettingError(
            f"{file} cannot be made or read ({error.strerror}). Set MLCONNECTOR_HOME to a folder of your own."
        ) from None


def refuse_unusable(server: Mapping[str, Any], role: str, *, migrated: bool) -> None:
    """SettingError if the server of a DATABASES entry does not let us in or, where it has to be, is not migrated."""
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    options = {name: value for name, value in server["OPTIONS"].items() if name != "assume_role"}
    given = {**{ours: server[theirs] for theirs, ours in names.items() if server.get(theirs)}, **options}
    try:
        with psycopg.connect(**{"connect_timeout": 10, **given}, autocommit=True) as connection:
            ready = connection.execute(MIGRATED, [role]).fetchone()
    except psycopg.Error as error:
        lines = [line.strip("- \t") for line in str(error).splitlines()]
        said = next((line for line in lines if "failed: " in line or "FATAL" in line), lines[0])
        raise SettingError(
            f"The database cannot be reached: {said}. Start its server, or correct DATABASE_URL."
        ) from None
    if migrated and ready != (True,):
        raise SettingError("The database is not set up yet. Run manage.py migrate first.")
