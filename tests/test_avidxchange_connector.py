"""The connector on the simulated AvidXchange, under profiles that share no name: signing in, writing, looking up."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.avidxchange.connector import App, AvidXchangeConnector, Credentials, Settings
from connectors.base import Action, Environment, Link, Receipt, Session
from connectors.errors import (
    AuthError,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    TokenExpired,
    TransientError,
    UnexpectedResponse,
)
from connectors.records import Kind, Ref
from connectors.registry import connector_class
from connectors.simulators import Request, Response
from tests.avidxchange_partner import (
    APP,
    COMPANY,
    PROFILES,
    SIMULATOR,
    Partner,
    account,
    bill,
    changed,
    key_of,
    vendor,
    withdrawal,
    write,
)

WRITTEN = {
    Kind.VENDOR, Kind.ACCOUNT, Kind.DIMENSION, Kind.PURCHASE_ORDER, Kind.BILL, Kind.CREDIT, Kind.IMAGE
}  # fmt: skip


@pytest.fixture(params=PROFILES)
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


# What it is.


def test_it_is_found_and_writes_nothing_that_it_could_not_find_again() -> None:
    assert connector_class("avidxchange") is AvidXchangeConnector
    assert AvidXchangeConnector.writes == WRITTEN
    assert AvidXchangeConnector.reads == WRITTEN - {Kind.IMAGE} | {Kind.PAYMENT, Kind.FUNDING_ACCOUNT}
    assert AvidXchangeConnector.limits.per_minute == 48
    assert AvidXchangeConnector.limits.batch == {
        Kind.VENDOR: 100, Kind.ACCOUNT: 500, Kind.DIMENSION: 500, Kind.PURCHASE_ORDER: 50, Kind.BILL: 50,
        Kind.CREDIT: 50, Kind.IMAGE: 1,
    }  # fmt: skip


def test_requests_may_go_to_the_simulator_or_to_the_addresses_of_the_app_and_nowhere_else() -> None:
    hosts = AvidXchangeConnector.hosts
    assert hosts(Environment.SIMULATED, APP, SIMULATOR) == {"simulator"}
    assert hosts(Environment.PRODUCTION, APP, SIMULATOR) == frozenset()
    real = App(
        client_id="i", client_secret="s", base_url="https://api.example/v1", token_url="https://sign-in.example/token"
    )
    assert hosts(Environment.PRODUCTION, real, SIMULATOR) == {"api.example", "sign-in.example"}


@pytest.mark.parametrize(
    ("profile", "environment", "code"),
    [
        ("assumed-v1", Environment.PRODUCTION, "address_missing"),
        ("nonsense", Environment.SIMULATED, "contract_profile"),
    ],
)
def test_what_is_missing_from_the_configuration_is_named(profile: str, environment: Environment, code: str) -> None:
    partner = Partner()
    with pytest.raises(UnexpectedResponse) as refused:
        AvidXchangeConnector(
            Session(
                environment=environment,
                account_id=COMPANY,
                app=APP,
                credentials=Credentials(company_id=COMPANY),
                settings=Settings(profile=profile),
                http=partner.http,
                simulator_url=SIMULATOR,
            )
        )
    assert refused.value.code == code
    assert refused.value.detail


def test_addresses_are_https_only() -> None:
    for name in ("base_url", "token_url"):
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({"client_id": "i", "client_secret": "s", name: "http://api.example"}, App)


# Signing in.


def test_an_access_token_is_obtained_and_what_is_left_of_its_life_is_told(partner: Partner) -> None:
    first = partner.unsigned().obtain("")
    partner.later(minutes=50)
    second = partner.unsigned().obtain("")
    assert (first.expires_in, second.expires_in, first.refresh_token) == (3600, 600, "")
    assert first.access_token == second.access_token


def test_a_wrong_secret_is_said_to_be_one_and_is_written_down_nowhere(partner: Partner) -> None:
    with pytest.raises(AuthError) as refused:
        partner.unsigned(App(client_id="partner-app", client_secret="canary-secret")).obtain("")
    assert refused.value.code == "app_credentials"
    assert "canary" not in f"{refused.value!r} {vars(refused.value)} {partner.http.exchanged}"


def test_a_token_call_that_echoes_the_password_leaves_no_trace_of_it(partner: Partner) -> None:
    path = str(partner.profile.address("simulated").token_url)
    partner.sim.refuse(f"POST {path}", Response(status=503, body=b"password=canary-secret"))
    with pytest.raises(TransientError) as failed:
        partner.unsigned().obtain("")
    assert "canary" not in f"{failed.value!r} {vars(failed.value)} {partner.http.exchanged}"


def test_a_token_that_died_asks_for_a_fresh_one(partner: Partner) -> None:
    connector = partner.connector()
    partner.later(hours=2)
    for call in (connector.account, connector.check, lambda: connector.write([write(vendor())])):
        with pytest.raises(TokenExpired):
            call()
    assert not partner.books.vendors


def test_the_account_is_the_company_that_answers(partner: Partner) -> None:
    account = partner.connector().account()
    assert (account.id, account.name, account.environment) == (COMPANY, "Acme", "sandbox")
    assert account.details["contract profile"].startswith(partner.profile.profile_id)


def test_a_sound_connection_has_nothing_missing_and_says_that_its_names_are_assumed(partner: Partner) -> None:
    findings = partner.connector().check()
    assert [finding.level for finding in findings].count("warning") == 1
    assert "missing" not in {finding.level for finding in findings}
    assert any("assumed" in finding.text and partner.profile.profile_id in finding.text for finding in findings)
    assert {f"We may read {what}." for what in ("vendors", "GL accounts", "invoices", "payments")} <= {
        finding.text for finding in findings
    }
    said = " ".join(finding.text for finding in findings)
    assert f"company id {COMPANY}, as the partner application" in said
    sent = "vendors, GL accounts, dimensions, purchase orders, bills and credits (as invoices), images"
    assert f"We send {sent}, and nothing else." in said
    assert "We may withdraw an invoice" in said
    assert all(finding.remedy for finding in findings if finding.level != "ok")


def test_a_company_that_does_not_let_us_in_is_a_finding(partner: Partner) -> None:
    partner.connector()
    findings = partner.unsigned(company_id="C-2").check()
    assert findings[0].level == "missing"
    assert "company" in findings[0].remedy


def test_a_permission_that_is_missing_is_a_finding_beside_the_others(partner: Partner) -> None:
    path = partner.request("list_payments").partition(" ")[2]
    partner.sim.refuse(f"GET {path}", partner.sim.refusal(403, "user_not_permitted"))
    findings = partner.connector().check()
    missing = [finding.text for finding in findings if finding.level == "missing"]
    assert len(missing) == 1
    assert missing[0].startswith("We may not read payments")


def test_another_company_behind_the_id_is_refused(partner: Partner) -> None:
    connector = partner.connector()
    body = partner.sim.wire.write("company", {"id": "C-9", "name": "Other", "environment": "sandbox"})
    partner.sim.refuse(partner.request("read_company"), Response.json(body))
    finding = connector.check()[0]
    assert finding.level == "missing"
    assert "company id C-9, not for company id C-1" in finding.text


# Writing.


def test_a_vendor_an_account_and_a_bill_arrive_whole(partner: Partner) -> None:
    connector = partner.connector()
    for record in (vendor(), account(), bill(1, "640.00", "360.01")):
        outcome = connector.write([write(record)])[0]
        assert isinstance(outcome, Receipt)
        assert outcome.version == "1"
    invoice = partner.books.invoice(external_id=key_of("bill 1"))
    assert (invoice["invoice_number"], invoice["amount"]) == ("INV-1", Decimal("1000.01"))
    assert [line["gl_account_external_id"] for line in invoice["lines"]] == [key_of("account 1")] * 2
    assert [row["name"] for row in partner.books.vendors.values()] == ["Vendor 1"]
    assert [row["code"] for row in partner.books.gl_accounts.values()] == ["6001"]


def test_the_same_write_again_changes_nothing(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    again = connector.write([write(bill(1))])[0]
    assert again == Receipt(id=partner.books.invoice(external_id=key_of("bill 1"))["id"], version="1")
    assert len(partner.books.invoices) == 1


def test_one_refused_bill_stops_none_of_its_neighbours(partner: Partner) -> None:
    connector = partner.with_reference_data().connector()
    stray = bill(2, vendor=Ref(Kind.VENDOR, "", key_of("vendor 99")))
    outcomes = connector.write([write(bill(1)), write(stray), write(bill(3, number="")), write(bill(4))])
    assert [type(outcome) for outcome in outcomes] == [Receipt, TransientError, RecordRejected, Receipt]
    assert [getattr(outcome, "code", "") for outcome in outcomes] == ["", "vendor_not_there", "field_missing", ""]
    assert len(partner.books.invoices) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "INV-1"}, "bill_duplicate"),
        ({"vendor": Ref(Kind.VENDOR, "", key_of("vendor 2"))}, "vendor_inactive"),
    ],
)
def test_a_bill_that_their_rules_refuse_is_rejected_with_our_code(partner: Partner, change: Any, code: str) -> None:
    connector = partner.with_bills(1).connector()
    connector.write([write(vendor(2, active=False))])
    outcome = connector.write([write(bill(2, **change))])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == code
    assert set(outcome.fields) <= {"invoice_number", "vendor_external_id"}


def test_a_vendor_that_they_know_already_is_never_linked_by_name(partner: Partner) -> None:
    known = partner.act("add_vendor", name="Vendor 1")
    outcome = partner.connector().write([write(vendor())])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "vendor_possible_duplicate"
    assert known in outcome.detail


def test_an_approved_bill_takes_no_change(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    partner.act("approve_invoice", external_id=key_of("bill 1"))
    outcome = connector.write([write(bill(1, "5.00"), Action.UPDATE)])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "bill_locked"
    assert partner.books.invoice(external_id=key_of("bill 1"))["amount"] == Decimal("100.00")


@pytest.mark.parametrize("garble", ["text_booleans", "single_results"])
def test_replies_of_older_services_are_understood(partner: Partner, garble: str) -> None:
    partner.connector()
    partner.sim.person("garble_replies", faults=[garble])
    good, bad = (partner.connector().write([write(record)])[0] for record in (vendor(), bill()))
    assert isinstance(good, Receipt)
    assert isinstance(bad, TransientError)


def test_a_bill_is_withdrawn_once_and_again_without_harm(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    id = partner.books.invoice(external_id=key_of("bill 1"))["id"]
    first, second = (connector.write([withdrawal(1, id)])[0] for _ in range(2))
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert partner.books.invoices[id]["workflow_status"] == "cancelled"


def test_a_bill_that_is_being_paid_is_not_withdrawn_and_its_neighbour_is(partner: Partner) -> None:
    connector = partner.with_bills(1, 2).connector()
    paid, other = (partner.books.invoice(external_id=key_of(f"bill {number}"))["id"] for number in (1, 2))
    partner.act("approve_invoice", invoice_id=paid)
    partner.act("pay", invoices={key_of("bill 1"): None})
    outcomes = connector.write([withdrawal(1, paid), withdrawal(2, other), withdrawal(3, "inv_none")])
    codes = [getattr(outcome, "code", "withdrawn") for outcome in outcomes]
    assert codes == ["bill_being_paid", "withdrawn", "not_there"]
    assert partner.books.invoices[paid]["workflow_status"] == "approved"


def test_a_contract_without_a_way_to_withdraw_says_so() -> None:
    partner = Partner(changed({"operations": {"cancel_invoice": None}})).with_bills(1)
    outcome = partner.connector().write([withdrawal(1, "inv_00000001")])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "not_offered"


# Batches.


def test_a_chunk_larger_than_their_batch_goes_out_in_several() -> None:
    partner = Partner(changed({"operations": {"submit_invoices": {"maxItems": 2}}})).with_reference_data()
    outcomes = partner.connector().write([write(bill(number)) for number in range(1, 6)])
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert partner.counted("submit_invoices") == 3


def test_a_body_larger_than_they_take_goes_out_in_halves() -> None:
    partner = Partner(changed({"limits": {"bodyBytes": 1000}})).with_reference_data()
    outcomes = partner.connector().write([write(bill(number)) for number in range(1, 5)])
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert partner.counted("submit_invoices") > 1


def test_a_batch_that_is_too_large_for_them_is_halved_in_place(partner: Partner) -> None:
    connector = partner.with_reference_data().connector()
    partner.sim.refuse(partner.request("submit_invoices"), partner.sim.refusal(413, "batch_too_large"))
    outcomes = connector.write([write(bill(number)) for number in range(1, 6)])
    assert [outcome.id for outcome in outcomes if isinstance(outcome, Receipt)] == list(partner.books.invoices)
    assert len(partner.books.invoices) == 5
    assert partner.counted("submit_invoices") == 3


def test_a_single_record_that_is_too_large_is_rejected(partner: Partner) -> None:
    connector = partner.with_reference_data().connector()
    partner.sim.refuse(partner.request("submit_invoices"), partner.sim.refusal(413, "batch_too_large"))
    outcome = connector.write([write(bill())])[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "batch_too_large"


def in_turn(*acts: Callable[[Request, Callable[[], Response]], Response]) -> Callable[..., Response]:
    """Each request is answered by the next of these."""
    left = list(acts)
    return lambda request, proceed: left.pop(0)(request, proceed)


def test_what_happened_before_a_later_request_fails_is_not_forgotten(partner: Partner) -> None:
    connector = partner.with_reference_data().connector()

    def lost(request: Request, proceed: Callable[[], Response]) -> Response:
        proceed()
        return Response(status=502, body=b"<html>")

    too_large = partner.sim.refusal(413, "batch_too_large")
    turns = (lambda *_: too_large, lambda _, proceed: proceed(), lambda *_: too_large, lost)
    partner.sim.fault(partner.request("submit_invoices"), in_turn(*turns), times=4)
    outcomes = connector.write([write(bill(number)) for number in range(1, 5)])
    assert [type(outcome) for outcome in outcomes] == [Receipt, Receipt, OutcomeUnknown, TransientError]
    assert len(partner.books.invoices) == 3


# What is lost on the way.


def test_a_lost_answer_is_in_doubt_and_is_found(partner: Partner) -> None:
    connector = partner.with_reference_data().connector()
    partner.sim.drop_answer(partner.request("submit_invoices"))
    with pytest.raises(OutcomeUnknown):
        connector.write([write(bill(1)), write(bill(2))])
    found = connector.find([write(bill(1)), write(bill(2)), write(bill(3))])
    assert [bool(found[key_of(f"bill {number}")]) for number in (1, 2, 3)] == [True, True, False]
    assert len(partner.books.invoices) == 2


def test_a_lost_request_did_not_happen(partner: Partner) -> None:
    connector = partner.with_reference_data().connector()
    partner.sim.drop_request(partner.request("submit_invoices"))
    with pytest.raises(TransientError):
        connector.write([write(bill(1))])
    assert connector.find([write(bill(1))]) == {key_of("bill 1"): None}


def test_an_answer_that_breaks_off_is_in_doubt(partner: Partner) -> None:
    connector = partner.connector()
    partner.sim.truncate(partner.request("upsert_vendors"))
    with pytest.raises(OutcomeUnknown):
        connector.write([write(vendor())])
    assert connector.find([write(vendor())])[key_of("vendor 1")] is not None


@pytest.mark.parametrize("code", [101504, 900900])
def test_a_gateway_that_lost_its_back_end_leaves_a_write_in_doubt(partner: Partner, code: int) -> None:
    connector = partner.connector()
    partner.sim.refuse(partner.request("upsert_vendors"), partner.sim.gateway_refusal(code))
    with pytest.raises(OutcomeUnknown):
        connector.write([write(vendor())])


def test_too_many_requests_wait_as_long_as_the_gateway_says() -> None:
    partner = Partner(throttle=True)
    connector = partner.connector()
    for _ in range(10):
        connector.account()
    with pytest.raises(RateLimited) as burst:
        connector.account()
    assert (burst.value.scope, burst.value.retry_after) == ("app", 1)
    partner.later(seconds=2)
    for _ in range(60 - 10):
        connector.account()
        partner.later(milliseconds=200)
    with pytest.raises(RateLimited) as quota:
        connector.account()
    assert quota.value.scope == "app"
    assert 40 < quota.value.retry_after <= 60
    partner.later(seconds=int(quota.value.retry_after))
    connector.account()


# Looking up.


def test_a_change_is_found_only_if_all_of_it_is_there(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    change = write(bill(1, "70.00", "30.00"), Action.UPDATE, link=Link(id="inv", version="1"))
    assert connector.find([change]) == {change.record_key: None}
    connector.write([change])
    found = connector.find([change])[change.record_key]
    assert found is not None
    assert (found.version, getattr(found.record, "key", "")) == ("2", change.record_key)


@pytest.mark.parametrize("change", [{"name": "New name"}, {"active": False}, {"phone": "704-555-0142"}])
def test_a_changed_vendor_is_told_from_the_one_before(partner: Partner, change: dict[str, Any]) -> None:
    connector = partner.with_reference_data().connector()
    same, other = write(vendor(), Action.UPDATE), write(vendor(**change), Action.UPDATE)
    assert connector.find([same])[same.record_key] is not None
    assert connector.find([other]) == {other.record_key: None}
    connector.write([other])
    assert connector.find([other])[other.record_key] is not None


def test_a_withdrawal_is_found_once_it_is_made(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    asked = withdrawal(1, partner.books.invoice(external_id=key_of("bill 1"))["id"])
    assert connector.find([asked]) == {asked.record_key: None}
    connector.write([asked])
    assert connector.find([asked])[asked.record_key] is not None


def test_more_are_looked_up_than_they_take_at_once(partner: Partner) -> None:
    connector = partner.connector()
    writes = [write(vendor(number)) for number in range(1, 121)]
    connector.write(writes[:100])
    found = connector.find(writes)
    assert sum(receipt is not None for receipt in found.values()) == 100
    assert len(found) == 120
    assert partner.counted("list_vendors") == 3


def test_a_look_up_that_fails_proves_nothing(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    partner.sim.drop_answer(partner.request("list_invoices"), times=3)
    with pytest.raises(TransientError):
        connector.find([write(bill(1))])


# Secrets and addresses.


def test_no_secret_is_in_what_is_kept_of_the_exchanges(partner: Partner) -> None:
    partner.with_bills(1)
    kept = f"{partner.http.exchanged}"
    assert "partner-secret" not in kept
    assert partner.token not in kept
    assert all(exchange.request_id for exchange in partner.http.exchanged if COMPANY in exchange.answer_body)


def test_every_request_of_ours_carries_a_correlation_of_its_own(partner: Partner) -> None:
    connector, name = partner.connector(), str(partner.profile.header("correlation")).lower()
    seen = []

    def keep(request: Request, proceed: Callable[[], Response]) -> Response:
        seen.append(request.headers[name])
        return proceed()

    partner.sim.fault("GET", keep, times=3)
    for _ in range(3):
        connector.account()
    assert len(set(seen)) == 3
