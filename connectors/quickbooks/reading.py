"""Rows without full card numbers, which must not come in with anything, whatever somebody wrote into QuickBooks."""

import re
from decimal import Decimal
from typing import Any

import msgspec

from connectors.http import TRACE, clean_of_cards, without_card_numbers
from connectors.quickbooks import memo

MAY_HOLD_ONE = re.compile(rb"\d[\d -]{12}")  # quickly told of most rows that they hold none
ESCAPED = rb"\u003"  # as JSON may spell a digit
# What QuickBooks gives, ids inside of addresses too, and the names of other rows, which are looked at in those; but the
# name of its terms is part of a vendor.
NOT_ITS_WORDS = re.compile(r"(?:\w*[a-z])?Id|SyncToken|value|\w*Uri|(?!Term)\w*Ref|V4IDPseudonym")

_decoder, _encoder = msgspec.json.Decoder(float_hook=Decimal), msgspec.json.Encoder(decimal_format="number")


def clean_row(row: bytes | msgspec.Raw) -> bytes:
    """The row with a mark in the place of every full card number; the very same bytes if there was none."""
    came = bytes(row)
    if ESCAPED not in came and not MAY_HOLD_ONE.search(came):
        return came
    try:
        value = _decoder.decode(came)
    except (msgspec.DecodeError, ValueError):
        text = came.decode("utf-8", "replace")
        clean = without_card_numbers(text)
        return came if clean == text else clean.encode()
    cleaned = _clean(value, _number_of_ours(value))
    return came if cleaned == value else _encoder.encode(cleaned)


def text_of(row: bytes | msgspec.Raw) -> str:
    """The row to be shown to people, who need no id so much that it might be a card number."""
    return without_card_numbers(clean_row(row).decode("utf-8", "replace"))


def _clean(value: Any, known: str) -> Any:
    if isinstance(value, dict):
        return {name: part if NOT_ITS_WORDS.fullmatch(name) else _clean(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [_clean(part, known) for part in value]
    return clean_of_cards(value, known)


def _number_of_ours(row: Any) -> str:
    """The row's number if it is one that we gave, or an ACH trace, as a payment of ours has it."""
    number, note = (
        (str(row.get(name) or "") for name in ("DocNumber", "PrivateNote")) if isinstance(row, dict) else ("", "")
    )
    is_ours = memo.reference_in(number, memo.read(note)) != number
    return number if is_ours or TRACE.fullmatch(number) else ""
