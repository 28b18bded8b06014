"""Images on bills and credits: found, opened without our token, and never more of them than a network takes."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.errors import RecordRejected, TransientError, UnexpectedResponse
from connectors.quickbooks.images import MOST
from connectors.records import Image, Kind, Ref
from connectors.simulators import Response
from tests.quickbooks_office import REALM, Office

PDF = b"%PDF-1.7 a bill"


@pytest.fixture
def office() -> Office:
    return Office()


def attach(office: Office, entity: str, id: str, content: bytes = PDF, name: str = "bill.pdf") -> str:
    row = office.simulator.person(
        "attach",
        realm_id=REALM,
        entity=entity,
        identity=id,
        file_name=name,
        content=b64encode(content).decode(),
        content_type="application/pdf",
    )
    return str(row["Id"])


def images(office: Office) -> list[Image]:
    page = office.connector.read(Kind.IMAGE, None)
    return [record for _, record in page.records if isinstance(record, Image)]


def opened(office: Office, image: Image) -> bytes:
    return b"".join(office.connector.open(image))


def test_a_file_on_a_bill_is_an_image_with_its_bytes(office: Office) -> None:
    id = attach(office, "Bill", office.bills[0])
    office.simulator.person(
        "create", realm_id=REALM, entity="Attachable", body={"Note": "no file", "AttachableRef": []}
    )
    attach(office, "Vendor", office.vendor)
    [image] = images(office)
    assert (image.id, image.of) == (f"{id}-Bill-{office.bills[0]}", Ref(Kind.BILL, office.bills[0]))
    assert (image.file_name, image.content_type, image.size) == ("bill.pdf", "application/pdf", len(PDF))
    assert opened(office, image) == PDF
    assert office.connector.fetch(Kind.IMAGE, [image.id, f"{id}-Bill-999", "77-Bill-1"]) == {image.id: image}


def test_a_file_that_is_replaced_is_a_new_version_of_its_image(office: Office) -> None:
    id = attach(office, "Bill", office.bills[0])
    [before] = images(office)
    content = b64encode(b"%PDF-1.7 another").decode()
    office.simulator.person("replace_file", realm_id=REALM, attachment_id=id, content=content)
    changed = office.connector.changes(office.connector.start_of_changes(office.clock.now()))
    [after] = [record for _, record in changed.records if isinstance(record, Image)]
    assert after.id == before.id
    assert after.version != before.version
    assert opened(office, after) == b"%PDF-1.7 another"


def test_our_token_goes_to_the_api_alone_and_no_signature_is_kept(office: Office) -> None:
    attach(office, "Bill", office.bills[0])
    [image] = images(office)
    seen: list[httpx.Headers] = []
    inner = office.transport

    class Watched(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "/files/" in request.url.path:
                seen.append(request.headers)
            return inner.handle_request(request)

    office.transport = Watched()
    connector = office.connect()
    assert b"".join(connector.open(image)) == PDF
    [headers] = seen
    assert "authorization" not in headers
    kept = connector.session.http.exchanged
    assert [one.status for one in kept[-2:]] == [200, 200]
    assert "signature=(redacted)" in kept[-2].answer_body
    assert "signature" not in kept[-1].url
    assert PDF.decode() not in kept[-1].answer_body


def test_no_more_is_read_than_shows_that_a_file_is_too_large(office: Office) -> None:
    attach(office, "Bill", office.bills[0], b"x" * (MOST + 100_000))
    [image] = images(office)
    chunks = list(office.connector.open(image))
    assert sum(map(len, chunks)) == MOST
    assert max(map(len, chunks)) <= 65_536


def test_an_address_that_is_over_is_asked_for_anew_the_next_time(office: Office) -> None:
    attach(office, "Bill", office.bills[0])
    [image] = images(office)
    office.simulator.refuse("GET /files", Response(status=403, body=b"<Error><Code>AccessDenied</Code></Error>"))
    with pytest.raises(TransientError) as over:
        opened(office, image)
    assert over.value.code == "file_address_over"
    assert opened(office, image) == PDF


def test_a_file_that_is_gone_is_refused_for_good(office: Office) -> None:
    attach(office, "Bill", office.bills[0])
    [image] = images(office)
    office.simulator.refuse("GET /files", Response(status=404))
    with pytest.raises(RecordRejected) as gone:
        opened(office, image)
    assert gone.value.code == "file_gone"
    with pytest.raises(RecordRejected) as unknown:
        opened(office, Image(id="99999-Bill-1", of=Ref(Kind.BILL, "1"), file_name="a.pdf"))
    assert unknown.value.code == "not_found"


def test_a_lost_connection_in_the_middle_of_a_file_may_be_tried_again(office: Office) -> None:
    attach(office, "Bill", office.bills[0])
    [image] = images(office)
    office.simulator.drop_answer("GET /files")
    with pytest.raises(TransientError):
        opened(office, image)
    assert opened(office, image) == PDF


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/file.pdf",
        "https://intuit-qbo-prod-1.s3.amazonaws.com.evil.example/file.pdf",
        "https://intuit-qbo-prod-1.s3.amazonaws.com@evil.example/file.pdf",
    ],
)
def test_an_address_elsewhere_is_not_followed(office: Office, address: str) -> None:
    attach(office, "Bill", office.bills[0])
    [image] = images(office)
    office.simulator.refuse("GET /v3/company", Response(body=address.encode()))
    before = len(office.simulator.requests)
    with pytest.raises(UnexpectedResponse) as refused:
        opened(office, image)
    assert refused.value.code == "host_not_allowed"
    assert len(office.simulator.requests) - before == 1


@pytest.mark.parametrize("answer", [b"", b"{}", b"<html/>"])
def test_an_answer_that_is_no_address_is_no_file(office: Office, answer: bytes) -> None:
    attach(office, "Bill", office.bills[0])
    [image] = images(office)
    office.simulator.refuse("GET /v3/company", Response(body=answer), times=3)
    with pytest.raises((TransientError, UnexpectedResponse)):
        opened(office, image)


def test_an_attachment_that_cannot_be_read_is_shown_under_the_ids_of_its_images(office: Office) -> None:
    id = attach(office, "Bill", office.bills[0])

    def damage(request: Any, proceed: Any) -> Response:
        return Response(body=proceed().body.replace(b'"SyncToken"', b'"Other"'))

    office.simulator.fault("GET /query", damage)
    page = office.connector.read(Kind.IMAGE, None)
    assert [bad.id for bad in page.unreadable] == [f"{id}-Bill-{office.bills[0]}"]


def test_a_file_is_read_only_as_far_as_it_is_wanted(office: Office) -> None:
    attach(office, "Bill", office.bills[0], b"y" * 200_000)
    [image] = images(office)
    chunks: Iterator[bytes] = office.connector.open(image)
    assert len(next(chunks)) == 65_536
    chunks.close()  # type: ignore[attr-defined]
    assert office.connector.session.http.exchanged[-1].url.endswith("bill.pdf")
