"""Which names AvidXchange's contract goes by: a profile, read from a data file and checked whole before it is used.

AvidXchange's reference is open to its partners only, so every name, path and word here is an assumption until a
partner confirms it, and is changed by editing a data file. This module maps names and nothing else: what money looks
like on the wire, how pages follow each other, what a status means for the books is decided by those who use it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import msgspec

from connectors.avidxchange.contract_check import ContractError as ContractError
from connectors.avidxchange.contract_check import check_vocabulary, name_key, wire_names
from connectors.avidxchange.contract_sections import Address, Environment, OAuth, Operation, Sections, Tokens

DEFAULT_PROFILE: Final = "assumed-v1"
UNKNOWN: Final = "unknown"
CAPABILITIES: Final[Mapping[str, str]] = {
    "upsert_purchase_orders": "purchase_orders",
    "list_purchase_orders": "purchase_orders",
    "put_invoice_image": "invoice_image",
    "get_invoice_image": "invoice_image",
    "void_payment": "payment_void",
    "acknowledge_payments": "payment_ack",
}
FOLDER: Final = Path(__file__).parent / "profiles"

Found = TypeVar("Found")


class NotOffered(ContractError):
    """This contract has no such operation, field or word: it is mapped to null."""


class PaymentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment's status word means; a word that the profile does not know is neither live nor executed."""

    word: str
    meaning: str
    live: bool = False
    executed: Literal["yes", "no", "reversed"] = "no"
    phase: Literal["none", "pending", "executed", "reversed", "unknown"] = "unknown"
    method: str | None = None


class Profile(Sections, frozen=True, dict=True):
    """One contract: its sections as the file has them, and names both ways between us and AvidXchange."""

    @cached_property
    def content_hash(self) -> str:
        """What was agreed on, in 64 characters; another word anywhere gives another hash."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    # Requests.

    @property
    def oauth(self) -> OAuth | None:
        """The sign-in of a partner application."""
        return self.auth.oauth

    @property
    def tokens(self) -> Tokens | None:
        """The sign-in by two tokens of a customer."""
        return self.auth.tokens

    def address(self, environment: Environment, root: str = "") -> Address:
        """Where an environment answers; `root` is the place a simulator is mounted at."""
        address = self.addresses.get(environment)
        if address is None:
            raise ContractError(f"{self.profile_id} has no {environment} address: fill in addresses.{environment}")
        return Address(
            base_url=address.base_url.replace("{root}", root),
            token_url=address.token_url and address.token_url.replace("{root}", root),
            revoke_url=address.revoke_url and address.revoke_url.replace("{root}", root),
        )

    def offers(self, operation: str) -> bool:
        """Whether this contract has the operation, and the capability that it hangs on."""
        needed = CAPABILITIES.get(operation)
        return self.operations[operation] is not None and (not needed or getattr(self.capabilities, needed) is True)

    @property
    def takes_images(self) -> bool:
        """Whether there is a way to send an invoice's image."""
        way = self.strategies.image
        inside = way == "base64InInvoice" and self.capabilities.invoice_image and self.offers("submit_invoices")
        return inside or (way in ("rawBody", "multipart") and self.offers("put_invoice_image"))

    def operation(self, operation: str) -> Operation:
        """Verb, path and batch size of an operation."""
        found = self.operations[operation]
        if found is None:
            raise NotOffered(f"{self.profile_id} does not offer {operation}: operations.{operation} is null")
        return found

    def path(self, operation: str, **slots: str) -> str:
        """The path of an operation below the base URL, its slots filled and quoted."""
        return self.operation(operation).path.format(**{name: quote(value, safe="") for name, value in slots.items()})

    def argument(self, name: str) -> str | None:
        """Their name for a query argument."""
        return self.query[name]

    def query_of(self, operation: str) -> Mapping[str, str | None]:
        """Their names for query arguments, as one operation has them."""
        return {**self.query, **self.operation(operation).query}

    def arguments(self, operation: str = "", /, **values: object) -> dict[str, str]:
        """A query by their names, as an operation has them, without what is None or has no name here."""
        names = self.query_of(operation) if operation else self.query
        named = ((names[name], value) for name, value in values.items() if value is not None)
        return {name: str(value) for name, value in named if name is not None}

    def header(self, name: str) -> str | None:
        """Their name for a header."""
        return self.headers[name]

    def sign_in_headers(self, mode: Literal["oauth", "tokens"], **slots: str) -> dict[str, str]:
        """The headers that carry a sign-in's secrets and ids."""
        sign_in = self.oauth if mode == "oauth" else self.tokens
        if sign_in is None:
            raise NotOffered(f"{self.profile_id} does not offer this sign-in: auth.{mode} is null")
        return {header.name: header.fill(slots[header.slot()]) for header in sign_in.headers}

    # Records.

    def has(self, kind: str, field: str) -> bool:
        """Whether this contract has a name for the field."""
        return bool(self._paths[kind, field])

    def name(self, kind: str, field: str) -> str:
        """Their first name of a field, as a dotted path."""
        if not self.has(kind, field):
            raise NotOffered(f"{self.profile_id} has no {kind} {field}: fields.{kind}.{field} is null")
        return ".".join(self._paths[kind, field][0])

    def get(self, kind: str, record: Any, field: str) -> Any:
        """A field's raw value; None where it is absent or has no name here."""
        for keys in self._paths[kind, field]:
            value = record
            for key in keys:
                if not isinstance(value, Mapping) or key not in value:
                    break
                value = value[key]
            else:
                return value
        return None

    def getter(self, kind: str, field: str) -> Callable[[Any], Any]:
        """`get` for one field of one kind, its path looked up once."""
        paths = self._paths[kind, field]
        if len(paths) == 1 and len(paths[0]) == 1:
            key = paths[0][0]
            return lambda record: record.get(key)
        return lambda record: self.get(kind, record, field)

    def put(self, kind: str, record: dict[str, Any], field: str, value: Any) -> None:
        """Set a field under its first name, making the objects around it; one without a name here is left out."""
        for *outer, last in self._paths[kind, field][:1]:
            target = record
            for key in outer:
                if not isinstance(target.get(key), dict):
                    target[key] = {}
                target = target[key]
            target[last] = value

    def field_named(self, kind: str, name: str) -> str | None:
        """Our field for a name of theirs, as their errors give it; a place within a list stands for the list."""
        return self._fields_by_name.get((kind, name.partition("[")[0].casefold()))

    # Words.

    def word(self, enum: str, meaning: str) -> str:
        """Their first word for a meaning."""
        words = wire_names(self.enums[enum][meaning])
        if not words:
            raise NotOffered(f"{self.profile_id} has no word: enums.{enum}.{meaning} is null")
        return words[0]

    def meaning(self, enum: str, word: object) -> str:
        """Our meaning of a word of theirs in any case; `unknown` for a word that the profile does not know."""
        return _look_up(self._meanings[enum], word) or UNKNOWN

    def payment_status(self, word: object) -> PaymentStatus:
        """What a payment's status word means for money."""
        return _look_up(self._statuses, word) or PaymentStatus(word=str(word), meaning=UNKNOWN)

    def payment_status_word(self, meaning: str, method: str | None = None) -> str:
        """Their word for a payment's status; some statuses have one per method."""
        for status in self._statuses.values():
            if status.meaning == meaning and status.method in (None, method):
                return status.word
        raise NotOffered(f"{self.profile_id} has no payment status for {meaning} by {method}: see paymentStatuses")

    # Tables made once.

    @cached_property
    def _paths(self) -> dict[tuple[str, str], tuple[tuple[str, ...], ...]]:
        return {
            (kind, name): tuple(tuple(path.split(".")) for path in wire_names(mapped))
            for kind, table in self.fields.items()
            for name, mapped in table.items()
        }

    @cached_property
    def _fields_by_name(self) -> dict[tuple[str, str], str]:
        return {
            (kind, ".".join(keys).casefold()): name for (kind, name), paths in self._paths.items() for keys in paths
        }

    @cached_property
    def _meanings(self) -> dict[str, dict[str, str]]:
        return {
            enum: {word.casefold(): meaning for meaning, mapped in table.items() for word in wire_names(mapped)}
            for enum, table in self.enums.items()
        }

    @cached_property
    def _statuses(self) -> dict[str, PaymentStatus]:
        return {
            row.word.casefold(): PaymentStatus(
                word=row.word,
                meaning=row.canonical,
                live=row.live,
                executed=row.executed,
                phase=row.phase,
                method=row.method,
            )
            for row in self.payment_statuses
            if row.word is not None
        }


def _look_up(table: Mapping[str, Found], word: object) -> Found | None:
    """A row by a word in any case, else by a prefix that the table writes with a star."""
    asked = str(word).casefold()
    if asked in table:
        return table[asked]
    return next((row for name, row in table.items() if name.endswith("*") and asked.startswith(name[:-1])), None)


def load_profile(path: Path, *overrides: Mapping[str, Any]) -> Profile:
    """A profile out of its file, with overrides merged in: objects deeply, everything else replaced."""
    try:
        raw = json.loads(path.read_text())
    except OSError as error:
        raise ContractError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ContractError(f"{path} is not JSON: {error}") from error
    for override in overrides:
        raw = _merge(raw, override)
    try:
        profile = msgspec.convert(raw, Profile)
    except msgspec.ValidationError as error:
        raise ContractError(f"{path}: {name_key(raw, error)}") from error
    if problems := check_vocabulary(profile):
        raise ContractError("\n".join(f"{path}: {problem}" for problem in problems))
    return profile


@cache
def named_profile(name: str) -> Profile:
    """One of the profiles that are shipped."""
    if name not in profile_names():
        raise ContractError(f"there is no contract profile {name}: choose one of {', '.join(profile_names())}")
    profile = load_profile(FOLDER / f"{name}.json")
    if profile.profile_id != name:
        raise ContractError(f"{FOLDER / name}.json: profileId is {profile.profile_id}: name it as its file, {name}")
    return profile


def profile_names() -> tuple[str, ...]:
    """The profiles that are shipped."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def _merge(under: Any, over: Any) -> Any:
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        return over
    return {**under, **{key: _merge(under.get(key), value) for key, value in over.items()}}
