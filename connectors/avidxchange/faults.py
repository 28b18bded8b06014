"""What an answer of AvidXchange means for the work: one of our errors, out of the table in `faults.toml`.

Two services refuse, each in its own words: the gateway (WSO2 API Manager, in three dialects, the XML one also where
JSON was asked for) and AvidXchange's own, by the names of the profile or in its older forms. Nothing of a token call's
answer but its status is looked at: AvidXchange notes that a failing one can repeat the password.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from connectors import errors
from connectors.avidxchange.contract import Profile
from connectors.avidxchange.wire import Row as WireRow
from connectors.avidxchange.wire import as_list
from connectors.base import Actor, Fault
from connectors.errors import ConnectorError, RateLimited, RecordRejected, UnexpectedResponse
from connectors.http import Answer, Classify, redact

PROVIDER = "avidxchange"
SHORTEST_WAIT, LONGEST_WAIT = 1, 900
BURST, SHARED, EXPIRED = "900807", "throttled_app", "token_expired"
WAIT_UNTOLD = {BURST: 1}
OTHER_WAIT_UNTOLD = 15
IN_XML = r"<(?:\w+:)?{name}>\s*([^<]*?)\s*</"
KEPT_WORDS = 200


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault and how it is recognised, as the table has it."""

    code: str
    error: str
    cause: str
    actor: Actor
    remedy: str
    on_write: str = ""
    on_retryable: str = ""
    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    sample: tuple[int, str] | None = None


ROWS = msgspec.convert(tomllib.loads((Path(__file__).parent / "faults.toml").read_text("utf-8"))["fault"], list[Row])
FAULTS = tuple(
    Fault(code=row.code, cause=row.cause, actor=row.actor, remedy=row.remedy, sample=row.sample) for row in ROWS
)
BY_CODE = {code: row for row in ROWS for code in row.codes}
BY_STATUS = {status: row for row in ROWS for status in row.statuses}
_rows = {row.code: row for row in ROWS}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What an answer says went wrong: the code as the table has it, their words, and until when they ask us to wait."""

    code: str = ""
    words: str = ""
    field: str = ""
    request_id: str = ""
    next_access: str = ""


def classify(profile: Profile, *, write: bool, by_tokens: bool = False) -> Classify:
    """A function that says what is wrong with an answer; None if nothing is."""
    return partial(_classify, profile, write, by_tokens)


def classify_sign_in(answer: Answer) -> ConnectorError | None:
    """What is wrong with the answer of the token endpoint, by its status alone."""
    if 200 <= answer.status < 300:
        return None
    if answer.status in (400, 401, 403):
        row = _rows["app_credentials"]
    elif answer.status == 429 or answer.status >= 500:
        row = BY_STATUS.get(answer.status, _rows["unavailable"])
    else:
        row = _rows["sign_in_address"]
    silent = Answer(status=answer.status, headers=answer.headers, body=b"")
    return _error(row, row.error, Said(), silent)


def fault(code: str, detail: str = "", *, write: bool = False) -> ConnectorError:
    """The error of a row that we come to ourselves."""
    row = _rows[code]
    return _error(row, (write and row.on_write) or row.error, Said(words=detail), None)


def record_error(profile: Profile, kind: str, found: list[WireRow]) -> ConnectorError:
    """Why one record of a batch was refused: the first reason decides, all of them are told."""
    codes = [profile.meaning("error_code", error.value("code")) for error in found]
    row = BY_CODE.get(codes[0], _rows["refused"]) if codes else _rows["refused"]
    passing = bool(found) and all(error.truth("retryable") for error in found)
    words = [_words(error, "code", "message", "existing_id") for error in found]
    fields = {
        profile.field_named(kind, str(error.value("field"))) or str(error.value("field")): _words(error, "message")
        for error in found
        if error.value("field")
    }
    return _error(row, (passing and row.on_retryable) or row.error, Said(words="; ".join(words)), None, fields)


def _words(row: WireRow, *fields: str) -> str:
    return _joined(row.value(field) for field in fields)


def remedy(code: str) -> str:
    """What a person can do about a fault."""
    return _rows[code].remedy if code in _rows else ""


def scrubbed(text: str) -> str:
    """The start of their words, without secrets and card numbers."""
    return redact(text.encode())[:KEPT_WORDS]


def _joined(parts: Iterable[Any]) -> str:
    return " ".join(scrubbed(str(part)) for part in parts if part)


def _classify(profile: Profile, write: bool, by_tokens: bool, answer: Answer) -> ConnectorError | None:
    if 200 <= answer.status < 300:
        return None
    said = _said(profile, answer)
    row = BY_CODE.get(said.code) or BY_STATUS.get(answer.status)
    if row is None:
        row = _rows["unavailable" if answer.status >= 500 else "unexpected"]
    if by_tokens and row.code == EXPIRED:
        row = _rows["tokens_refused"]  # there is none to fetch in its place
    kind = (write and row.on_write) or row.error
    if not write and issubclass(getattr(errors, kind), RecordRejected):
        kind = UnexpectedResponse.__name__  # nothing was sent that could be refused
    return _error(row, kind, said, answer)


def _error(
    row: Row, kind: str, said: Said, answer: Answer | None, fields: Mapping[str, str] | None = None
) -> ConnectorError:
    error: type[ConnectorError] = getattr(errors, kind)
    facts: dict[str, Any] = {
        "detail": said.words,
        "provider": PROVIDER,
        "status": answer.status if answer else None,
        "code": row.code,
        "request_id": said.request_id,
    }
    if issubclass(error, RateLimited) and answer is not None:
        facts |= {"retry_after": _wait(said, answer), "scope": "app" if row.code == SHARED else "account"}
    if issubclass(error, RecordRejected):
        facts["fields"] = fields
    return error(row.cause, **facts)


# What they say, in any of their forms: the gateway's first, then AvidXchange's own, then its older ones, then raw.


def _said(profile: Profile, answer: Answer) -> Said:
    text = answer.body.decode("utf-8", "replace").strip()
    request_id = answer.headers.get(profile.header("gateway_correlation") or "", "")
    if text.startswith("<"):
        found = {name: _in_xml(text, name) for name in ("code", "message", "description", "nextAccessTime")}
        return _of_gateway(found, request_id) if found["code"] else Said(words=scrubbed(text), request_id=request_id)
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return Said(words=scrubbed(text), request_id=request_id)
    flat = body.get("fault", body) if isinstance(body, dict) else None
    if isinstance(flat, dict) and str(flat.get("code")).isdecimal():
        return _of_gateway(flat, request_id)
    reply = WireRow(profile, "error_reply", body)
    if reply.value("code"):
        return Said(
            code=profile.meaning("error_code", reply.value("code")),
            words=_words(reply, "code", "message"),
            field=str(reply.value("field") or ""),
            request_id=str(reply.value("correlation") or request_id),
        )
    return Said(words=_older_words(body) or scrubbed(text), request_id=request_id)


def _of_gateway(found: Mapping[str, Any], request_id: str) -> Said:
    return Said(
        code=str(found["code"]),
        words=_joined(found.get(name) for name in ("code", "message", "description")),
        request_id=request_id,
        next_access=str(found.get("nextAccessTime") or ""),
    )


def _older_words(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    exception = as_list(body.get("exception"))
    told = [*exception[0].values()] if exception and isinstance(exception[0], dict) else [body.get("error_description")]
    return _joined(told)


def _in_xml(text: str, name: str) -> str:
    found = re.search(IN_XML.format(name=name), text)
    return found.group(1) if found else ""


# How long to wait.


def _wait(said: Said, answer: Answer) -> int:
    """Seconds until they take requests again, by their own clock: the gateway's word, the header's, or a guess."""
    sent_at = read_http_date(answer.headers.get("date", ""))
    asked = answer.headers.get("retry-after", "").strip()
    until = _next_access(said.next_access) or read_http_date(asked)
    if until is not None and sent_at is not None:
        wait = int((until - sent_at).total_seconds()) + 1
    elif asked.isdecimal():
        wait = int(asked[:6])
    else:
        wait = WAIT_UNTOLD.get(said.code, OTHER_WAIT_UNTOLD)
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, wait))


def _next_access(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%b-%d %H:%M:%S%z UTC")
    except ValueError:
        return None


def read_http_date(text: str) -> datetime | None:
    """A time as HTTP headers write it; None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
