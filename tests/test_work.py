"""`manage.py work` with real processes: nothing that dies stops the work, nothing goes on that should have ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from mlconnector import embedded_postgres
from tests.installation import Installation, Running, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]

# A stream that has nothing to deliver: a slice of it takes its lease, looks, and gives it back.
ONE_STREAM = """
from django.utils import timezone
from connectors.models import App, Connection, Tenant
from syncs.models import Integration, Stream
tenant = Tenant.objects.create(name="Acme")
def connect(provider):
    app = App.objects.create(provider=provider, environment="simulated", name=provider)
    return Connection.objects.create(
        tenant=tenant, app=app, provider=provider, environment="simulated", account_id="1", status="connected",
    )
integration = Integration.objects.create(
    tenant=tenant, erp=connect("quickbooks"), ap_network=connect("avidxchange"), active=True,
)
Stream.objects.create(tenant=tenant, integration=integration, kind="vendor")
"""


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    made = Installation()
    try:
        made.run("migrate", "--verbosity", "0")
        made.run("shell", "-c", ONE_STREAM)
        yield made
    finally:
        made.remove()


@pytest.fixture
def work(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    installation.log.unlink(missing_ok=True)
    installation.query("DELETE FROM django_q_ormq")  # what killed clusters had taken comes back after minutes
    process = installation.start("work")
    work_is_done(installation, within=60)
    yield process
    process.terminate()
    process.wait(30)


def work_is_done(installation: Installation, within: float) -> float:
    """Make the stream due, and wait until a worker has been there and is done."""
    ((before,),) = installation.query("SELECT fence FROM syncs_stream")
    installation.query("UPDATE syncs_stream SET due_at = now(), woken_until = NULL")
    done = f"SELECT 1 FROM syncs_stream WHERE fence > {before} AND due_at IS NULL"
    return eventually(lambda: installation.query(done), "a worker takes the stream", within)


def workers(installation: Installation, work: subprocess.Popen[bytes]) -> list[Running]:
    """The workers of the cluster, oldest first; its writer of results and its fetcher come after them."""
    ours = installation.processes()
    (cluster,) = [one for one in ours if one.parent == work.pid]
    (sentinel,) = [one for one in ours if one.parent == cluster.pid]
    children = sorted((one for one in ours if one.parent == sentinel.pid), key=lambda one: one.pid)
    assert len(children) == 4
    return children[:2]


def are_idle(installation: Installation, of: list[Running]) -> bool:
    """Whether nothing is queued and none of them has had the processor for a while: they wait for a task."""
    before = [one.worked() for one in of]
    time.sleep(1)
    return not installation.query("SELECT 1 FROM django_q_ormq") and before == [one.worked() for one in of]


def test_work_goes_on_after_an_idle_worker_was_killed(
    installation: Installation, work: subprocess.Popen[bytes]
) -> None:
    idle = workers(installation, work)
    eventually(lambda: are_idle(installation, idle), "the schedules' first tasks are done")
    for worker in idle:
        os.kill(worker.pid, signal.SIGKILL)
    assert work_is_done(installation, within=30) < 15
    assert "The queue's cluster is replaced" in installation.log.read_text()
    assert work_is_done(installation, within=10) < 5


def test_work_goes_on_after_the_whole_cluster_was_killed(
    installation: Installation, work: subprocess.Popen[bytes]
) -> None:
    for process in installation.processes():
        if process.pid != work.pid:
            os.kill(process.pid, signal.SIGKILL)
    assert work_is_done(installation, within=30) < 15


def test_no_orphan_goes_on_when_the_parent_is_killed(installation: Installation, work: subprocess.Popen[bytes]) -> None:
    assert len(installation.processes()) == 7
    work.kill()
    work.wait()
    assert eventually(lambda: not installation.processes(), "all of them are gone") < 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_in_time_when_told_to(
    installation: Installation, work: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    work.send_signal(number)
    assert eventually(lambda: work.poll() is not None, "it ends") < 10
    assert work.returncode == 0
    assert installation.processes() == []


def test_a_database_that_is_away_is_said_once_and_waited_for(
    installation: Installation, work: subprocess.Popen[bytes]
) -> None:
    eventually(lambda: not installation.query("SELECT 1 FROM django_q_ormq"), "nothing is under way")
    embedded_postgres.stop(installation.home)
    said = "The database does not work"
    eventually(lambda: said in installation.log.read_text(), said)
    with pytest.raises(subprocess.TimeoutExpired):
        work.wait(5)
    embedded_postgres.ensure(installation.home)
    eventually(lambda: "The database works again." in installation.log.read_text(), "it notices")
    assert work_is_done(installation, within=60) < 30
    log = installation.log.read_text()
    assert log.count(said) == 1
    assert "Traceback" not in log, log
    assert len(log.splitlines()) < 12, log


def test_the_schedules_of_the_queue_are_there_once(installation: Installation, work: subprocess.Popen[bytes]) -> None:
    second = installation.start("work")
    work_is_done(installation, within=30)
    eventually(lambda: len(installation.processes()) == 14, "two clusters run")
    assert installation.query("SELECT func FROM django_q_schedule ORDER BY func") == [
        ("syncs.tasks.seal_audit",), ("syncs.tasks.send_again",), ("syncs.tasks.tick",),
    ]  # fmt: skip
    second.terminate()
    assert second.wait(15) == 0
