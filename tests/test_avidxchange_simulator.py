"""The simulated AvidXchange behaves as its contract says, under both profiles."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.avidxchange.simulator_books import ActRefused
from connectors.clock import VirtualClock
from connectors.simulators import SimulatorTransport
from tests.avidxchange_network import COMPANY, START, Network, decode

PROFILES = ["assumed-v1", "renamed-v1"]


@pytest.fixture(params=PROFILES)
def network(request: pytest.FixtureRequest) -> Network:
    return Network(request.param)


# Sign-in.


def test_a_token_is_the_same_for_its_life_and_says_what_is_left(network: Network) -> None:
    first = network.token().json()
    network.later(minutes=40)
    second = network.token().json()
    assert first["access_token"] == second["access_token"]
    assert (first["expires_in"], second["expires_in"]) == (3600, 1200)
    network.later(minutes=20)
    third = network.token().json()
    assert third["access_token"] != first["access_token"]
    assert "refresh_token" not in third


def test_a_wrong_secret_or_grant_gets_no_token(network: Network) -> None:
    refused = network.token(secret="wrong")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert network.token(client_id="nobody", secret="").status_code == 401
    url = str(network.address.token_url)
    refused = network.http.post(url, data={"grant_type": "password"}, auth=("partner-app", "partner-secret"))
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")


def test_a_dead_or_missing_token_is_refused_by_the_gateway(network: Network) -> None:
    headers = network.headers()
    assert network.call("read_company", headers=headers).status_code == 200
    network.later(minutes=61)
    assert (network.call("read_company", headers=headers).status_code, fault_code(network, headers)) == (401, "900901")
    assert fault_code(network, {}) == "900902"
    headers = network.headers()
    network.http.post(
        str(network.address.revoke_url),
        data={"token": network.token().json()["access_token"]},
        auth=("partner-app", "partner-secret"),
    )
    assert fault_code(network, headers) == "900901"


def fault_code(network: Network, headers: dict[str, str]) -> str:
    body = network.call("read_company", headers=headers).json()
    return str(body.get("fault", body)["code"])


def test_faults_come_in_the_profiles_own_dialect_and_in_any_other(network: Network) -> None:
    body = network.call("read_company", headers={}).json()
    wrapped = network.profile.gateway_faults.dialects[0] == "jsonWrapped"
    assert (body["fault"]["code"] == 900902) if wrapped else (body["code"] == "900902")
    network.sim.dialect = "xml"
    refused = network.call("read_company", headers={})
    assert refused.headers["content-type"] == "text/xml"
    assert '<ams:fault xmlns:ams="http://wso2.org/apimanager/security"><ams:code>900902</ams:code>' in refused.text


def test_the_company_is_named_linked_and_told(network: Network) -> None:
    company = network.read("company", network.call("read_company").json())
    assert (company["id"], company["name"]) == (COMPANY, "Acme")
    assert network.profile.word("capability", "invoice_image") in company["capabilities"]
    nameless = {name: value for name, value in network.headers().items() if COMPANY not in value}
    assert network.refusal(network.call("read_company", headers=nameless)) == (400, "company_required")
    unknown = network.call("read_company", headers=network.headers("C-9"))
    assert network.refusal(unknown) == (403, "company_not_linked")
    network.person("unlink_company", company_id=COMPANY)
    assert network.refusal(network.call("read_company")) == (403, "company_not_linked")


def test_another_partners_application_does_not_see_the_company(network: Network) -> None:
    network.person("register_app", client_id="other", client_secret="secret")
    token = network.token("other", "secret").json()["access_token"]
    headers = network.profile.sign_in_headers("oauth", access_token=token, company_id=COMPANY)
    assert network.refusal(network.call("read_company", headers=headers)) == (403, "company_not_linked")


def test_two_tokens_of_a_company_open_its_books_without_any_other_call(network: Network) -> None:
    network.person("link_company", company_id="C-2", name="Other")
    tokens = network.act("issue_tokens")
    others = network.person("issue_tokens", company_id="C-2")
    sign = network.profile.sign_in_headers
    assert network.call("read_company", headers=sign("tokens", **tokens)).status_code == 200
    mixed = sign("tokens", **{**tokens, "user_token": others["user_token"]})
    assert network.refusal(network.call("read_company", headers=mixed)) == (403, "token_company_mismatch")
    alone = dict(list(sign("tokens", **tokens).items())[:1])
    assert fault_code(network, alone) == "900902"
    network.person("revoke_token", token=tokens["user_token"])
    assert fault_code(network, sign("tokens", **tokens)) == "900901"
    renewed = network.act("issue_tokens")
    assert network.call("read_company", headers=sign("tokens", **renewed)).status_code == 200


def test_companies_do_not_see_each_other(network: Network) -> None:
    network.with_approved("10.00")
    network.person("link_company", company_id="C-2", name="Other")
    theirs = network.call("list_vendors", headers=network.headers("C-2"))
    assert network.read("page", theirs.json())["items"] == []
    id = network.invoice()["id"]
    assert network.refusal(network.call("get_invoice", headers=network.headers("C-2"), id=id)) == (404, "not_found")


def test_a_correlation_id_is_echoed_and_stands_in_errors(network: Network) -> None:
    name = str(network.profile.header("correlation"))
    sent = {**network.headers(), name: "11111111-2222-4333-8444-555555555555"}
    refused = network.call("list_payments", headers=sent)
    assert refused.headers[name] == sent[name]
    assert network.read("error_reply", refused.json())["correlation"] == sent[name]
    assert network.call("read_company").headers[name]
    assert network.call("read_company").headers["date"] == "Mon, 02 Mar 2026 09:00:00 GMT"


# Throttling.


def test_a_burst_is_throttled_without_saying_until_when(network: Network) -> None:
    headers = network.headers()
    network.sim.throttled = True
    answers = [network.call("read_company", headers=headers) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "retry-after" not in answers[-1].headers
    network.later(seconds=1)
    assert network.call("read_company", headers=headers).status_code == 200


def test_a_minutes_quota_is_throttled_until_a_time_that_is_said_twice(network: Network) -> None:
    headers = network.headers()
    network.sim.throttled = True
    for _ in range(60):
        assert network.call("read_company", headers=headers).status_code == 200
        network.later(milliseconds=200)
    refused = network.call("read_company", headers=headers)
    body = refused.json()
    assert refused.status_code == 429
    assert str(body.get("fault", body)["code"]) == "900803"
    assert refused.headers["retry-after"] == "Mon, 02 Mar 2026 09:01:00 GMT"
    assert body.get("fault", body)["nextAccessTime"] == "2026-Mar-02 09:01:00+0000 UTC"
    network.later(minutes=1)
    assert network.call("read_company", headers=headers).status_code == 200


def test_customers_of_one_application_share_its_quota(network: Network) -> None:
    network.person("link_company", company_id="C-2", name="Other")
    first, second = network.headers(), network.headers("C-2")
    network.sim.throttled = True
    for _ in range(10):
        network.call("read_company", headers=first)
    assert network.call("read_company", headers=second).status_code == 429


# Paths and verbs.


def test_a_wrong_path_is_the_gateways_fault_and_a_wrong_verb_the_applications(network: Network) -> None:
    url = network.address.base_url
    lost = network.http.get(f"{url}/nowhere", headers=network.headers())
    assert lost.status_code == 403
    assert "900906" in lost.text
    path = network.profile.path("list_gl_accounts")
    refused = network.http.patch(url + path, headers=network.headers())
    assert network.refusal(refused) == (405, "method_not_allowed")


# Batches.


def test_a_record_is_created_then_unchanged_then_updated(network: Network) -> None:
    first = network.result("upsert_vendors", network.vendor())
    again = network.result("upsert_vendors", network.vendor())
    network.later(seconds=5)
    changed = network.result("upsert_vendors", network.vendor(name="Renamed"))
    assert [first["action"], again["action"], changed["action"]] == ["created", "unchanged", "updated"]
    assert [first["version"], again["version"], changed["version"]] == [1, 1, 2]
    assert first["id"] == changed["id"]
    vendor = network.books.vendors.external("vendor:1")
    assert (vendor["name"], vendor["updated_at"]) == ("Renamed", START + timedelta(seconds=5))


def test_what_an_upsert_leaves_out_becomes_nothing(network: Network) -> None:
    network.batch("upsert_vendors", network.vendor(phone="704-555-0142"))
    network.batch("upsert_vendors", network.vendor())
    assert network.books.vendors.external("vendor:1")["phone"] is None


def test_each_record_of_a_batch_has_its_own_result(network: Network) -> None:
    items = [network.vendor(1), network.vendor(2, name=None), network.vendor(1), network.vendor(3, external_id="a b")]
    reply = network.batch("upsert_vendors", *items)
    assert (reply["received"], reply["created"], reply["failed"]) == (4, 1, 3)
    results = [network.read("batch_result", result) for result in reply["results"]]
    codes = [[network.read("record_error", error)["code"] for error in result["errors"]] for result in results]
    assert codes == [[], ["field_required"], ["duplicate_in_batch"], ["external_id_invalid"]]
    assert [result["index"] for result in results] == [0, 1, 2, 3]
    assert [result["successful"] for result in results] == [True, False, False, False]
    assert [*network.books.vendors] == [results[0]["id"]]


def test_a_batch_that_cannot_be_read_or_is_too_large_changes_nothing(network: Network) -> None:
    operation = network.profile.operation("upsert_vendors")
    many = [network.vendor(number) for number in range(101)]
    assert network.refusal(network.call("upsert_vendors", {str(operation.items): many})) == (413, "batch_too_large")
    assert network.refusal(network.call("upsert_vendors", {"other": []})) == (400, "malformed_request")
    url = network.address.base_url + operation.path
    broken = network.http.request(operation.method, url, headers=network.headers(), content=b'{"x":')
    assert network.refusal(broken) == (400, "malformed_request")
    assert network.books.vendors == {}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "x" * 256}, "field_too_long"),
        ({"name": 5}, "field_invalid"),
        ({"is_active": "yes"}, "field_invalid"),
        ({"remit_state": "N"}, "field_invalid"),
        ({"external_id": "x" * 101}, "external_id_invalid"),
        ({"external_id": None}, "field_required"),
    ],
)
def test_a_vendors_fields_are_checked(network: Network, fields: dict[str, Any], code: str) -> None:
    assert network.error("upsert_vendors", network.vendor(**fields))["code"] == code


def test_a_field_that_the_contract_does_not_have_is_refused_by_its_name(network: Network) -> None:
    error = network.error("upsert_vendors", {**network.vendor(), "bankAccountNumber": "1"})
    assert (error["code"], error["field"]) == ("field_invalid", "bankAccountNumber")


def test_a_vendor_without_a_whole_address_is_taken_with_a_warning(network: Network) -> None:
    result = network.result("upsert_vendors", network.vendor(remit_city=None))
    assert result["successful"] is True
    assert [network.read("record_error", warning)["code"] for warning in result["warnings"]] == ["remit_to_incomplete"]


def test_a_vendor_that_they_know_already_is_linked_only_when_told_which(network: Network) -> None:
    known = network.act("add_vendor", name="Blue Ridge")
    error = network.error("upsert_vendors", network.vendor(name="blue ridge"))
    assert (error["code"], error["existing_id"]) == ("vendor_possible_duplicate", known)
    linked = network.result("upsert_vendors", network.vendor(name="Blue Ridge", link_to_id=known))
    assert (linked["action"], linked["id"]) == ("updated", known)
    assert len(network.books.vendors) == 1


def test_a_code_belongs_to_one_active_account_and_a_parent_must_be_known(network: Network) -> None:
    network.batch("upsert_gl_accounts", network.account(1, code="6100"))
    assert network.error("upsert_gl_accounts", network.account(2, code="6100"))["code"] == "field_invalid"
    network.batch("upsert_gl_accounts", network.account(1, code="6100", is_active=False))
    assert network.result("upsert_gl_accounts", network.account(2, code="6100"))["action"] == "created"
    error = network.error("upsert_gl_accounts", network.account(3, parent_external_id="account:9"))
    assert (error["code"], error["retryable"]) == ("gl_account_not_found", True)


# Invoices.


def test_an_invoice_reads_back_with_its_lines_figures_and_states(network: Network) -> None:
    network.with_reference_data()
    result = network.result("submit_invoices", network.bill(amount="1000.10"))
    read = network.one("get_invoice", "invoice", result["id"])
    assert (read["amount"], read["balance"]) == (Decimal("1000.10"), Decimal("1000.10"))
    assert (read["workflow_status"], read["payment_status"], read["payment_ids"]) == ("received", "unpaid", [])
    assert read["vendor_id"] == network.books.vendors.external("vendor:1")["id"]
    assert network.read("invoice_line", read["lines"][0])["amount"] == Decimal("1000.10")


@pytest.mark.parametrize(
    ("fields", "code", "retryable"),
    [
        ({"vendor_external_id": "vendor:9"}, "vendor_not_found", True),
        ({"vendor_external_id": "vendor:2"}, "vendor_inactive", False),
        ({"amount": Decimal("999.99")}, "line_total_mismatch", False),
        ({"amount": Decimal("0.00")}, "amount_invalid", False),
        ({"amount": Decimal("1000.001")}, "amount_invalid", False),
        ({"amount": "1000.00"}, "amount_invalid", False),
        ({"lines": []}, "field_invalid", False),
        ({"currency": "CAD"}, "field_invalid", False),
        ({"invoice_date": "2026-02-30"}, "field_invalid", False),
        ({"invoice_number": "9" * 51}, "field_too_long", False),
        ({"document_type": "Receipt"}, "field_invalid", False),
        ({"po_external_id": "po:1"}, "po_not_found", True),
    ],
)
def test_an_invoice_is_checked(network: Network, fields: dict[str, Any], code: str, retryable: bool) -> None:
    network.with_reference_data()
    network.batch("upsert_vendors", network.vendor(2, is_active=False))
    bill = network.bill()
    for name, value in fields.items():
        network.profile.put("invoice", bill, name, value)
    result = network.result("submit_invoices", bill)
    errors = [network.read("record_error", error) for error in result["errors"]]
    assert (code, retryable) in [(error["code"], error["retryable"]) for error in errors]
    assert network.books.invoices == {}


def test_an_invoices_account_must_be_known_and_active(network: Network) -> None:
    network.with_reference_data()
    network.batch("upsert_gl_accounts", network.account(2, is_active=False))
    for account, code in (("account:9", "gl_account_not_found"), ("account:2", "gl_account_inactive")):
        line = network.write("invoice_line", amount=Decimal("1000.00"), gl_account_external_id=account)
        error = network.error("submit_invoices", network.bill(lines=[line]))
        assert error["code"] == code
        assert network.profile.field_named("invoice", error["field"]) == "lines"


def test_a_credit_is_below_zero_and_an_invoice_above(network: Network) -> None:
    network.with_reference_data()
    assert network.error("submit_invoices", network.bill(1, "100.00", "credit"))["code"] == "amount_invalid"
    assert network.error("submit_invoices", network.bill(1, "-100.00"))["code"] == "amount_invalid"
    network.batch("submit_invoices", network.bill(1, "-100.00", "credit"))
    assert network.invoice()["payment_status"] == "open"


def test_a_vendors_number_is_taken_once_until_its_invoice_is_cancelled(network: Network) -> None:
    network.with_reference_data()
    first = network.result("submit_invoices", network.bill(1))
    twin = network.bill(2, invoice_number="INV-1")
    error = network.error("submit_invoices", twin)
    assert (error["code"], error["existing_id"]) == ("duplicate_invoice", first["id"])
    network.call("cancel_invoice", id=first["id"])
    assert network.result("submit_invoices", twin)["action"] == "created"


def test_what_may_be_changed_shrinks_on_the_way_through_approval(network: Network) -> None:
    network.with_reference_data()
    network.batch("upsert_gl_accounts", network.account(2))
    network.batch("submit_invoices", network.bill(amount="10.00"))
    assert network.result("submit_invoices", network.bill(amount="20.00"))["action"] == "updated"
    assert network.invoice()["balance"] == Decimal("20.00")
    network.act("put_in_workflow", external_id="bill:1")
    line = network.write(
        "invoice_line", amount=Decimal("20.00"), gl_account_external_id="account:2", description="Recoded"
    )
    assert network.result("submit_invoices", network.bill(amount="20.00", lines=[line]))["action"] == "updated"
    assert network.error("submit_invoices", network.bill(amount="30.00"))["code"] == "invoice_locked"
    network.act("approve_invoice", external_id="bill:1")
    assert network.error("submit_invoices", network.bill(amount="20.00"))["code"] == "invoice_locked"
    same = network.bill(amount="20.00", lines=[line])
    assert network.result("submit_invoices", same)["action"] == "unchanged"


def test_a_rejected_invoice_that_is_changed_goes_back_to_its_approvers(network: Network) -> None:
    network.with_reference_data()
    network.batch("submit_invoices", network.bill())
    network.act("put_in_workflow", external_id="bill:1")
    network.act("reject_invoice", external_id="bill:1", reason="Wrong amount")
    rejected = network.one("get_invoice", "invoice", network.invoice()["id"])
    assert (rejected["workflow_status"], rejected["rejection_reason"]) == ("rejected", "Wrong amount")
    assert network.result("submit_invoices", network.bill())["action"] == "unchanged"
    network.batch("submit_invoices", network.bill(amount="900.00"))
    assert network.invoice()["workflow_status"] == "in_workflow"
    assert network.invoice()["rejection_reason"] is None


def test_an_invoice_in_error_comes_in_again_when_it_is_corrected(network: Network) -> None:
    network.with_reference_data()
    network.batch("submit_invoices", network.bill())
    network.act("fail_invoice", external_id="bill:1")
    network.batch("submit_invoices", network.bill(description="Corrected"))
    assert network.invoice()["workflow_status"] == "received"


def test_people_cannot_do_what_the_states_do_not_have(network: Network) -> None:
    network.with_reference_data()
    network.batch("submit_invoices", network.bill())
    before = network.invoice()
    for act in ("reject_invoice", "hold_invoice"):
        with pytest.raises(ActRefused):
            network.act(act, external_id="bill:1")
    with pytest.raises(ActRefused):
        network.act("pay", invoices={"bill:1": None})
    assert network.invoice() == before
    network.act("put_in_workflow", external_id="bill:1")
    network.act("hold_invoice", external_id="bill:1")
    network.act("release_invoice", external_id="bill:1")
    assert network.invoice()["workflow_status"] == "in_workflow"


def test_an_invoice_is_cancelled_once_and_never_under_a_live_payment(network: Network) -> None:
    network.with_approved("10.00", "20.00")
    payment = network.act("pay", invoices={"bill:1": None})
    paid, unpaid = network.invoice("bill:1")["id"], network.invoice("bill:2")["id"]
    reason = network.write("cancel_request", reason="Deleted in the ERP")
    assert network.refusal(network.call("cancel_invoice", reason, id=paid)) == (409, "invoice_has_payments")
    assert network.call("cancel_invoice", reason, id=unpaid).status_code == 200
    cancelled = network.invoice("bill:2")
    assert network.call("cancel_invoice", reason, id=unpaid).status_code == 200
    assert network.invoice("bill:2") == cancelled
    network.act("void_payment", payment_id=payment)
    assert network.call("cancel_invoice", reason, id=paid).status_code == 200
    assert network.refusal(network.call("cancel_invoice", reason, id="inv_none")) == (404, "not_found")


# Payments.


def test_a_check_goes_its_way_step_by_step_and_the_invoice_follows(network: Network) -> None:
    network.with_approved("1000.00")
    payment = network.act("pay", invoices={"bill:1": None})
    seen = [(network.books.payments[payment]["status"], network.invoice()["payment_status"])]
    while seen[-1][0] != "cleared":
        network.later(days=1)
        network.act("advance_payment", payment_id=payment)
        seen.append((network.books.payments[payment]["status"], network.invoice()["payment_status"]))
    assert seen == [
        ("processing", "scheduled"),
        ("debit_requested", "scheduled"),
        ("funds_received", "scheduled"),
        ("sent_to_printer", "scheduled"),
        ("issued", "paid"),
        ("cleared", "paid"),
    ]
    read = network.one("get_payment", "payment", payment)
    assert (read["method"], read["status"], read["amount"]) == ("check", "cleared", Decimal("1000.00"))
    assert (read["check_number"], read["issued_date"], read["cleared_date"]) == (
        "0004100231",
        "2026-03-06",
        "2026-03-07",
    )
    assert (read["ach_detail"], read["card_detail"]) == (None, None)
    assert read["funding_external_id"] == "erp:account:35"
    assert read["version"] == 6
    assert network.invoice()["balance"] == 0
    history = network.read("page", network.call("payment_history", id=payment).json())["items"]
    assert [network.read("history_event", event)["status"] for event in history] == [status for status, _ in seen]


@pytest.mark.parametrize(
    ("method", "filled"),
    [("ach", {"ach_trace": "053000190000001"}), ("virtual_card", {"card_last4": "0001"})],
)
def test_other_methods_bring_their_own_reference_at_issue(
    network: Network, method: str, filled: dict[str, str]
) -> None:
    network.with_approved("100.00")
    payment = network.act("pay", invoices={"bill:1": None}, method=method)
    (field,) = filled
    assert network.one("get_payment", "payment", payment)[field] is None
    network.act("advance_payment", payment_id=payment, to="issued")
    read = network.one("get_payment", "payment", payment)
    assert {field: read[field]} == filled
    assert (read["method"], read["status"], read["check_detail"]) == (method, "issued", None)


def test_one_payment_pays_a_discounted_a_part_and_a_credit(network: Network) -> None:
    network.with_approved("1000.00", "1000.00", "-100.00")
    payment = network.act(
        "pay", invoices={"bill:1": None, "bill:2": "620.00", "bill:3": None}, discounts={"bill:1": "20.00"}
    )
    assert network.invoice("bill:2")["amount_scheduled"] == Decimal("620.00")
    network.act("advance_payment", payment_id=payment, to="issued")
    read = network.one("get_payment", "payment", payment)
    parts = [(part["gross_amount"], part["discount_amount"], part["net_amount"]) for part in read["applications"]]
    assert parts == [(1000, 20, 980), (620, 0, 620), (-100, 0, -100)]
    assert read["amount"] == sum(net for _, _, net in parts) == 1500
    states = [
        (network.invoice(f"bill:{n}")["balance"], network.invoice(f"bill:{n}")["payment_status"]) for n in (1, 2, 3)
    ]
    assert states == [(0, "paid"), (380, "partially_paid"), (0, "applied")]
    assert network.invoice("bill:1")["discount_taken"] == 20
    rest = network.act("pay", invoices={"bill:2": None}, method="ach")
    network.act("advance_payment", payment_id=rest, to="cleared")
    assert (network.invoice("bill:2")["payment_status"], network.books.payments[rest]["amount"]) == ("paid", 380)
    assert network.invoice("bill:2")["payment_ids"] == [payment, rest]


@pytest.mark.parametrize(
    "invoices", [{"bill:1": "100.01"}, {"bill:1": "0.00"}, {"bill:1": "-5.00"}, {"bill:2": None}, {"bill:9": None}]
)
def test_a_payment_is_above_zero_and_never_more_than_what_is_open(
    network: Network, invoices: dict[str, str | None]
) -> None:
    network.with_approved("100.00", "-50.00")
    with pytest.raises(ActRefused):
        network.act("pay", invoices=invoices)
    assert network.books.payments == {}


def test_live_payments_together_never_exceed_an_invoice(network: Network) -> None:
    network.with_approved("100.00")
    first = network.act("pay", invoices={"bill:1": "60.00"})
    with pytest.raises(ActRefused):
        network.act("pay", invoices={"bill:1": "40.01"})
    network.act("void_payment", payment_id=first)
    network.act("pay", invoices={"bill:1": "100.00"})


def test_a_check_needs_the_vendors_whole_address(network: Network) -> None:
    network.batch("upsert_vendors", network.vendor(remit_city=None))
    network.batch("upsert_gl_accounts", network.account())
    network.batch("submit_invoices", network.bill())
    network.act("approve_invoice", external_id="bill:1")
    with pytest.raises(ActRefused, match="address"):
        network.act("pay", invoices={"bill:1": None})
    network.act("pay", invoices={"bill:1": None}, method="ach")


def test_a_reversal_opens_the_invoice_again_whatever_its_way(network: Network) -> None:
    ways: dict[str, tuple[str, str, str]] = {
        "bill:1": ("check", "processing", "void_payment"),
        "bill:2": ("check", "issued", "stop_payment"),
        "bill:3": ("ach", "cleared", "return_payment"),
        "bill:4": ("virtual_card", "issued", "expire_card"),
        "bill:5": ("check", "issued", "refund_payment"),
    }
    network.with_approved(*["100.00"] * 5)
    for bill, (method, status, act) in ways.items():
        payment = network.act("pay", invoices={bill: None}, method=method)
        if status != "processing":
            network.act("advance_payment", payment_id=payment, to=status)
            assert network.invoice(bill)["balance"] == 0
        network.act(act, payment_id=payment)
        assert (network.invoice(bill)["balance"], network.invoice(bill)["payment_status"]) == (100, "unpaid")
    statuses = [payment["status"] for payment in network.books.payments.values()]
    assert statuses == ["void", "stopped", "returned", "expired", "refunded"]


def test_a_stop_may_come_too_late(network: Network) -> None:
    network.with_approved("100.00")
    payment = network.act("pay", invoices={"bill:1": None})
    network.act("advance_payment", payment_id=payment, to="issued")
    network.act("stop_payment", payment_id=payment, stopped=False)
    assert network.books.payments[payment]["status"] == "cleared"
    assert network.invoice()["payment_status"] == "paid"


def test_money_that_waits_for_approval_is_not_released_and_may_be_held(network: Network) -> None:
    network.with_approved("100.00")
    payment = network.act("pay", invoices={"bill:1": None}, status="pending_approval")
    phases = [network.sim.books()[COMPANY]["payments"][0]["phase"]]
    for status in ("held", "pending_approval", "processing", "error", "processing", "issued"):
        network.act("advance_payment", payment_id=payment, to=status)
        phases.append(network.sim.books()[COMPANY]["payments"][0]["phase"])
    assert phases == ["none", "none", "none", "pending", "pending", "pending", "executed"]
    assert phases[-1] == network.profile.payment_status(network.profile.payment_status_word("issued", "check")).phase


def test_a_reissue_links_both_payments_and_pays_the_same_invoices(network: Network) -> None:
    network.with_approved("100.00")
    card = network.act("pay", invoices={"bill:1": None}, method="virtual_card")
    network.act("advance_payment", payment_id=card, to="issued")
    check = network.act("reissue_payment", payment_id=card, method="check")
    old, new = (network.one("get_payment", "payment", id) for id in (card, check))
    assert (old["status"], old["replaced_by"]) == ("reissued", check)
    assert (new["status"], new["reissue_of"], new["method"]) == ("processing", card, "check")
    assert new["applications"] == old["applications"]
    assert network.invoice()["payment_status"] == "scheduled"


def test_uncashed_checks_are_refunded_after_ninety_days(network: Network) -> None:
    network.with_approved("100.00")
    payment = network.act("pay", invoices={"bill:1": None})
    network.act("advance_payment", payment_id=payment, to="issued")
    network.later(days=89)
    assert network.act("age_checks") == []
    network.later(days=1)
    assert network.act("age_checks") == [payment]
    assert network.one("get_payment", "payment", payment)["refunded_date"] == "2026-05-31"


def test_a_payment_cannot_leave_its_table_and_a_refused_act_changes_nothing(network: Network) -> None:
    network.with_approved("100.00")
    payment = network.act("pay", invoices={"bill:1": None}, method="ach")
    before = json.dumps(network.books.payments, default=str)
    for act, arguments in (
        ("advance_payment", {"to": "sent_to_printer"}),
        ("stop_payment", {}),
        ("expire_card", {}),
        ("refund_payment", {}),
    ):
        with pytest.raises(ActRefused):
            network.act(act, payment_id=payment, **arguments)
    assert json.dumps(network.books.payments, default=str) == before


# Lists.


def test_a_sweep_without_a_filter_is_refused_but_reference_lists_are_not(network: Network) -> None:
    network.with_reference_data()
    for operation in ("list_payments", "list_invoices"):
        assert network.refusal(network.call(operation)) == (400, "filter_required")
    assert len(network.rows("list_vendors", "vendor")) == 0  # changed at this very moment: the window ends before now
    network.later(seconds=1)
    assert [row["name"] for row in network.rows("list_vendors", "vendor")] == ["Vendor 1"]
    assert [row["code"] for row in network.rows("list_gl_accounts", "gl_account")] == ["6001"]
    accounts = network.rows("list_bank_accounts", "bank_account")
    assert [(row["external_id"], row["last4"]) for row in accounts] == [("erp:account:35", "9087")]


def test_a_window_may_span_so_many_days_and_no_more(network: Network) -> None:
    most = network.profile.change_feed.max_window_days
    assert network.page("list_payments", updated_since=network.since(most - 1))["items"] == []
    refused = network.call("list_payments", query={"updated_since": network.since(most + 1)})
    assert network.refusal(refused) == (400, "window_too_large")


@pytest.mark.parametrize(
    "query",
    [
        {"updated_since": "yesterday"},
        {"updated_since": "2026-13-01"},
        {"ids": ",".join(str(n) for n in range(51))},
        {"ids": "a", "page_size": "0"},
        {"ids": "a", "page_number": "one"},
        {"ids": "a", "status": "Teleported"},
        {"cursor": "nonsense"},
    ],
)
def test_a_parameter_that_means_nothing_is_refused(network: Network, query: dict[str, str]) -> None:
    if query.keys() <= network.profile.query.keys():
        assert network.refusal(network.call("list_payments", query=query)) == (400, "invalid_parameter")


def test_a_parameter_that_the_contract_does_not_have_is_refused(network: Network) -> None:
    url = network.address.base_url + network.profile.path("list_vendors")
    refused = network.http.get(url, headers=network.headers(), params={"sortBy": "name"})
    assert network.refusal(refused) == (400, "invalid_parameter")


def test_records_are_read_by_ids_and_external_ids_and_filtered(network: Network) -> None:
    network.with_approved("10.00", "20.00", "30.00")
    second = network.invoice("bill:2")["id"]
    rows = network.rows("list_invoices", "invoice", ids=second, external_ids="bill:3,bill:9")
    assert [row["external_id"] for row in rows] == ["bill:2", "bill:3"]
    first = network.act("pay", invoices={"bill:1": None})
    other = network.act("pay", invoices={"bill:2": None})
    network.act("void_payment", payment_id=other)
    word = network.profile.payment_status_word("void")
    both = f"{first},{other}"
    assert [row["id"] for row in network.rows("list_payments", "payment", ids=both, status=word)] == [other]
    assert network.rows("list_payments", "payment", ids=both, vendor_external_id="vendor:2") == []


def sweep(network: Network, operation: str, **query: object) -> list[Any]:
    """All pages of a list, turned as the profile says: by link, else by cursor."""
    url = network.address.base_url + network.profile.path(operation)
    asked: dict[str, str] | None = network.profile.arguments(**query)
    found = []
    while True:
        response = network.http.get(url, headers=network.headers(), params=asked)
        page = network.read("page", decode(response.content))
        found += page["items"]
        if page["links"]:
            link = network.read("link", page["links"][0])
            assert link["rel"] == network.profile.paging.next_rel
            url, asked = str(httpx.URL(url).join(link["href"])), None
        elif page["next_cursor"]:
            asked = network.profile.arguments(cursor=page["next_cursor"])
        else:
            return found


def test_pages_follow_each_other_to_the_end_in_order_of_change(network: Network) -> None:
    network.batch("upsert_vendors", *[network.vendor(number) for number in range(7)])
    network.later(seconds=1)
    network.batch("upsert_vendors", network.vendor(2, name="Changed"))
    network.later(seconds=1)
    swept = [network.read("vendor", row)["external_id"] for row in sweep(network, "list_vendors", page_size=3)]
    assert swept == [f"vendor:{number}" for number in (0, 1, 3, 4, 5, 6, 2)]


def test_a_record_that_changes_between_pages_shifts_pages_but_not_a_cursor(network: Network) -> None:
    network.batch("upsert_vendors", *[network.vendor(number) for number in range(4)])
    network.later(seconds=1)
    url = network.address.base_url + network.profile.path("list_vendors")
    first = network.page("list_vendors", page_size=2)
    network.batch("upsert_vendors", network.vendor(0, name="Changed"))
    if first["links"]:
        href = network.read("link", first["links"][0])["href"]
        second = decode(network.http.get(str(httpx.URL(url).join(href)), headers=network.headers()).content)
        expected = ["vendor:3"]
    else:
        second = decode(network.call("list_vendors", query={"cursor": first["next_cursor"]}).content)
        expected = ["vendor:2", "vendor:3"]
    rows = network.read("page", second)["items"]
    assert [network.read("vendor", row)["external_id"] for row in rows] == expected


def test_pages_are_counted_clamped_and_empty_beyond_the_end(network: Network) -> None:
    network.batch("upsert_vendors", *[network.vendor(number) for number in range(3)])
    network.later(seconds=1)
    page = network.page("list_vendors", page_size=1000)
    assert (page["page_size"], page["page_number"]) == (500, 1)
    if network.profile.paging.strategy == "linkThenPage":
        assert (page["page_count"], page["total_items"]) == (1, 3)
        second = network.page("list_vendors", page_size=2, page_number=2)
        assert len(second["items"]) == 1
        beyond = network.page("list_vendors", page_size=2, page_number=9)
        assert (beyond["items"], beyond["links"]) == ([], [])


def test_a_window_begins_inclusive_and_ends_as_the_profile_says(network: Network) -> None:
    network.batch("upsert_vendors", network.vendor(1))  # at 2026-03-02 09:00
    network.later(days=1)
    network.batch("upsert_vendors", network.vendor(2))  # at 2026-03-03 09:00
    network.later(days=5)
    if network.profile.change_feed.granularity == "date":
        first, second = "2026-03-02", "2026-03-03"
        both, one = (first, second), (first, first)
    else:
        first, second, after = "2026-03-02T09:00:00.000Z", "2026-03-03T09:00:00.000Z", "2026-03-03T09:00:00.001Z"
        both, one = (first, after), (first, second)
    for (since, before), expected in ((both, 2), (one, 1), ((second, None), 1)):
        assert len(network.rows("list_vendors", "vendor", updated_since=since, updated_before=before)) == expected


def test_a_change_moves_a_record_to_the_end_of_twenty_thousand(network: Network) -> None:
    vendors = network.books.vendors
    for number in range(20_000):
        vendors.add({"external_id": f"vendor:{number}", "name": "x"}, START)
    later = START + timedelta(seconds=1)
    first = vendors.external("vendor:0")
    vendors.change(first, {"name": "y"}, later)
    order = vendors.places(None, None)
    assert order == sorted(order)
    assert (len(order), order[-1]) == (20_000, (later, first["id"]))
    assert vendors.places(later, None) == order[-1:]


# The network by itself, restarts, and broken promises.


def test_the_network_moves_everything_one_step_at_a_time(network: Network) -> None:
    network.with_reference_data()
    network.batch("submit_invoices", network.bill(1), network.bill(2))
    seen = []
    for _ in range(12):
        network.sim.run_network(COMPANY)
        payments = [payment["status"] for payment in network.books.payments.values()]
        seen.append((network.invoice()["workflow_status"], payments))
        network.later(days=1)
    assert seen == [
        ("in_workflow", []),
        ("in_workflow", []),
        ("approved", []),
        ("approved", ["processing"]),
        ("approved", ["debit_requested"]),
        ("approved", ["funds_received"]),
        ("approved", ["sent_to_printer"]),
        ("approved", ["issued"]),
        ("approved", ["issued"]),
        ("approved", ["issued"]),
        ("approved", ["cleared"]),
        ("approved", ["cleared"]),
    ]
    (payment,) = network.books.payments.values()
    assert payment["amount"] == 2000
    assert {invoice["payment_status"] for invoice in network.books.invoices.values()} == {"paid"}
    assert network.sim.books()[COMPANY]["payments"][0]["phase"] == "executed"


def test_a_restart_from_the_journal_gives_the_same_books(tmp_path: Path, network: Network) -> None:
    first = Network(network.profile, journal=tmp_path / "journal")
    first.with_approved("100.00", "50.00")
    payment = first.act("pay", invoices={"bill:1": None})
    with pytest.raises(ActRefused):
        first.act("pay", invoices={"bill:1": None})
    first.later(hours=3)
    first.act("advance_payment", payment_id=payment, to="issued")
    first.act("break_promise", payment_id=payment, promise="unknown_status")
    token = first.token().json()
    again = AvidXchangeSimulator(VirtualClock(first.clock.now()), tmp_path / "journal", profile=first.profile)
    assert again.books() == first.sim.books()
    read = first.one("get_payment", "payment", payment)
    first.http = httpx.Client(transport=SimulatorTransport({"avidxchange": again}))
    assert first.token().json() == token
    assert first.one("get_payment", "payment", payment) == read
    assert (read["status"], read["check_number"]) == ("unknown", "0004100231")


def test_a_lost_answer_is_found_again_under_its_external_id(network: Network) -> None:
    network.with_reference_data()
    path = network.profile.path("submit_invoices")
    network.sim.drop_answer(f"{network.profile.operation('submit_invoices').method} {path}")
    with pytest.raises(httpx.ReadTimeout):
        network.batch("submit_invoices", network.bill())
    assert [row["external_id"] for row in network.rows("list_invoices", "invoice", external_ids="bill:1")] == ["bill:1"]
    assert network.result("submit_invoices", network.bill())["action"] == "unchanged"


def test_a_gateway_fault_can_be_put_in_the_way(network: Network) -> None:
    path = network.profile.path("read_company")
    network.sim.refuse(f"GET {path}", network.sim.gateway_refusal(900803, wait_seconds=90))
    network.sim.refuse(f"GET {path}", network.sim.refusal(503, "maintenance", "Back at ten."))
    refused = network.call("read_company")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "Mon, 02 Mar 2026 09:01:30 GMT")
    assert network.refusal(network.call("read_company")) == (503, "maintenance")
    assert network.call("read_company").status_code == 200


@pytest.mark.parametrize("promise", ["total", "unknown_status", "unknown_method", "card_number"])
def test_a_promise_is_broken_when_told_to_and_seen_as_a_change(network: Network, promise: str) -> None:
    network.with_approved("100.00")
    payment = network.act("pay", invoices={"bill:1": None})
    before = network.one("get_payment", "payment", payment)
    network.later(seconds=1)
    network.act("break_promise", payment_id=payment, promise=promise)
    after = network.one("get_payment", "payment", payment)
    assert after["version"] == before["version"] + 1
    seen = {
        "total": after["amount"] != sum(part["net_amount"] for part in after["applications"]),
        "unknown_status": after["status"] == "unknown",
        "unknown_method": after["method"] == "unknown",
        "card_number": "5555555555554444" in str(after),
    }
    assert [name for name, broken in seen.items() if broken] == [promise]
    network.act("keep_promises", kind="payment", id=payment)
    assert network.one("get_payment", "payment", payment)["amount"] == Decimal("100.00")


def test_replies_can_be_as_irregular_as_the_older_api(network: Network) -> None:
    with pytest.raises(ActRefused, match="there is no irregularity"):
        network.person("garble_replies", faults=["upside_down"])
    network.person("garble_replies", faults=["text_booleans", "single_results"])
    reply = network.batch("upsert_vendors", network.vendor())
    assert network.read("batch_result", reply["results"])["successful"] == "true"
    network.later(seconds=1)
    network.person("garble_replies", faults=["no_paging", "repeated_records"])
    page = network.page("list_vendors")
    assert (len(page["items"]), page["page_number"], page["as_of"]) == (2, None, None)
    network.person("garble_replies", faults=[])
    assert len(network.page("list_vendors")["items"]) == 1


def test_a_next_page_may_lie_at_another_host_when_told_to() -> None:
    network = Network("assumed-v1")
    network.batch("upsert_vendors", network.vendor(1), network.vendor(2))
    network.later(seconds=1)
    network.person("garble_replies", faults=["foreign_links"])
    link = network.read("link", network.page("list_vendors", page_size=1)["links"][0])
    assert httpx.URL(link["href"]).host == "elsewhere.example"


def test_money_is_written_without_a_float_in_the_way() -> None:
    network = Network("assumed-v1").with_reference_data()
    network.batch("submit_invoices", network.bill(amount="99999999999.10"))
    text = network.call("list_invoices", query={"external_ids": "bill:1"}).text
    assert '"amount":99999999999.10,' in text
