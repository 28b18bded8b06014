"""Rows of AvidXchange beside the records that they are, and records beside what is sent for them.

By the default profile, but for rows that are named `observed_`. An image is sent as its headers and its bytes. The
contract suite finds `read/<kind>/` and `write/<kind>/`.
"""

from decimal import Decimal
from functools import partial

import msgspec

from connectors.avidxchange.contract import DEFAULT_PROFILE, named_profile
from connectors.avidxchange.decoding_lists import DECODERS, Decode, decode_value
from connectors.avidxchange.images import encode_image
from connectors.avidxchange.mapping import encode
from connectors.avidxchange.wire import write_body
from connectors.base import Write
from connectors.records import AnyRecord, Image, Kind

read_body = msgspec.json.Decoder(float_hook=Decimal).decode
OBSERVED = "avidsuite-v1-observed"


def decode_sample(kind: Kind, name: str, raw: bytes) -> tuple[AnyRecord, ...]:
    """The record that a row is read as."""
    profile = named_profile(OBSERVED if name.startswith("observed_") else DEFAULT_PROFILE)
    decode: Decode = partial(decode_value, code="CLASS") if kind is Kind.DIMENSION else DECODERS[kind]
    return (decode(profile, read_body(raw)),)


def encode_sample(name: str, write: Write) -> bytes:
    """The item of a batch that a record is sent as, or the request that an image is."""
    profile = named_profile(DEFAULT_PROFILE)
    if isinstance(write.record, Image):
        headers, content = encode_image(profile, write.record, write.content or b"")
        return msgspec.json.encode({"headers": headers, "content": content.decode()})
    return write_body(encode(profile, write))
