"""One entry of a story. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """An object on one side: what it is, its id there, and its page in the provider's own product."""

    what: str
    id: str
    connection_id: int = 0
    kind: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that happened: when, what, why, by whom, and what was said over HTTP.

    `rank` orders what happened at the same moment; `stage` is the stage that it reaches, if it does.
    """

    at: datetime
    rank: int
    title: str
    tone: str = "info"
    stage: str = ""
    words: Sequence[str] = ()
    by: str = ""
    pointers: Sequence[Pointer] = ()
    exchanges: Sequence[Any] = ()

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.rank
