"""Dimensions, purchase orders, whole bills and credits arrive in the network's books, and each refusal has its code."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Action, Link, Outcome, Receipt
from connectors.errors import OutcomeUnknown, RecordRejected, TransientError
from connectors.records import Bill, Credit, Kind, Ref
from tests.avidxchange_partner import (
    PROFILES,
    Partner,
    account,
    bill,
    changed,
    coded,
    credit,
    key_of,
    line,
    order,
    ordered,
    value,
    vendor,
    write,
)


@pytest.fixture(params=PROFILES)
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param).with_reference_data()


def codes(outcomes: list[Outcome]) -> list[str]:
    """What became of each: arrived, or our code for why not."""
    return ["arrived" if isinstance(outcome, Receipt) else outcome.code for outcome in outcomes]


def code_of(partner: Partner, record: Any, **more: Any) -> str:
    return codes(partner.connector().write([write(record, **more)]))[0]


def held(partner: Partner, record: str) -> dict[str, Any]:
    return dict(partner.books.invoice(external_id=key_of(record)))


def values_of(partner: Partner, code: str) -> dict[str, bool]:
    """The values of a dimension by name, each with whether it is active."""
    dimension = partner.books.dimensions.holder(code)
    return {one["name"]: one["is_active"] for one in partner.books.values_of(dimension).values()}


# Dimensions.


def test_permits_are_asked_for_all_requests_that_the_values_of_several_dimensions_are(partner: Partner) -> None:
    connector = partner.connector()
    writes = [write(value(1)), write(value(2, "location")), write(value(3)), write(value(4, "department"))]
    before = len(connector.session.http.exchanged)
    connector.write(writes)
    assert connector.requests_of(writes) == len(connector.session.http.exchanged) - before == 6


def test_values_of_several_dimensions_arrive_under_dimensions_that_are_made_first(partner: Partner) -> None:
    writes = [write(value(1)), write(value(2, "location")), write(value(3)), write(value(4, "department"))]
    outcomes = partner.connector().write(writes)
    assert codes(outcomes) == ["arrived"] * 4
    assert [outcome.id.partition(":")[0] for outcome in outcomes if isinstance(outcome, Receipt)] == [
        "CLASS", "LOCATION", "CLASS", "DEPARTMENT"
    ]  # fmt: skip
    made = {one["code"]: one["name"] for one in partner.books.dimensions.values()}
    assert made == {"CLASS": "Class", "LOCATION": "Location", "DEPARTMENT": "Department"}
    assert values_of(partner, "CLASS") == {"class 1": True, "class 3": True}


def test_a_dimension_that_is_there_is_not_made_again_and_becomes_required_only_when_somebody_says_so(
    partner: Partner,
) -> None:
    def required() -> list[tuple[bool, int]]:
        return [(one["is_required_on_line"], one["version"]) for one in partner.books.dimensions.values()]

    for context, expected in (
        ({}, (False, 1)), ({"required": "1"}, (True, 2)), ({}, (True, 2)), ({"required": "0"}, (False, 3)),
    ):  # fmt: skip
        assert code_of(partner, value(1), context=context) == "arrived"
        assert required() == [expected]


def test_a_dimension_that_somebody_else_made_is_used_as_it_stands(partner: Partner) -> None:
    assert code_of(partner, value(1)) == "arrived"
    [dimension] = partner.books.dimensions.values()
    dimension["external_id"] = "made:by:hand"
    assert code_of(partner, value(2), context={"required": "1"}) == "arrived"
    assert (len(partner.books.dimensions), dimension["is_required_on_line"]) == (1, False)


def test_a_value_is_renamed_gets_a_parent_and_is_put_out_of_use(partner: Partner) -> None:
    parent = Ref(Kind.DIMENSION, "", key_of("dimension Class-1"))
    assert code_of(partner, value(1)) == code_of(partner, value(2, parent=parent)) == "arrived"
    assert code_of(partner, value(2, name="Retail"), action=Action.UPDATE) == "arrived"
    assert code_of(partner, value(1), action=Action.WITHDRAW) == "arrived"
    assert values_of(partner, "CLASS") == {"class 1": False, "Retail": True}


def test_more_dimensions_than_they_take_are_refused_and_the_others_arrive() -> None:
    partner = Partner(changed({"limits": {"dimensions": 1}}))
    outcomes = partner.connector().write([write(value(1)), write(value(2, "location"))])
    assert codes(outcomes) == ["arrived", "field_refused"]


def test_lost_values_are_found_and_what_was_never_sent_is_not(partner: Partner) -> None:
    connector = partner.connector()
    writes = [write(value(1)), write(value(2, "location"))]
    assert connector.find(writes) == {one.record_key: None for one in writes}
    partner.connector().write([write(value(7))])
    partner.sim.drop_answer(partner.request("upsert_dimension_values"))
    with pytest.raises(OutcomeUnknown):
        connector.write(writes[:1])
    found = connector.find(writes)
    receipt = found[writes[0].record_key]
    assert receipt is not None
    assert receipt.id.startswith("CLASS:")
    assert found[writes[1].record_key] is None
    renamed = write(value(1, name="Other"), Action.UPDATE)
    assert connector.find([renamed]) == {renamed.record_key: None}


# Purchase orders.


def test_a_purchase_order_arrives_with_what_was_received_and_lines_that_are_known_by_its_key(partner: Partner) -> None:
    partner.connector().write([write(value(1))])
    lines = (
        line("900.00", 1, id="7", quantity=Decimal("3.00005"), unit_price=Decimal("300"), received=Decimal("1.5"),
             dimensions=(coded(),)),
        line("300.00", 2, id="9", account=None),
    )  # fmt: skip
    assert code_of(partner, order(1, lines=lines, amount=Decimal("1200.00"))) == "arrived"
    [made] = partner.books.purchase_orders.values()
    assert (made["po_number"], made["status"], made["total_amount"]) == ("PO-1", "open", Decimal("1200.00"))
    key = key_of("purchase_order 1")
    assert [one["external_id"] for one in made["lines"]] == [f"{key}:7", f"{key}:9"]
    first = made["lines"][0]
    assert (first["quantity"], first["unit_price"], first["quantity_received"]) == (3, 300, Decimal("1.5"))
    assert first["dimensions"] == [{"dimension_code": "CLASS", "value_external_id": key_of("dimension Class-1")}]


@pytest.mark.parametrize("action", [Action.WITHDRAW, Action.VOID])
def test_a_purchase_order_that_is_no_more_goes_as_cancelled_and_is_found_so(partner: Partner, action: Action) -> None:
    assert code_of(partner, order(1)) == "arrived"
    gone = write(order(1), action, link=Link(id="x"))
    connector = partner.connector()
    assert connector.find([gone]) == {gone.record_key: None}
    connector.write([gone])
    assert [one["status"] for one in partner.books.purchase_orders.values()] == ["cancelled"]
    assert connector.find([gone])[gone.record_key] is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": Decimal("99.00")}, "lines_do_not_sum"),
        ({"currency": "CAD"}, "currency_not_paid"),
        ({"status": "draft"}, "status_unknown"),
        ({"number": ""}, "field_missing"),
        ({"vendor": Ref(Kind.VENDOR, "")}, "reference_missing"),
        ({"vendor": Ref(Kind.VENDOR, "", "k")}, "vendor_not_there"),
        ({"lines": (line(account=Ref(Kind.ACCOUNT, "", "k")),)}, "account_not_there"),
        ({"lines": (line(dimensions=(coded(),)),)}, "dimension_not_there"),
    ],
)
def test_a_purchase_order_that_does_not_fit_is_refused_by_its_code(partner: Partner, change: Any, code: str) -> None:
    assert code_of(partner, order(1, **change)) == code
    assert not partner.books.purchase_orders


# Bills and credits.


def with_orders(partner: Partner) -> Partner:
    partner.connector().write([write(value(1)), write(value(2, "location"))])
    partner.connector().write([write(order(1, "60.00", "40.00")), write(order(2))])
    return partner


def test_a_bill_arrives_with_its_coding_its_quantities_and_the_orders_that_it_is_for(partner: Partner) -> None:
    with_orders(partner)
    both = (coded(1), coded(2, "location"))
    lines = (
        line("60.00", 1, quantity=Decimal(6), unit_price=Decimal("10.00"), dimensions=both, **ordered(1, "1")),
        line("40.00", 2, dimensions=both[:1], **ordered(1, "2")),
        line("8.25", 3, is_tax=True, description="Sales tax"),
    )
    assert code_of(partner, bill(1, lines=lines)) == "arrived"
    made = held(partner, "bill 1")
    order_key = key_of("purchase_order 1")
    assert (made["amount"], made["po_external_id"]) == (Decimal("108.25"), order_key)
    assert [one["po_line_external_id"] for one in made["lines"]] == [f"{order_key}:1", f"{order_key}:2", None]
    assert [one["quantity"] for one in made["lines"]] == [6, None, None]
    assert made["lines"][0]["dimensions"] == [
        {"dimension_code": "CLASS", "value_external_id": key_of("dimension Class-1")},
        {"dimension_code": "LOCATION", "value_external_id": key_of("dimension Location-2")},
    ]


def test_a_bill_over_several_orders_names_each_on_its_lines_only(partner: Partner) -> None:
    with_orders(partner)
    lines = (line("60.00", 1, **ordered(1, "1")), line("100.00", 2, **ordered(2, "1")))
    assert code_of(partner, bill(1, lines=lines)) == "arrived"
    assert held(partner, "bill 1")["po_external_id"] is None
    assert len({one["po_line_external_id"] for one in held(partner, "bill 1")["lines"]}) == 2


def test_a_credit_arrives_below_zero_and_is_read_back_above(partner: Partner) -> None:
    lines = (line("70.00", 1, quantity=Decimal(7), unit_price=Decimal(10)), line("30.00", 2))
    assert code_of(partner, credit(1, lines=lines)) == "arrived"
    made = held(partner, "credit 1")
    assert (made["document_type"], made["amount"]) == ("credit", Decimal("-100.00"))
    assert [one["amount"] for one in made["lines"]] == [Decimal("-70.00"), Decimal("-30.00")]
    assert (made["lines"][0]["quantity"], made["lines"][0]["unit_price"]) == (7, -10)
    read = partner.connector().fetch(Kind.CREDIT, [made["id"]])[made["id"]]
    assert isinstance(read, Credit)
    assert (read.amount, read.balance, read.payment_status) == (Decimal("100.00"), Decimal("100.00"), "open")
    assert [one.amount for one in read.lines] == [Decimal("70.00"), Decimal("30.00")]
    assert partner.connector().fetch(Kind.BILL, [made["id"]]) == {}


def test_a_line_that_takes_something_off_a_credit_is_named_before_anything_is_sent(partner: Partner) -> None:
    outcome = partner.connector().write([write(credit(1, "70.00", "-20.00"))])[0]
    assert isinstance(outcome, RecordRejected)
    assert (outcome.code, "line 2 takes 20.00 off" in outcome.message) == ("credit_line_above_zero", True)
    assert partner.counted("submit_invoices") == 0


def test_a_bill_and_a_credit_of_one_number_do_not_meet_and_a_credit_is_withdrawn(partner: Partner) -> None:
    assert code_of(partner, bill(1)) == code_of(partner, credit(1, number="INV-1")) == "arrived"
    made = held(partner, "credit 1")
    gone = write(credit(1, number="INV-1"), Action.WITHDRAW, link=Link(id=made["id"]))
    assert codes(partner.connector().write([gone])) == ["arrived"]
    assert held(partner, "credit 1")["workflow_status"] == "cancelled"
    assert partner.connector().find([gone])[gone.record_key] is not None


def test_what_a_bill_was_sent_with_is_read_back_by_the_keys_that_it_was_sent_by(partner: Partner) -> None:
    with_orders(partner)
    sent = bill(
        1,
        lines=(
            line("100.00", 1, quantity=Decimal(4), unit_price=Decimal(25), dimensions=(coded(1),), **ordered(1, "2")),
        ),
    )
    assert code_of(partner, sent) == "arrived"
    id = held(partner, "bill 1")["id"]
    partner.act("approve_invoice", external_id=key_of("bill 1"))
    read = partner.connector().fetch(Kind.BILL, [id])[id]
    assert isinstance(read, Bill)
    [one] = read.lines
    assert [(ref.kind, ref.key) for ref in one.dimensions] == [(Kind.DIMENSION, key_of("dimension Class-1"))]
    assert one.account is not None
    assert (one.account.key, one.quantity, one.unit_price) == (key_of("account 1"), Decimal(4), Decimal(25))
    assert (one.order, one.order_line) == (ordered(1)["order"], "2")
    assert (read.status, read.status_at) == ("approved", partner.clock.now())
    partner.connector().write([write(bill(2))])
    partner.act("put_in_workflow", external_id=key_of("bill 2"))
    partner.act("reject_invoice", external_id=key_of("bill 2"), reason="Not ours")
    other = held(partner, "bill 2")["id"]
    refused = partner.connector().fetch(Kind.BILL, [other])[other]
    assert isinstance(refused, Bill)
    assert (refused.status, refused.status_reason, refused.status_at) == ("rejected", "Not ours", partner.clock.now())


def test_a_lost_bill_is_found_only_if_its_coding_is_what_was_sent(partner: Partner) -> None:
    with_orders(partner)
    connector = partner.connector()
    partner.sim.drop_answer(partner.request("submit_invoices"))
    sent = write(bill(1, lines=(line(dimensions=(coded(),), **ordered(2)),)))
    with pytest.raises(OutcomeUnknown):
        connector.write([sent])
    assert connector.find([sent])[sent.record_key] is not None
    other = write(bill(1, lines=(line(**ordered(2)),)), Action.UPDATE)
    assert connector.find([other]) == {other.record_key: None}


@pytest.mark.parametrize(
    ("line_of", "code", "passes"),
    [
        ({"dimensions": (coded(9),)}, "dimension_not_there", True),
        ({"dimensions": (coded(1, "project"),)}, "dimension_not_there", True),
        ({"order": Ref(Kind.PURCHASE_ORDER, "", "none"), "order_line": "1"}, "purchase_order_not_there", True),
        (ordered(3), "purchase_order_closed", False),
        ({"order": Ref(Kind.PURCHASE_ORDER, ""), "order_line": "1"}, "reference_missing", False),
        ({"dimensions": (Ref(Kind.DIMENSION, "Class-1"),)}, "reference_missing", False),
    ],
)
def test_coding_that_they_do_not_take_is_refused_by_its_code_and_what_is_on_its_way_is_tried_again(
    partner: Partner, line_of: Any, code: str, passes: bool
) -> None:
    with_orders(partner).connector().write([write(order(3, status="closed"))])
    outcome = partner.connector().write([write(bill(1, lines=(line(**line_of),)))])[0]
    assert codes([outcome]) == [code]
    assert isinstance(outcome, TransientError if passes else RecordRejected)
    assert not partner.books.invoices


def test_a_line_without_a_dimension_that_is_required_is_refused_and_with_it_taken(partner: Partner) -> None:
    partner.connector().write([write(value(1), context={"required": "1"})])
    assert code_of(partner, bill(1)) == "dimension_required"
    assert code_of(partner, bill(1, lines=(line(dimensions=(coded(),)),))) == "arrived"


def test_dimensions_are_never_left_out_where_the_contract_has_no_name_for_them() -> None:
    partner = Partner(changed({"fields": {"invoice_line": {"dimensions": None}}})).with_reference_data()
    assert code_of(partner, bill(1, lines=(line(dimensions=(coded(),)),))) == "not_offered"
    assert not partner.books.invoices


@pytest.mark.parametrize(
    ("lacking", "record"),
    [
        ({"operations": {"upsert_dimensions": None}}, value(1)),
        ({"operations": {"upsert_dimension_values": None}}, value(1)),
        ({"capabilities": {"purchaseOrders": False}}, order(1)),
        ({"operations": {"submit_invoices": None}}, credit(1)),
        ({"operations": {"upsert_vendors": None}}, vendor(2)),
    ],
)
def test_what_the_contract_lacks_is_off_and_says_so(lacking: Any, record: Any) -> None:
    partner = Partner(changed(lacking))
    assert code_of(partner, record) == "not_offered"
    said = [finding for finding in partner.connector().check() if finding.text.startswith("We do not send")]
    assert len(said) == 1
    assert said[0].remedy


# Vendors and accounts, as before, and what is new about them.


def test_a_vendor_that_a_person_says_is_one_of_theirs_is_linked_and_found(partner: Partner) -> None:
    theirs = partner.act("add_vendor", name="Vendor 7")
    assert code_of(partner, vendor(7)) == "vendor_possible_duplicate"
    linked = write(vendor(7), context={"link_to": theirs})
    outcome = partner.connector().write([linked])[0]
    assert isinstance(outcome, Receipt)
    assert outcome.id == theirs
    assert partner.connector().find([linked])[linked.record_key] is not None


@pytest.mark.parametrize("record", [vendor(), account()])
def test_what_is_deleted_in_the_erp_is_put_out_of_use_and_no_invoice_is_touched(partner: Partner, record: Any) -> None:
    gone = write(record, Action.WITHDRAW, link=Link(id="inv_00000001"))
    partner.connector().write([write(bill(1))])
    assert codes(partner.connector().write([gone])) == ["arrived"]
    rows = [*partner.books.vendors.values(), *partner.books.gl_accounts.values()]
    assert sorted(row["is_active"] for row in rows) == [False, True]
    assert held(partner, "bill 1")["workflow_status"] == "received"
    assert partner.connector().find([gone])[gone.record_key] is not None
