"""Sending a chunk of writes in as few requests as they allow, and looking up what became of one whose answer was lost.

Only while nothing has been answered may an error concern the whole chunk: after that it is the outcome of the records
in its own request, and what has not been sent is said to be so.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from connectors.avidxchange.client import Client, batch_body
from connectors.avidxchange.contract import Profile
from connectors.avidxchange.dimensions import known_dimensions, made_dimensions
from connectors.avidxchange.faults import PROVIDER, fault
from connectors.avidxchange.images import look_up_images, put_image, refuse_unfit
from connectors.avidxchange.mapping import INVOICES, ROUTES, STOPPING, dimension_code, encode, shows, value_id
from connectors.avidxchange.reading import decode_rows
from connectors.avidxchange.results import decode_results
from connectors.avidxchange.wire import Row, write_body
from connectors.base import LINK_TO, Outcome, Receipt, Write
from connectors.errors import ConnectorError, MappingError, RecordRejected
from connectors.http import digest
from connectors.records import Dimension, Kind

NEEDED_FOR_VALUES = ("upsert_dimensions", "upsert_dimension_values", "list_dimensions")
REASON = "Withdrawn: the bill was changed or removed in the accounting system."


@dataclass(frozen=True)
class Prepared:
    """A write and the item that stands for it in a batch of an operation; none where the write goes by itself."""

    write: Write
    operation: str = ""
    item: Mapping[str, Any] | None = None
    slots: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.write.record_key


def deliver(client: Client, writes: Sequence[Write]) -> list[Outcome]:
    """Write these; an outcome for each, in order."""
    outcomes: dict[str, Outcome] = {}
    prepared = []
    dimensions = _dimensions_of(client, writes)
    for write in writes:
        try:
            prepared.append(_prepare(client, write, dimensions))
        except MappingError as error:
            fields = {error.missing: error.message} if error.missing else {}
            refused = RecordRejected(error.message, provider=PROVIDER, code=error.code, fields=fields)
            outcomes[write.record_key] = refused
        except ConnectorError as error:
            outcomes[write.record_key] = error
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


def _dimensions_of(client: Client, writes: Sequence[Write]) -> Mapping[str, Outcome]:
    values = [write for write in writes if write.kind is Kind.DIMENSION]
    offered = all(map(client.profile.offers, NEEDED_FOR_VALUES))
    return made_dimensions(client, values) if values and offered else {}


def _prepare(client: Client, write: Write, dimensions: Mapping[str, Outcome]) -> Prepared:
    if write.kind is Kind.IMAGE:
        refuse_unfit(client.profile, write)
        return Prepared(write)
    if write.kind in INVOICES and write.action in STOPPING:
        return _prepared_withdrawal(client, write)
    route, item = ROUTES[write.kind], encode(client.profile, write)
    if not client.profile.offers(route.write):
        raise MappingError(f"AvidXchange's contract takes no {write.kind.replace('_', ' ')}.", code="not_offered")
    if write.kind is Kind.VENDOR and LINK_TO in write.context:
        client.profile.put(route.name, item, "link_to_id", write.context[LINK_TO])
    if not (code := _code(write)):
        return Prepared(write, route.write, item)
    dimension = dimensions.get(code)
    if not isinstance(dimension, Receipt):
        raise dimension or MappingError("AvidXchange's contract takes no dimensions.", code="not_offered")
    return Prepared(write, route.write, item, {"dimension_id": dimension.id})


def _prepared_withdrawal(client: Client, write: Write) -> Prepared:
    if not client.profile.offers("cancel_invoice"):
        raise MappingError("AvidXchange's contract has no way to withdraw an invoice.", code="not_offered")
    if write.link is None:
        raise MappingError("What is to be withdrawn was never linked to an invoice.", code="reference_missing")
    return Prepared(write)


def _requests(client: Client, prepared: Sequence[Prepared]) -> list[list[Prepared]]:
    requests = []
    prepared = sorted(prepared, key=lambda one: one.slots.get("dimension_id", ""))
    for (operation, _), group in groupby(prepared, key=lambda one: (one.operation, one.slots)):
        some = list(group)
        size = client.profile.operation(operation).max_items or len(some) if operation else 1
        requests += [some[first : first + size] for first in range(0, len(some), size)]
    return requests


def _send(client: Client, part: Sequence[Prepared]) -> Mapping[str, Outcome]:
    key = digest(" ".join(one.write.request_key for one in part).encode())[:32]
    first = part[0]
    if first.item is None:
        alone = put_image if first.write.kind is Kind.IMAGE else _withdraw
        return {first.key: alone(client, first.write, key)}
    body = batch_body(client.profile, first.operation, [one.item for one in part if one.item is not None], key)
    if len(body) > client.profile.limits.body_bytes:
        raise fault("batch_too_large")
    reply = client.write(first.operation, body, key, first.slots)
    told = decode_results(client.profile, ROUTES[first.write.kind].name, [one.key for one in part], reply)
    return {one.key: _known_as(one.write, told[one.key]) for one in part}


def _known_as(write: Write, outcome: Outcome) -> Outcome:
    """The outcome under the id that we use: a dimension's value names its dimension in it."""
    code = _code(write)
    return replace(outcome, id=value_id(code, outcome.id)) if code and isinstance(outcome, Receipt) else outcome


def _withdraw(client: Client, write: Write, key: str) -> Receipt:
    assert write.link is not None
    body: dict[str, Any] = {}
    client.profile.put("cancel_request", body, "reason", write.context.get("reason", REASON))
    reply = client.write("cancel_invoice", write_body(body), key, {"id": write.link.id})
    return Receipt(id=write.link.id, version=str(client.profile.get("invoice", reply, "version") or ""))


def look_up(client: Client, kind: Kind, writes: Mapping[str, Write]) -> dict[str, Receipt | None]:
    """What they hold for each of these writes, by record key; None where sending it is safe and due."""
    found: dict[str, Receipt | None] = dict.fromkeys(writes)
    if kind is Kind.IMAGE:
        return look_up_images(client, writes) if client.profile.takes_images else found
    route = ROUTES[kind]
    if not client.profile.offers(route.write):  # so nothing of it can have left
        return found
    for keys, slots in _lists(client, kind, writes):
        for row in client.rows(route.listing, "external_ids", keys, **slots):
            key = client.profile.get(route.name, row, "external_id")
            if key in writes and _is_made(client.profile, writes[key], row):
                records = decode_rows(client.profile, kind, [row])[0] if kind in INVOICES else []
                held = Row(client.profile, route.name, row)
                record = records[0][1] if records else None
                id = value_id(code, held.text("id")) if (code := _code(writes[key])) else held.text("id")
                found[key] = Receipt(id=id, version=held.text("version"), record=record)
    return found


def _lists(
    client: Client, kind: Kind, writes: Mapping[str, Write]
) -> Iterator[tuple[Sequence[str], Mapping[str, str]]]:
    """Which keys to ask which list for: every dimension has one of its own, and one that is not there has no values."""
    if kind is not Kind.DIMENSION:
        yield list(writes), {}
        return
    codes = {key: _code(write) for key, write in writes.items()}
    known = known_dimensions(client, codes.values())
    for code in sorted(known.keys() & codes.values()):
        yield [key for key, its in codes.items() if its == code], {"dimension_id": known[code].text("id")}


def _code(write: Write) -> str:
    """The code of the dimension that a value is of; empty for anything else."""
    return dimension_code(write.record.dimension) if isinstance(write.record, Dimension) else ""


def _is_made(profile: Profile, write: Write, held: Any) -> bool:
    """An upsert changes nothing the second time, so a write counts as made only if all of it is shown.

    A create too: what stands under its external id may be older than it, where a restored backup has forgotten it.
    """
    if write.kind in INVOICES:
        cancelled = profile.meaning("workflow_status", profile.get("invoice", held, "workflow_status")) == "cancelled"
        if cancelled or write.action in STOPPING:
            return cancelled and write.action in STOPPING  # no write brings a cancelled invoice back
    try:
        return shows(encode(profile, write), held)
    except MappingError:
        return False  # it was never sent
