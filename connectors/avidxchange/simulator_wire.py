"""How the simulated network reads and writes records: every kind's fields with their types, names from the profile.

Money is Decimal in the books and a JSON number, text or count of cents on the wire, as the profile says; never a float.
A field without a name in the profile is not written. Where the profile has no word, ours is written: real networks say
words that no contract mentions, too.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from connectors.avidxchange.contract import UNKNOWN, NotOffered, Profile
from connectors.avidxchange.simulator_books import CENT, Problem, Record, RecordRefused, RequestRefused, Shelf
from connectors.avidxchange.simulator_shapes import ENVELOPES, INSIDE, SENT, SHAPES

EXTERNAL_ID = re.compile(r"[A-Za-z0-9._:|-]{1,100}")

encode_json = msgspec.json.Encoder(decimal_format="number").encode
decode_json = msgspec.json.Decoder(float_hook=Decimal).decode


class Refused(Exception):
    """A value is not of its field's type."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Wire:
    """Records to and from JSON under one profile."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.broken: dict[tuple[str, str], Record] = {}  # (kind, id) -> field -> what is said instead of the truth
        self.text_booleans = False  # public: real replies carry texts for booleans
        self._written: dict[tuple[str, str], tuple[int, msgspec.Raw]] = {}
        with_image = profile.strategies.image == "base64InInvoice"
        self._names = {
            kind: {
                field: profile.name(kind, field)
                for field in fields
                if profile.has(kind, field) and (with_image or not field.startswith("image_"))
            }
            for kind, fields in SENT.items()
        }
        self._shown = {
            kind: {field: type_name for field, type_name in fields.items() if profile.has(kind, field)}
            for kind, fields in SHAPES.items()
        }
        self._top_names = {kind: {n.partition(".")[0] for n in names.values()} for kind, names in self._names.items()}

    # Writing.

    def page_item(self, kind: str, shelf: Shelf, id: str) -> msgspec.Raw:
        """A kept record as JSON bytes, made once per version."""
        record = shelf[id]
        version = record.get("version", 0)
        kept = self._written.get((kind, id))
        if kept is None or kept[0] != version or self.text_booleans:
            kept = (version, msgspec.Raw(encode_json(self.write(kind, record))))
        if not self.text_booleans:
            self._written[kind, id] = kept
        return kept[1]

    def write(self, kind: str, record: Mapping[str, Any]) -> Record:
        """A record as JSON values; a promise that was broken on purpose shows in place of the truth."""
        written: Record = {}
        for field, type_name in self._shown[kind].items():
            if type_name == "envelope":
                self.profile.put(kind, written, field, {} if ENVELOPES[kind, field](record) else None)
            elif INSIDE.get((kind, field), bool)(record):
                self.profile.put(kind, written, field, self._write_value(type_name, record.get(field), record))
        for field, value in self.broken.get((kind, str(record.get("id"))), {}).items():
            self.profile.put(kind, written, field, value)
        return written

    def _write_value(self, type_name: str, value: Any, record: Mapping[str, Any]) -> Any:
        if value is None:
            return None
        name, _, of = type_name.partition(":")
        if name == "list":
            return [self.write(of, part) for part in value]
        if name == "enum":
            return self._word(of, value)
        if name == "enums":
            return [self._word(of, word) for word in value]
        if name == "payment_status":
            return self._status_word(value, record["method"])
        if name == "boolean" and self.text_booleans:
            return str(value).lower()
        return WRITERS[name](value, self.profile.encoding.money) if name in WRITERS else value

    def _word(self, enum: str, meaning: str) -> str:
        try:
            return self.profile.word(enum, meaning).removesuffix("*")
        except NotOffered:
            return meaning

    def _status_word(self, meaning: str, method: str) -> str:
        try:
            return self.profile.payment_status_word(meaning, method).removesuffix("*")
        except NotOffered:
            return meaning

    # Reading.

    def read(self, kind: str, sent: Any, place: str = "") -> Record:
        """A sent record in our names, every writable field present; refuses with all that is wrong with it."""
        if not isinstance(sent, dict):
            at = place.rstrip(".")
            raise RecordRefused(Problem(code="field_invalid", field=at, message="An object is expected."))
        problems = [
            Problem(code="field_invalid", field=place + name, message="There is no such field.")
            for name in sorted(sent.keys() - self._top_names[kind])
        ]
        record: Record = {}
        for field, (type_name, required) in SENT[kind].items():
            if field not in self._names[kind]:
                record[field] = None
                continue
            at = place + self._names[kind][field]
            try:
                record[field] = self._read_field(kind, field, type_name, required, sent, at)
            except Refused as refused:
                problems.append(Problem(code=refused.code, field=at, message=refused.message))
            except RecordRefused as refused:
                problems.extend(refused.problems)
        if problems:
            raise RecordRefused(*problems)
        return record

    def _read_field(self, kind: str, field: str, type_name: str, required: bool, sent: Record, at: str) -> Any:
        value = self.profile.get(kind, sent, field)
        if value is None or value == "":
            if required:
                raise Refused("field_required", f"{at} is required.")
            return [] if type_name.startswith("list:") else None
        name, _, of = type_name.partition(":")
        if name == "list":
            if not isinstance(value, list):
                raise Refused("field_invalid", f"{at} must be a list.")
            return [self.read(of, part, f"{at}[{index}].") for index, part in enumerate(value)]
        if name == "enum":
            meaning = self.profile.meaning(of, value)
            if meaning == UNKNOWN or value != self.profile.word(of, meaning):
                raise Refused("field_invalid", f"{at}: {value} is not a word of this field.")
            return meaning
        read = READERS[name](value, self.profile.encoding.money)
        self._check_length(kind, field, read, at)
        return read

    def _check_length(self, kind: str, field: str, value: Any, at: str) -> None:
        shortest, longest = self.profile.limits.lengths.get(kind, {}).get(field, (0, 4000))
        if isinstance(value, str) and len(value) > longest:
            raise Refused("field_too_long", f"{at} may have at most {longest} characters.")
        if isinstance(value, str) and len(value) < shortest:
            raise Refused("field_invalid", f"{at} needs at least {shortest} characters.")


def read_body(body: bytes) -> Record:
    """A request's JSON object."""
    try:
        value = decode_json(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestRefused(400, "malformed_request", "The body is not JSON.") from error
    if not isinstance(value, dict):
        raise RequestRefused(400, "malformed_request", "The body must be an object.")
    return value


def write_timestamp(moment: datetime, _: str = "") -> str:
    """`YYYY-MM-DDTHH:mm:ss.SSSZ`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _write_money(amount: Decimal, encoding: str) -> Any:
    amount = amount.quantize(CENT)
    return {"number": amount, "string": str(amount), "cents": int(amount * 100)}[encoding]


def _read_text(value: Any, _: str) -> str:
    if not isinstance(value, str):
        raise Refused("field_invalid", "A text is expected.")
    return value


def _read_external_id(value: Any, _: str) -> str:
    if not isinstance(value, str) or not EXTERNAL_ID.fullmatch(value):
        raise Refused("external_id_invalid", "1 to 100 characters of A-Z a-z 0-9 . _ : | - are expected.")
    return value


def _read_base64(value: Any, _: str) -> bytes:
    try:
        return base64.b64decode(_read_text(value, _), validate=True)
    except binascii.Error as error:
        raise Refused("field_invalid", "Base64 is expected.") from error


def _read_integer(value: Any, _: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("field_invalid", "A whole number is expected.")
    return value


def _read_boolean(value: Any, _: str) -> bool:
    if not isinstance(value, bool):
        raise Refused("field_invalid", "true or false is expected.")
    return value


def _read_decimal(value: Any, _: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused("field_invalid", "A number is expected.")
    return Decimal(value)


def _read_money(value: Any, encoding: str) -> Decimal:
    expected = {"number": int | Decimal, "string": str, "cents": int}[encoding]
    if isinstance(value, bool) or not isinstance(value, expected):
        raise Refused("amount_invalid", f"An amount written as {encoding} is expected.")
    try:
        amount = Decimal(value).scaleb(-2 if encoding == "cents" else 0)
        if amount != amount.quantize(CENT):
            raise Refused("amount_invalid", "An amount has at most two decimals.")
    except ArithmeticError as error:
        raise Refused("amount_invalid", "This is not an amount.") from error
    return amount.quantize(CENT)


def _read_date(value: Any, _: str) -> date:
    try:
        if len(value) != 10:
            raise ValueError(value)
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Refused("field_invalid", "A date like 2026-01-31 is expected.") from error


def _read_timestamp(value: Any, _: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment.astimezone(UTC)
    except (TypeError, ValueError) as error:
        raise Refused("field_invalid", "A time like 2026-01-31T09:00:00.000Z is expected.") from error


WRITERS: Mapping[str, Callable[[Any, str], Any]] = {
    "money": _write_money,
    "date": lambda value, _: value.isoformat(),
    "timestamp": write_timestamp,
}
READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "text": _read_text,
    "external_id": _read_external_id,
    "base64": _read_base64,
    "timestamp": _read_timestamp,
    "integer": _read_integer,
    "boolean": _read_boolean,
    "decimal": _read_decimal,
    "money": _read_money,
    "date": _read_date,
}
