"""What every connector says of itself without speaking to anybody: its samples both ways, its faults, its secrets."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import connectors.registry
from connectors.base import Environment, Session
from connectors.questions import questions
from connectors.records import Kind, canonical, restore
from syncs.delivery.flows import FLOWS, NEVER_INTO_AN_ERP
from tests.contract.samples import FOLDER, samples

CONNECTORS = connectors.registry.connectors()
CANARY = "canary-7f3a9c"
SOUNDS_SECRET = re.compile(r"secret|password|token(?!_url)|verifier|private|passphrase")
every = pytest.mark.parametrize("provider", sorted(CONNECTORS))


def kinds(way: str) -> list[tuple[str, Kind]]:
    """Every connector with each kind that it reads, or writes."""
    return [(key, kind) for key, one in sorted(CONNECTORS.items()) for kind in sorted(getattr(one, f"{way}s"))]


# Samples.


@pytest.mark.parametrize(("provider", "kind"), kinds("read"))
def test_a_kind_that_is_read_has_raw_samples_that_become_the_records_beside_them(provider: str, kind: Kind) -> None:
    found = [one for one in samples(provider, "read") if one.kind is kind]
    assert found, f"{provider}/samples/read/{kind} has no sample"
    for one in found:
        assert one.decoded() == one.records, str(one)


@pytest.mark.parametrize(("provider", "kind"), kinds("write"))
def test_a_kind_that_is_written_has_records_that_become_the_raw_requests_beside_them(provider: str, kind: Kind) -> None:
    found = [one for one in samples(provider, "write") if one.kind is kind]
    assert found, f"{provider}/samples/write/{kind} has no sample"
    for one in found:
        assert one.encoded() == one.request(), str(one)


@every
def test_every_record_of_a_sample_has_a_version_and_keeps_its_bytes(provider: str) -> None:
    for one in samples(provider, "read"):
        for record in one.records:
            assert record.version, str(one)
            assert restore(one.kind, canonical(record)) == record


@every
def test_no_file_of_samples_is_left_alone(provider: str) -> None:
    for one in (*samples(provider, "read"), *samples(provider, "write")):
        assert one.file(".json" if one.way == "read" else ".request.json").exists(), str(one)
    folder = FOLDER / provider / "samples"
    known = {one.file("").name for way in ("read", "write") for one in samples(provider, way)}
    assert {path.name.split(".")[0] for path in folder.glob("*/*/*") if path.is_file()} == known


# Kinds.


@every
def test_no_account_and_no_dimension_is_written_into_an_erp(provider: str) -> None:
    connector = CONNECTORS[provider]
    assert connector.role != "erp" or not connector.writes & NEVER_INTO_AN_ERP


@every
def test_every_kind_that_is_written_flows_there_in_sets_of_a_stated_size(provider: str) -> None:
    connector = CONNECTORS[provider]
    assert {FLOWS[kind].target for kind in connector.writes} <= {connector.role}
    assert set(connector.limits.batch) <= connector.writes
    assert all(size > 0 for size in connector.limits.batch.values())


# Faults.


@every
def test_every_fault_has_one_row_that_says_its_cause_and_what_to_do(provider: str) -> None:
    faults = CONNECTORS[provider].faults
    assert len({one.code for one in faults}) == len(faults)
    for one in faults:
        assert one.cause.endswith("."), one.code
        assert one.remedy.endswith("."), one.code


@every
def test_a_fault_without_a_raw_answer_is_one_that_the_folder_comes_to_itself(provider: str) -> None:
    sources = "".join(
        path.read_text() for path in Path(FOLDER / provider).glob("*.py") if not path.name.startswith("simulator")
    )
    assert [one.code for one in CONNECTORS[provider].faults if not one.sample and f'"{one.code}"' not in sources] == []


# Secrets.


@every
def test_what_sounds_like_a_secret_is_asked_for_as_one(provider: str) -> None:
    connector = CONNECTORS[provider]
    for shape in (connector.App, connector.Credentials, connector.Settings):
        for asked in questions(shape):
            assert asked.secret or not SOUNDS_SECRET.search(asked.name), f"{shape.__name__}.{asked.name}"


@every
def test_no_text_of_what_signs_in_shows_a_secret(provider: str) -> None:
    connector = CONNECTORS[provider]
    shapes = (connector.App, connector.Credentials, connector.Settings)
    app, credentials, settings = (filled(shape) for shape in shapes)
    session = Session(
        environment=Environment.SIMULATED, account_id="shown", app=app, credentials=credentials, settings=settings,
        http=None, access_token=CANARY,  # type: ignore[arg-type]
    )  # fmt: skip
    for one in (app, credentials, settings, session):
        assert CANARY not in f"{one} {one!r} {one:} {[one]} { ({'it': one}) }"


def filled(shape: type[msgspec.Struct]) -> Any:
    """One with a secret in each field that is one, and with what it has otherwise."""
    known = {
        asked.name: CANARY if asked.secret else "shown" for asked in questions(shape) if asked.required or asked.secret
    }
    return shape(**known)
