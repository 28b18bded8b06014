"""What is hashed and how seals hang together. Pure, nothing but the standard library.

Every hash is SHA-256. The canonical bytes of a row are its fields in the order of the dataclass, each in UTF-8 as a
netstring (`<length in bytes>:<bytes>,`): any language can write them, and no two rows share them. Times are in UTC with
microseconds, `2026-11-21T09:30:00.000000+00:00`; the tenant of the installation is 0.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

FIRST_HASH = "0" * 64  # what the first seal of a tenant names as the one before


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFacts:
    """The fields of an event that its digest covers; `data` is the text as it was written."""

    id: int
    tenant_id: int
    at: str
    verb: str
    subject_kind: str
    subject_id: str
    actor: str
    why: str
    trace_id: str
    data: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbered:
    """An event's place in its tenant's order; `event` is None where only its digest is left."""

    number: int
    event_id: int
    digest: str
    event: EventFacts | None
    archived: bool = False  # gone with its partition, as it should be


@dataclass(frozen=True, kw_only=True, slots=True)
class SealFacts:
    """A seal; its hash covers every field above it."""

    tenant_id: int
    number: int
    first: int
    last: int
    count: int
    at: str
    root_hash: str
    previous_hash: str
    hash: str


def written_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(values: Iterable[object]) -> bytes:
    return b"".join(b"%d:%b," % (len(raw), raw) for raw in (str(value).encode() for value in values))


def digest_of(event: EventFacts) -> bytes:
    """The digest by which an event is sealed."""
    return hashlib.sha256(canonical(getattr(event, item.name) for item in fields(event))).digest()


def root_of(digests: Iterable[bytes]) -> str:
    """The root hash of a seal: over the digests of its events, one after the other, in their order."""
    root = hashlib.sha256()
    for digest in digests:
        root.update(digest)
    return root.hexdigest()


def hash_of(seal: SealFacts) -> str:
    """The hash that a seal must carry."""
    values = (getattr(seal, item.name) for item in fields(seal) if item.name != "hash")
    return hashlib.sha256(canonical(values)).hexdigest()
