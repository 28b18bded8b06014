"""The entries of a story, and their order. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """An object on one side: what it is, its id there, and its page in the provider's own product."""

    what: str
    id: str
    connection_id: int = 0
    kind: str = ""
    url: str = ""


class Rank(IntEnum):
    """What comes first of what happened in one second: what we saw, our answer, what we saw later, effects."""

    CAUSE = 0
    OURS = 1
    LATER = 2
    EFFECT = 3


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that happened: when, what, why, by whom, and what was said over HTTP.

    `stage` is the stage that it reaches, if it does; `again` is how often the same happened, the last time `until`;
    else it lasted `until` then.
    """

    at: datetime
    title: str
    rank: Rank = Rank.CAUSE
    tone: str = "info"
    stage: str = ""
    words: Sequence[str] = ()
    by: str = ""
    pointers: Sequence[Pointer] = ()
    exchanges: Sequence[Any] = ()
    again: int = 0
    until: datetime | None = None

    @property
    def order(self) -> tuple[datetime, Rank]:
        """By whole seconds, since some providers give no more of a moment; entries of one rank keep their order."""
        return self.at.replace(microsecond=0), self.rank


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries in order of time, causes before effects; what only happened again is folded into the first time."""
    told: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.order):
        last = told[-1] if told else None
        if last and not entry.exchanges and (last.title, list(last.words)) == (entry.title, list(entry.words)):
            told[-1] = replace(last, again=last.again + 1, until=entry.at)
        else:
            told.append(entry)
    return told
