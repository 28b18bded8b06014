"""What must never be kept of an exchange: secrets, by their value and by their name, and full card numbers. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

KEPT_BODY = 4_000
KEPT_ADDRESS = 2_000
REDACTED = "(redacted)"
READABLE = " *,:;()'@/$!="  # in a kept query: it is read by people, and the blank becomes a plus sign
# A field of JSON, also of JSON inside a string, with a text, a number or a list; a SyncToken is a version, no secret.
SECRET_FIELD = re.compile(
    r'("[^"\\]*(?:(?<!sync)token|secret|password|authorization)[^"\\]*\\*"\s*:\s*)'
    r'(?:\\+"[^"]*"?|"(?:[^"\\]|\\.)*"?|-?\d[\d.]*|\[[^\]]*\]?)',
    re.IGNORECASE,
)
SECRET_ARGUMENT = re.compile(
    r"(?<!sync)token|secret|password|authorization|credential|assertion|verifier|signature|code|^(?:state|nonce|jwt|sig)$",
    re.IGNORECASE,
)
# The same inside of a value, which may be an address or a form itself.
SECRET_PART = re.compile(
    r"((?:\b\w*(?:(?<!sync)token|secret|password|signature)\w*|\b(?:code|state|nonce|jwt|sig))=)[^&\s\"']+",
    re.IGNORECASE,
)
SIGNED = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
CARD_REMOVED = "(card number removed)"
CARD_FOUND = "card number: a full one stood in this row; it was taken out and the row is not used"
CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
# Keys of ours, UUIDs and digests of files hold long runs of digits by chance. So does an ACH trace: fifteen digits that
# begin with a bank's routing number, which never begins like the only cards of that length.
KEY = re.compile(r"((?<!\w)(?:[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?!\w))")
TRACE = re.compile(r"(?!3[47])\d{15}")


def redact_url(url: str, params: Mapping[str, str] | None = None, hide: Callable[[bytes], bytes] = bytes) -> str:
    """The address with its whole query, without what must not be kept; `hide` takes known secrets out of a text."""
    address, _, query = hide(url.encode()).decode().partition("#")[0].partition("?")
    arguments = [*parse_qsl(query, keep_blank_values=True), *(params or {}).items()]
    query = "&".join(
        f"{_kept(name, hide)}={REDACTED if SECRET_ARGUMENT.search(name) else _kept(value, hide)}"
        for name, value in arguments
    )
    return (f"{address}?{query}" if query else address)[:KEPT_ADDRESS]


def redact(body: bytes) -> str:
    """The start of a body with values of secret-looking names and full card numbers taken out."""
    text = body[:KEPT_BODY].decode("utf-8", "replace").replace("\x00", "\ufffd")  # which no column of text can hold
    text = SECRET_FIELD.sub(rf'\1"{REDACTED}"', text)
    text = SECRET_PART.sub(rf"\1{REDACTED}", text)  # as in an address that is signed in itself
    return without_card_numbers(SIGNED.sub(rf"\1 {REDACTED}", text))


def without_card_numbers(text: str) -> str:
    """The text with every full card number taken out, also one that has other digits beside it."""
    return CARD_NUMBER.sub(lambda found: _without_card_number(found.group()), text)


def clean_of_cards(value: Any, known: str = "") -> Any:
    """The same value, with a mark in the place of every full card number; equal to it if there was none.

    `known` is a text that is no card number, although it may look like one.
    """
    if isinstance(value, dict):
        return {name: clean_of_cards(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [clean_of_cards(part, known) for part in value]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    text = str(value)
    if len(text) < 13 or text == known:
        return value
    clean = "".join(part if KEY.fullmatch(part) else without_card_numbers(part) for part in KEY.split(text))
    return value if clean == text else clean


def is_card_number(text: str) -> bool:
    """Whether these digits, without blanks, hyphens and leading zeros, are 13 to 19 long and pass the Luhn check."""
    digits = [int(digit) for digit in "".join(filter(str.isdigit, text)).lstrip("0")]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _without_card_number(digits: str) -> str:
    groups = re.split("([ -])", digits)
    for first in range(0, len(groups), 2):
        for last in range(len(groups), first, -2):
            if is_card_number("".join(groups[first:last])):
                rest = without_card_numbers("".join(groups[last:]))
                return "".join(groups[:first]) + CARD_REMOVED + rest
    return digits


def _kept(text: str, hide: Callable[[bytes], bytes]) -> str:
    """A name or a value of a query, to be read by people."""
    return quote(redact(hide(text.encode("utf-8", "replace"))), safe=READABLE).replace(" ", "+")
