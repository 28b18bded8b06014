"""Dimensions themselves: which AvidXchange knows, and making those that are missing.

Their values are records like any others; each list of values hangs on the id of its dimension.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from connectors.avidxchange.client import Client, batch_body
from connectors.avidxchange.faults import fault
from connectors.avidxchange.mapping import definition_key, dimension_code, encode_definition
from connectors.avidxchange.results import decode_results
from connectors.avidxchange.wire import BadRow, Row
from connectors.base import REQUIRED, Outcome, Receipt, Write
from connectors.http import digest
from connectors.records import Dimension


def known_dimensions(client: Client, codes: Collection[str] = ()) -> dict[str, Row]:
    """The dimensions at AvidXchange by their code; of several under one code, the active one.

    One of ours that the list does not show, since it was made at this very moment, is asked for by its external id.
    """
    known = _by_code(client, client.whole("list_dimensions"))
    keys = sorted({definition_key(code) for code in codes if code not in known})
    return known | _by_code(client, client.rows("list_dimensions", "external_ids", keys))


def _by_code(client: Client, raws: Iterable[Any]) -> dict[str, Row]:
    known: dict[str, Row] = {}
    for raw in raws:
        row = Row(client.profile, "dimension", raw)
        try:
            row.required("id")
            if _is_active(row) or row.required("code") not in known:
                known[row.required("code")] = row
        except BadRow as error:
            raise fault("row_unreadable", f"A dimension: {error}") from error
    return known


def _is_active(row: Row) -> bool:
    return row.truth("is_active") is not False


def made_dimensions(client: Client, writes: Sequence[Write]) -> dict[str, Outcome]:
    """The dimension of each of these values by its code, made or changed first where that is needed.

    One that somebody else made under this code is used as it stands.
    """
    asked = _asked_for(writes)
    known = known_dimensions(client, asked)
    due = {code: asked[code] for code in asked if code not in known or _differs(known[code], asked[code])}
    outcomes: dict[str, Outcome] = {code: Receipt(id=row.text("id")) for code, row in known.items()}
    if due:
        items = [encode_definition(client.profile, name, bool(required)) for name, required in due.values()]
        key = digest(" ".join(write.request_key for write in writes).encode())[:32]
        body = batch_body(client.profile, "upsert_dimensions", items, key)
        keys = {code: definition_key(code) for code in due}
        reply = client.write("upsert_dimensions", body, key)
        told = decode_results(client.profile, "dimension", list(keys.values()), reply)
        outcomes |= {code: told[key] for code, key in keys.items()}
    return outcomes


def _asked_for(writes: Sequence[Write]) -> dict[str, tuple[str, bool | None]]:
    """By code, our name for the dimension and whether it is required; None where nobody has said."""
    asked: dict[str, tuple[str, bool | None]] = {}
    for write in writes:
        assert isinstance(write.record, Dimension)
        said = write.context.get(REQUIRED)
        asked[dimension_code(write.record.dimension)] = (write.record.dimension, None if said is None else said == "1")
    return asked


def _differs(held: Row, asked: tuple[str, bool | None]) -> bool:
    name, required = asked
    ours = held.text("external_id") == definition_key(name)
    otherwise = ours and required is not None and held.truth("is_required_on_line") is not required
    return otherwise or not _is_active(held)
