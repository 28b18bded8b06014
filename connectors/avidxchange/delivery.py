"""Sending a chunk of writes in as few requests as they allow, and looking up what became of one whose answer was lost.

A reply is matched by external id, then by place; a record that it does not speak of clearly is in doubt, never refused.
Only while nothing has been answered may an error concern the whole chunk: after that it is the outcome of the records
in its own request, and what has not been sent is said to be so.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.avidxchange.client import Client, batch_body
from connectors.avidxchange.contract import Profile
from connectors.avidxchange.faults import PROVIDER, fault, record_error
from connectors.avidxchange.mapping import ROUTES, encode, shows
from connectors.avidxchange.reading import decode_rows
from connectors.avidxchange.wire import BadRow, Row, write_body
from connectors.base import Action, Outcome, Receipt, Write
from connectors.errors import ConnectorError, MappingError, RecordRejected
from connectors.http import digest
from connectors.records import Kind

REASON = "Withdrawn: the bill was changed or removed in the accounting system."


@dataclass(frozen=True)
class Prepared:
    """A write and the item that stands for it; none where the request's path says it all."""

    write: Write
    item: Mapping[str, Any] | None

    @property
    def key(self) -> str:
        return self.write.record_key


def deliver(client: Client, writes: Sequence[Write]) -> list[Outcome]:
    """Write these; an outcome for each, in order."""
    outcomes: dict[str, Outcome] = {}
    prepared = []
    for write in writes:
        try:
            prepared.append(_prepare(client, write))
        except MappingError as error:
            fields = {error.missing: error.message} if error.missing else {}
            refused = RecordRejected(error.message, provider=PROVIDER, code=error.code, fields=fields)
            outcomes[write.record_key] = refused
    requests = deque(_requests(client, prepared))
    answered = False
    while requests:
        part = requests.popleft()
        try:
            outcomes |= _send(client, part)
        except RecordRejected as error:
            if error.code == "batch_too_large" and len(part) > 1:
                requests.extendleft([part[len(part) // 2 :], part[: len(part) // 2]])
                continue
            outcomes |= {one.key: error for one in part}
        except ConnectorError as error:
            if not answered:
                raise
            outcomes |= {one.key: error for one in part}
            outcomes |= {one.key: fault("unavailable", "Not sent yet.") for later in requests for one in later}
            break
        answered = True
    return [outcomes[write.record_key] for write in writes]


def _prepare(client: Client, write: Write) -> Prepared:
    if write.action in (Action.CREATE, Action.UPDATE):
        return Prepared(write, encode(client.profile, write))
    if write.action is not Action.WITHDRAW or not client.profile.offers("cancel_invoice"):
        raise MappingError(f"AvidXchange's contract has no way to {write.action} this record.", code="not_offered")
    if write.link is None:
        raise MappingError("What is to be withdrawn was never linked to an invoice.", code="reference_missing")
    return Prepared(write, None)


def _requests(client: Client, prepared: Sequence[Prepared]) -> list[list[Prepared]]:
    requests = []
    for operation, group in groupby(prepared, key=lambda one: ROUTES[one.write.kind].write if one.item else ""):
        some = list(group)
        size = client.profile.operation(operation).max_items or len(some) if operation else 1
        requests += [some[first : first + size] for first in range(0, len(some), size)]
    return requests


def _send(client: Client, part: Sequence[Prepared]) -> Mapping[str, Outcome]:
    key = digest(" ".join(one.write.request_key for one in part).encode())[:32]
    if part[0].item is None:
        return {part[0].key: _withdraw(client, part[0].write, key)}
    route = ROUTES[part[0].write.kind]
    body = batch_body(client.profile, route.write, [one.item for one in part if one.item is not None], key)
    if len(body) > client.profile.limits.body_bytes:
        raise fault("batch_too_large")
    return decode_results(client.profile, route.name, [one.key for one in part], client.write(route.write, body, key))


def _withdraw(client: Client, write: Write, key: str) -> Receipt:
    assert write.link is not None
    body: dict[str, Any] = {}
    client.profile.put("cancel_request", body, "reason", write.context.get("reason", REASON))
    reply = client.write("cancel_invoice", write_body(body), key, id=write.link.id)
    return Receipt(id=write.link.id, version=str(client.profile.get("invoice", reply, "version") or ""))


def decode_results(profile: Profile, kind: str, keys: Sequence[str], reply: Any) -> dict[str, Outcome]:
    """The outcome of every record that was sent, by record key, out of a batch's reply."""
    told: dict[str, Row] = {}
    for place, result in enumerate(Row(profile, "batch_reply", reply).rows("results", "batch_result")):
        key = result.value("external_id")
        if key is None:
            index = result.value("index")
            at = index if isinstance(index, int) else place
            key = keys[at] if 0 <= at < len(keys) else None
        if isinstance(key, str):
            told.setdefault(key, result)
    return {key: _outcome(kind, told.get(key)) for key in keys}


def _outcome(kind: str, result: Row | None) -> Outcome:
    if result is None:
        return fault("answer_lost", "The reply does not speak of this record.", write=True)
    try:
        successful, id, version = result.truth("successful"), result.text("id"), result.text("version")
    except BadRow as error:
        return fault("answer_lost", str(error), write=True)
    if successful and id:
        return Receipt(id=id, version=version)
    if successful is False:
        return record_error(result.profile, kind, result.rows("errors", "record_error"))
    return fault("answer_lost", "The reply does not say whether this record was taken.", write=True)


def look_up(client: Client, kind: Kind, writes: Mapping[str, Write]) -> dict[str, Receipt | None]:
    """What they hold for each of these writes, by record key; None where sending it is safe and due."""
    route = ROUTES[kind]
    found: dict[str, Receipt | None] = dict.fromkeys(writes)
    for row in client.rows(route.listing, "external_ids", list(writes)):
        key = client.profile.get(route.name, row, "external_id")
        if key in writes and _is_made(client.profile, writes[key], row):
            records = decode_rows(client.profile, kind, [row])[0] if kind is Kind.BILL else []
            held = Row(client.profile, route.name, row)
            record = records[0][1] if records else None
            found[key] = Receipt(id=held.text("id"), version=held.text("version"), record=record)
    return found


def _is_made(profile: Profile, write: Write, held: Any) -> bool:
    """An upsert changes nothing the second time, so a write counts as made only if all of it is shown.

    A create too: what stands under its external id may be older than it, where a restored backup has forgotten it.
    """
    if write.kind is Kind.BILL:
        cancelled = profile.meaning("workflow_status", profile.get("invoice", held, "workflow_status")) == "cancelled"
        if cancelled or write.action is Action.WITHDRAW:
            return cancelled and write.action is Action.WITHDRAW  # no write brings a cancelled invoice back
    try:
        return shows(encode(profile, write), held)
    except MappingError:
        return False  # it was never sent
