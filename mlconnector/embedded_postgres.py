"""Starts and stops the PostgreSQL server that comes with the requirements.

It serves demo, development and tests; production sets DATABASE_URL. It listens on a Unix socket in a private folder,
lets in the operating system user who started it and nobody else, and outlives the command that started it.
"""

import fcntl
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from mlconnector.postgres_files import (
    NAME,
    SOCKET,
    SUPERUSER,
    EmbeddedPostgresError,
    binaries,
    data_folder,
    make_private,
    place,
    run,
    socket_folder,
)

ALWAYS = ("listen_addresses=", "max_wal_size=128MB", "timezone=UTC", "log_timezone=UTC")
# For data that may be lost, of which most is undone at once: statistics would tell the planner that tables are empty.
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_wal_size=1GB", "autovacuum=off")


def ensure(home: Path, *, fast: bool = False) -> None:
    """When this returns, the server answers and has the application's role and database; any number may ask at once."""
    if _accepts(home):
        return
    folder = socket_folder(home)
    with _locked(home) as (programs, data):
        if _is_running(folder, data) and not (folder / SOCKET).exists():
            run(programs / "pg_ctl", "stop", "-D", data, "-m", "fast")  # somebody has removed its socket
        if not _is_running(folder, data):
            _start(folder, programs, data, ALWAYS + (FAST if fast else ()))
        _add_application(folder)


def stop(home: Path) -> bool:
    """Stops the server in good order; False if none was running."""
    with _locked(home) as (programs, data):
        is_running = _is_running(socket_folder(home), data)
        if is_running:
            run(programs / "pg_ctl", "stop", "-D", data, "-m", "fast", "-w", "-t", "60")
        return is_running


def status(home: Path) -> str:
    state = "running" if _accepts(home) else "not running"
    return f"{state}, its data below {place(home)}, its socket in {socket_folder(home)}"


@contextmanager
def _locked(home: Path) -> Iterator[tuple[Path, Path]]:
    folder = place(home)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # the server's user passes through to its data and can list nothing
        locked = (folder / "postgres.lock").open("w")
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{folder} cannot be written to ({error.strerror}). Set MLCONNECTOR_HOME to a folder of your own."
        ) from None
    with locked as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        programs = binaries(folder)
        yield programs, data_folder(folder, programs)


def _accepts(home: Path) -> bool:
    try:
        _connect(socket_folder(home), NAME, NAME).close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(folder: Path, user: str, database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(folder), user=user, dbname=database, connect_timeout=10, autocommit=True)


def _is_running(folder: Path, data: Path) -> bool:
    """Whether a server holds this data: it answers on the socket, or the process named in the data lives.

    A zombie is dead, and a number may have become another program's: a server's working folder is its data folder,
    and stays so when the folder is moved.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(folder / SOCKET)) == 0:
            return True
    try:
        process = int((data / "postmaster.pid").read_text().split()[0])
        if Path("/proc/self").exists():
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            return state != "Z" and Path(f"/proc/{process}/cwd").resolve() == data.resolve()
    except (FileNotFoundError, ProcessLookupError, PermissionError, IndexError, ValueError):
        return False
    listing = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(process)], capture_output=True, text=True)
    return "postgres" in listing.stdout and not listing.stdout.startswith("Z")


def _start(folder: Path, programs: Path, data: Path, options: tuple[str, ...]) -> None:
    """Starts the server, after a crash too, and waits until it answers."""
    make_private(folder)
    for left_over in (data / "postmaster.pid", folder / SOCKET, folder / f"{SOCKET}.lock"):
        left_over.unlink(missing_ok=True)
    log = data / "server.log"
    for_server = shlex.join(["-k", str(folder), *(word for option in options for word in ("-c", option))])
    for tries_left in reversed(range(10)):
        try:
            # Names relative to the folder, for pg_ctl gives them to a shell that would read signs in them.
            run(programs / "pg_ctl", "start", "-D.", f"-l{log.name}", "-w", "-t60", f"-o{for_server}", folder=data)
            return
        except EmbeddedPostgresError as error:
            end = log.read_text()[-1000:] if log.exists() else ""
            if "pre-existing shared memory" not in end or not tries_left:
                raise EmbeddedPostgresError(f"{error}\n{log} ends with:\n{end}") from None
            time.sleep(0.5)  # children of the crashed server have not noticed yet


def _add_application(folder: Path) -> None:
    with _connect_when_recovered(folder) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
            connection.execute(f"CREATE ROLE {NAME} LOGIN NOSUPERUSER CREATEDB CREATEROLE")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")


def _connect_when_recovered(folder: Path) -> psycopg.Connection[Any]:
    for _ in range(600):
        try:
            return _connect(folder, SUPERUSER, "postgres")
        except psycopg.OperationalError as error:
            if "starting up" not in str(error) and "recovery" not in str(error):
                raise EmbeddedPostgresError(f"The PostgreSQL server in {folder} lets nobody in: {error}") from None
            time.sleep(0.1)
    raise EmbeddedPostgresError(f"The PostgreSQL server in {folder} has been recovering for a minute. Try later.")
