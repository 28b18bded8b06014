"""Reads settings from environment variables; every mistake becomes a sentence that names the variable."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


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


def url(name: str, default: str | None = None) -> str:
    value = text(name, default)
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise SettingError(f"{name} is {value!r}. Set it to an address such as https://connector.example.com.")
    return value.rstrip("/")


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
    if not file.exists():
        file.parent.mkdir(mode=0o700 if os.geteuid() else 0o711, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as draft, suppress(FileExistsError):
            draft.write(make())
            draft.flush()
            os.link(draft.name, file)
    return file.read_text().strip()
