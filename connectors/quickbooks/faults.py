"""What an answer of QuickBooks Online means for the work: one of our errors, out of the table in `faults.toml`.

The same fault can mean different things: a server that fails over a read is asked again, over a write it may have done
the work. Hence `classify_read`, `classify_write` and, for the token endpoint, `classify_sign_in`.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from connectors import errors
from connectors.base import Fault
from connectors.errors import ConnectorError, RateLimited, RecordRejected, TokenExpired
from connectors.http import Answer

PROVIDER = "quickbooks"
REQUEST_ID = "intuit_tid"  # Intuit's support asks for it
OFF = {"feature_missing", "business_rule", "malformed"}
WAIT = 60.0  # Intuit: wait a minute after a 429; a Retry-After header must not be counted on


@dataclass(frozen=True, kw_only=True)
class Row(Fault):
    """One fault, how it is recognised, and which of our errors it is."""

    error: str
    on_write: str = ""
    codes: frozenset[str] = frozenset()
    says: str = ""
    statuses: frozenset[int] = frozenset()


FAULTS = msgspec.convert(tomllib.loads((Path(__file__).parent / "faults.toml").read_text())["fault"], list[Row])


class Refusal(msgspec.Struct, frozen=True):
    """Where an answer says what went wrong.

    Intuit: the accounting service and the gateway spell it differently, an answer about changes has it further inside,
    the token endpoint knows an error only; and it may come with status 200 (live captures).
    """

    Fault: dict[str, Any] | None = None
    fault: dict[str, Any] | None = None
    CDCResponse: list["Refusal"] = []
    error: str = ""
    error_description: str = ""


def row_of(code: str) -> Row:
    """The row of a code of ours; that of `unexpected` for one that the table does not have."""
    return next((row for row in FAULTS if row.code == code), FAULTS[-1])


def is_off(error: ConnectorError) -> bool:
    """Whether this refusal says that the company does not have what was asked for.

    Which code that is, is not established. A question that is wrong in itself names a property or the parser.
    """
    if error.code == "query_refused":
        return not any(word in error.detail for word in ("Property", "property", "Parser"))
    return error.code in OFF


def error_of(
    code: str,
    detail: str = "",
    *,
    answer: Answer | None = None,
    write: bool = False,
    fields: dict[str, str] | None = None,
) -> ConnectorError:
    """The error for a code of ours, with what is known of the answer that brought it."""
    row = row_of(code)
    kind: type[ConnectorError] = getattr(errors, row.on_write if write and row.on_write else row.error)
    status, headers = (answer.status, answer.headers) if answer else (None, {})
    facts: dict[str, Any] = {"detail": detail, "provider": PROVIDER, "code": row.code, "status": status}
    facts["request_id"] = headers.get(REQUEST_ID, "")
    if issubclass(kind, RateLimited):
        asked = headers.get("retry-after", "")
        facts["retry_after"] = float(asked) if asked.isdecimal() else WAIT
    if issubclass(kind, RecordRejected):
        facts["fields"] = fields
    return kind(row.cause, **facts)


def _classify(answer: Answer, *, write: bool) -> ConnectorError | None:
    try:
        told = list(_told(msgspec.json.decode(answer.body, type=Refusal)))
    except msgspec.DecodeError as error:
        code = "answer_lost" if answer.status == 200 else _code_of_status(answer.status, write=write)
        return error_of(code, str(error), answer=answer, write=write)
    if answer.status == 200 and not told:
        return None
    known = (row.code for code, text, _ in told for row in FAULTS if code in row.codes and row.says in text)
    code, detail = (
        next(known, "") or _code_of_status(answer.status, write=write),
        " / ".join(text for _, text, _ in told),
    )
    fields = {element: text for _, text, element in told if element}
    return error_of(code, detail, answer=answer, write=write, fields=fields)


def _told(refusal: Refusal) -> Iterator[tuple[str, str, str]]:
    """Each thing that went wrong: its code, its text, and the field it is about."""
    if refusal.error:
        yield refusal.error, refusal.error_description or refusal.error, ""
    for fault in (refusal.Fault, refusal.fault):
        if fault is not None:
            listed = fault.get("Error") or fault.get("error")
            entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
            for entry in entries or [{}]:
                says = {name.lower(): str(value or "") for name, value in entry.items()}
                text = ": ".join(part for part in (says.get("message"), says.get("detail")) if part)
                yield says.get("code", ""), text, says.get("element", "")
    for part in refusal.CDCResponse:
        yield from _told(part)


def _code_of_status(status: int, *, write: bool) -> str:
    by_status = next((row.code for row in FAULTS if status in row.statuses), "")
    may_have_happened = write and not 300 <= status < 500
    return by_status or ("system_failure" if may_have_happened else "unexpected")


classify_read = partial(_classify, write=False)  # nothing can have happened
classify_write = partial(_classify, write=True)  # whatever leaves open whether it happened is OutcomeUnknown


def classify_sign_in(answer: Answer) -> ConnectorError | None:
    """What is wrong with the answer of the token endpoint; a lost one is OutcomeUnknown, to be asked again at once."""
    error = classify_write(answer)
    return error_of("app_credentials", error.detail, answer=answer) if isinstance(error, TokenExpired) else error


def classify_address(answer: Answer) -> ConnectorError | None:
    """What is wrong with the answer that should be the address of a file, as bare text."""
    return None if answer.status == 200 and answer.body.startswith(b"http") else classify_read(answer)


def classify_file(answer: Answer) -> ConnectorError | None:
    """What is wrong with the answer of the object store: its refusals are about the address, never about our token."""
    code = {403: "file_address_over", 404: "file_gone", 410: "file_gone"}.get(answer.status, "unavailable")
    return None if answer.status == 200 else error_of(code, answer=answer)
