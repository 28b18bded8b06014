"""Raw answers beside the records that they are read as, and records beside the bodies that they are written as."""

import json
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from connectors.avidxchange.contract import named_profile
from connectors.avidxchange.decoding_lists import DECODERS, Decode, decode_value
from connectors.avidxchange.mapping import ROUTES
from connectors.avidxchange.wire import write_body
from connectors.records import Kind, restore
from tests.avidxchange_partner import SAMPLES

KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
READ = sorted(
    path.name.removesuffix(".record.json") for path in SAMPLES.glob("*.record.json") if "send_" not in path.name
)
SENT = sorted(path.name.removesuffix(".body.json") for path in SAMPLES.glob("send_*.body.json"))


def kind_of(name: str) -> Kind:
    """The kind that a file's name says, whichever interface it is of."""
    named = name.removeprefix("observed_").removeprefix("send_")
    words = {"invoice": Kind.CREDIT if name.startswith("observed_") else Kind.BILL}
    return words.get(named) or next(kind for kind in Kind if named.startswith(kind))


def numbers(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(), parse_float=Decimal)


@pytest.mark.parametrize("name", READ)
def test_a_row_is_read_as_the_sample_says(name: str) -> None:
    kind = kind_of(name)
    profile = named_profile("avidsuite-v1-observed" if name.startswith("observed_") else "assumed-v1")
    decode: Decode = partial(decode_value, code="CLASS") if kind is Kind.DIMENSION else DECODERS[kind]
    expected = restore(kind, (SAMPLES / f"{name}.record.json").read_bytes())
    assert decode(profile, numbers(f"{name}.json")) == expected


@pytest.mark.parametrize("name", SENT)
def test_a_record_is_written_as_the_sample_says(name: str) -> None:
    record = restore(kind_of(name), (SAMPLES / f"{name}.record.json").read_bytes())
    body = ROUTES[kind_of(name)].encode(named_profile("assumed-v1"), record, KEY)
    assert json.loads(write_body(body), parse_float=Decimal) == numbers(f"{name}.body.json")


def test_there_are_samples_of_every_kind_both_ways() -> None:
    assert {kind_of(name) for name in READ} == {*DECODERS, Kind.DIMENSION}
    assert {kind_of(name) for name in SENT} == set(ROUTES)
    assert len([name for name in READ if name.startswith("observed_")]) == 2
