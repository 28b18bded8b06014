"""Webhooks of QuickBooks: signed by the app's verifier, in both formats, and nothing but hints."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Delivered, Hint
from connectors.errors import AuthError, UnexpectedResponse
from connectors.quickbooks.connector import App, QuickBooksConnector
from connectors.quickbooks.mapping import SOURCES
from connectors.records import Kind

VERIFIER = "b5771f19b12ddb4bcdb9f08bdc50bc63878a"
APP = App(client_id="client", client_secret="secret", webhook_verifier=VERIFIER, app_id="app-1")
# Published by Intuit with its Java library.
VECTOR = (
    b'{"eventNotifications":[{"realmId":"1185883450","dataChangeEvent":{"entities":[{"name":"Customer","id":"1",'
    b'"operation":"Create","lastUpdated":"2015-10-05T14:42:19-0700"}]}}]}'
)
VECTOR_SIGNATURE = "JC2GUwciPmRBwEO7WvrRmKqu9tGOKL8FFallocTFi8Q="


def signed(body: object, verifier: str = VERIFIER) -> Delivered:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(verifier.encode(), content, hashlib.sha256).digest()).decode()
    return Delivered(headers={"intuit-signature": signature}, body=content)


def hints(body: object) -> list[tuple[str, Kind, str]]:
    return [(hint.account_id, hint.kind, hint.id) for hint in QuickBooksConnector.hints(signed(body), APP)]


def event(name: str, operation: str, id: str, realm: str = "1", **more: Any) -> dict[str, Any]:
    kind = f"qbo.{name}.{operation}.v1"
    return {"specversion": "1.0", "id": f"e-{id}", "type": kind, "intuitentityid": id, "intuitaccountid": realm} | more


def older(*entities: dict[str, str], realm: str = "1") -> dict[str, Any]:
    return {"realmId": realm, "dataChangeEvent": {"entities": list(entities)}}


# Signatures


def test_the_signature_that_intuit_has_published_is_accepted() -> None:
    delivered = Delivered(headers={"intuit-signature": VECTOR_SIGNATURE}, body=VECTOR)
    assert QuickBooksConnector.hints(delivered, APP) == []  # customers are not read


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"intuit-signature": ""},
        {"intuit-signature": VECTOR_SIGNATURE[:-1]},
        {"intuit-signature": "é"},
        {"intuit-signature": signed(VECTOR, "another verifier").headers["intuit-signature"]},
        {"intuit-signature": signed(VECTOR + b" ").headers["intuit-signature"]},
    ],
)
def test_what_is_not_signed_by_the_verifier_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(AuthError) as refused:
        QuickBooksConnector.hints(Delivered(headers=headers, body=VECTOR), APP)
    assert refused.value.code == "webhook_unsigned"


def test_an_app_without_a_verifier_takes_no_webhooks_and_says_so() -> None:
    app = App(client_id="client", client_secret="secret")
    with pytest.raises(AuthError) as refused:
        QuickBooksConnector.hints(signed(VECTOR, ""), app)
    assert refused.value.code == "webhook_verifier_missing"
    assert "no verifier" in str(refused.value)


# CloudEvents


def test_a_batch_names_what_changed_in_every_company() -> None:
    batch = [
        event("bill", "updated", "145"),
        event("billpayment", "created", "236", realm="2"),
        event("class", "created", "34"),
        event("department", "updated", "4"),
        event("vendorcredit", "deleted", "150"),
        event("journalentry", "created", "5"),
        event("purchase", "void", "6"),
        event("currency", "created", "7"),
        event("preferences", "updated", "1"),
    ]
    assert hints(batch) == [
        ("1", Kind.BILL, "145"),
        ("2", Kind.PAYMENT, "236"),
        ("1", Kind.DIMENSION, "Class-34"),
        ("1", Kind.DIMENSION, "Department-4"),
        ("1", Kind.CREDIT, "150"),
        ("1", Kind.LEDGER_ENTRY, "JournalEntry-5"),
        ("1", Kind.LEDGER_ENTRY, "Purchase-6"),
        ("1", Kind.CURRENCY, "7"),
        ("1", Kind.COMPANY, "1"),
    ]


@pytest.mark.parametrize("operation", ["void", "voided", "created", "updated", "deleted", "emailed"])
def test_every_operation_asks_for_a_look_voids_in_both_spellings(operation: str) -> None:
    assert hints([event("billpayment", operation, "236")]) == [("1", Kind.PAYMENT, "236")]


def test_an_event_carries_its_own_id() -> None:
    [hint] = QuickBooksConnector.hints(signed([event("bill", "updated", "145")]), APP)
    assert hint == Hint(account_id="1", kind=Kind.BILL, id="145", event="e-145")


@pytest.mark.parametrize("spelled", ["deletedId", "deletedID"])
def test_a_merge_asks_for_both(spelled: str) -> None:
    merged = event("vendor", "merged", "58", data={spelled: "77"})
    assert hints([merged]) == [("1", Kind.VENDOR, "58"), ("1", Kind.VENDOR, "77")]
    entity = {"name": "Class", "id": "58", "operation": "Merge", spelled: "77"}
    body = {"eventNotifications": [older(entity)]}
    assert hints(body) == [("1", Kind.DIMENSION, "Class-58"), ("1", Kind.DIMENSION, "Class-77")]


@pytest.mark.parametrize("told_last", [True, False])
def test_of_a_merge_the_one_that_is_gone_names_who_took_it_over(told_last: bool) -> None:
    merged = event("vendor", "merged", "58", data={"deletedId": "77"})
    survivor, loser = QuickBooksConnector.hints(signed([merged]), APP)
    assert (survivor.id, survivor.merged_into, loser.id, loser.merged_into) == ("58", "", "77", "58")
    about = [
        {"name": "Class", "id": "77", "operation": "Update"},
        {"name": "Class", "id": "58", "operation": "Merge", "deletedId": "77"},
    ]
    body = {"eventNotifications": [older(*(about if told_last else reversed(about)))]}
    told = {hint.id: hint.merged_into for hint in QuickBooksConnector.hints(signed(body), APP)}
    assert told == {"Class-58": "", "Class-77": "Class-58"}


def test_what_we_do_not_read_is_left_out() -> None:
    strange = [
        event("invoice", "created", "1"),
        event("bill", "updated", ""),
        event("bill", "updated", "1", realm=""),
        {"type": "com.example.ping"},
    ]
    assert hints([*strange, event("bill", "updated", "145", data="words")]) == [("1", Kind.BILL, "145")]
    assert hints([]) == []


# The older format


def test_the_older_format_is_read_with_several_companies_mixed() -> None:
    bill = {"name": "Bill", "id": "145", "operation": "Update", "lastUpdated": "2026-08-16T20:50:00.000Z"}
    payment = {"name": "BillPayment", "id": "236", "operation": "Void"}
    entry = {"name": "JournalEntry", "id": "5", "operation": "Create"}
    body = {"eventNotifications": [older(bill, entry, bill), older(payment, realm="2")]}
    assert hints(body) == [
        ("1", Kind.BILL, "145"),
        ("1", Kind.LEDGER_ENTRY, "JournalEntry-5"),
        ("2", Kind.PAYMENT, "236"),
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.entity)
def test_every_entity_that_we_read_is_known_in_both_formats(source: Any) -> None:
    expected = [("1", source.kind, source.record_id("9"))]
    assert hints([event(source.entity.lower(), "updated", "9")]) == expected
    assert hints({"eventNotifications": [older({"name": source.entity, "id": "9"})]}) == expected


# Anything else


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'"words"', {"hello": "world"}, [1], [{"hello": "world"}], {"eventNotifications": [{}]}],
)
def test_a_body_of_no_known_shape_is_told(body: object) -> None:
    with pytest.raises(UnexpectedResponse) as refused:
        hints(body)
    assert refused.value.code == "webhook_shape"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.recursive(st.none() | st.text(max_size=4) | st.integers(), st.lists, max_leaves=4))
def test_whatever_is_signed_gives_hints_or_the_one_error(body: object) -> None:
    found: list[Hint] = []
    with suppress(UnexpectedResponse):  # anything else fails
        found = QuickBooksConnector.hints(signed(body), APP)
    assert all(hint.id and hint.account_id for hint in found)


def test_the_reconnect_link_names_app_and_company_where_the_apps_id_is_known() -> None:
    link = QuickBooksConnector.reconnect_url("91303 5/0", APP)
    expected = "https://appcenter.intuit.com/app/connect/oauth2/request?mode=reconnect&appId=app-1&realmId=91303+5%2F0"
    assert link == expected
    assert QuickBooksConnector.reconnect_url("1", App(client_id="client", client_secret="secret")) == ""
