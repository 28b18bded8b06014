"""Whether a profile is whole: each problem names the key and says what to change there."""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.avidxchange.contract_sections import Header, Sections

NAMES: Final = tomllib.loads(Path(__file__).with_name("contract_names.toml").read_text())
INDISPENSABLE: Final = {
    "vendor": ("external_id",),
    "invoice": ("id", "external_id", "amount", "workflow_status"),
    "payment": ("id", "status", "amount", "applications"),
    "application": ("invoice_id", "gross_amount"),
}
# What is neither written nor listed needs no names.
USED_BY: Final = {
    "vendor": ("upsert_vendors", "list_vendors"),
    "invoice": ("submit_invoices", "list_invoices"),
    "payment": ("list_payments",),
    "application": ("list_payments",),
}
PATH_SLOTS: Final = {"id", "dimension_id"}


class ContractError(Exception):
    """A contract profile cannot be used: the message names the file, the key and what to change."""


def wire_names(mapped: str | list[str] | None) -> list[str]:
    """The names that an entry maps to; none for null."""
    if mapped is None:
        return []
    return [mapped] if isinstance(mapped, str) else mapped


def name_key(raw: Any, error: msgspec.ValidationError) -> str:
    """What an error of reading says, with the key of a table in place of the dots that the reader gives."""
    said = str(error)
    for section, table in raw.items() if isinstance(raw, Mapping) else ():
        if f"$.{section}[...]" not in said:
            continue
        for key, entry in table.items():
            parts = [(key, entry)]
            if "[...][...]" in said and isinstance(entry, Mapping):
                parts = [(f"{key}.{inner}", {inner: value}) for inner, value in entry.items()]
            for name, part in parts:
                try:
                    msgspec.convert({**raw, section: {key: part}}, Sections)
                except msgspec.ValidationError as narrower:
                    return re.sub(r"`\$\.\w+(\[\.\.\.\])+", f"`{section}.{name}", str(narrower))
    return said.replace("`$.", "`")


def check_vocabulary(data: Sections) -> list[str]:
    """Everything that is missing, unknown or at odds with itself, in the order of the file."""
    return [
        *_check_sign_ins(data),
        *_check_keys("headers", data.headers, NAMES["headers"], "a header's name"),
        *_check_operations(data),
        *_check_keys("query", data.query, NAMES["query"], "a query argument's name"),
        *_check_paging(data),
        *_check_tables("fields", data.fields, NAMES["fields"]),
        *_check_indispensable(data),
        *_check_lengths(data),
        *_check_tables("enums", data.enums, NAMES["enums"]),
        *_check_words(data),
        *_check_payment_statuses(data),
    ]


def _check_keys(section: str, given: Collection[str], known: Collection[str], value: str) -> Iterator[str]:
    for name in sorted(set(known) - set(given)):
        yield f"{section}.{name} is missing: give {value}, or null if it is not offered"
    for name in sorted(set(given) - set(known)):
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
        yield f"{section}.{name} is not known: remove it, or did you mean {nearest[0]}?"


def _check_tables(
    section: str, given: Mapping[str, Collection[str]], known: Mapping[str, Collection[str]]
) -> Iterator[str]:
    yield from _check_keys(section, given, known, "an object")
    for table in known.keys() & given.keys():
        yield from _check_keys(f"{section}.{table}", given[table], known[table], "their name")


def _check_indispensable(data: Sections) -> Iterator[str]:
    for table, names in INDISPENSABLE.items():
        if not any(data.operations.get(operation) for operation in USED_BY[table]):
            continue
        for name in names:
            if data.fields.get(table, {}).get(name, "") is None:
                yield f"fields.{table}.{name} is null, but nothing can be matched or paid without it: name it"


def _check_sign_ins(data: Sections) -> Iterator[str]:
    if data.auth.oauth is None and data.auth.tokens is None:
        yield "auth has no sign-in: fill in auth.oauth or auth.tokens"
    if data.auth.oauth is not None:
        yield from _check_slots("auth.oauth.headers", data.auth.oauth.headers, NAMES["slots"]["oauth"])
    if data.auth.tokens is not None:
        yield from _check_slots("auth.tokens.headers", data.auth.tokens.headers, NAMES["slots"]["tokens"])


def _check_slots(key: str, headers: Iterable[Header], wanted: Collection[str]) -> Iterator[str]:
    slots = [header.slot() for header in headers]
    for slot in wanted:
        if slots.count(slot) != 1:
            yield f"{key}: exactly one header must carry {{{slot}}}"
    for slot in set(slots) - set(wanted):
        yield f"{key}: {{{slot}}} is not a slot here: use {', '.join(wanted)}"


def _check_operations(data: Sections) -> Iterator[str]:
    yield from _check_keys("operations", data.operations, NAMES["operations"], "its method and path")
    for name, operation in data.operations.items():
        if operation is None:
            continue
        for argument in operation.query.keys() - set(NAMES["query"]):
            yield f"operations.{name}.query.{argument} is not a query argument: remove it"
        for slot in set(re.findall(r"\{(.*?)\}", operation.path)) - PATH_SLOTS:
            yield f"operations.{name}.path: {{{slot}}} is not a slot: use {' or '.join(sorted(PATH_SLOTS))}"
        if name.startswith(("upsert_", "submit_")) and not (operation.items and operation.max_items):
            yield f"operations.{name}: a batch needs items (the list's name) and maxItems"


def _check_paging(data: Sections) -> Iterator[str]:
    needs = {
        "linkThenPage": [("fields.page", "links"), ("query", "page_number")],
        "page": [("fields.page", "page_count"), ("query", "page_number")],
        "cursor": [("fields.page", "next_cursor"), ("query", "cursor")],
        "none": [],
    }[data.paging.strategy]
    if data.change_feed.granularity != "none":
        needs.append(("query", "updated_since"))
    for section, name in needs:
        entries: Mapping[str, object] = data.query if section == "query" else data.fields.get("page", {})
        if entries.get(name, "") is None:
            yield f"{section}.{name} is null, but paging.strategy and changeFeed.granularity need it: name it"


def _check_lengths(data: Sections) -> Iterator[str]:
    for kind, lengths in data.limits.lengths.items():
        for name in lengths:
            if name not in NAMES["fields"].get(kind, ()):
                yield f"limits.lengths.{kind}.{name} is not a field: remove it"


def _check_words(data: Sections) -> Iterator[str]:
    for enum, table in data.enums.items():
        meanings: dict[str, str] = {}
        for meaning, mapped in table.items():
            for word in wire_names(mapped):
                other = meanings.setdefault(word.casefold(), meaning)
                if other != meaning:
                    yield f"enums.{enum}.{meaning}: {word} already stands for {other}: give each its own word"


def _check_payment_statuses(data: Sections) -> Iterator[str]:
    given = {row.canonical for row in data.payment_statuses}
    yield from _check_keys("paymentStatuses", given, NAMES["payment_statuses"], "a row")
    words: set[str] = set()
    for row in data.payment_statuses:
        key = f"paymentStatuses.{row.canonical}"
        if row.word and row.word.casefold() in words:
            yield f"{key}: {row.word} stands in two rows: remove one"
        words.add((row.word or "").casefold())
        if row.method is not None and row.method not in NAMES["enums"]["payment_method"]:
            yield f"{key}.method: {row.method} is not a payment method of ours"
        if row.phase != {"yes": "executed", "reversed": "reversed"}.get(row.executed, row.phase) or (
            row.executed == "no" and row.phase in ("executed", "reversed")
        ):
            yield f"{key}: executed {row.executed} and phase {row.phase} contradict each other: change one"
        if row.live == (row.phase == "reversed"):
            yield f"{key}: live {str(row.live).lower()} and phase {row.phase} contradict each other: change one"
