"""Attachments of the simulated company: notes, files in every form that clients send, and fetching them."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.quickbooks.simulator_switches import Switches
from tests.quickbooks_company import REALM, Caller, code_of, open_books

PDF = b"%PDF-1.4\r\n\r\n--not the boundary\r\n\x00\xff\r\n"
PLAIN = (
    b"--b1\r\n"
    b'Content-Disposition: form-data; name="file_metadata_01"; filename="attachment.json"\r\n'
    b"Content-Type: application/json\r\n\r\n"
    b'{"FileName": "inv.pdf", "AttachableRef": [{"EntityRef": {"type": "Bill", "value": "1"}}]}\r\n'
    b"--b1\r\n"
    b'Content-Disposition: form-data; name="file_content_01"; filename="inv.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n" + PDF + b"\r\n"
    b"--b1--\r\n"
)
BASE64 = (
    b'\n--b1\nContent-Disposition: form-data; name="file_metadata_01";\nContent-Type: application/json\n\n'
    b'{"FileName": "inv.pdf",\n "ContentType": "application/pdf"}\n\n'
    b'--b1\nContent-Disposition: form-data; name="file_content_01"\nContent-Type: application/pdf\n'
    b"Content-Transfer-Encoding: base64\n\n" + b64encode(PDF) + b"\n\n--b1--\n"
)
ALONE = (
    b'--b1\r\nContent-Disposition: form-data; name="file_content_0"; filename="inv.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n" + PDF + b"\r\n--b1--"
)


def upload(caller: Caller, body: bytes) -> list[dict[str, Any]]:
    headers = {"Content-Type": "multipart/form-data; boundary=b1"}
    answers: list[dict[str, Any]] = caller.send("POST", "upload", content=body, headers=headers).json()[
        "AttachableResponse"
    ]
    return answers


def with_bill() -> Caller:
    caller = open_books()
    caller.bill(caller.vendor(), "10.00")
    return caller


@pytest.mark.parametrize("body", [PLAIN, BASE64, ALONE])
def test_a_file_is_uploaded_in_each_form_and_fetched_as_it_was(body: bytes) -> None:
    caller = with_bill()
    (answer,) = upload(caller, body)
    made = answer["Attachable"]
    assert (made["Id"], made["FileName"], made["Size"]) == ("5000000000000010341", "inv.pdf", len(PDF))
    assert made["FileAccessUri"] == f"/v3/company/{REALM}/download/{made['Id']}"
    told = caller.send("GET", f"download/{made['Id']}", headers={"Accept": "*/*"})
    assert told.headers["content-type"] == "text/plain"
    fetched = caller.http.get(told.text)
    assert (fetched.content, fetched.headers["content-type"]) == (PDF, "application/pdf")
    assert caller.http.get(made["TempDownloadUri"]).content == PDF


def test_an_address_of_a_file_lives_a_quarter_of_an_hour_and_wants_no_token() -> None:
    caller = with_bill()
    address = upload(caller, PLAIN)[0]["Attachable"]["TempDownloadUri"]
    assert caller.http.get(address, headers={"Authorization": "Bearer anything"}).status_code == 400
    assert caller.http.get(address.replace("signature=", "signature=0")).status_code == 403
    caller.clock.advance(timedelta(minutes=14, seconds=59))
    assert caller.http.get(address).status_code == 200
    caller.clock.advance(timedelta(seconds=1))
    assert "Request has expired" in caller.http.get(address).text
    row = caller.get("attachable/5000000000000010341")["Attachable"]
    assert caller.http.get(row["TempDownloadUri"]).status_code == 200


def test_attachments_are_found_by_what_they_hang_on() -> None:
    caller = with_bill()
    before = caller.get("bill/1")["Bill"]["SyncToken"]
    upload(caller, PLAIN)
    upload(caller, ALONE)
    where = "AttachableRef.EntityRef.Type = 'bill' and AttachableRef.EntityRef.value = '1'"
    (found,) = caller.query(f"select * from Attachable where {where}")["Attachable"]
    assert (found["FileName"], "TempDownloadUri" in found) == ("inv.pdf", True)
    assert caller.query("select Id from attachable where AttachableRef.EntityRef.value = '2'") == {}
    assert caller.query("select count(*) from Attachable where Size > '10'") == {"totalCount": 2}
    assert caller.get("bill/1")["Bill"]["SyncToken"] == before
    (group,) = caller.get("cdc", entities="Attachable", changedSince="2026-11-01")["CDCResponse"][0]["QueryResponse"]
    assert len(group["Attachable"]) == 2


def test_a_deleted_bill_leaves_its_attachment_without_a_place() -> None:
    caller = with_bill()
    made = upload(caller, PLAIN)[0]["Attachable"]
    caller.simulator.person("delete_bill", realm_id=REALM, bill_id="1")
    assert caller.get(f"attachable/{made['Id']}")["Attachable"]["AttachableRef"] == []


def test_several_files_are_answered_each_for_itself() -> None:
    caller = with_bill()
    worse = (
        PLAIN[: -len(b"--b1--\r\n")]
        + b'--b1\r\nContent-Disposition: form-data; name="file_content_02"; filename="run.exe"\r\n\r\nMZ\r\n--b1--\r\n'
    )
    good, bad = upload(caller, worse)
    assert ("Attachable" in good, code_of(bad)) == (True, "6041")
    assert code_of(upload(caller, PLAIN.replace(b'{"FileName": "inv.pdf", ', b"[{"))[0]) == "6040"


def test_a_note_needs_words_and_a_known_place() -> None:
    caller = with_bill()
    assert code_of(caller.post("attachable", {})) == "6000"
    place = [{"EntityRef": {"type": "Bill", "value": "1"}}]
    note = caller.post("attachable", {"Note": "Called them", "AttachableRef": place})["Attachable"]
    assert "TempDownloadUri" not in note
    assert code_of(caller.get(f"download/{note['Id']}")) == "610"
    wrong = {"Note": "x", "AttachableRef": [{"EntityRef": {"type": "Bill", "value": "99"}}]}
    assert code_of(caller.post("attachable", wrong)) == "2500"
    wrong = {"Note": "x", "AttachableRef": [{"EntityRef": {"type": "Term", "value": "1"}}]}
    assert code_of(caller.post("attachable", wrong)) == "6050"


@pytest.mark.parametrize("needs_all", [True, False])
def test_an_attachment_is_deleted_by_its_full_object(needs_all: bool) -> None:
    caller = open_books(Switches(full_object_to_delete_attachment=needs_all))
    caller.bill(caller.vendor(), "10.00")
    made = upload(caller, PLAIN)[0]["Attachable"]
    short = caller.post("attachable", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    assert ("Fault" in short) is needs_all
    if needs_all:
        caller.post("attachable", made, operation="delete")
    assert code_of(caller.get(f"attachable/{made['Id']}")) == "610"
    assert caller.http.get(made["TempDownloadUri"]).status_code == 404


def test_a_person_attaches_a_file_and_replaces_it() -> None:
    caller = with_bill()
    first, second = (b64encode(content).decode() for content in (b"first", b"second"))
    made = caller.simulator.person(
        "attach", realm_id=REALM, entity="Bill", identity="1", file_name="a.txt", content=first
    )
    caller.simulator.person("replace_file", realm_id=REALM, attachment_id=made["Id"], content=second)
    row = caller.get(f"attachable/{made['Id']}")["Attachable"]
    assert (row["SyncToken"], row["Size"], caller.http.get(row["TempDownloadUri"]).content) == ("1", 6, b"second")
    assert row["AttachableRef"][0]["EntityRef"] == {"type": "Bill", "value": "1"}


def test_an_upload_that_is_none_is_refused() -> None:
    caller = with_bill()
    answer: httpx.Response = caller.send("POST", "upload", json={})
    assert (answer.status_code, code_of(answer.json())) == (415, "1050")
    headers = {"Content-Type": "multipart/form-data; boundary=b1"}
    assert code_of(caller.send("POST", "upload", content=b"", headers=headers).json()) == "6020"
