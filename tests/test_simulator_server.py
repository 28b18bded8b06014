"""Simulators on a loopback port: connections, faults, the control paths, the moved clock and the command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.clock import VirtualClock, write_shift
from connectors.simulator_server import ShiftedClock, SimulatorServer, find_simulators
from connectors.simulators import Response
from tests.quickbooks_company import REALM, Caller, open_books

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture
def caller() -> Caller:
    return open_books()


@pytest.fixture
def http(caller: Caller) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {caller.tokens['access_token']}", "Accept": "application/json"}
    with (
        SimulatorServer({"quickbooks": caller.simulator}) as server,
        httpx.Client(base_url=server.address, headers=headers) as http,
    ):
        yield http


def test_every_provider_with_a_simulator_is_found() -> None:
    assert {"quickbooks", "avidxchange"} <= find_simulators().keys()


def test_one_connection_serves_many_requests(http: httpx.Client) -> None:
    ports = set()
    for _ in range(3):
        answer = http.get(f"/quickbooks/v3/company/{REALM}/preferences")
        assert answer.status_code == 200
        ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1


def test_a_lost_answer_is_a_closed_connection_after_the_write(http: httpx.Client, caller: Caller) -> None:
    caller.simulator.drop_answer("POST /vendor")
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(f"/quickbooks/v3/company/{REALM}/vendor", json={"DisplayName": "Acme"})
    assert [vendor["DisplayName"] for vendor in caller.simulator.company(REALM).vendors.values()] == ["Acme"]
    caller.simulator.refuse("GET /vendor", Response(status=503))
    assert http.get(f"/quickbooks/v3/company/{REALM}/vendor/1").status_code == 503
    assert http.get(f"/quickbooks/v3/company/{REALM}/vendor/1").status_code == 200


def test_a_person_acts_and_the_books_are_read_from_outside(http: httpx.Client) -> None:
    body = {"realm_id": REALM, "name": "Acme", "AcctNum": "C-1"}
    made = http.post("/__sim/quickbooks/person/create_vendor", json=body)
    assert made.json()["AcctNum"] == "C-1"
    lines = {"realm_id": REALM, "vendor_id": made.json()["Id"], "lines": [["7", "10.10"]]}
    assert http.post("/__sim/quickbooks/person/create_bill", json=lines).json()["Balance"] == 10.1
    assert http.get("/__sim/quickbooks/books").json()[REALM]["Bill"][0]["TotalAmt"] == 10.1
    refused = http.post("/__sim/quickbooks/person/create_vendor", json=body)
    assert (refused.status_code, "6240" in refused.json()["error"]) == (400, True)
    assert http.post("/__sim/quickbooks/person/fly", json={}).status_code == 404
    assert http.get("/__sim/nobody/books").status_code == http.get("/elsewhere").status_code == 404


def test_the_moved_clock_follows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "shift.json"
    clock = ShiftedClock(file)
    before = clock.now()
    write_shift(file, timedelta(days=3))
    assert timedelta(days=3) <= clock.now() - before < timedelta(days=3, minutes=1)
    write_shift(file, timedelta(days=4))
    assert clock.now() - before > timedelta(days=4)


def test_the_command_keeps_its_books_through_a_kill(tmp_path: Path) -> None:
    company = {"realm_id": REALM, "name": "Kept"}
    for ending in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "simulate", "--port", "0", "--journal", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=os.environ | {"DATABASE_URL": "postgresql://nobody:none@nowhere.invalid/none"},
        )
        assert process.stdout is not None
        with process:
            lines = [process.stdout.readline().strip() for _ in find_simulators()]
            address = next(line for line in lines if line.endswith("/quickbooks")).removesuffix("/quickbooks")
            if ending == signal.SIGKILL:
                httpx.post(f"{address}/__sim/quickbooks/person/create_company", json=company).raise_for_status()
            books = httpx.get(f"{address}/__sim/quickbooks/books").json()
            process.send_signal(ending)
        assert books[REALM]["Account"][0]["Name"] == "Advertising"
    assert process.returncode == 0
    assert json.loads((tmp_path / "quickbooks.jsonl").read_text())["person"] == "create_company"


def test_the_help_says_how_to_register_an_app_and_it_works_as_written() -> None:
    said = subprocess.run(
        [sys.executable, "manage.py", "simulate", "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    acts = [line.strip().split(" ", 3)[1:] for line in said.splitlines() if line.strip().startswith("curl ")]
    clock = VirtualClock(datetime(2026, 3, 2, 14, tzinfo=UTC))
    simulators = {key: kind(clock) for key, kind in find_simulators().items()}
    assert {url.split("/")[4] for url, _, _ in acts} == simulators.keys()
    with SimulatorServer(simulators) as server:
        for url, _, body in acts:
            done = httpx.post(url.replace("http://127.0.0.1:8900", server.address), content=body.strip("'").encode())
            assert done.status_code == 200, done.text
    assert simulators["quickbooks"].books().keys() == {"9130350000000001"}
