"""An installation of its own in a temporary folder: real processes, a database server that nobody else uses."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from mlconnector import embedded_postgres, postgres_files

ROOT = Path(__file__).resolve().parent.parent
OURS = ("DJANGO_SETTINGS_MODULE", "MLCONNECTOR_", "DATABASE_URL", "PUBLIC_URL", "SIMULATOR_URL")


class Installation:
    """`manage.py` with a home of its own, and a look at its database."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mlconnector-test-"))
        self._folder.chmod(0o755)  # the server's own user passes through
        self.home = self._folder / "home"
        self.log = self._folder / "log"
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> Mapping[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return {**inherited, "MLCONNECTOR_HOME": str(self.home), "LOG_LEVEL": "WARNING"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *words]

    def run(self, *words: str, text: str = "", timeout: float = 300) -> str:
        """What the command printed; it has to succeed."""
        done = subprocess.run(
            self.command(*words),
            env=self.environment, cwd=ROOT, input=text, text=True, capture_output=True, timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command as the leader of a session; what it prints goes to `log`."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(*words),
                env=self.environment, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        return process

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask or change the database with the rights of a worker."""
        folder = str(postgres_files.socket_folder(self.home))
        name = postgres_files.NAME
        with psycopg.connect(host=folder, user=name, dbname=name, autocommit=True) as connection:
            connection.execute("SET ROLE mlconnector_work")
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def remove(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()
        eventually(lambda: not self.processes(), "nothing runs any more")
        embedded_postgres.stop(self.home)
        for folder in (self._folder, postgres_files.place(self.home)):
            shutil.rmtree(folder, ignore_errors=True)

    def processes(self) -> list["Running"]:
        """Every process of this installation but its database server's."""
        mark = f"MLCONNECTOR_HOME={self.home}\0".encode()
        return [one for one in running() if mark in one.environment and Path(one.words[0]).name.startswith("python")]


class Running:
    """A process as the system shows it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._folder = Path("/proc") / str(pid)
        self.environment = (self._folder / "environ").read_bytes() + b"\0"
        self.words = (self._folder / "cmdline").read_bytes().decode().split("\0")
        self.parent = int(self._stat()[1])

    def worked(self) -> int:
        """Ticks of a processor that it has had so far."""
        return sum(map(int, self._stat()[11:13]))

    def _stat(self) -> list[str]:
        """What the system counts about it, from its state on."""
        return (self._folder / "stat").read_text().rpartition(")")[2].split()


def running() -> list[Running]:
    """All processes that can be looked at."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append(Running(int(folder.name)))
        except OSError:
            continue
    return found


def eventually(condition: Callable[[], object], what: str, within: float = 30.0) -> float:
    """Wait until it is so, and say how many seconds that took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within, f"not within {within} seconds: {what}"
        time.sleep(0.05)
    return time.monotonic() - started
