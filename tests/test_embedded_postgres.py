"""The database server that comes along: any number of starts at once, crashes, folders of every kind."""

import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mlconnector import embedded_postgres, postgres_files
from mlconnector.postgres_files import EmbeddedPostgresError

PROJECT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about being root")


@pytest.fixture
def home() -> Iterator[Path]:
    yield from folder_for_everybody("home")


def folder_for_everybody(name: str) -> Iterator[Path]:
    """Like `tmp_path`, but not below a folder of root's."""
    parent = Path("/tmp") / f"mlconnector-test-{os.getpid()}"
    parent.mkdir(mode=0o755)
    home = parent / name
    try:
        yield home
    finally:
        embedded_postgres.stop(home)
        if postgres_files.place(home) != home:
            shutil.rmtree(postgres_files.place(home))
        shutil.rmtree(parent)


def connect(home: Path, user: str = "mlconnector", database: str = "mlconnector") -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(postgres_files.socket_folder(home)), user=user, dbname=database, autocommit=True)


def server_process(home: Path) -> int:
    (data,) = postgres_files.place(home).glob("postgres-[0-9]*")
    return int((data / "postmaster.pid").read_text().split()[0])


def write_something(home: Path) -> None:
    with connect(home) as connection:
        connection.execute("CREATE TABLE thing (id int)")
        connection.execute("INSERT INTO thing VALUES (7)")


def something_is_there(home: Path) -> bool:
    with connect(home) as connection:
        return connection.execute("SELECT id FROM thing").fetchall() == [(7,)]


def test_the_application_is_no_superuser_and_owns_its_database(home: Path) -> None:
    embedded_postgres.ensure(home, fast=True)
    with connect(home) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        owner = connection.execute(
            "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        network = connection.execute("SHOW listen_addresses").fetchone()
    assert (rights, owner, network) == ((False, False, True, True), ("mlconnector",), ("",))


def test_many_starts_at_once_give_one_server(home: Path) -> None:
    starts = [
        multiprocessing.get_context("spawn").Process(target=embedded_postgres.ensure, args=(home,)) for _ in "1234"
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert [start.exitcode for start in starts] == [0, 0, 0, 0]
    with connect(home) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_after_a_crash_it_is_started_again_and_nothing_is_lost(home: Path) -> None:
    embedded_postgres.ensure(home)
    write_something(home)
    crashed = server_process(home)
    os.kill(crashed, signal.SIGKILL)
    embedded_postgres.ensure(home)
    assert something_is_there(home)
    assert server_process(home) != crashed


def test_stale_files_that_name_another_living_process_do_not_stop_it(home: Path) -> None:
    embedded_postgres.ensure(home, fast=True)
    embedded_postgres.stop(home)
    (data,) = home.glob("postgres-[0-9]*")
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    (home / "socket" / f"{postgres_files.SOCKET}.lock").write_text(f"{os.getpid()}\n")
    (home / "socket" / postgres_files.SOCKET).touch()
    embedded_postgres.ensure(home, fast=True)
    assert "not running" not in embedded_postgres.status(home)


def test_it_survives_the_removal_of_its_socket_and_a_move_of_its_folder(home: Path) -> None:
    embedded_postgres.ensure(home, fast=True)
    write_something(home)
    shutil.rmtree(home / "socket")
    embedded_postgres.ensure(home, fast=True)
    assert something_is_there(home)
    running = server_process(home)
    moved = home.with_name("moved")
    home.rename(moved)
    try:
        embedded_postgres.ensure(moved, fast=True)
        assert something_is_there(moved)
        assert server_process(moved) == running
    finally:
        moved.rename(home)


def test_a_long_path_gets_a_short_socket_and_odd_names_work() -> None:
    for home in folder_for_everybody('a folder\'s "name" with $HOME & spaces ' + "x" * 90):
        embedded_postgres.ensure(home, fast=True)
        assert len(os.fsencode(postgres_files.socket_folder(home) / postgres_files.SOCKET)) <= 100
        write_something(home)
        shutil.rmtree(postgres_files.socket_folder(home))
        embedded_postgres.ensure(home, fast=True)
        assert something_is_there(home)
        embedded_postgres.stop(home)
        shutil.rmtree(postgres_files.socket_folder(home))


def test_data_of_another_version_is_refused_with_its_name(home: Path) -> None:
    (home / "postgres-9").mkdir(parents=True)
    with pytest.raises(postgres_files.EmbeddedPostgresError, match="postgres-9 is data of another PostgreSQL version"):
        embedded_postgres.ensure(home)
    shutil.rmtree(home / "postgres-9")


@needs_root
def test_root_in_a_closed_folder_keeps_the_data_elsewhere_and_opens_nothing() -> None:
    for home in folder_for_everybody("closed/home"):
        home.parent.mkdir(mode=0o700)
        embedded_postgres.ensure(home, fast=True)
        write_something(home)
        assert something_is_there(home)
        assert home.parent.stat().st_mode & 0o777 == 0o700
        assert postgres_files.place(home).parent == Path("/var/lib/mlconnector")


@needs_root
def test_programs_out_of_reach_are_copied_to_the_data(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_files, "_is_open_to_all", lambda folder: "site-packages" not in str(folder))
    embedded_postgres.ensure(home, fast=True)
    write_something(home)
    assert postgres_files.binaries(home) == home / "programs" / "embedded_postgres" / "pginstall" / "bin"
    assert something_is_there(home)


@needs_root
def test_a_program_that_the_servers_user_may_not_run_is_explained(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copy("/bin/true", closed / "postgres")
    with pytest.raises(postgres_files.EmbeddedPostgresError, match="The user nobody may not run .* set DATABASE_URL"):
        postgres_files.run(closed / "postgres")


@needs_root
def test_an_ordinary_user_starts_it_and_another_user_is_kept_out(home: Path) -> None:
    games = pwd.getpwnam("games")
    home.mkdir()
    os.chown(home, games.pw_uid, games.pw_gid)
    run_as(games, embedded_postgres.ensure, home)
    try:
        assert not (home / "programs").exists()
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            connect(home)
    finally:
        run_as(games, embedded_postgres.stop, home)


def run_as(user: pwd.struct_passwd, act: Callable[[Path], object], home: Path) -> None:
    """A fork and no new interpreter, since an interpreter in /root is out of the other user's reach."""

    def become_and_act() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        act(home)

    process = multiprocessing.get_context("fork").Process(target=become_and_act)
    process.start()
    process.join()
    assert process.exitcode == 0


def manage(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """manage.py on the server in this home."""
    environment = {"MLCONNECTOR_HOME": str(home), "PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)


def test_the_server_has_a_command_of_its_own_that_help_names(home: Path) -> None:
    assert "not running" in manage(home, "postgres", "status").stdout
    assert "PostgreSQL is running" in manage(home, "postgres", "start").stdout
    assert "not running" in manage(home, "postgres", "stop").stdout
    assert "postgres" in manage(home, "help").stdout.split()
    assert not list(home.glob("postgres-*/postmaster.pid")), "neither status nor help starts it"


@pytest.mark.parametrize("command", ["makemigrations", "verify_audit"])
def test_a_database_that_was_never_migrated_is_told_in_one_line(home: Path, command: str) -> None:
    done = manage(home, command)
    assert done.returncode == 1
    assert done.stderr == "SettingError: The database is not set up yet. Run manage.py migrate first.\n"


def test_a_folder_that_cannot_be_written_to_is_named(home: Path) -> None:
    home.mkdir()
    (home / "postgres.lock").mkdir()
    with pytest.raises(EmbeddedPostgresError, match="Set MLCONNECTOR_HOME to a folder of your own"):
        embedded_postgres.ensure(home)
    (home / "postgres.lock").rmdir()
