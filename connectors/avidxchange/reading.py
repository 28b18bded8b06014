"""What the rows of an answer are worth: records, or rows that are shown with a reason and never dropped.

A full card number must not come in with anything. Where one stands, its value is taken out and the row is not read.
"""

from collections.abc import Sequence
from typing import Any

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.decoding_lists import DECODERS, NAMES, Decode
from connectors.avidxchange.wire import BadRow, write_body
from connectors.base import Unreadable
from connectors.http import CARD_FOUND, TRACE, clean_of_cards
from connectors.records import AnyRecord, Credit, Kind

KEPT = 4000


def decode_rows(
    profile: Profile, kind: Kind, rows: Sequence[Any], decode: Decode | None = None
) -> tuple[list[tuple[Kind, AnyRecord]], list[Unreadable]]:
    """The records among these rows, and the others with the reason why they are none; bills and credits come mixed."""
    decode = decode or DECODERS[kind]
    records: list[tuple[Kind, AnyRecord]] = []
    unreadable: list[Unreadable] = []
    for row in rows:
        clean = clean_of_cards(row, _trace(profile, row))
        try:
            if clean != row:
                raise BadRow(CARD_FOUND)
            record = decode(profile, row)
            records.append((_kind(kind, record), record))
        except BadRow as error:
            id = profile.get(NAMES[kind], clean, "id")
            raw = write_body(clean).decode()[:KEPT]
            unreadable.append(Unreadable(kind=kind, id=str(id or ""), raw=raw, why=str(error)))
    return records, unreadable


def _kind(listed: Kind, record: AnyRecord) -> Kind:
    if listed in (Kind.BILL, Kind.CREDIT):
        return Kind.CREDIT if isinstance(record, Credit) else Kind.BILL
    return listed


def _trace(profile: Profile, row: Any) -> str:
    trace = str(profile.get("payment", row, "ach_trace") or "")
    return trace if TRACE.fullmatch(trace) else ""
