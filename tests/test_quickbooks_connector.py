"""Signing in, checking and reading, against the simulated QuickBooks."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Environment, Page
from connectors.errors import (
    AuthError,
    OutcomeUnknown,
    RateLimited,
    TokenExpired,
    TransientError,
    UnexpectedResponse,
)
from connectors.quickbooks.client import STORAGE
from connectors.quickbooks.connector import App, QuickBooksConnector, Settings
from connectors.records import Account, Bill, Kind, Phase, Ref, Vendor
from connectors.registry import connector_class
from connectors.simulators import Response
from tests.quickbooks_office import CHECKING, NOW, REALM, URL, Office, shown


@pytest.fixture
def office() -> Office:
    return Office()


def pages(connector: QuickBooksConnector, kind: Kind) -> list[Page]:
    found = [connector.read(kind, {})]
    while found[-1].more:
        found.append(connector.read(kind, found[-1].cursor))
    return found


def ids(found: list[Page]) -> list[str]:
    return [record.id for page in found for _, record in page.records]


# Who we are


def test_the_registry_knows_it_and_it_writes_payments_only() -> None:
    assert connector_class("quickbooks") is QuickBooksConnector
    assert QuickBooksConnector.writes == {Kind.PAYMENT}


def test_requests_may_go_to_the_hosts_of_their_own_environment_only() -> None:
    app = App(client_id="client", client_secret="secret")
    production = QuickBooksConnector.hosts(Environment.PRODUCTION, app, URL)
    assert production - STORAGE == {"quickbooks.api.intuit.com", "oauth.platform.intuit.com"}
    assert all(host.startswith("intuit-qbo-prod") and host.endswith(".s3.amazonaws.com") for host in STORAGE)
    assert "sandbox-quickbooks.api.intuit.com" in QuickBooksConnector.hosts(Environment.SANDBOX, app, URL)
    assert QuickBooksConnector.hosts(Environment.SIMULATED, app, URL) == {"simulator"}


def test_a_record_has_its_page_in_quickbooks(office: Office) -> None:
    connector = QuickBooksConnector(office.session("", environment=Environment.PRODUCTION))
    assert connector.url(Kind.BILL, "145") == "https://app.qbo.intuit.com/app/bill?txnId=145"
    assert connector.url(Kind.VENDOR, "58") == "https://app.qbo.intuit.com/app/vendordetail?nameId=58"
    assert connector.url(Kind.PAYMENT, "9") == "https://app.qbo.intuit.com/app/billpayment?txnId=9"
    assert connector.url(Kind.ACCOUNT, "35") == ""
    assert office.connector.url(Kind.BILL, "145") == ""


def test_the_company_says_who_it_is(office: Office) -> None:
    account = office.connector.account()
    assert (account.id, account.name, account.details["country"]) == (REALM, "Fern & Co", "US")


# Signing in


def test_signing_in_gives_tokens_with_both_ends_of_life(office: Office) -> None:
    tokens = office.sign_in(office.session(""))
    assert tokens.expires_in == 3600
    assert tokens.refresh_expires_in is not None
    assert tokens.hard_expires_in is not None
    again = office.connector.obtain(tokens.refresh_token)
    assert again.access_token != tokens.access_token


def test_a_dead_refresh_token_asks_for_a_person(office: Office) -> None:
    with pytest.raises(AuthError) as refused:
        office.connector.obtain("AB11-dead")
    assert refused.value.code == "reauthorise"
    with pytest.raises(AuthError) as missing:
        office.connector.obtain("")
    assert missing.value.code == "reauthorise"


def test_a_wrong_secret_asks_for_operations(office: Office) -> None:
    tokens = office.sign_in(office.session(""))
    wrong = QuickBooksConnector(office.session("", app=App(client_id="client", client_secret="wrong")))
    with pytest.raises(AuthError) as refused:
        wrong.obtain(tokens.refresh_token)
    assert refused.value.code == "app_credentials"


def test_a_lost_answer_to_a_refresh_is_known_as_lost(office: Office) -> None:
    tokens = office.sign_in(office.session(""))
    office.simulator.truncate("POST /oauth2/v1/tokens/bearer")
    with pytest.raises(OutcomeUnknown):
        office.connector.obtain(tokens.refresh_token)
    assert office.connector.obtain(tokens.refresh_token).access_token


def test_an_access_token_that_is_over_is_told_apart_from_a_lost_connection(office: Office) -> None:
    office.clock.advance(timedelta(hours=2))
    with pytest.raises(TokenExpired):
        office.connector.read(Kind.BILL, None)
    elsewhere = QuickBooksConnector(office.session(office.connect().session.access_token, account_id="123"))
    with pytest.raises(AuthError) as refused:
        elsewhere.read(Kind.BILL, None)
    assert refused.value.code == "not_connected"


# Check connection


def test_a_sound_connection_is_described_in_plain_words(office: Office) -> None:
    findings = office.connector.check()
    text = "\n".join(finding.text for finding in findings)
    assert {finding.level for finding in findings} == {"ok"}
    assert "Connected to Fern & Co (US)" in text
    assert "home currency is USD" in text
    assert "We can read bills: there are 3." in text
    assert "Bank accounts that payments can be posted to: " in text
    assert "never been closed" in text
    assert "We may write bill payments, and write nothing else" in text


def test_whether_payments_can_be_posted_is_said_also_where_they_cannot(office: Office) -> None:
    refusal = Response.json({"Fault": {"Error": [{"code": "5020", "Message": "Permission Denied"}]}}, 400)
    office.simulator.refuse("GET /query", refusal, times=20)
    missing = {finding.text: finding.remedy for finding in office.connector.check() if finding.level == "missing"}
    [remedy] = [remedy for text, remedy in missing.items() if "We cannot post bill payments" in text]
    assert "Connect again as a company administrator" in remedy


def test_what_is_missing_is_a_finding_with_a_remedy(office: Office) -> None:
    office.simulator.person("close_books", realm_id=REALM, through="2026-06-30")
    for account in [row for row in office.company.accounts.values() if row["AccountType"] == "Bank"]:
        office.simulator.person("deactivate", realm_id=REALM, entity="Account", identity=account["Id"])
    refusal = Response.json({"Fault": {"Error": [{"code": "5020", "Message": "Permission Denied"}]}}, 400)
    office.simulator.refuse("GET /companyinfo", refusal)
    session = replace(office.connector.session, settings=Settings(home_currency="EUR"))
    findings = {finding.text: finding for finding in QuickBooksConnector(session).check()}
    missing = {text: finding.remedy for text, finding in findings.items() if finding.level == "missing"}
    assert all(missing.values())
    assert any("read who the company is" in text for text in missing)
    assert any("home currency is USD" in text for text in missing)
    assert any("no active account of type Bank" in text for text in missing)
    assert any("closed until 2026-06-30" in text for text in findings)


def test_a_dead_token_is_not_a_finding_but_asks_for_a_fresh_one(office: Office) -> None:
    office.clock.advance(timedelta(hours=2))
    with pytest.raises(TokenExpired):
        office.connector.check()


# Reading in full


def test_every_kind_is_read_in_full(office: Office) -> None:
    assert ids(pages(office.connector, Kind.BILL)) == office.bills
    assert set(ids(pages(office.connector, Kind.VENDOR))) == {office.vendor, office.other}
    assert set(ids(pages(office.connector, Kind.ACCOUNT))) == set(office.company.accounts)
    assert pages(office.connector, Kind.PAYMENT)[0].complete == {Kind.PAYMENT}


def test_bills_come_with_their_money_and_lines(office: Office) -> None:
    (_, bill), *_ = office.connector.read(Kind.BILL, None).records
    assert isinstance(bill, Bill)
    assert (bill.number, bill.amount, bill.balance, bill.currency) == (
        "INV-1",
        Decimal("100.25"),
        Decimal("100.25"),
        "USD",
    )
    assert bill.vendor == Ref(Kind.VENDOR, office.vendor)
    assert [(line.amount, line.account) for line in bill.lines] == [(Decimal("100.25"), Ref(Kind.ACCOUNT, "7"))]
    assert bill.version == "0"


def test_inactive_vendors_are_shown_under_their_old_names(office: Office) -> None:
    office.simulator.person("deactivate", realm_id=REALM, entity="Vendor", identity=office.other)
    found = {record.id: record for _, record in office.connector.read(Kind.VENDOR, None).records}
    vendor = found[office.other]
    assert isinstance(vendor, Vendor)
    assert (vendor.name, vendor.active) == ("Bolt Tools", False)


def test_many_rows_come_in_pages_and_only_the_last_is_complete(office: Office) -> None:
    office.simulator.seed_many(REALM, vendors=1, bills=2400, lines_per_bill=1)
    found = pages(office.connector, Kind.BILL)
    assert [page.complete for page in found] == [frozenset(), frozenset(), frozenset({Kind.BILL})]
    assert len(ids(found)) == len(set(ids(found))) == 2403


def test_a_sweep_that_may_have_skipped_a_row_is_not_complete(office: Office) -> None:
    office.simulator.seed_many(REALM, vendors=1, bills=1200, lines_per_bill=1)
    first = office.connector.read(Kind.BILL, None)
    office.simulator.person("delete_bill", realm_id=REALM, bill_id=office.bills[0])
    last = office.connector.read(Kind.BILL, first.cursor)
    assert not last.more
    assert last.complete == frozenset()


def test_a_row_with_bad_stored_data_is_passed_over_and_shown(office: Office) -> None:
    bad = {"Fault": {"Error": [{"code": "4002", "Message": "Error processing query", "Detail": "e-mail"}]}}

    def refuse_the_second(request: Any, proceed: Any) -> Response:
        query = request.argument("query")
        start, size = (int(query.split(f"{word} ")[1].split()[0]) for word in ("startposition", "maxresults"))
        return Response.json(bad, 400) if start <= 2 < start + size else proceed()

    office.simulator.fault("GET /query", refuse_the_second, times=50)
    found = pages(office.connector, Kind.BILL)
    assert ids(found) == [office.bills[0], office.bills[2]]
    assert [row.why.split(":")[0] for page in found for row in page.unreadable] == ["Row 2 of Bill"]
    assert found[-1].complete == frozenset()


def test_one_unreadable_row_does_not_fail_its_page(office: Office) -> None:
    def without_token(request: Any, proceed: Any) -> Response:
        answer = proceed()
        return Response(status=200, body=answer.body.replace(b'"SyncToken":"0"', b'"Other":"0"', 1))

    office.simulator.fault("GET /query", without_token)
    page = office.connector.read(Kind.BILL, None)
    assert [row.id for row in page.unreadable] == [office.bills[0]]
    assert "SyncToken" in page.unreadable[0].why
    assert "INV-1" in page.unreadable[0].raw
    assert len(page.records) == 2
    assert page.complete == {Kind.BILL}


def test_a_read_is_tried_again_in_place_when_it_fails_for_a_moment(office: Office) -> None:
    office.simulator.refuse("GET /query", Response(status=503))
    office.simulator.truncate("GET /query")
    assert len(office.connector.read(Kind.BILL, None).records) == 3
    office.simulator.refuse("GET /query", Response(status=503), times=3)
    with pytest.raises(TransientError):
        office.connector.read(Kind.BILL, None)


def test_too_many_requests_wait_a_minute(office: Office) -> None:
    fault = {"Fault": {"Error": [{"code": "3001", "Message": "ThrottleExceeded"}], "type": "SERVICE"}}
    office.simulator.refuse("GET /query", Response.json(fault, 429))
    with pytest.raises(RateLimited) as refused:
        office.connector.read(Kind.BILL, None)
    assert refused.value.retry_after == 60


def test_records_are_fetched_by_id_and_what_is_not_there_is_left_out(office: Office) -> None:
    office.simulator.person("deactivate", realm_id=REALM, entity="Vendor", identity=office.other)
    before = len(office.simulator.requests)
    found = office.connector.fetch(Kind.BILL, [office.bills[0], "999999", office.bills[2]])
    assert set(found) == {office.bills[0], office.bills[2]}
    assert len(office.simulator.requests) - before == 1
    assert set(office.connector.fetch(Kind.VENDOR, [office.other])) == {office.other}
    assert office.connector.fetch(Kind.BILL, []) == {}
    assert len(office.connector.fetch(Kind.BILL, [*office.bills, *map(str, range(10000, 10400))])) == 3


def test_a_record_that_is_there_but_unreadable_is_not_taken_for_gone(office: Office) -> None:
    def without_token(request: Any, proceed: Any) -> Response:
        return Response(status=200, body=proceed().body.replace(b'"SyncToken":"0"', b'"Other":"0"', 1))

    office.simulator.fault("GET /query", without_token)
    with pytest.raises(UnexpectedResponse) as refused:
        office.connector.fetch(Kind.BILL, office.bills)
    assert refused.value.code == "unreadable_record"


# Changes


def test_changes_bring_what_is_new_changed_and_deleted(office: Office) -> None:
    cursor = office.connector.start_of_changes(office.clock.now() + timedelta(minutes=10))
    office.clock.advance(timedelta(minutes=20))
    new = office.bill(office.other, "12.00")
    office.simulator.person("edit_bill", realm_id=REALM, bill_id=office.bills[1], changes={"PrivateNote": "urgent"})
    office.simulator.person("delete_bill", realm_id=REALM, bill_id=office.bills[2])
    page = office.connector.changes(cursor)
    assert {record.id for kind, record in page.records if kind is Kind.BILL} == {new, office.bills[1]}
    assert [(gone.kind, gone.id) for gone in page.gone] == [(Kind.BILL, office.bills[2])]
    assert not page.truncated
    assert not page.more


def test_a_deleted_object_that_is_told_whole_is_gone_too(office: Office) -> None:
    cursor = office.connector.start_of_changes(office.clock.now())

    def told_whole(request: Any, proceed: Any) -> Response:
        deleted = f'"status":"Deleted","Id":"{office.bills[0]}"'.encode()
        return Response(status=200, body=proceed().body.replace(f'"Id":"{office.bills[0]}"'.encode(), deleted))

    office.simulator.fault("GET /cdc", told_whole)
    page = office.connector.changes(cursor)
    assert (Kind.BILL, office.bills[0]) in [(gone.kind, gone.id) for gone in page.gone]
    assert office.bills[0] not in [record.id for kind, record in page.records if kind is Kind.BILL]


def test_the_next_changes_overlap_the_last(office: Office) -> None:
    page = office.connector.changes(office.connector.start_of_changes(office.clock.now()))
    since = datetime.fromisoformat(page.cursor["since"])
    assert timedelta(minutes=1) < office.clock.now() - since < timedelta(minutes=10)


def test_a_cut_answer_and_an_old_cursor_ask_for_a_full_reading(office: Office) -> None:
    cursor = office.connector.start_of_changes(office.clock.now())
    office.simulator.seed_many(REALM, vendors=1, bills=1100, lines_per_bill=1)
    assert office.connector.changes(cursor).truncated
    before = len(office.simulator.requests)
    office.clock.advance(timedelta(minutes=1))
    page = office.connector.changes({"since": "2026-06-01T00:00:00+00:00"})
    assert page.truncated
    assert page.records == ()
    assert len(office.simulator.requests) == before
    assert datetime.fromisoformat(page.cursor["since"]) > NOW - timedelta(minutes=10)


def test_an_answer_that_changes_are_too_old_asks_for_a_full_reading(office: Office) -> None:
    text = "Operation cdc with changedSince date 2026-08-01 which is older than fixed days is not supported."
    fault = {"Fault": {"Error": [{"code": "500", "Message": "Unsupported Operation", "Detail": text}]}}
    office.simulator.refuse("GET /cdc", Response.json(fault, 400))
    assert office.connector.changes({"since": "2026-08-01T00:00:00+00:00"}).truncated


def test_a_void_in_quickbooks_comes_as_a_reversed_payment(office: Office) -> None:
    made = office.simulator.person("pay_bill", realm_id=REALM, bill_id=office.bills[0])["Id"]
    office.simulator.person("void_payment", realm_id=REALM, payment_id=made)
    page = office.connector.changes(office.connector.start_of_changes(office.clock.now()))
    voided = [record for kind, record in page.records if kind is Kind.PAYMENT]
    assert [shown(record).phase for record in voided] == [Phase.REVERSED]


def test_accounts_are_known_by_their_number_or_their_id(office: Office) -> None:
    numbered = office.simulator.person(
        "create_account", realm_id=REALM, name="Paper", account_type="Expense", AcctNum="6999"
    )["Id"]
    found = {record.id: record for _, record in office.connector.read(Kind.ACCOUNT, None).records}
    account, checking = found[numbered], found[CHECKING]
    assert isinstance(account, Account)
    assert isinstance(checking, Account)
    assert (account.code, account.name, account.classification) == ("6999", "Paper", "expense")
    assert checking.code == CHECKING
