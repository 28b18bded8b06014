"""Images in the simulated AvidXchange, by each strategy that a contract may have."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.avidxchange.contract import FOLDER, Profile, load_profile
from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.clock import VirtualClock
from tests.avidxchange_network import COMPANY, Network, decode

PROFILES = ["assumed-v1", "renamed-v1"]
PDF, OTHER = b"%PDF-1.7\r\n--one--\r\n", b"%PDF-1.7 two"
VIRUS = b"%PDF-1.7 X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def with_strategy(name: str, strategy: str) -> Profile:
    return load_profile(FOLDER / f"{name}.json", {"strategies": {"image": strategy}})


@pytest.fixture(params=[(name, strategy) for name in PROFILES for strategy in ("rawBody", "multipart")])
def network(request: pytest.FixtureRequest) -> Network:
    return Network(with_strategy(*request.param)).with_received()


@pytest.fixture(params=PROFILES)
def embedding(request: pytest.FixtureRequest) -> Network:
    return Network(with_strategy(request.param, "base64InInvoice")).with_reference_data()


def upload(network: Network, content: bytes, content_type: str = "application/pdf", **more: Any) -> httpx.Response:
    """Upload the image of bill:1 as the profile says."""
    profile, id = network.profile, more.pop("id", None) or network.invoice()["id"]
    digest = more.get("digest", hashlib.sha256(content).hexdigest())
    headers = {**network.headers(), str(profile.header("content_sha256")): digest}
    url = network.address.base_url + profile.path("put_invoice_image", id=id)
    method = profile.operation("put_invoice_image").method
    if profile.strategies.image == "multipart":
        files = {profile.name("image_part", "file"): ("invoice.pdf", content, content_type)}
        return network.http.request(method, url, headers=headers, files=files)
    headers |= {"content-type": content_type, str(profile.header("file_name")): "invoice.pdf"}
    return network.http.request(method, url, headers=headers, content=content)


def status(network: Network) -> str:
    return str(network.one("get_invoice", "invoice", network.invoice()["id"])["image_status"])


def test_an_image_is_kept_then_the_same_then_another_in_its_place(network: Network) -> None:
    version = network.invoice()["version"]
    assert [upload(network, content).status_code for content in (PDF, PDF, OTHER)] == [201, 200, 200]
    assert network.invoice()["version"] == version + 2
    shown = network.one("get_invoice", "invoice", network.invoice()["id"])
    assert shown["image_sha256"] == hashlib.sha256(OTHER).hexdigest()
    assert (shown["image_content_type"], shown["image_size"]) == ("application/pdf", len(OTHER))


def test_an_image_is_checked_a_minute_later_and_the_invoice_shows_it_as_a_change(network: Network) -> None:
    answered = network.read("invoice", decode(upload(network, PDF).content))
    assert answered["image_status"] == "pending"
    assert network.call("get_invoice_image", id=answered["id"]).status_code == 404
    network.later(seconds=61)
    assert status(network) == "stored"
    assert network.invoice()["version"] == answered["version"] + 1
    image = network.call("get_invoice_image", id=answered["id"])
    assert (image.content, image.headers["content-type"]) == (PDF, "application/pdf")
    assert image.headers[str(network.profile.header("content_sha256"))] == hashlib.sha256(PDF).hexdigest()
    assert image.headers[str(network.profile.header("file_name"))] == "invoice.pdf"


def test_an_image_that_does_not_pass_its_check_may_be_sent_anew(network: Network) -> None:
    upload(network, VIRUS)
    network.later(minutes=2)
    assert status(network) == "rejected"
    assert network.call("get_invoice_image", id=network.invoice()["id"]).status_code == 404
    assert upload(network, PDF).status_code == 201
    network.later(minutes=2)
    assert status(network) == "stored"


def test_a_restart_has_the_same_images_and_the_same_results_of_their_checks(network: Network, tmp_path: Path) -> None:
    first = Network(network.profile, journal=tmp_path / "journal").with_received()
    upload(first, PDF)
    first.later(minutes=2)
    assert status(first) == "stored"
    first.act("approve_invoice", external_id="bill:1")
    again = AvidXchangeSimulator(VirtualClock(first.clock.now()), tmp_path / "journal", profile=first.profile)
    assert again.books() == first.sim.books()
    assert again.company(COMPANY).images == first.books.images


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"hello", "text/plain", (415, "image_type_unsupported")),
        (b"", "application/pdf", (422, "image_unreadable")),
        (b"\x89PNG\r\n\x1a\n", "application/pdf", (422, "image_unreadable")),
        (b"%PDF-" + b"x" * 10 * 1024 * 1024, "application/pdf", (413, "image_too_large")),
    ],
)
def test_a_bad_image_is_refused_and_the_invoice_stays_as_it_is(
    network: Network, content: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    before = network.invoice()
    assert network.refusal(upload(network, content, content_type)) == expected
    assert network.invoice() == before


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"II*\0x", "image/tiff"), (b"\xff\xd8\xffx", "image/jpeg"), (b"\x89PNG\r\n\x1a\nx", "image/png")],
)
def test_other_types_are_taken_too(network: Network, content: bytes, content_type: str) -> None:
    assert upload(network, content, content_type).status_code == 201


def test_the_digest_must_be_the_images(network: Network) -> None:
    assert network.refusal(upload(network, PDF, digest="0" * 64)) == (422, "image_unreadable")
    url = network.address.base_url + network.profile.path("put_invoice_image", id=network.invoice()["id"])
    method = network.profile.operation("put_invoice_image").method
    bare = network.http.request(method, url, headers=network.headers(), content=PDF)
    assert network.refusal(bare) == (400, "malformed_request")


def test_an_image_is_replaced_until_approval_and_a_first_one_taken_after_it(network: Network) -> None:
    network.act("approve_invoice", external_id="bill:1")
    assert upload(network, PDF).status_code == 201
    assert upload(network, PDF).status_code == 200
    assert network.refusal(upload(network, OTHER)) == (409, "invoice_locked")
    network.act("hold_invoice", external_id="bill:1")
    assert network.refusal(upload(network, OTHER)) == (409, "invoice_locked")


def test_a_cancelled_or_unknown_invoice_takes_no_image(network: Network) -> None:
    assert network.refusal(upload(network, PDF, id="inv_none")) == (404, "not_found")
    network.call("cancel_invoice", id=network.invoice()["id"])
    assert network.refusal(upload(network, PDF)) == (409, "invoice_locked")


def test_images_are_no_part_of_a_contract_that_lacks_them() -> None:
    off = load_profile(FOLDER / "assumed-v1.json", {"capabilities": {"invoiceImage": False}})
    for profile in (off, with_strategy("assumed-v1", "unsupported")):
        network = Network(profile).with_received()
        refused = upload(network, PDF)
        assert (refused.status_code, refused.json()["fault"]["code"]) == (403, 900906)


# Within the invoice.


def with_image(network: Network, content: bytes = PDF, **fields: Any) -> dict[str, Any]:
    known = {"image_content": base64.b64encode(content).decode(), "image_content_type": "application/pdf"}
    return network.bill(**{**known, "image_file_name": "invoice.pdf", **fields})


def test_an_image_comes_within_its_invoice(embedding: Network) -> None:
    first, again = (embedding.result("submit_invoices", with_image(embedding)) for _ in range(2))
    other = embedding.result("submit_invoices", with_image(embedding, OTHER))
    assert [first["action"], again["action"], other["action"]] == ["created", "unchanged", "updated"]
    embedding.later(minutes=2)
    assert status(embedding) == "stored"
    assert embedding.call("get_invoice_image", id=first["id"]).content == OTHER
    assert embedding.result("submit_invoices", embedding.bill())["action"] == "unchanged"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"image_content": "no base64!"}, "field_invalid"),
        ({"image_content_type": "text/plain"}, "image_type_unsupported"),
        ({"image_sha256": "0" * 64}, "image_unreadable"),
    ],
)
def test_an_invoice_with_a_bad_image_is_refused_whole(embedding: Network, fields: dict[str, Any], code: str) -> None:
    assert embedding.error("submit_invoices", with_image(embedding, **fields))["code"] == code
    assert embedding.books.invoices == {}


def test_there_is_no_upload_where_the_image_comes_within_the_invoice_nor_the_other_way_round(
    embedding: Network,
) -> None:
    embedding.batch("submit_invoices", embedding.bill())
    assert embedding.refusal(upload(embedding, PDF)) == (405, "method_not_allowed")
    raw = Network("assumed-v1").with_reference_data()
    error = raw.error("submit_invoices", with_image(raw))
    assert (error["code"], raw.books.invoices) == ("field_invalid", {})
