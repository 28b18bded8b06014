"""What we write into a bill payment's memo and number, and how it is found there again. Pure.

`ml-connector:<record key> pending; <source> payment 4711; by ach; batch B-7; cleared 2026-08-20;;`: first our mark,
which nothing can cut off there, then what QuickBooks has no field for. A void puts QuickBooks' own "Voided - " before
it. What people write before our mark or behind the end is theirs, and stays when ours changes. What else we make for
the same payment says so right behind the record key, as in `ml-connector:<record key>/discount`, or `/discount-2` of
its second part.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from connectors.records import Method, Payment, Phase

LONGEST = 4000  # Intuit: a PrivateNote's limit
NUMBER = 21  # Intuit: a DocNumber's limit
MARK = re.compile(r"ml-connector:([0-9A-Za-z_-]{32})(?![0-9A-Za-z_-])( pending)?")
PIECE = re.compile(r"ml-connector:([0-9A-Za-z_-]{32}/[a-z]+(?:-[0-9])?)")
DISCOUNT = re.compile(r"(\w+):(\w+=\d+(?:\.\d+)?(?:,\w+=\d+(?:\.\d+)?)*)")
EXECUTION, REVERSAL = "execution", "reversal"  # the pieces that are journal entries
END = ";;"
PART = re.compile(r"; (part|by|paid|discount|batch|cleared|reference) ([^;]*)")
METHODS = {str(method): method for method in Method if method is not Method.UNKNOWN}


@dataclass(frozen=True)
class Note:
    """What a memo says; nothing but empty values where it is not ours."""

    mark: str = ""
    pending: bool = False
    method: Method | None = None
    batch: str = ""
    cleared_date: date | None = None
    reference: str = ""
    credit: str = ""
    discounts: Mapping[str, Decimal] = field(default_factory=dict)
    part: tuple[int, int] = (0, 0)


def write(
    payment: Payment,
    *,
    record_key: str,
    source: str,
    credit: str = "",
    paid_on: str = "",
    part: str = "",
    piece: str = "",
) -> str:
    """The memo for this payment of `source`, under our mark; `credit` is the vendor credit that its discounts are, and
    `paid_on` the day on which it was paid where it is posted on another; `part` says which of how many it is, `piece`
    what else it is for the payment."""
    taken = ",".join(f"{bill}={amount}" for bill, amount in payment.discounts.items())
    facts = {
        "part": part,
        "by": str(payment.method) if payment.method is not Method.UNKNOWN else "",
        "paid": paid_on,
        "discount": f"{credit}:{taken}" if taken else "",
        "batch": payment.batch,
        "cleared": payment.cleared_date.isoformat() if payment.cleared_date else "",
        "reference": payment.reference if len(payment.reference) > NUMBER or part or piece else "",
    }
    pending = " pending" if payment.phase is Phase.PENDING else ""
    mark = f"ml-connector:{record_key}{f'/{piece}' if piece else pending}"
    parts = [
        mark,
        _word(f"{source} payment {payment.id}"),
        *(_word(f"{name} {fact}") for name, fact in facts.items() if fact),
    ]
    return f"{'; '.join(parts)}{END}"[:LONGEST]


def write_piece(piece: str, payment: Payment, *, record_key: str, source: str) -> str:
    """The memo for what else is made for this payment."""
    return f"ml-connector:{record_key}/{piece}; {_word(f'{source} payment {payment.id}')}{END}"[:LONGEST]


def piece(text: str) -> str:
    """The record key and the name of the piece that this memo is of; empty if it is none of ours."""
    found = PIECE.search(text)
    return found.group(1) if found else ""


def ours(text: str) -> str:
    """What of this memo is ours; empty if nothing is."""
    found = MARK.search(text)
    if not found:
        return ""
    told, end, _ = text[found.start() :].partition(END)
    return told + end


def in_place(written: str, standing: str) -> str:
    """The memo with ours replaced by this, and with what people have written around it, as far as there is room."""
    before, _, after = standing.partition(ours(standing)) if ours(standing) else ("", "", "")
    room = LONGEST - len(written)
    return before[:room] + written + after[: max(0, room - len(before))]


def read(text: str) -> Note:
    """What this memo says if it carries our mark."""
    found = MARK.match(ours(text))
    if not found:
        return Note()
    parts = dict(PART.findall(ours(text).removesuffix(END)[found.end() :]))
    method, batch, reference = METHODS.get(parts.get("by", "")), parts.get("batch", ""), parts.get("reference", "")
    try:
        cleared_date = date.fromisoformat(parts["cleared"]) if "cleared" in parts else None
    except ValueError:
        cleared_date = None
    number, _, of = parts.get("part", "").partition(" of ")
    place = (int(number), int(of)) if number.isdecimal() and of.isdecimal() else (0, 0)
    note = Note(found[1], bool(found[2]), method, batch, cleared_date, reference, part=place)
    taken = DISCOUNT.fullmatch(parts.get("discount", ""))
    if not taken:
        return note
    amounts = (part.split("=") for part in taken[2].split(","))
    return replace(note, credit=taken[1], discounts={bill: Decimal(amount) for bill, amount in amounts})


def document_number(payment: Payment, record_key: str, part: str = "") -> str:
    """What stands where a check's number stands: one of its own while pending, then the payment's reference; a company
    may not want a number twice, so that of a part says which one it is."""
    pending, missing = _own_numbers(record_key)
    number = pending if payment.phase is Phase.PENDING else payment.reference[:NUMBER].strip() or missing
    return _of_part(number, part.partition(" ")[0])


def reference_in(number: str, note: Note) -> str:
    """The payment's reference, out of the number that `document_number` made, or as somebody typed it."""
    place = str(note.part[0] or "")
    if note.mark and number in [_of_part(own, place) for own in _own_numbers(note.mark)]:
        return ""
    return note.reference if _of_part(note.reference[:NUMBER].strip(), place) == number else number


def _of_part(number: str, place: str) -> str:
    return f"{number[: NUMBER - len(place) - 1]}-{place}" if place else number


def _own_numbers(record_key: str) -> tuple[str, str]:
    return f"PND-{record_key[:16]}", f"NOREF-{record_key[:14]}"


def _word(text: str) -> str:
    """The text on one line, without the sign that separates the memo's parts."""
    return " ".join(text.replace(";", ",").split())
