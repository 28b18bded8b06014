"""The two keys and the fingerprint of a delivery. Pure.

A record key never holds an id of ours: it is the same for every revision, after reconnecting and after a restored
backup. A request key is one try's name at the provider, the same for every try of one revision of one content.
"""

import hashlib

from connectors.base import JOINT
from connectors.records import Kind


def record_key(provider: str, account_id: str, kind: Kind | str, source_id: str) -> str:
    """The name under which the other side knows this record: 32 characters."""
    return _digest(provider, account_id, str(kind), source_id)[:32]


def request_key(key: str, action: str, revision: int, fingerprint: str, version: str = "") -> str:
    """The name of one action on one revision: 36 characters.

    `version` is the one that it changes there, if any, or the ids of what it takes the place of: a restored backup
    counts its revisions anew, and a provider answers a repeated key with its old answer.
    """
    return _digest(key, action, str(revision), fingerprint, *([version] if version else []))[:36]


def is_piece(piece: str, whole: str) -> str:
    """In SQL: whether one id is among those that the other, of a record that stands in several pieces, joins."""
    return f"{piece} = ANY(string_to_array({whole}, '{JOINT}'))"


def version_of_piece(piece: str, whole: str, versions: str) -> str:
    """In SQL: which of the joined versions is that of this id among the joined ones."""
    ids, each = (f"string_to_array({joined}, '{JOINT}')" for joined in (whole, versions))
    return f"({each})[array_position({ids}, {piece})]"


def piece(whole: str, place: int) -> str:
    """In SQL: one of the ids that this one joins, from 1; empty behind the last."""
    return f"split_part({whole}, '{JOINT}', {place})"


def fingerprint(*parts: bytes | str) -> str:
    """What changes exactly when any of these parts does."""
    return _digest(*parts)[:40]


def trace_id(key: str, revision: int) -> str:
    """What ties everything together that is done for one revision of one record."""
    return _digest(key, str(revision))[:16]


def _digest(*parts: bytes | str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        whole.update(len(raw).to_bytes(4, "big"))
        whole.update(raw)
    return whole.hexdigest()
