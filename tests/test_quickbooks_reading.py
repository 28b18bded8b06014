"""Reading every kind out of the simulated QuickBooks: several entities for a kind, few calls, features that are off."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Page
from connectors.errors import ConnectorError, UnexpectedResponse
from connectors.quickbooks.connector import QuickBooksConnector
from connectors.quickbooks.mapping import SOURCES
from connectors.records import (
    AnyRecord,
    Bill,
    Company,
    Credit,
    Dimension,
    Item,
    Kind,
    LedgerEntry,
    Posting,
    PurchaseOrder,
    Ref,
)
from connectors.simulators import Response
from tests.quickbooks_office import REALM, Office

PAYABLES, EXPENSES = "33", "7"
OPTIONAL = {"Department", "Class", "PurchaseOrder", "CompanyCurrency"}


@pytest.fixture
def office() -> Office:
    return Office()


def enter(office: Office, entity: str, **body: Any) -> str:
    return str(office.simulator.person("create", realm_id=REALM, entity=entity, body=body)["Id"])


def pages(office: Office, kind: Kind) -> list[Page]:
    found = [office.connector.read(kind, None)]
    while found[-1].more:
        found.append(office.connector.read(kind, found[-1].cursor))
    return found


def records(office: Office, kind: Kind) -> dict[str, AnyRecord]:
    return {record.id: record for page in pages(office, kind) for _, record in page.records}


def everything(office: Office) -> dict[Kind, list[Page]]:
    return {kind: pages(office, kind) for kind in QuickBooksConnector.reads}


def metered(office: Office) -> int:
    return int(office.company.core_plus_calls)


def changed(office: Office) -> Page:
    return office.connector.changes(office.connector.start_of_changes(office.clock.now()))


def item_line(item: str, quantity: str, price: str, **detail: Any) -> dict[str, Any]:
    amount = str(Decimal(quantity) * Decimal(price))
    told = {"ItemRef": {"value": item}, "Qty": quantity, "UnitPrice": price, **detail}
    return {"Amount": amount, "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": told}


def refusing(office: Office, *entities: str, code: str = "5030", words: str = "Feature Not Supported Error") -> None:
    """The company has switched these off, and QuickBooks refuses every question about them."""
    fault = {"Fault": {"Error": [{"code": code, "Message": words}], "type": "ValidationFault"}}

    def refuse(request: Any, proceed: Any) -> Response:
        asked = request.argument("query") or request.argument("entities")
        named = asked.replace(",", " ").split()
        return Response.json(fault, 400) if set(entities) & set(named) else proceed()

    for path in ("GET /query", "GET /cdc"):
        office.simulator.fault(path, refuse, times=10_000)


# What the records say


def test_departments_and_classes_are_told_apart_by_their_ids(office: Office) -> None:
    department = enter(office, "Department", Name="Berlin")
    klass = enter(office, "Class", Name="Wholesale")
    child = enter(office, "Class", Name="Export", ParentRef={"value": klass})
    found = records(office, Kind.DIMENSION)
    assert set(found) == {f"Department-{department}", f"Class-{klass}", f"Class-{child}"}
    berlin, export = found[f"Department-{department}"], found[f"Class-{child}"]
    assert isinstance(berlin, Dimension)
    assert isinstance(export, Dimension)
    assert (berlin.dimension, berlin.name, berlin.active) == ("department", "Berlin", True)
    assert (export.dimension, export.name, export.parent) == (
        "class",
        "Wholesale:Export",
        Ref(Kind.DIMENSION, f"Class-{klass}"),
    )


@pytest.mark.parametrize("entity", [source.entity for source in SOURCES if source.listed and source.entity != "Term"])
def test_what_is_inactive_in_a_list_is_read_and_fetched_under_its_old_name(office: Office, entity: str) -> None:
    source = next(source for source in SOURCES if source.entity == entity)
    office.simulator.person("switch_feature", realm_id=REALM, feature="multicurrency", on=True)
    bodies: dict[str, dict[str, Any]] = {
        "Vendor": {"DisplayName": "Old"},
        "Account": {"Name": "Old", "AccountType": "Expense"},
        "Item": {"Name": "Old", "Type": "Service", "ExpenseAccountRef": {"value": EXPENSES}},
        "CompanyCurrency": {"Code": "EUR", "Name": "Old"},
    }
    id = enter(office, entity, **bodies.get(entity, {"Name": "Old"}))
    office.simulator.person("deactivate", realm_id=REALM, entity=entity, identity=id)
    ours = source.record_id(id)
    read, fetched = records(office, source.kind)[ours], office.connector.fetch(source.kind, [ours])[ours]
    assert read == fetched
    assert getattr(read, "active", True) is False
    assert getattr(read, "name", "") == "Old"


def test_stock_is_booked_on_the_asset_account_and_services_on_the_expense(office: Office) -> None:
    chart = {name: enter(office, "Account", Name=name, AccountType=kind) for name, kind in CHART.items()}
    accounts = {f"{name}AccountRef": {"value": id} for name, id in chart.items()}
    stock = enter(office, "Item", Name="Toner", Type="Inventory", TrackQtyOnHand=True, QtyOnHand=0,
                  InvStartDate="2026-01-01", **accounts)  # fmt: skip
    service = enter(office, "Item", Name="Cleaning", Type="Service", ExpenseAccountRef={"value": chart["Expense"]})
    found = records(office, Kind.ITEM)
    booked = {id: record.account for id, record in found.items() if isinstance(record, Item)}
    assert booked == {
        stock: Ref(Kind.ACCOUNT, chart["Asset"]),
        service: Ref(Kind.ACCOUNT, chart["Expense"]),
    }


CHART = {"Asset": "Other Current Asset", "Expense": "Cost of Goods Sold", "Income": "Income"}


def test_an_order_shows_what_has_come_and_its_bill_names_its_lines(office: Office) -> None:
    item = enter(office, "Item", Name="Toner", Type="NonInventory", ExpenseAccountRef={"value": EXPENSES})
    klass, department = enter(office, "Class", Name="Ops"), enter(office, "Department", Name="Berlin")
    lines = [item_line(item, "4", "2.50", ClassRef={"value": klass})]
    order = office.simulator.person("order", realm_id=REALM, vendor_id=office.vendor, lines=lines)
    office.simulator.person(
        "bill_order",
        realm_id=REALM,
        order_id=order["Id"],
        quantities={order["Line"][0]["Id"]: "3"},
        DocNumber="PO-B",
        DepartmentRef={"value": department},
    )
    ordered = records(office, Kind.PURCHASE_ORDER)[order["Id"]]
    assert isinstance(ordered, PurchaseOrder)
    [line] = ordered.lines
    assert (ordered.status, ordered.amount, ordered.vendor) == (
        "open",
        Decimal("10.00"),
        Ref(Kind.VENDOR, office.vendor),
    )
    assert (line.id, line.item, line.quantity, line.unit_price, line.received) == (
        order["Line"][0]["Id"],
        Ref(Kind.ITEM, item),
        Decimal(4),
        Decimal("2.5"),
        Decimal(3),
    )
    [bill] = [bill for bill in records(office, Kind.BILL).values() if isinstance(bill, Bill) and bill.number == "PO-B"]
    [billed] = bill.lines
    assert (billed.order, billed.order_line) == (Ref(Kind.PURCHASE_ORDER, order["Id"]), line.id)
    assert (billed.item, billed.quantity, billed.amount) == (Ref(Kind.ITEM, item), Decimal(3), Decimal("7.50"))
    assert billed.dimensions == (Ref(Kind.DIMENSION, f"Class-{klass}"), Ref(Kind.DIMENSION, f"Department-{department}"))


def test_a_credit_is_positive_and_names_the_payment_that_used_it(office: Office) -> None:
    line = {
        "Amount": "20.00",
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": EXPENSES}},
    }
    credit = enter(office, "VendorCredit", VendorRef={"value": office.vendor}, DocNumber="CN-1", Line=[line])
    paid = office.simulator.person("pay_bill", realm_id=REALM, bill_id=office.bills[0], credits={credit: "15.00"})
    found = office.connector.fetch(Kind.CREDIT, [credit])[credit]
    assert isinstance(found, Credit)
    assert (found.number, found.amount, found.balance) == ("CN-1", Decimal("20.00"), Decimal("5.00"))
    assert found.settlements == (paid["Id"],)


def test_whatever_else_moves_payables_is_a_ledger_entry_with_its_sign(office: Office) -> None:
    journal = office.simulator.person(
        "enter_journal",
        realm_id=REALM,
        vendor_id=office.vendor,
        lines=[("Credit", PAYABLES, "40.50"), ("Debit", EXPENSES, "40.50")],
    )["Id"]
    check = office.simulator.person(
        "write_check", realm_id=REALM, vendor_id=office.vendor, lines=[(PAYABLES, "25.00")], DocNumber="1043"
    )["Id"]
    deposit = office.simulator.person(
        "deposit", realm_id=REALM, vendor_id=office.other, account_id=PAYABLES, amount="12.00"
    )["Id"]
    found = records(office, Kind.LEDGER_ENTRY)
    assert set(found) == {f"JournalEntry-{journal}", f"Purchase-{check}", f"Deposit-{deposit}"}
    on_payables = {
        id: [(part.amount, part.party) for part in entry.postings if part.account == Ref(Kind.ACCOUNT, PAYABLES)]
        for id, entry in found.items()
        if isinstance(entry, LedgerEntry)
    }
    vendor, other = Ref(Kind.VENDOR, office.vendor), Ref(Kind.VENDOR, office.other)
    assert on_payables == {
        f"JournalEntry-{journal}": [(Decimal("40.50"), vendor)],
        f"Purchase-{check}": [(Decimal("-25.00"), vendor)],
        f"Deposit-{deposit}": [(Decimal("12.00"), other)],
    }
    assert all(isinstance(part, Posting) for part in getattr(found[f"Deposit-{deposit}"], "postings", ()))


def test_the_company_says_how_it_keeps_its_books(office: Office) -> None:
    office.simulator.person("close_books", realm_id=REALM, through="2026-06-30")
    [company] = records(office, Kind.COMPANY).values()
    assert isinstance(company, Company)
    assert (company.home_currency, company.closed_through) == ("USD", date(2026, 6, 30))
    assert {"classes", "departments", "purchase orders"} <= set(company.features)
    assert office.connector.fetch(Kind.COMPANY, [company.id]) == {company.id: company}


# Several entities in a kind


def test_ids_are_split_among_the_entities_of_their_kind(office: Office) -> None:
    department, klass = enter(office, "Department", Name="Berlin"), enter(office, "Class", Name="Ops")
    wanted = {f"Department-{department}", f"Class-{klass}"}
    assert set(office.connector.fetch(Kind.DIMENSION, [*wanted, "Class-999", "Planet-1"])) == wanted
    before = metered(office)
    assert set(office.connector.fetch(Kind.DIMENSION, [f"Class-{klass}"])) == {f"Class-{klass}"}
    assert metered(office) - before == 1


def test_a_kind_is_complete_only_after_its_last_entity(office: Office) -> None:
    found = pages(office, Kind.LEDGER_ENTRY)
    assert [page.complete for page in found] == [frozenset(), frozenset(), frozenset({Kind.LEDGER_ENTRY})]


def test_a_gap_in_one_entity_leaves_its_whole_kind_incomplete(office: Office) -> None:
    bad = {"Fault": {"Error": [{"code": "4002", "Message": "Error processing query", "Detail": "e-mail"}]}}
    enter(office, "Class", Name="Ops")

    def refuse(request: Any, proceed: Any) -> Response:
        return Response.json(bad, 400) if "startposition 1 " in request.argument("query") else proceed()

    office.simulator.fault("GET /query", refuse, times=4)  # the pages of 1000, 100, 10 and 1
    found = pages(office, Kind.DIMENSION)
    assert [record.id[:5] for page in found for _, record in page.records] == ["Class"]
    assert [row.why.split(":")[0] for page in found for row in page.unreadable] == ["Row 1 of Department"]
    assert found[-1].complete == frozenset()


def test_what_is_deleted_carries_the_id_that_we_know_it_by(office: Office) -> None:
    journal = office.simulator.person(
        "enter_journal", realm_id=REALM, lines=[("Credit", "35", "5.00"), ("Debit", EXPENSES, "5.00")]
    )["Id"]
    office.simulator.person("delete", realm_id=REALM, entity="JournalEntry", identity=journal)
    assert [(one.kind, one.id) for one in changed(office).gone] == [(Kind.LEDGER_ENTRY, f"JournalEntry-{journal}")]


# Calls


def test_a_poll_of_an_unchanged_company_is_one_metered_read(office: Office) -> None:
    office.clock.advance(timedelta(minutes=20))
    cursor = office.connector.start_of_changes(office.clock.now())
    before, asked = metered(office), len(office.simulator.requests)
    page = office.connector.changes(cursor)
    assert (list(page.records), list(page.gone), page.truncated) == ([], [], False)
    assert (metered(office) - before, len(office.simulator.requests) - asked) == (1, 1)


def test_changes_of_all_kinds_come_in_one_call(office: Office) -> None:
    office.simulator.person("attach", realm_id=REALM, entity="Bill", identity=office.bills[0], file_name="a.pdf",
                            content="JVBERg==")  # fmt: skip
    enter(office, "Class", Name="Ops")
    office.simulator.person("close_books", realm_id=REALM, through="2026-06-30")
    before = metered(office)
    kinds = {kind for kind, _ in changed(office).records}
    assert kinds >= {Kind.BILL, Kind.IMAGE, Kind.DIMENSION, Kind.COMPANY, Kind.VENDOR}
    assert metered(office) - before == 1


def test_a_small_company_is_read_in_full_with_one_call_for_each_entity(office: Office) -> None:
    before = metered(office)
    found = everything(office)
    assert metered(office) - before == len(SOURCES)
    assert all(kind in pages[-1].complete for kind, pages in found.items())


def test_a_large_company_is_read_in_full_with_hardly_more_calls_than_the_fewest(office: Office) -> None:
    office.simulator.seed_many(REALM, vendors=1500, bills=21_500, lines_per_bill=1)
    before = metered(office)
    everything(office)
    rows = {source.entity: len(office.company.tables[source.entity].rows) for source in SOURCES if not source.single}
    fewest = 1 + sum(max(1, -(-count // 1000)) for count in rows.values())
    assert fewest <= metered(office) - before <= fewest * 1.05


def test_an_idle_company_whose_webhooks_work_stays_within_450_reads_in_the_longest_month(office: Office) -> None:
    costs = dict.fromkeys(QuickBooksConnector.reads, 0)
    for kind in costs:
        before = metered(office)
        pages(office, kind)
        costs[kind] = metered(office) - before
    days = QuickBooksConnector.compare_days
    comparisons = sum(cost * -(-31 // days.get(kind, 1)) for kind, cost in costs.items())
    polls = 31  # once a day: webhooks tell of the rest
    assert comparisons + polls <= 450


# What a company does not have


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5030", "Feature Not Supported Error"),
        ("6000", "A business validation error has occurred: turn it on first"),
        ("4001", "QueryValidationError: entity is not supported"),
    ],
)
def test_a_feature_that_is_off_is_read_as_empty_and_stops_nothing(office: Office, code: str, words: str) -> None:
    refusing(office, *OPTIONAL, code=code, words=words)
    for kind in (Kind.DIMENSION, Kind.PURCHASE_ORDER, Kind.CURRENCY):
        found = pages(office, kind)
        assert [page.records for page in found] == [[]] * len(found)
        assert found[-1].complete == {kind}
    assert office.connector.fetch(Kind.PURCHASE_ORDER, ["1"]) == {}
    assert {kind for kind, _ in changed(office).records} >= {Kind.BILL, Kind.VENDOR}
    text = "\n".join(finding.text for finding in office.connector.check())
    for plural in ("locations", "classes", "purchase orders", "currencies"):
        assert f"This company does not use {plural}" in text


def test_a_question_that_is_wrong_is_not_taken_for_a_feature_that_is_off(office: Office) -> None:
    refusing(office, "Class", code="4001", words="QueryValidationError: Property Colour not found for Entity Class")
    with pytest.raises(UnexpectedResponse):
        pages(office, Kind.DIMENSION)


def test_what_every_company_has_is_never_off(office: Office) -> None:
    refusing(office, "Bill")
    with pytest.raises(ConnectorError):
        pages(office, Kind.BILL)
    with pytest.raises(ConnectorError):
        changed(office)
