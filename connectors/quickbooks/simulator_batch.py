"""Batches: up to 30 independent items under one answer; one refused item never stops another."""

from dataclasses import replace

import msgspec

from connectors.quickbooks.simulator_books import write
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body, Refusal, missing, unsupported_property
from connectors.quickbooks.simulator_rates import EXCHANGE_RATE, write_rate
from connectors.quickbooks.simulator_search import changes, run_query
from connectors.quickbooks.simulator_tables import write_json

MOST_ITEMS = 30
LONGEST_REQUEST_ID = 36
LONGEST_ITEM_ID = 10
WAIVES_NUMBERS = "allowduplicatedocnum"


def run_batch(act: Act, body: Body, request_id: str | None) -> Body:
    """The answers in the order of the items; with a requestid each item is answered as it was the first time."""
    items = body.get("BatchItemRequest")
    if not isinstance(items, list) or not items:
        raise missing("BatchItemRequest")
    if not all(isinstance(item, dict) for item in items):
        raise unsupported_property()
    if len(items) > MOST_ITEMS:
        raise Refusal(
            "1040",
            "Batch size exceeds limit",
            f"Batch size exceeds limit : At most {MOST_ITEMS} items are allowed.",
        )
    if request_id and (
        len(request_id) > LONGEST_REQUEST_ID or any(len(str(item.get("bId", ""))) > LONGEST_ITEM_ID for item in items)
    ):
        raise bad_request_id()
    return {"BatchItemResponse": [_answered(act, item, request_id) for item in items]}


def bad_request_id() -> Refusal:
    """A requestid or bId that is too long (wording assumed)."""
    return Refusal("2130", "Invalid request id format", "Invalid request id format : The id is too long.", "requestid")


def _answered(act: Act, item: Body, request_id: str | None) -> msgspec.Raw:
    key = f"{request_id}/{item.get('bId', '')}"
    if request_id and key in act.company.answered:
        return msgspec.Raw(act.company.answered[key][1])
    known = {"bId": item["bId"]} if "bId" in item else {}
    try:
        answer = write_json({**known, **_run(act, item)})
    except Refusal as refusal:
        answer = write_json({**known, "Fault": refusal.body()})
        if not act.switches.replay_faults:
            return msgspec.Raw(answer)
    if request_id:
        act.company.answered[key] = 200, answer
    return msgspec.Raw(answer)


def _run(act: Act, item: Body) -> Body:
    if "Query" in item:
        act.company.count_read(act.now)
        return {"QueryResponse": run_query(act, str(item["Query"]))}
    if "CDCQuery" in item:
        act.company.count_read(act.now)
        asked = item["CDCQuery"]
        if not isinstance(asked, dict):
            raise unsupported_property()
        return changes(act, str(asked.get("Entities") or ""), str(asked.get("ChangedSince") or ""))
    if isinstance(item.get(EXCHANGE_RATE.name), dict):
        return {EXCHANGE_RATE.name: write_rate(act, item[EXCHANGE_RATE.name])}
    names = [name for name in item if name in ENTITIES]
    if len(names) != 1 or not isinstance(item[names[0]], dict):
        raise unsupported_property()
    options = str(item.get("optionsData", ""))
    allowed = replace(act, may_repeat_numbers=WAIVES_NUMBERS in options)
    return write(allowed, ENTITIES[names[0]], item[names[0]], str(item.get("operation", "")), "void" in options)
