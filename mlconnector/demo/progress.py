"""How far the story has been told: one small file, replaced whole, so that a kill at any moment leaves a good one."""

from datetime import datetime
from pathlib import Path

import msgspec


class Progress(msgspec.Struct, kw_only=True):
    """The day that is being told and what has been done of it; `started` is the moment at which the story began.

    `moved` is when time was moved to the end of this day: what was read before that moment is not enough to go on.
    """

    started: datetime | None = None
    day: int = 0
    done: list[str] = []  # noqa: RUF012 (msgspec copies it)
    moved: datetime | None = None


class ProgressFile:
    """The file and what stands in it; `keep` after every step."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.progress = msgspec.json.decode(path.read_bytes(), type=Progress) if path.exists() else Progress()

    def keep(self) -> None:
        """Write it down, whole or not at all."""
        half = self._path.with_suffix(".new")
        half.write_bytes(msgspec.json.encode(self.progress))
        half.replace(self._path)
