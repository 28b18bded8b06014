"""The exchange rate of what we post, against the simulated QuickBooks: its day's or nothing is posted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import JOINT, Action, Link
from connectors.errors import RecordRejected, TransientError, UnexpectedResponse
from connectors.quickbooks.connector import QuickBooksConnector, Settings
from connectors.records import Application, Kind, Payment, Phase, Ref
from connectors.simulators import Request, Response
from tests.quickbooks_office import REALM, Office
from tests.test_quickbooks_payments import payment, receipt, write

RATE = "GET /exchangerate"
DAY = date(2026, 8, 19)


@pytest.fixture
def office() -> Office:
    """A company with several currencies, which owes a vendor euros."""
    office = Office()
    office.simulator.person("switch_feature", realm_id=REALM, feature="multicurrency", on=True)
    for rate, day in (("1.0875", "2026-08-01"), ("1.1", "2026-08-19"), ("1.2", "2026-08-20")):
        office.simulator.person("set_exchange_rate", realm_id=REALM, currency="EUR", rate=rate, on=day)
    euro = {"CurrencyRef": {"value": "EUR"}}
    office.vendor = office.simulator.person("create_vendor", realm_id=REALM, name="Papier AG", **euro)["Id"]
    office.bills = [office.bill(office.vendor, "100.25", DocNumber="E-1", TxnDate="2026-08-02", **euro)]
    return office


def euros(office: Office, **changes: Any) -> Payment:
    return payment(office, currency="EUR", **{"date": DAY, **changes})


def asked(office: Office) -> int:
    return sum("exchangerate" in path for _, path, _ in office.simulator.requests)


def answered(office: Office, old: bytes, new: bytes, match: str = RATE) -> None:
    """The next such answer says something else."""

    def other(request: Request, proceed: Callable[[], Response]) -> Response:
        body = proceed().body
        assert old in body, body
        return Response(status=200, body=body.replace(old, new))

    office.simulator.fault(match, other)


def test_a_payment_in_the_home_currency_asks_for_no_rate() -> None:
    office = Office()
    receipt(office.connector.write([write(payment(office))])[0])
    assert asked(office) == 0
    assert "ExchangeRate" not in office.payments()[0]


def test_a_new_posting_has_the_rate_of_its_day_and_one_of_no_day_todays(office: Office) -> None:
    receipt(office.connector.write([write(euros(office, gross=Decimal("50.25")))])[0])
    key = "fedcba9876543210fedcba9876543210"
    pending = euros(office, gross=Decimal("50.00"), phase=Phase.PENDING, reference="", date=None)
    receipt(office.connector.write([write(pending, record_key=key, request_key="other")])[0])
    told = [(one["TxnDate"], one["ExchangeRate"]) for one in office.payments()]
    assert told == [("2026-08-19", Decimal("1.1")), ("2026-08-20", Decimal("1.2"))]


def test_a_posting_gets_another_rate_with_another_day_only(office: Office) -> None:
    made = receipt(office.connector.write([write(euros(office, phase=Phase.PENDING, reference=""))])[0])
    entered = {"ExchangeRate": "1.11"}
    office.simulator.person("edit", realm_id=REALM, entity="BillPayment", identity=made.id, changes=entered)
    for number, (day, rate) in enumerate(((DAY, "1.11"), (None, "1.11"), (date(2026, 8, 18), "1.0875"))):
        version = office.payments()[0]["SyncToken"]
        change = euros(office, date=day, phase=Phase.EXECUTED if day else Phase.PENDING)
        link, key = Link(id=made.id, version=version), f"change-{number}"
        receipt(office.connector.write([write(change, Action.UPDATE, link=link, request_key=key)])[0])
        assert office.payments()[0]["ExchangeRate"] == Decimal(rate), day
    assert asked(office) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"Rate":1.1', b'"Rate":0'),
        (b'"Rate":1.1', b'"Other":1.1'),
        (b'"AsOfDate":"2026-08-19"', b'"AsOfDate":"2026-08-20"'),
        (b'"TargetCurrencyCode":"USD"', b'"TargetCurrencyCode":"CAD"'),
        (b'"SourceCurrencyCode":"EUR"', b'"SourceCurrencyCode":"GBP"'),
    ],
)
def test_nothing_is_posted_at_what_is_not_the_rate_of_the_day(office: Office, old: bytes, new: bytes) -> None:
    answered(office, old, new)
    (outcome,) = office.connector.write([write(euros(office))])
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "no_exchange_rate"
    assert "EUR in USD on 2026-08-19" in outcome.detail
    assert office.payments() == []


def test_a_refused_question_is_no_rate_and_an_unanswered_one_is_asked_again_later(office: Office) -> None:
    fault = {"Fault": {"Error": [{"Message": "Feature Not Supported", "code": "5030"}], "type": "ValidationFault"}}
    office.simulator.refuse(RATE, Response.json(fault, 400))
    (outcome,) = office.connector.write([write(euros(office))])
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "no_exchange_rate"
    office.simulator.refuse(RATE, Response(status=503), times=20)
    with pytest.raises(TransientError):
        office.connector.write([write(euros(office))])
    assert office.payments() == []


def test_a_posting_that_quickbooks_gave_another_rate_is_not_called_done(office: Office) -> None:
    answered(office, b'"ExchangeRate":1.1', b'"ExchangeRate":1.0875', "POST /billpayment")
    (outcome,) = office.connector.write([write(euros(office))])
    assert isinstance(outcome, UnexpectedResponse)
    assert outcome.code == "not_as_sent"
    assert "the exchange rate" in str(outcome)


def test_a_connection_that_takes_another_currency_for_that_of_the_books_is_found_out(office: Office) -> None:
    mistaken = QuickBooksConnector(replace(office.connector.session, settings=Settings(home_currency="EUR")))
    (outcome,) = mistaken.write([write(euros(office))])
    assert isinstance(outcome, UnexpectedResponse)
    assert outcome.code == "not_as_sent"
    assert "the exchange rate" in str(outcome)


def test_each_part_of_a_payment_over_two_ap_accounts_has_the_rate(office: Office) -> None:
    body = {"Name": "A/P branch", "AccountType": "Accounts Payable", "CurrencyRef": {"value": "EUR"}}
    branch = office.simulator.person("create", realm_id=REALM, entity="Account", body=body)["Id"]
    fields = {"CurrencyRef": {"value": "EUR"}, "APAccountRef": {"value": branch}}
    bills = [office.bills[0], office.bill(office.vendor, "20.00", DocNumber="E-2", **fields)]
    parts = tuple(
        Application(target=Ref(Kind.BILL, bill), gross=Decimal(gross), net=Decimal(gross))
        for bill, gross in zip(bills, ("100.25", "20.00"), strict=True)
    )
    record = euros(office, gross=Decimal("120.25"), applications=parts)
    receipt(office.connector.write([write(record, context={"ap_account": JOINT.join(("33", branch))})])[0])
    assert [(one["TotalAmt"], one["ExchangeRate"]) for one in office.payments()] == [
        (Decimal("100.25"), Decimal("1.1")),
        (Decimal("20.00"), Decimal("1.1")),
    ]
