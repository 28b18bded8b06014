"""Posting payments and finding them again, against the simulated QuickBooks; asserted on its books."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.base import Action, Link, Receipt, Write
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    StaleVersion,
    TokenExpired,
    TransientError,
    UnexpectedResponse,
)
from connectors.records import Application, Bill, Kind, Method, Payment, Phase, Ref
from connectors.simulators import Response
from tests.quickbooks_office import CHECKING, NOW, REALM, Office, shown

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def office() -> Office:
    return Office()


def payment(office: Office, **changes: Any) -> Payment:
    bill, amount = changes.pop("bill", office.bills[0]), changes.pop("gross", Decimal("100.25"))
    known: dict[str, Any] = {
        "id": "4711",
        "vendor": Ref(Kind.VENDOR, office.vendor),
        "amount": amount,
        "currency": "USD",
        "method": Method.ACH,
        "phase": Phase.EXECUTED,
        "date": date(2026, 8, 19),
        "reference": "ACH-88",
        "batch": "B-7",
        "funding_account": Ref(Kind.ACCOUNT, CHECKING),
        "applications": (Application(target=Ref(Kind.BILL, bill), gross=amount, net=amount),),
    }
    return Payment(**known | changes)


def write(record: Payment, action: Action = Action.CREATE, **changes: Any) -> Write:
    known: dict[str, Any] = {
        "kind": Kind.PAYMENT,
        "action": action,
        "record": record,
        "record_key": KEY,
        "request_key": f"request-{action}",
        "sent_at": NOW,
        "context": {"source": "the network"},
    }
    return Write(**known | changes)


def receipt(outcome: object) -> Receipt:
    assert isinstance(outcome, Receipt), outcome
    return outcome


# Posting


def test_our_own_posting_is_found_although_somebody_wrote_a_card_number_into_it(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    noted = {"PrivateNote": f"ml-connector:{KEY}; for card 4111 1111 1111 1111"}
    office.simulator.person("edit", realm_id=REALM, entity="BillPayment", identity=made.id, changes=noted)
    found = office.connector.find([write(payment(office))])[KEY]
    assert found is not None
    assert found.id == made.id
    assert shown(found.record).memo.endswith("for card (card number removed)")


def test_an_executed_payment_is_posted_on_its_bills(office: Office) -> None:
    parts = tuple(
        Application(target=Ref(Kind.BILL, bill), gross=Decimal(gross), net=Decimal(gross))
        for bill, gross in zip(office.bills, ("100.25", "20.00"), strict=False)
    )
    record = payment(office, gross=Decimal("120.25"), applications=parts)
    made = receipt(office.connector.write([write(record)])[0])
    (theirs,) = office.payments()
    assert made.id == theirs["Id"]
    assert theirs["TotalAmt"] == Decimal("120.25")
    assert (theirs["DocNumber"], theirs["TxnDate"], theirs["PayType"]) == ("ACH-88", "2026-08-19", "Check")
    assert theirs["CheckPayment"]["BankAccountRef"]["value"] == CHECKING
    assert theirs["CheckPayment"]["PrintStatus"] == "NotSet"
    assert not theirs.get("ProcessBillPayment")
    assert KEY in theirs["PrivateNote"]
    assert "the network payment 4711" in theirs["PrivateNote"]
    assert [office.company.bills[bill]["Balance"] for bill in office.bills] == [0, Decimal("30.00"), Decimal("75.00")]
    read_back = shown(made.record)
    assert (read_back.mark, read_back.phase, read_back.method, read_back.batch) == (
        KEY,
        Phase.EXECUTED,
        Method.ACH,
        "B-7",
    )
    assert read_back.applications == parts
    bill = office.connector.fetch(Kind.BILL, [office.bills[0]])[office.bills[0]]
    assert isinstance(bill, Bill)
    assert bill.settlements == (made.id,)


def test_a_pending_payment_becomes_executed_in_place(office: Office) -> None:
    transit = office.simulator.person("create_account", realm_id=REALM, name="In transit", account_type="Bank")["Id"]
    pending = payment(office, phase=Phase.PENDING, reference="", funding_account=Ref(Kind.ACCOUNT, transit))
    made = receipt(office.connector.write([write(pending)])[0])
    assert shown(made.record).phase is Phase.PENDING
    assert office.payments()[0]["DocNumber"].startswith("PND-")
    link = Link(id=made.id, version=made.version)
    executed = payment(office, cleared_date=date(2026, 8, 20))
    updated = receipt(office.connector.write([write(executed, Action.UPDATE, link=link)])[0])
    (theirs,) = office.payments()
    assert (updated.id, theirs["DocNumber"]) == (made.id, "ACH-88")
    assert theirs["CheckPayment"]["BankAccountRef"]["value"] == CHECKING
    assert len(theirs["Line"]) == 1
    assert shown(updated.record).phase is Phase.EXECUTED
    assert shown(updated.record).cleared_date == date(2026, 8, 20)
    assert updated.version != made.version


def test_a_payment_is_voided_and_its_bill_is_open_again(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    link = Link(id=made.id, version=made.version)
    voided = receipt(office.connector.write([write(payment(office), Action.VOID, link=link)])[0])
    assert shown(voided.record).phase is Phase.REVERSED
    assert office.live_payments() == []
    assert office.company.bills[office.bills[0]]["Balance"] == Decimal("100.25")


def test_what_a_person_wrote_into_a_posting_stays_when_we_change_ours(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office, phase=Phase.PENDING, reference=""))])[0])
    department = office.simulator.person("create", realm_id=REALM, entity="Department", body={"Name": "Berlin"})["Id"]
    theirs = {
        "PrivateNote": f"Urgent! {office.payments()[0]['PrivateNote']} seen by Jo; by phone",
        "DepartmentRef": {"value": department},
    }
    office.simulator.person("edit", realm_id=REALM, entity="BillPayment", identity=made.id, changes=theirs)
    stands = shown(office.connector.fetch(Kind.PAYMENT, [made.id])[made.id])
    assert (stands.mark, stands.phase, stands.batch) == (KEY, Phase.PENDING, "B-7")
    executed = write(
        payment(office, cleared_date=date(2026, 8, 20)),
        Action.UPDATE,
        link=Link(id=made.id, version=stands.version),
        context={"source": "the network", "memo": stands.memo},
    )
    updated = shown(receipt(office.connector.write([executed])[0]).record)
    (row,) = office.payments()
    assert row["DepartmentRef"]["value"] == department
    assert row["PrivateNote"].startswith(f"Urgent! ml-connector:{KEY}; the network payment 4711; by ach; batch B-7")
    assert row["PrivateNote"].endswith("; cleared 2026-08-20;; seen by Jo; by phone")
    assert (updated.phase, updated.method, updated.cleared_date) == (Phase.EXECUTED, Method.ACH, date(2026, 8, 20))
    looked_up = office.connector.find([executed])
    assert looked_up[KEY] is not None


def test_the_same_request_twice_posts_once(office: Office) -> None:
    first = receipt(office.connector.write([write(payment(office))])[0])
    second = receipt(office.connector.write([write(payment(office))])[0])
    assert first.id == second.id
    assert len(office.payments()) == 1


def test_an_old_version_is_stale_and_changes_nothing(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    changed = {"PrivateNote": office.payments()[0]["PrivateNote"] + " seen"}
    office.simulator.person("edit", realm_id=REALM, entity="BillPayment", identity=made.id, changes=changed)
    link = Link(id=made.id, version=made.version)
    (outcome,) = office.connector.write([write(payment(office, reference="ACH-99"), Action.UPDATE, link=link)])
    assert isinstance(outcome, StaleVersion)
    assert office.payments()[0]["DocNumber"] == "ACH-88"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"gross": Decimal("100.25"), "discount": Decimal("-2.00"), "net": Decimal("102.25")}, "discount"),
        ({"gross": Decimal("-100.25"), "net": Decimal("-100.25")}, "credit"),
        ({"gross": Decimal("90.00"), "net": Decimal("90.00")}, "add up"),
    ],
)
def test_what_we_do_not_post_is_refused_before_it_is_sent(office: Office, part: dict[str, Any], words: str) -> None:
    application = Application(target=Ref(Kind.BILL, office.bills[0]), **part)
    (outcome,) = office.connector.write([write(payment(office, applications=(application,)))])
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "payment_shape"
    assert words in outcome.message
    assert "by hand" in outcome.message
    assert office.payments() == []


def test_a_closed_period_is_a_refusal_of_this_record(office: Office) -> None:
    office.simulator.person("close_books", realm_id=REALM, through="2026-08-31")
    (outcome,) = office.connector.write([write(payment(office))])
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "period_closed"
    assert office.payments() == []


def test_a_payment_that_quickbooks_stored_otherwise_is_not_called_done(office: Office) -> None:
    def without_links(request: Any, proceed: Any) -> Response:
        body = proceed().body.replace(f'"TxnId":"{office.bills[0]}"'.encode(), b'"TxnId":"9999"')
        return Response(status=200, body=body)

    office.simulator.fault("POST /billpayment", without_links)
    (outcome,) = office.connector.write([write(payment(office))])
    assert isinstance(outcome, UnexpectedResponse)
    assert outcome.code == "not_as_sent"
    assert "the bills that it pays" in str(outcome)


def test_a_payment_by_our_account_of_the_bills_is_posted_under_their_account(office: Office) -> None:
    (outcome,) = office.connector.write([write(payment(office), context={"ap_account": "33"})])
    assert receipt(outcome).id
    assert office.payments()[0]["APAccountRef"]["value"] == "33"
    assert "the AP network payment 4711" in office.payments()[0]["PrivateNote"]


# In doubt


@pytest.mark.parametrize("lose", ["drop_answer", "truncate"])
def test_a_create_whose_answer_was_lost_is_found_by_its_mark(office: Office, lose: str) -> None:
    getattr(office.simulator, lose)("POST /billpayment")
    (outcome,) = office.connector.write([write(payment(office))])
    assert isinstance(outcome, OutcomeUnknown)
    found = receipt(office.connector.find([write(payment(office))])[KEY])
    assert [found.id] == [theirs["Id"] for theirs in office.payments()]
    assert shown(found.record).mark == KEY
    assert not found.duplicate_of


def test_a_create_that_never_arrived_is_proved_absent(office: Office) -> None:
    office.simulator.drop_request("POST /billpayment")
    with pytest.raises(TransientError):
        office.connector.write([write(payment(office))])
    office.simulator.person("pay_bill", realm_id=REALM, bill_id=office.bills[0])
    before = len(office.simulator.requests)
    assert office.connector.find([write(payment(office))]) == {KEY: None}
    assert len(office.simulator.requests) - before == 2


def test_a_server_error_over_a_write_is_in_doubt(office: Office) -> None:
    office.simulator.refuse("POST /billpayment", Response(status=500))
    (outcome,) = office.connector.write([write(payment(office))])
    assert isinstance(outcome, OutcomeUnknown)


def test_a_create_is_found_by_its_bills_when_nobody_knows_that_it_was_sent(office: Office) -> None:
    receipt(office.connector.write([write(payment(office))])[0])
    office.clock.advance(timedelta(days=3))
    office.connector = office.connect()
    found = office.connector.find([write(payment(office), sent_at=None)])
    assert receipt(found[KEY]).id == office.payments()[0]["Id"]


def test_a_create_is_found_though_it_is_no_longer_linked_to_its_bill(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    elsewhere = {"Line": [{"Amount": "50.00", "LinkedTxn": [{"TxnId": office.bills[1], "TxnType": "Bill"}]}]}
    office.simulator.person("edit", realm_id=REALM, entity="BillPayment", identity=made.id, changes=elsewhere)
    assert receipt(office.connector.find([write(payment(office))])[KEY]).id == made.id


def test_two_payments_with_our_mark_are_both_told(office: Office) -> None:
    first = receipt(office.connector.write([write(payment(office, gross=Decimal("40.00")))])[0])
    again = write(payment(office, gross=Decimal("40.00"), reference="ACH-89"), request_key="another")
    second = receipt(office.connector.write([again])[0])
    found = receipt(office.connector.find([write(payment(office, gross=Decimal("40.00")))])[KEY])
    assert (found.id, found.duplicate_of) == (first.id, (second.id,))


def test_an_older_payment_with_our_mark_is_found_beside_a_recent_one(office: Office) -> None:
    record = payment(office, gross=Decimal("40.00"))
    older = receipt(office.connector.write([write(record)])[0])
    office.clock.advance(timedelta(days=2))
    office.connector = office.connect()
    again = msgspec.structs.replace(record, reference="ACH-89")
    recent = receipt(office.connector.write([write(again, request_key="another")])[0])
    found = receipt(office.connector.find([write(record, sent_at=office.clock.now())])[KEY])
    assert (found.id, found.duplicate_of) == (older.id, (recent.id,))


def test_somebody_elses_payment_of_the_same_bill_and_amount_is_not_ours(office: Office) -> None:
    office.simulator.person("pay_bill", realm_id=REALM, bill_id=office.bills[0], PrivateNote="ours? " + KEY)
    assert office.connector.find([write(payment(office))]) == {KEY: None}


def test_many_creates_are_looked_up_by_few_requests(office: Office) -> None:
    keys = [str(number) * 32 for number in range(3)]
    records = [
        payment(office),
        payment(office, id="4712", bill=office.bills[1], gross=Decimal("50.00"), reference="ACH-90"),
        payment(office, id="4713", vendor=Ref(Kind.VENDOR, office.other), bill=office.bills[2], gross=Decimal("75.00")),
    ]
    writes = [write(r, record_key=key, request_key=key) for r, key in zip(records, keys, strict=True)]
    made = [receipt(office.connector.write([one])[0]).id for one in writes[:2]]
    before = len(office.simulator.requests)
    found = office.connector.find(writes)
    assert [one.id if one else None for one in (found[key] for key in keys)] == [*made, None]
    assert len(office.simulator.requests) - before == 2


def test_an_update_in_doubt_is_compared_with_what_stands_there(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    changed = write(payment(office, reference="ACH-99"), Action.UPDATE, link=Link(id=made.id, version=made.version))
    assert office.connector.find([changed]) == {KEY: None}
    office.simulator.drop_answer("POST /billpayment")
    assert isinstance(office.connector.write([changed])[0], OutcomeUnknown)
    found = receipt(office.connector.find([changed])[KEY])
    assert found.id == made.id
    assert found.version != made.version


def test_a_payment_in_doubt_is_found_though_its_vendor_was_merged_away_and_somebody_voided_it(office: Office) -> None:
    wanted = write(payment(office))
    made = receipt(office.connector.write([wanted])[0])
    office.simulator.person("merge_vendors", realm_id=REALM, survivor_id=office.other, loser_id=office.vendor)
    office.simulator.person("void_payment", realm_id=REALM, payment_id=made.id)
    found = receipt(office.connector.find([wanted])[KEY])
    assert (found.id, shown(found.record).phase) == (made.id, Phase.REVERSED)


def test_a_void_in_doubt_is_compared_with_what_stands_there(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    void = write(payment(office), Action.VOID, link=Link(id=made.id, version=made.version))
    assert office.connector.find([void]) == {KEY: None}
    office.simulator.drop_answer("POST /billpayment")
    assert isinstance(office.connector.write([void])[0], OutcomeUnknown)
    assert shown(receipt(office.connector.find([void])[KEY]).record).phase is Phase.REVERSED


def test_a_linked_payment_that_was_deleted_is_not_as_we_wrote_it(office: Office) -> None:
    made = receipt(office.connector.write([write(payment(office))])[0])
    office.simulator.person("delete_payment", realm_id=REALM, payment_id=made.id)
    link = Link(id=made.id, version=made.version)
    assert office.connector.find([write(payment(office), Action.UPDATE, link=link)]) == {KEY: None}


def test_a_write_that_an_unreadable_row_may_concern_stays_in_doubt(office: Office) -> None:
    receipt(office.connector.write([write(payment(office))])[0])

    def damage(request: Any, proceed: Any) -> Response:
        return Response(status=200, body=proceed().body.replace(b'"TotalAmt"', b'"Total"'))

    office.simulator.fault("GET /query", damage, times=5)
    assert office.connector.find([write(payment(office))]) == {}


def test_a_refused_token_over_the_first_write_is_raised_and_later_ones_are_outcomes(office: Office) -> None:
    office.clock.advance(timedelta(hours=2))
    with pytest.raises(TokenExpired):
        office.connector.write([write(payment(office))])
    connector = office.connect()
    refusal = Response(status=429)
    office.simulator.refuse("POST /billpayment", refusal)
    second = write(payment(office), record_key="f" * 32, request_key="second")
    shape = write(payment(office, applications=()))
    outcomes = connector.write([shape, second])
    assert [type(outcome) for outcome in outcomes] == [RecordRejected, RateLimited]


def test_every_error_says_whose_it_is_and_its_request(office: Office) -> None:
    office.simulator.person("close_books", realm_id=REALM, through="2026-08-31")
    (outcome,) = office.connector.write([write(payment(office))])
    assert isinstance(outcome, ConnectorError)
    assert outcome.provider == "quickbooks"
    assert outcome.request_id == office.connector.session.http.exchanged[-1].request_id != ""


# Credits


def with_credit(office: Office, credit: str = "20.00", **changes: Any) -> tuple[str, Payment]:
    """A credit of this amount, and a payment of a bill that takes it along."""
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": credit,
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "7"}},
    }
    body = {"VendorRef": {"value": office.vendor}, "Line": [line]}
    made = office.simulator.person("create", realm_id=REALM, entity="VendorCredit", body=body)["Id"]
    gross, taken = Decimal("100.25"), Decimal(credit)
    parts = (
        Application(target=Ref(Kind.BILL, office.bills[0]), gross=gross, net=gross),
        Application(target=Ref(Kind.CREDIT, made), gross=-taken, net=-taken),
    )
    return str(made), payment(office, applications=parts, amount=gross - taken, **changes)


@pytest.mark.parametrize("credit", ["20.00", "100.25"])
@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.EXECUTED])
def test_a_credit_is_taken_by_a_line_with_a_positive_amount(office: Office, credit: str, phase: Phase) -> None:
    credit_id, record = with_credit(office, credit, phase=phase)
    made = shown(receipt(office.connector.write([write(record)])[0]).record)
    [row] = office.payments()
    assert row["TotalAmt"] == Decimal("100.25") - Decimal(credit)
    assert [line["Amount"] for line in row["Line"]] == [Decimal("100.25"), Decimal(credit)]
    assert office.company.bills[office.bills[0]]["Balance"] == 0
    assert office.company.tables["VendorCredit"].rows[credit_id]["Balance"] == 0
    assert (made.phase, made.applications) == (phase, record.applications)


def test_a_payment_with_a_credit_is_found_by_the_credits_links_alone(office: Office) -> None:
    credit_id, record = with_credit(office)
    made = receipt(office.connector.write([write(record)])[0])
    moved = {"Line": [{"Amount": "20.00", "LinkedTxn": [{"TxnId": credit_id, "TxnType": "VendorCredit"}]}]}
    moved["Line"].append({"Amount": "20.00", "LinkedTxn": [{"TxnId": office.bills[1], "TxnType": "Bill"}]})
    office.simulator.person(
        "edit", realm_id=REALM, entity="BillPayment", identity=made.id, changes=moved | {"TotalAmt": 0}
    )
    found = office.connector.find([write(record, sent_at=None)])
    assert receipt(found[KEY]).id == made.id


def test_a_payment_of_nothing_is_voided_and_gives_both_back(office: Office) -> None:
    credit_id, record = with_credit(office, "100.25")
    made = receipt(office.connector.write([write(record)])[0])
    link = Link(id=made.id, version=made.version)
    voided = receipt(office.connector.write([write(record, Action.VOID, link=link)])[0])
    assert shown(voided.record).phase is Phase.REVERSED
    assert office.company.bills[office.bills[0]]["Balance"] == Decimal("100.25")
    assert office.company.tables["VendorCredit"].rows[credit_id]["Balance"] == Decimal("100.25")


def test_credits_above_the_bills_are_refused_before_anything_is_sent(office: Office) -> None:
    credit_id, record = with_credit(office, "120.00")
    (outcome,) = office.connector.write([write(record)])
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "payment_shape"
    assert office.payments() == []
