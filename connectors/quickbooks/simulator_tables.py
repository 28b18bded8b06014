"""A table of plain values: found by id, by name and by when they changed, and written as JSON."""

from bisect import bisect_left
from datetime import datetime

import msgspec

from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body

write_json = msgspec.json.Encoder(decimal_format="number").encode


class Table:
    """All objects of one kind in the order of their ids; an object is a value and never changed in place."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: dict[str, Body] = {}
        self.tombstones: dict[str, datetime] = {}
        self.version = 0
        self._changes: list[tuple[datetime, str]] = []
        self._written: dict[str, bytes] = {}
        self._named: dict[str, set[str]] = {}

    def put(self, body: Body, changed_at: datetime | None = None) -> None:
        """Store a new object or a new value of one; without a time the change is not one that CDC would show."""
        identity = body["Id"]
        self._forget(identity)
        self.rows[identity] = body
        if name := body.get(self.entity.unique):
            self._named.setdefault(name.lower(), set()).add(identity)
        if changed_at is not None:
            self._changes.append((changed_at, identity))

    def remove(self, identity: str, at: datetime) -> None:
        """Take an object out; a tombstone stays."""
        self._forget(identity)
        del self.rows[identity]
        self.tombstones[identity] = at

    def _forget(self, identity: str) -> None:
        self.version += 1
        self._written.pop(identity, None)
        if old := self.rows.get(identity):
            self._named.get((old.get(self.entity.unique) or "").lower(), set()).discard(identity)

    def named(self, name: str) -> list[Body]:
        """The objects of this name or document number, whatever its case."""
        return [self.rows[identity] for identity in sorted(self._named.get(name.lower(), ()), key=int)]

    def changed_since(self, since: datetime) -> list[str]:
        """The ids of what is still there and changed then or later, oldest change first."""
        later = self._changes[bisect_left(self._changes, (since,)) :]
        recent = dict.fromkeys(identity for _, identity in reversed(later))
        return [identity for identity in reversed(recent) if identity in self.rows]

    def written(self, identity: str) -> msgspec.Raw:
        """The object as JSON, kept until it changes."""
        if identity not in self._written:
            self._written[identity] = write_json(self.rows[identity])
        return msgspec.Raw(self._written[identity])
