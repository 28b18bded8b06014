"""The samples of every provider's folder: `samples/read/<kind>/` and `samples/write/<kind>/`, raw beside record.

What is raw in a provider's eyes is made and read by its own `samples/__init__.py`: `decode_sample`, `encode_sample`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Action, Write
from connectors.records import AnyRecord, Kind, restore

FOLDER = Path(connectors.__file__).parent
KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One pair of files: what stands there, and our record of it."""

    provider: str
    way: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.provider}-{self.way}-{self.kind}-{self.name}"

    def file(self, ending: str) -> Path:
        """One of the files that belong together."""
        return FOLDER / self.provider / "samples" / self.way / self.kind / f"{self.name}{ending}"

    @property
    def records(self) -> tuple[AnyRecord, ...]:
        """What a row is read as, mostly one record; what is written."""
        shown = json.loads(self.file(".record.json").read_text())
        bodies = shown if isinstance(shown, list) else [shown]
        return tuple(restore(self.kind, json.dumps(body)) for body in bodies)

    @property
    def folder(self) -> Any:
        """The module that knows what is raw here."""
        return import_module(f"connectors.{self.provider}.samples")

    def decoded(self) -> tuple[AnyRecord, ...]:
        """What the connector reads the raw file as."""
        found: tuple[AnyRecord, ...] = self.folder.decode_sample(self.kind, self.name, self.file(".json").read_bytes())
        return found

    def encoded(self) -> Any:
        """What the connector makes of the record, numbers to the digit."""
        [record] = self.records
        content = self.file(".content")
        write = Write(
            kind=self.kind,
            action=Action.CREATE,
            record=record,
            record_key=KEY,
            request_key=KEY,
            context={"source": "the network"},
            content=content.read_bytes() if content.exists() else None,
        )
        return to_the_digit(self.folder.encode_sample(self.name, write))

    def request(self) -> Any:
        """What it has to make of it."""
        return to_the_digit(self.file(".request.json").read_bytes())


def samples(provider: str, way: str) -> Iterator[Sample]:
    """A provider's samples of one way, `read` or `write`."""
    for path in sorted((FOLDER / provider / "samples" / way).glob("*/*.record.json")):
        name = path.name.removesuffix(".record.json")
        yield Sample(provider=provider, way=way, kind=Kind(path.parent.name), name=name)


def to_the_digit(body: bytes) -> Any:
    """JSON whose numbers are compared as they are written."""
    return json.loads(body, parse_float=lambda digits: digits)
