"""The accounting API below /v3/company/{realm}: which request is what, and how an answer is wrapped."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from connectors.quickbooks.simulator_attachments import address
from connectors.quickbooks.simulator_batch import WAIVES_NUMBERS, bad_request_id, run_batch
from connectors.quickbooks.simulator_books import read, write
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_documents import document
from connectors.quickbooks.simulator_entities import BY_PATH
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import (
    Body,
    Refusal,
    inactive,
    still_under_way,
    subscription_ended,
    system_failure,
    throttled,
    unsupported_operation,
    unsupported_property,
    wrong_content_type,
)
from connectors.quickbooks.simulator_features import refuse_unreadable, update_preferences
from connectors.quickbooks.simulator_rates import EXCHANGE_RATE, read_rate, write_rate
from connectors.quickbooks.simulator_reports import run_report
from connectors.quickbooks.simulator_search import changes, run_query
from connectors.quickbooks.simulator_tables import write_json
from connectors.quickbooks.simulator_uploads import upload
from connectors.simulators import Request

LONGEST_REQUEST_ID = 50
GOOD_STANDING = ("PAID", "TRIAL")
READS = ("query", "cdc", "companyinfo", "preferences", "download", "reports")
WRITES = ("batch", "upload")
RATES = EXCHANGE_RATE.path

read_json = msgspec.json.Decoder(float_hook=Decimal).decode


def is_known(resource: str) -> bool:
    """Whether the API has such a folder."""
    return resource in BY_PATH or resource in (*READS, *WRITES, RATES)


def answer_company(act: Act, request: Request, resource: str, identity: str, action: str) -> tuple[int, bytes]:
    """The status and body of one request to a company; a repeated requestid gets the stored answer, time and all."""
    company = act.company
    is_write = request.method == "POST" and resource != "query"
    request_id = request.argument("requestid") if is_write else None
    key = f"{request_id}\n{_item_ids(request)}" if resource == "batch" else request_id
    is_repeated = bool(request_id) and key in company.answered
    if key and is_repeated and not _is_under_way(act, key):
        return company.answered[key]
    try:
        if is_repeated:
            raise still_under_way()
        if request_id and len(request_id) > LONGEST_REQUEST_ID:
            raise bad_request_id()
        if company.subscription not in GOOD_STANDING:
            raise subscription_ended()
        _meter(act, is_write)
        status, envelope = 200, _answer(act, request, resource, identity, action)
        if not is_write:
            company.count_read(act.now)
    except Refusal as refusal:
        status, envelope = refusal.status, {"Fault": refusal.body()}
    if isinstance(envelope, bytes):
        return status, envelope
    answer = status, write_json({**envelope, "time": company.moment(act.now)})
    if key and request_id and not is_repeated and ("Fault" not in envelope or act.switches.replay_faults):
        company.answered[key] = answer
        company.answered_at[key] = act.now
    return answer


def _is_under_way(act: Act, key: str) -> bool:
    age = act.now - act.company.answered_at.get(key, act.now)
    return age.total_seconds() < act.switches.in_flight_seconds


def _item_ids(request: Request) -> str:
    """A batch is the same one only if its items are."""
    try:
        return " ".join(str(item["bId"]) for item in read_json(request.body)["BatchItemRequest"])
    except (msgspec.DecodeError, ValueError, LookupError, TypeError):
        return ""


def _meter(act: Act, is_write: bool) -> None:
    allowance = act.switches.core_plus_allowance
    if not is_write and allowance is not None and act.company.reads_in_month(act.now) >= allowance:
        raise throttled()


def _answer(act: Act, request: Request, resource: str, identity: str, action: str) -> Body | bytes:
    if resource == "download":
        return address(act, identity).encode()
    if resource == "upload":
        return upload(act, request.headers.get("content-type", ""), request.body)
    if resource == "reports":
        report = run_report(act, identity, request.argument("report_date"))
        if report is None:
            raise unsupported_operation(f"Report {identity} is not supported.")
        return report
    if resource == RATES:
        return {EXCHANGE_RATE.name: _rate(act, request)}
    if resource == "query":
        statement = request.argument("query") if request.method == "GET" else request.body.decode(errors="replace")
        if statement is None:
            raise system_failure()
        return {"QueryResponse": run_query(act, statement)}
    if resource == "cdc":
        return changes(act, request.argument("entities"), request.argument("changedSince"))
    if resource == "batch":
        return run_batch(act, _object(request), request.argument("requestid"))
    if resource in ("companyinfo", "preferences"):
        return _singleton(act, request, resource, identity)
    entity = BY_PATH[resource]
    if action:
        return document(act, entity, identity, action, request.argument("sendTo"))
    if request.method == "GET":
        refuse_unreadable(act, entity)
        return {entity.name: read(act, entity, identity)}
    return _write(act, request, entity)


def _rate(act: Act, request: Request) -> Body:
    if request.method == "POST":
        return write_rate(act, _object(request))
    asked = {name.lower(): values[0] for name, values in request.query.items()}
    return read_rate(act, asked.get("sourcecurrencycode"), asked.get("asofdate"))


def _singleton(act: Act, request: Request, resource: str, identity: str) -> Body:
    if request.method != "GET" and resource == "preferences":
        return {"Preferences": update_preferences(act, _object(request))}
    if request.method != "GET":
        raise unsupported_operation("Operation update is not supported.")
    if resource == "preferences":
        return {"Preferences": act.company.preferences}
    if identity not in (act.company.realm_id, "1"):
        raise inactive()
    return {"CompanyInfo": act.company.info}


def _write(act: Act, request: Request, entity: Entity) -> Body:
    included = request.query.get("include", [])
    allowed = replace(act, may_repeat_numbers=WAIVES_NUMBERS in included)
    operation = request.argument("operation") or ""
    return write(allowed, entity, _object(request), operation, "void" in included)


def _object(request: Request) -> Body:
    """The body, which must be one JSON object."""
    if "json" not in request.headers.get("content-type", ""):
        raise wrong_content_type()
    try:
        body: Any = read_json(request.body)
    except (ValueError, msgspec.DecodeError):
        raise unsupported_property() from None
    if not isinstance(body, dict):
        raise unsupported_property()
    return body
