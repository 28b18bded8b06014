"""The older interface, as AvidXchange's own NetSuite scripts show it: payments and invoice status, and no more."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.avidxchange.connector import App, AvidXchangeConnector, Credentials
from connectors.avidxchange.contract import named_profile
from connectors.avidxchange.decoding import decode_invoice, decode_payment
from connectors.base import Page
from connectors.errors import RecordRejected, UnexpectedResponse
from connectors.records import Bill, Credit, Kind, Method, Payment, Phase
from connectors.simulators import Request, Response
from tests.avidxchange_partner import (
    APP,
    COMPANY,
    Partner,
    account,
    bill,
    credit,
    ids,
    image,
    key_of,
    order,
    value,
    vendor,
    write,
)  # fmt: skip

OBSERVED = named_profile("avidsuite-v1-observed")


class Observed(Partner):
    """The books of a company that were filled by the newer interface, shown by the older one."""

    def __init__(self, *bills: int) -> None:
        newer = Partner().with_bills(*bills)
        newer.connector().write([write(credit(1, "30.00"))])
        super().__init__(OBSERVED)
        self.sim.companies = newer.sim.companies
        self.credentials = Credentials(**self.act("issue_tokens"))

    def connector(self) -> AvidXchangeConnector:
        return self.signed_in(App(), self.credentials)


def pay(partner: Partner, to: str = "issued", method: str = "check") -> str:
    for key in ("bill 1", "credit 1"):
        partner.act("approve_invoice", external_id=key_of(key))
    id = str(partner.act("pay", invoices={key_of("bill 1"): None, key_of("credit 1"): None}, method=method))
    partner.act("advance_payment", payment_id=id, to=to)
    partner.later(minutes=5)
    return id


def swept(partner: Partner) -> list[Page]:
    return partner.sweep({"checkpoint": "2026-03-01T00:00:00.000Z"})[0]


def found(pages: list[Page], kind: Kind) -> Any:
    [record] = {record.id: record for page in pages for its, record in page.records if its is kind}.values()
    return record


def test_both_tokens_go_out_each_in_its_own_authorization_header() -> None:
    partner = Observed(1)
    seen: list[dict[str, str]] = []

    def look(request: Request, proceed: Any) -> Response:
        seen.append(dict(request.headers))
        answer: Response = proceed()
        return answer

    partner.sim.fault("GET", look)
    assert partner.connector().account().id == COMPANY
    assert seen[0]["authorization"] == f"Bearer {partner.credentials.company_token}"
    assert seen[0]["avidauthorization"] == f"Bearer {partner.credentials.user_token}"


def test_the_application_cannot_sign_in_to_it() -> None:
    with pytest.raises(UnexpectedResponse) as refused:
        Observed(1).signed_in(APP, Credentials(company_id=COMPANY))
    assert refused.value.code in ("contract_profile", "address_missing")
    assert refused.value.message


def test_payments_and_the_status_of_invoices_are_swept_by_dates() -> None:
    partner = Observed(1)
    payment = pay(partner)
    pages = swept(partner)
    read = found(pages, Kind.PAYMENT)
    assert isinstance(read, Payment)
    kept = partner.books.payment(payment)
    assert (read.id, read.method, read.phase, read.reference) == (
        payment, Method.CHECK, Phase.EXECUTED, kept["check_number"]
    )  # fmt: skip
    assert (read.amount, read.currency, read.date) == (Decimal("70.00"), "USD", kept["payment_date"])
    assert {part.target.kind: (part.target.key, part.gross) for part in read.applications} == {
        Kind.BILL: (key_of("bill 1"), Decimal(100)), Kind.CREDIT: (key_of("credit 1"), Decimal(-30)),
    }  # fmt: skip
    shown, credited = found(pages, Kind.BILL), found(pages, Kind.CREDIT)
    assert isinstance(shown, Bill)
    assert isinstance(credited, Credit)
    assert (shown.key, shown.status, shown.amount) == (key_of("bill 1"), "approved", Decimal(100))
    assert (credited.key, credited.amount, credited.vendor.key) == (
        key_of("credit 1"), Decimal(30), key_of("vendor 1")
    )  # fmt: skip


def test_a_change_is_told_from_no_change_although_nothing_has_a_version() -> None:
    partner = Observed(1)
    payment = pay(partner)
    first, again = (partner.connector().fetch(Kind.PAYMENT, [payment])[payment] for _ in range(2))
    assert first == again
    partner.act("advance_payment", payment_id=payment, to="cleared")
    cleared = partner.connector().fetch(Kind.PAYMENT, [payment])[payment]
    assert isinstance(cleared, Payment)
    assert cleared.version != first.version
    assert (cleared.phase, cleared.cleared_date) == (Phase.EXECUTED, partner.clock.now().date())


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("Pending Approval", Phase.NONE), ("Held", Phase.NONE), ("processing", Phase.PENDING),
        ("DEBIT REQUESTED", Phase.PENDING), ("Funds Received", Phase.PENDING),
        ("Sent to Check Printer", Phase.PENDING),
        ("Issued to Supplier", Phase.EXECUTED), ("ACH Credit Issued", Phase.EXECUTED),
        ("VCC Processing", Phase.PENDING),
        ("Cleared", Phase.EXECUTED), ("Refunded", Phase.REVERSED), ("Void", Phase.REVERSED), ("Voided", Phase.REVERSED),
        ("VOID - Stop Payment", Phase.REVERSED), ("Error", Phase.PENDING), ("Errors", Phase.UNKNOWN),
        ("Avoided", Phase.UNKNOWN), ("VCC Issued", Phase.UNKNOWN),
    ],
)  # fmt: skip
def test_the_dashboards_words_are_understood_in_any_case_and_others_are_parked(word: str, phase: Phase) -> None:
    raw = {
        "PaymentID": 7, "Amount": 12.5, "Status": {"Id": 3, "Description": word},
        "PaymentMethod": {"Id": 1, "Description": "AvidPay Check"}, "Remittances": [],
    }  # fmt: skip
    raw["Amount"] = Decimal("12.5")
    assert decode_payment(OBSERVED, raw).phase is phase
    assert decode_payment(OBSERVED, raw).id == "7"


def test_an_invoice_below_zero_is_a_credit_where_no_type_says_so() -> None:
    raw: dict[str, Any] = {
        "Id": 5, "Number": "CM-1", "GrossAmount": Decimal("-12.50"), "InvoiceDate": "2026-03-01 00:00:00",
        "Status": {"Description": "In Workflow"}, "LastChangedDate": "2026-03-02 08:00:00",
        "Distributions": {"Amount": Decimal("-12.50"), "Description": "Returned"},
    }  # fmt: skip
    read = decode_invoice(OBSERVED, raw)
    assert isinstance(read, Credit)
    assert (read.amount, read.balance, read.status) == (Decimal("12.50"), Decimal("12.50"), "in_workflow")
    assert [one.amount for one in read.lines] == [Decimal("12.50")]


def test_everything_else_is_off_nothing_is_asked_for_it_and_the_check_says_so() -> None:
    partner = Observed(1)
    connector = partner.connector()
    sent = [
        write(vendor(7)), write(account(7)), write(value(7)), write(order(7)), write(bill(7)), write(credit(7)),
        write(image(7, "inv_1"), content=b"%PDF-"),
    ]  # fmt: skip
    before = len(partner.sim.requests)
    for one in sent:
        outcome = connector.write([one])[0]
        assert isinstance(outcome, RecordRejected)
        assert outcome.code == "not_offered"
    for kind in connector.reads - {Kind.BILL, Kind.PAYMENT}:
        page = connector.read(kind, None)
        assert (list(page.records), page.more, page.complete) == ([], False, frozenset())
    assert len(partner.sim.requests) == before
    said = " ".join(finding.text for finding in connector.check())
    for what in (
        "vendors",
        "GL accounts",
        "dimensions",
        "purchase orders",
        "bills and credits (as invoices)",
        "images",
    ):
        assert f"We do not send {what}: the contract profile has no request for it." in said
    for what in ("vendors", "GL accounts", "dimensions", "purchase orders", "bank accounts"):
        assert f"We do not read {what}" in said
    assert "We may read invoices. We may read payments." in said
    assert "traces of ACH payments, the last four digits of cards, which payment another one replaces" in said


def test_what_cannot_be_sent_has_not_left_whenever_a_worker_died_over_it() -> None:
    partner = Observed(1)
    connector = partner.connector()
    never = [write(vendor(7)), write(account(7)), write(order(7)), write(bill(7)), write(image(7, "inv_1"))]
    before = len(partner.sim.requests)
    assert connector.find(never) == {one.record_key: None for one in never}
    assert len(partner.sim.requests) == before


def test_an_invoice_cannot_be_asked_for_by_its_id_and_is_not_taken_for_gone() -> None:
    with pytest.raises(UnexpectedResponse) as refused:
        Observed(1).connector().fetch(Kind.BILL, ["inv_00000001"])
    assert refused.value.code == "not_offered"


def test_their_older_form_of_a_refusal_is_told() -> None:
    partner = Observed(1)
    body = b'{"exception": {"reason": "Expired", "detail": "The user token"}}'
    partner.sim.refuse("GET", Response(status=401, body=body))
    findings = partner.connector().check()
    assert "Expired The user token" in findings[0].text
    assert findings[0].level == "missing"
    assert ids(swept(partner), Kind.PAYMENT) == []
