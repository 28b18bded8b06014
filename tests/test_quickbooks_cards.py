"""A full card number in a row of QuickBooks: it is taken out, the row is not used, and somebody reads why."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Page
from connectors.errors import UnexpectedResponse
from connectors.quickbooks.reading import clean_row
from connectors.records import Kind
from connectors.simulators import Response
from syncs.models import RemoteRecord, RemoteRevision, SyncRecord, UnreadableRow
from tests.payables import edit_bill, enter_bill, enter_vendor, of_bill, open_problems
from tests.quickbooks_office import REALM, Office
from tests.simulation.world import begin

CARD = "4111 1111 1111 1111"
SAMPLES = Path(__file__).parent.parent / "connectors/quickbooks/samples"
KEY = "a4111111111111111abcdefabcdefabc"  # a record key with digits like a card number's
CARD_LIKE = "4111111111111111" * 2  # a record key of digits only
TRACE = "021000021000008"  # of an ACH payment, and like a card number
rows = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return Office()


def row(name: str, **changes: Any) -> bytes:
    return json.dumps(json.loads(next(SAMPLES.rglob(f"{name}.json")).read_text()) | changes).encode()


def line_about_a_card() -> list[dict[str, Any]]:
    return [{"Id": "1", "Amount": 80.25, "Description": f"paid with {CARD}, thanks"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"PrivateNote": CARD},
        {"PrivateNote": 4111111111111111},
        {"PrivateNote": "Invoice 12 4111-1111-1111-1111 of 9"},
        {"Line": line_about_a_card()},
        {"DocNumber": "4111111111111111"},
        {"Somewhere": {"else": [{"again": CARD}]}},
    ],
)
def test_a_card_number_is_found_wherever_it_stands(changes: dict[str, Any]) -> None:
    came = row("bill", **changes)
    clean = clean_row(came)
    assert b"1111" not in clean
    assert json.loads(clean)["VendorRef"]["value"] == "58"


def test_a_card_number_that_is_spelled_in_escapes_is_found() -> None:
    came = row("bill", PrivateNote="CARD").replace(
        b"CARD", b"".join(b"\\u003%c" % digit for digit in b"4111111111111111")
    )
    assert b"card number removed" in clean_row(came)


def test_a_card_number_in_a_row_that_is_no_json_is_found() -> None:
    assert b"1111" not in clean_row(row("bill", PrivateNote=CARD)[:-1])


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("read/*/*.json") if "." not in path.stem))
def test_a_row_without_one_stays_as_it_came(name: str) -> None:
    assert clean_row(row(name)) == row(name)


@pytest.mark.parametrize(
    "changes",
    [
        {"Id": "4111111111111111"},
        {"VendorRef": {"value": "4111111111111111", "name": "Acme Paper"}},
        {"PrivateNote": f"ml-connector:{KEY} pending; the AP network payment 7", "DocNumber": f"PND-{KEY[:16]}"},
        {"PrivateNote": f"Voided - ml-connector:{KEY}; by ach", "DocNumber": TRACE},
        {"PrivateNote": f"ml-connector:{CARD_LIKE}; by ach", "DocNumber": f"PND-{CARD_LIKE[:16]}"},
        {"PrivateNote": "0000 0000 0000 0000"},
    ],
)
def test_what_is_an_id_or_written_by_us_is_none(changes: dict[str, Any]) -> None:
    came = row("billpayment_by_hand_with_credit", **changes)
    assert clean_row(came) == came


def unreadable_page(office: Office, **changes: str) -> Page:
    office.simulator.person("edit_bill", realm_id=REALM, bill_id=office.bills[0], changes=changes)
    return office.connector.read(Kind.BILL, None)


def test_a_row_with_a_full_card_number_is_not_read_and_the_number_is_nowhere(office: Office) -> None:
    page = unreadable_page(office, PrivateNote=f"card {CARD} please")
    [bad] = page.unreadable
    assert (bad.kind, bad.id) == (Kind.BILL, office.bills[0])
    assert bad.why.startswith("card number")
    assert not any(digit in bad.why for digit in "0123456789")
    assert "INV-1" in bad.raw
    assert "1111" not in bad.raw
    assert len(page.records) == 2
    with pytest.raises(UnexpectedResponse) as refused:
        office.connector.fetch(Kind.BILL, office.bills)
    assert "1111" not in str(refused.value)


def test_a_row_that_cannot_be_read_for_another_reason_is_shown_without_it_too(office: Office) -> None:
    def damage(request: Any, proceed: Any) -> Response:
        return Response(status=200, body=proceed().body.replace(b'"SyncToken":"0"', b'"VendorRef":"4111111111111111"'))

    office.simulator.fault("GET /query", damage)
    page = office.connector.read(Kind.BILL, None)
    assert len(page.unreadable) == 3
    assert all("1111" not in bad.raw + bad.why for bad in page.unreadable)


@rows
def test_a_bill_with_a_card_number_is_a_problem_and_the_number_stands_in_no_row_of_ours() -> None:
    world = begin()
    bad = enter_bill(world, enter_vendor(world), number="BAD", PrivateNote=f"card {CARD}")
    world.settle(days=1)
    [shown] = UnreadableRow.objects.all()
    assert (shown.kind, shown.remote_id) == ("bill", bad)
    [problem] = open_problems()
    assert (problem.code, "card number" in problem.cause) == ("unreadable_row", True)
    assert not SyncRecord.objects.filter(stream__kind="bill").exists()
    kept = [*RemoteRecord.objects.all(), *RemoteRevision.objects.all(), shown, problem]
    assert not any("1111" in str(vars(one)) for one in kept)
    edit_bill(world, bad, PrivateNote="by card")
    world.settle(days=1)
    assert of_bill("BAD").state == "synced"
    assert open_problems() == []
