"""Settings from the environment: each mistake is named together with what to change, and no secret is repeated."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from mlconnector import environment
from mlconnector.environment import SettingError

ROOT = Path(__file__).resolve().parent.parent
GOOD_KEY = Fernet.generate_key().decode()
PRODUCTION = {
    "MLCONNECTOR_MODE": "production",
    "SECRET_KEY": "s" * 60 + "ecr3t-éù!?xyz",
    "FERNET_KEYS": GOOD_KEY,
    "PUBLIC_URL": "https://connector.example.com",
    "DATABASE_URL": "postgresql://app:pass@db.example.com/ledger",
}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """manage.py in an environment that has these variables and none else of ours."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=inherited | variables,
        capture_output=True,
        text=True,
    )


def test_an_address_becomes_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB", "postgresql://app:p%40ss@db.example.com:6432/ledger?sslmode=require")
    assert environment.database("DB") == {
        "NAME": "ledger",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example.com",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("mysql://app:hush@db/ledger", "DB begins with 'mysql', but ml-connector runs on PostgreSQL only"),
        ("postgresql://app:hush@db:north/ledger", "The port in DB is not a number"),
        ("postgresql://app:hush@db", "DB names no database"),
        ("postgresql://db/ledger", "DB names no user"),
        ("postgresql://app:hush@[db/ledger", "DB is no address"),
    ],
)
def test_a_wrong_address_is_explained_without_its_password(
    address: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB", address)
    with pytest.raises(SettingError, match=complaint) as caught:
        environment.database("DB")
    assert "hush" not in str(caught.value)
    assert "Set DB to postgresql://" in str(caught.value)


def test_flags_numbers_words_and_addresses_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"F": "Yes", "N": "3", "W": "a, b,,c", "U": "https://x.example/", "EMPTY": " "}.items():
        monkeypatch.setenv(name, value)
    assert environment.flag("F", False) is True
    assert environment.number("N", 1, at_least=1) == 3
    assert environment.words("W") == ["a", "b", "c"]
    assert environment.url("U") == "https://x.example"
    assert environment.text("EMPTY", "default") == "default"


def test_values_that_make_no_sense_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "perhaps")
    with pytest.raises(SettingError, match="X is 'perhaps'. Set it to yes or no"):
        environment.flag("X", False)
    with pytest.raises(SettingError, match="X is 'perhaps'. Set it to a whole number of at least 2"):
        environment.number("X", 5, at_least=2)
    with pytest.raises(SettingError, match="X is 'perhaps'. Set it to an address"):
        environment.url("X")
    with pytest.raises(SettingError, match="Y is not set"):
        environment.text("Y")


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "home" / "secret"
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda made: environment.made_once(file, lambda: f"made by {made}"), range(40)))
    assert len(seen) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["SECRET_KEY", "FERNET_KEYS", "PUBLIC_URL", "DATABASE_URL"])
def test_production_makes_nothing_up(missing: str) -> None:
    done = manage("check", **{name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode == 1
    assert done.stderr == f"SettingError: {missing} is not set. It is required here; .env.example describes it.\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"MLCONNECTOR_MODE": "prod"}, "MLCONNECTOR_MODE is 'prod'. Set it to local or production."),
        ({"DEBUG": "1"}, "DEBUG is on while MLCONNECTOR_MODE is production"),
        ({"FERNET_KEYS": f"{GOOD_KEY},short"}, "Key 2 in FERNET_KEYS is no Fernet key"),
        ({"FERNET_KEYS": "k" * 44}, "Key 1 in FERNET_KEYS is no Fernet key"),
        ({"FERNET_KEYS": "A" * 43 + "="}, "Key 1 in FERNET_KEYS is no Fernet key"),
        ({"SECRET_KEY": "x"}, "SECRET_KEY is too weak. Set it to 50 or more random characters."),
        ({"SECRET_KEY": "x" * 60}, "SECRET_KEY is too weak"),
        (
            {"ALLOWED_HOSTS": "good.example.com,http://foo"},
            "ALLOWED_HOSTS has 'http://foo'. Set it to host names alone",
        ),
        ({"ALLOWED_HOSTS": "foo:8000"}, "ALLOWED_HOSTS has 'foo:8000'"),
        ({"SIMULATOR_URL": "http://127.0.0.1"}, "Set it to an address such as http://127.0.0.1:9300"),
        ({"SIMULATOR_URL": "http://127.0.0.1:70000"}, "SIMULATOR_URL is 'http://127.0.0.1:70000'"),
        ({"PUBLIC_URL": "https://connector.example.com/path"}, "without a path"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL is 'LOUD'. Set it to one of DEBUG, INFO, WARNING, ERROR."),
        ({"PUBLIC_URL": "http://connector.example.com"}, "In production it must begin with https://"),
        ({"DATABASE_URL": "sqlite:///x"}, "ml-connector runs on PostgreSQL only"),
    ],
)
def test_what_production_does_not_take(variables: dict[str, str], complaint: str) -> None:
    done = manage("check", **PRODUCTION | variables)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "variables", "complaint"),
    [
        ("migrate", {"MLCONNECTOR_HOME": "/proc/x"}, "Set MLCONNECTOR_HOME to a folder of your own."),
        (
            "migrate",
            {"DATABASE_URL": "postgresql://app:hush@127.0.0.1:1/ledger"},
            "failed: Connection refused. Start its",
        ),
        ("simulate --port 70000", {}, "--port 70000 is none: choose one up to 65535"),
        ("simulate --journal /dev/null", {}, "--journal /dev/null: "),
    ],
)
def test_a_door_that_stays_shut_says_in_one_line_what_to_change(
    command: str, variables: dict[str, str], complaint: str
) -> None:
    done = manage(*command.split(), **variables)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hush" not in done.stderr


@pytest.mark.slow
def test_production_passes_the_deployment_checks() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


READERS = {"text", "choice", "flag", "number", "url", "hosts", "secret", "fernet_keys", "database"}


def test_every_variable_is_described() -> None:
    sources = [*(ROOT / "mlconnector").glob("*.py")]
    read = {
        word.split('"')[1]
        for source in sources
        for line in source.read_text().splitlines()
        for word in line.split("environment.")[1:]
        if "(" in word and word.split("(")[0] in READERS and '"' in word
    }
    described = {
        line.split("=")[0].lstrip("# ") for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line
    }
    assert {"SECRET_KEY", "DATABASE_URL", "WORKERS"} <= read
    assert read == described
