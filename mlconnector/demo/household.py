"""The processes of the demo: each is started again if it dies, and all are ended with the demo."""

import sys
from collections.abc import Callable
from pathlib import Path

from syncs.processes import Child

END_WITHIN = 12.0  # seconds: longer than workers take to end by themselves


class CannotStart(Exception):
    """A process of the demo ends as soon as it is started; its log says why."""


class Household:
    """Named processes; what they print goes to a log each."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._commands: dict[str, list[str]] = {}
        self._children: dict[str, Child] = {}
        self._deaths: dict[str, int] = {}

    def start(self, name: str, *command: str) -> None:
        """Start a process and keep it running."""
        self._commands[name] = [sys.executable, *command]
        self._run(name)

    def look_after(self) -> None:
        """Start again what has died; CannotStart if that has happened too often."""
        for name, child in list(self._children.items()):
            if child.exit_status() is None:
                continue
            self._deaths[name] = self._deaths.get(name, 0) + 1
            if self._deaths[name] > 40:
                raise CannotStart(f"The {name} do not keep running. {self._log(name)} says why.")
            child.kill()
            self._say(f"The {name} died; they start again.")
            self._run(name)

    def __enter__(self) -> "Household":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End all, the last started first; nothing of them runs when this returns."""
        for child in reversed(self._children.values()):
            child.ask_to_end()
        for child in reversed(self._children.values()):
            child.end(within=END_WITHIN)
        self._children.clear()

    def _run(self, name: str) -> None:
        self._children[name] = Child(self._commands[name], log=self._log(name))

    def _log(self, name: str) -> Path:
        return self._folder / f"{name.replace(' ', '-')}.log"
