"""What the rows of an answer are worth: records, or rows that are shown with a reason and never dropped.

A full card number must not come in with anything. Where one stands, its value is taken out and the row is not read.
"""

import re
from collections.abc import Sequence
from typing import Any

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.decoding import DECODERS
from connectors.avidxchange.wire import BadRow, write_body
from connectors.base import Unreadable
from connectors.http import without_card_numbers
from connectors.records import AnyRecord, Kind

KEPT = 4000
# Keys of ours and UUIDs hold long runs of digits by chance. So does an ACH trace: fifteen digits that begin with a
# bank's routing number, which never begins like the only cards of that length.
NO_CARD = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRACE = re.compile(r"(?!3[47])\d{15}")


def decode_rows(
    profile: Profile, kind: Kind, rows: Sequence[Any]
) -> tuple[list[tuple[Kind, AnyRecord]], list[Unreadable]]:
    """The records among these rows, and the others with the reason why they are none."""
    records: list[tuple[Kind, AnyRecord]] = []
    unreadable: list[Unreadable] = []
    for row in rows:
        clean = clean_of_cards(row, _trace(profile, row))
        try:
            if clean != row:
                raise BadRow("card number: a full one stood in this row; it was taken out and the row is not used")
            records.append((kind, DECODERS[kind](profile, row)))
        except BadRow as error:
            id = profile.get("payment" if kind is Kind.PAYMENT else "invoice", clean, "id")
            raw = write_body(clean).decode()[:KEPT]
            unreadable.append(Unreadable(kind=kind, id=str(id or ""), raw=raw, why=str(error)))
    return records, unreadable


def clean_of_cards(value: Any, trace: str = "") -> Any:
    """The same value, with a mark in the place of every full card number; equal to it if there was none."""
    if isinstance(value, dict):
        return {name: clean_of_cards(part, trace) for name, part in value.items()}
    if isinstance(value, list):
        return [clean_of_cards(part, trace) for part in value]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    text = str(value)
    if len(text) < 13 or text == trace or NO_CARD.fullmatch(text):
        return value
    clean = without_card_numbers(text)
    return value if clean == text else clean


def _trace(profile: Profile, row: Any) -> str:
    trace = str(profile.get("payment", row, "ach_trace") or "")
    return trace if TRACE.fullmatch(trace) else ""
