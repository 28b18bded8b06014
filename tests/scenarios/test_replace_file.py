"""Files of a bill that are replaced, removed or turned down, and one that travels inside its bill."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest

from connectors.avidxchange import contract
from connectors.avidxchange.simulator_images import VIRUS
from connectors.records import Kind
from syncs.models import Problem, RemoteRecord, SyncRecord
from syncs.states import State
from syncs.story.files import File, files_of
from tests.payables import invoice, of_bill
from tests.scenarios.contracts import everything
from tests.scenarios.wholesaler import (
    OTHER_PDF,
    PDF,
    account_line,
    assert_at_rest,
    attach,
    edit,
    enter,
    image_there,
    open_books,
    remove,
    value,
)
from tests.simulation.world import World

pytestmark = pytest.mark.django_db
SICK = b"%PDF-1.7 " + VIRUS


def with_bill(profile: str = "assumed-v1") -> tuple[World, str]:
    """A bill at the network without a file."""
    world, books = open_books(profile)
    bill_id = enter(world, "Bill", VendorRef=value(books.vendor), DocNumber="INV-1", Line=[account_line("120.50")])
    world.settle(days=1)
    return world, bill_id


def files() -> list[File]:
    """The files as the bill's page tells them."""
    delivery = of_bill()
    shown = RemoteRecord.objects.filter(remote_id=delivery.target_id, kind=Kind.BILL).first()
    return files_of(delivery.remote_record, delivery, shown)


def of_file(name: str) -> SyncRecord:
    return SyncRecord.objects.get(stream__kind=Kind.IMAGE, remote_record__name=name)


@everything
def test_replace_file(profile: str) -> None:
    world, bill_id = with_bill(profile)
    attachment = attach(world, "Bill", bill_id)
    world.settle(days=1)
    assert image_there(world) == PDF
    world.person(
        world.quickbooks, "replace_file", attachment_id=attachment, content=b64encode(OTHER_PDF).decode()
    )  # fmt: skip
    world.settle(days=1)
    assert image_there(world) == OTHER_PDF
    assert [(file.name, file.there) for file in files()] == [("invoice.pdf", True)]
    assert_at_rest()


@everything
def test_the_older_file_comes_back_when_the_newest_is_removed_as_often_as_that_happens(profile: str) -> None:
    world, bill_id = with_bill(profile)
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    for _ in range(2):
        newer = attach(world, "Bill", bill_id, OTHER_PDF, "signed.pdf")
        world.settle(days=1)
        assert image_there(world) == OTHER_PDF
        remove(world, "Attachable", newer)
        world.clock.advance(timedelta(days=1))  # QuickBooks does not tell of it: the comparison of the night does
        world.settle(days=1)
        assert image_there(world) == PDF
    assert [(file.name, file.there) for file in files()] == [("invoice.pdf", True)]
    assert_at_rest()


@everything
def test_a_file_that_the_network_rejects_after_its_check_is_shown_with_the_reason_and_a_clean_one_clears_it(
    profile: str,
) -> None:
    world, bill_id = with_bill(profile)
    attach(world, "Bill", bill_id, SICK)
    world.settle(days=1)
    held = of_file("invoice.pdf")
    assert (held.state, held.code) == (State.HELD, "image_rejected")
    assert held.problem is not None
    [file] = files()
    assert (file.tone, file.words) == ("bad", "Refused after its check")
    assert "rejected" in file.reason
    assert file.problem == held.problem
    assert of_bill().state == State.SYNCED
    attach(world, "Bill", bill_id, PDF, "clean.pdf")
    world.settle(days=1)
    assert image_there(world) == PDF
    assert [file.name for file in files() if file.there] == ["clean.pdf"]
    assert not Problem.objects.filter(resolved_at=None)
    assert_at_rest()


@pytest.fixture
def images_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A contract under which an image travels inside its invoice; it is shipped nowhere."""
    folder = tmp_path / "profiles"
    copytree(contract.FOLDER, folder)
    shipped = (folder / "assumed-v1.json").read_text()
    inside = shipped.replace('"image": "rawBody"', '"image": "base64InInvoice"').replace("assumed-v1", "inside-v1")
    (folder / "inside-v1.json").write_text(inside)
    monkeypatch.setattr(contract, "FOLDER", folder)
    return "inside-v1"


def test_a_file_that_travels_inside_its_bill_goes_with_each_change_of_it(images_inside: str) -> None:
    world, bill_id = with_bill(images_inside)
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    assert image_there(world) == PDF
    for day in ("2026-12-24", "2026-12-27"):
        edit(world, "Bill", bill_id, DueDate=day)
        world.settle(days=1)
        assert str(invoice(world)["due_date"]) == day
        assert image_there(world) == PDF
    assert_at_rest()
