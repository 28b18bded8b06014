"""Images go to their invoices whichever way the contract takes them, are found by their hash, and block nothing."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from connectors.avidxchange.images import content_type
from connectors.avidxchange.wire import write_body
from connectors.base import Action, Link, Receipt, Write
from connectors.errors import OutcomeUnknown, RecordRejected, TransientError
from connectors.simulators import Request, Response
from tests.avidxchange_partner import PROFILES, Partner, bill, changed, coded, image, key_of, line, value, write

PDF = b"%PDF-1.7\n1 0 obj\n\x00\xff\r\n--image-\r\n%%EOF\n"
OTHER = b"%PDF-1.4 another one"
WAYS = ["rawBody", "multipart", "base64InInvoice"]


def partner_by(way: str, name: str = "assumed-v1") -> Partner:
    """A network that takes images this way, with one bill that is coded and has lines."""
    partner = Partner(changed({"strategies": {"image": way}}, name)).with_reference_data()
    partner.connector().write([write(value(1))])
    partner.connector().write([write(bill(1, lines=(line("60.00", 1, dimensions=(coded(),)), line("40.00", 2))))])
    return partner


@pytest.fixture(params=[(way, name) for way in WAYS for name in PROFILES], ids=lambda param: "-".join(param))
def partner(request: pytest.FixtureRequest) -> Partner:
    return partner_by(*request.param)


def invoice(partner: Partner) -> dict[str, Any]:
    return dict(partner.books.invoice(external_id=key_of("bill 1")))


def sending(partner: Partner, content: bytes | None = PDF, action: Action = Action.CREATE, **more: Any) -> Write:
    shown = image(1, invoice(partner)["id"], **more)
    context = {"sha256": sha256(content or b"").hexdigest()}
    return write(shown, action, content=content, context=context, link=Link(id="x"))


def code_of(partner: Partner, write: Write) -> str:
    outcome = partner.connector().write([write])[0]
    return "arrived" if isinstance(outcome, Receipt) else outcome.code


def test_an_image_arrives_byte_for_byte_and_nothing_else_of_its_invoice_changes(partner: Partner) -> None:
    before = invoice(partner)
    outcome = partner.connector().write([sending(partner)])[0]
    assert outcome == Receipt(id=before["id"], version=sha256(PDF).hexdigest())
    after = invoice(partner)
    assert (after["image_sha256"], after["image_size"]) == (sha256(PDF).hexdigest(), len(PDF))
    assert after["image_content_type"] == "application/pdf"
    kept = partner.books.images[before["id"]]
    assert (kept.content, kept.file_name) == (PDF, "Invoice 1.pdf")
    moved = {name for name in after if after[name] != before.get(name)}
    assert {name for name in moved if not name.startswith("image_")} <= {"version", "updated_at"}


def test_the_same_image_again_changes_nothing_and_another_one_takes_its_place(partner: Partner) -> None:
    assert [code_of(partner, sending(partner)) for _ in range(2)] == ["arrived"] * 2
    assert invoice(partner)["version"] == 2
    assert code_of(partner, sending(partner, OTHER, Action.UPDATE)) == "arrived"
    assert invoice(partner)["image_sha256"] == sha256(OTHER).hexdigest()


def test_a_lost_image_is_found_by_its_hash_and_one_that_never_arrived_is_not(partner: Partner) -> None:
    connector = partner.connector()
    way = "submit_invoices" if partner.profile.strategies.image == "base64InInvoice" else "put_invoice_image"
    partner.sim.drop_answer(partner.request(way))
    sent = sending(partner)
    assert connector.find([sent]) == {sent.record_key: None}
    with pytest.raises(OutcomeUnknown):
        connector.write([sent])
    found = connector.find([sent])[sent.record_key]
    assert found is not None
    assert (found.id, found.version) == (invoice(partner)["id"], sha256(PDF).hexdigest())
    other = sending(partner, OTHER)
    assert connector.find([other]) == {other.record_key: None}


def test_an_image_whose_hash_was_not_written_down_was_never_sent() -> None:
    partner = partner_by("rawBody")
    unnamed = write(image(1, invoice(partner)["id"]), content=PDF)
    assert partner.connector().find([unnamed]) == {unnamed.record_key: None}


def test_an_image_that_comes_too_late_is_locked_and_its_bill_goes_on(partner: Partner) -> None:
    partner.connector().write([sending(partner)])
    partner.act("approve_invoice", external_id=key_of("bill 1"))
    outcome = partner.connector().write([sending(partner, OTHER, Action.UPDATE)])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "image_locked"  # over bill_locked a bill is withdrawn
    assert invoice(partner)["image_sha256"] == sha256(PDF).hexdigest()
    assert invoice(partner)["workflow_status"] == "approved"


@pytest.mark.parametrize(
    ("content", "more", "code"),
    [
        (None, {}, "image_empty"),
        (b"", {}, "image_empty"),
        (b"%PDF-" + b"x" * (10 << 20), {}, "image_too_large"),
        (PDF, {"file_name": "sheet.xlsx"}, "image_type_unsupported"),
        (PDF, {"content_type": "image/gif"}, "image_type_unsupported"),
        (b"no pdf at all", {}, "image_unreadable"),
        (PDF, {"invoice": ""}, "reference_missing"),
    ],
)
def test_an_image_that_does_not_fit_is_refused_by_its_code(content: Any, more: Any, code: str) -> None:
    partner = partner_by("rawBody")
    shown = image(1, **{"invoice": invoice(partner)["id"], **more})
    outcome = partner.connector().write([write(shown, content=content)])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == code
    assert invoice(partner)["image_status"] == "none"


def test_images_in_one_chunk_have_an_outcome_each() -> None:
    partner = partner_by("rawBody")
    partner.connector().write([write(bill(2))])
    second = partner.books.invoice(external_id=key_of("bill 2"))["id"]
    writes = [
        sending(partner),
        write(image(2, "inv_none"), content=PDF),
        write(image(3, second, file_name="x.exe"), content=PDF),
        write(image(4, second, file_name="scan.TIF"), content=b"II*\0scan"),
    ]
    outcomes = partner.connector().write(writes)
    assert [getattr(outcome, "code", "arrived") for outcome in outcomes] == [
        "arrived", "not_there", "image_type_unsupported", "arrived"
    ]  # fmt: skip


def test_an_image_of_more_than_one_megabyte_arrives_whole(partner: Partner) -> None:
    content = PDF + bytes(range(256)) * 4800
    assert code_of(partner, sending(partner, content)) == "arrived"
    assert partner.books.images[invoice(partner)["id"]].content == content


@pytest.mark.parametrize("name", ["Rechnung Müller №7.pdf", 'a"b\r\nX-Evil: 1.pdf', "100% (2) & more.pdf"])
def test_a_file_may_be_called_anything(partner: Partner, name: str) -> None:
    assert code_of(partner, sending(partner, file_name=name)) == "arrived"
    assert partner.books.images[invoice(partner)["id"]].content == PDF


@pytest.mark.parametrize(
    "lacking", [{"strategies": {"image": "unsupported"}}, {"capabilities": {"invoiceImage": False}}]
)
def test_a_contract_without_images_says_so_and_takes_the_bill(lacking: Any) -> None:
    partner = Partner(changed(lacking)).with_bills(1)
    assert code_of(partner, sending(partner)) == "not_offered"
    assert "We do not send images: the contract profile has no request for it." in {
        finding.text for finding in partner.connector().check()
    }


def test_an_image_cannot_be_taken_back() -> None:
    partner = partner_by("rawBody")
    assert code_of(partner, sending(partner, PDF, Action.WITHDRAW)) == "not_offered"


def test_bytes_that_they_keep_otherwise_than_we_sent_them_are_sent_again() -> None:
    partner = partner_by("rawBody")

    def damage(request: Request, proceed: Callable[[], Response]) -> Response:
        answer = proceed()
        wrong = partner.sim.wire.write("invoice", {**invoice(partner), "image_sha256": "0" * 64})
        return Response(status=answer.status, body=write_body(wrong))

    partner.connector()
    partner.sim.fault(partner.request("put_invoice_image"), damage)
    outcome = None
    with pytest.raises(TransientError) as failed:
        outcome = partner.connector().write([sending(partner)])
    assert (failed.value.code, outcome) == ("image_damaged", None)


def test_no_byte_of_an_image_is_in_what_a_write_is_written_down_as() -> None:
    assert "PDF" not in repr(write(image(1, "inv"), content=PDF))


@pytest.mark.parametrize(
    ("said", "name", "expected"),
    [
        ("application/pdf", "", "application/pdf"), ("image/jpg", "x.pdf", "image/jpeg"),
        ("image/TIFF; q=1", "", "image/tiff"), ("", "SCAN.PDF", "application/pdf"), ("", "a.jpeg", "image/jpeg"),
        ("application/octet-stream", "x.png", "image/png"), ("", "noname", ""),
    ],
)  # fmt: skip
def test_the_type_is_what_the_erp_says_or_what_the_name_ends_in(said: str, name: str, expected: str) -> None:
    assert content_type(image(1, content_type=said, file_name=name)) == expected
