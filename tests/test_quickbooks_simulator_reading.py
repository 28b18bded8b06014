"""Reading a simulated company: the query language, paging, change data capture."""

from decimal import Decimal
from time import process_time
from typing import Any

import pytest

from connectors.quickbooks.simulator_switches import Switches
from tests.quickbooks_company import REALM, Caller, code_of, open_books, parsed


def ids(found: dict[str, Any], entity: str = "Bill") -> list[str]:
    return [row["Id"] for row in found.get(entity, [])]


def three_bills(switches: Switches | None = None) -> Caller:
    caller = open_books(switches)
    first, second = caller.vendor("Bob's Shop"), caller.vendor("Acme 100%", PrimaryPhone={"FreeFormNumber": "1"})
    caller.bill(first, "10.00", DocNumber="A-1", TxnDate="2026-10-01", DueDate="2026-10-20")
    caller.bill(second, "20.50", DocNumber="A-2", TxnDate="2026-10-02")
    caller.wait(hours=1)
    caller.bill(second, "30.00", DocNumber="B-1", TxnDate="2026-10-03")
    return caller


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ["3", "2", "1"]),
        ("ORDERBY Id", ["1", "2", "3"]),
        ("ORDER BY TotalAmt DESC STARTPOSITION 2 MAXRESULTS 1", ["2"]),
        ("WHERE TotalAmt > '10.5' orderby txndate", ["2", "3"]),
        ("WHERE DocNumber LIKE 'a-%' ORDERBY Id", ["1", "2"]),
        ("WHERE DocNumber LIKE '%1' ORDERBY Id", ["1", "3"]),
        ("WHERE DocNumber IN ('A-2', 'B-1') AND VendorRef = '2' ORDERBY Id", ["2", "3"]),
        ("WHERE TxnDate >= '2026-10-02' AND TxnDate < '2026-10-03'", ["2"]),
        ("WHERE DueDate < CURRENT_DATE ORDERBY VendorRef, DocNumber DESC", ["1", "3", "2"]),
        ("WHERE MetaData.LastUpdatedTime >= '2026-11-02T18:30:00Z'", ["3"]),
        ("WHERE MetaData.LastUpdatedTime >= '2026-11-02T10:30:00'", ["3"]),
        ("WHERE MetaData.CreateTime < '2026-11-02T10:30:00-08:00' ORDERBY Id", ["1", "2"]),
        ("WHERE MetaData.LastUpdatedTime > '2026-11-03'", []),
        ("WHERE Id IN ('1','3') ORDERBY Id", ["1", "3"]),
        ("WHERE SalesTermRef = ' ' ORDERBY Id STARTPOSITION 3", ["3"]),
    ],
)
def test_a_statement_finds(where: str, expected: list[str]) -> None:
    assert ids(three_bills().query(f"select * from bill {where}")) == expected


@pytest.mark.parametrize(
    ("statement", "code", "part"),
    [
        ("select * from Vendor where DisplayName = 'Bob''s Shop'", "4000", 'Encountered " <STRING> "\'s Shop\' ""'),
        (
            "select * from Bill where TxnDate TxnDate",
            "4000",
            'Encountered " <IDENTIFIER> "TxnDate "" at line 1, column 34',
        ),
        ("select * from Bill where TotalAmt != '1'", "4000", '<UNKNOWN> "! ""'),
        ("select * from Bill where Id = '1' or Id = '2'", "4000", '"or ""'),
        ("select * from Bill where", "4000", "Encountered <EOF>"),
        ("selekt * from Bill", "4000", "column 1"),
        ("select * from Nothing", "4001", "Nothing"),
        ("select * from Bill where NoSuchField = '1'", "4001", "Property NoSuchField not found for Entity Bill"),
        ("select * from Bill where PrivateNote = 'x'", "4001", "PrivateNote"),
        ("select * from Bill where Id > '1'", "4001", "Id"),
        ("select * from Bill where TotalAmt > 'many'", "4001", "many"),
        ("select * from Bill STARTPOSITION 0", "4001", "value 0 is too small. Min allowed value is 1"),
        ("select * from Bill MAXRESULTS 1001", "4001", "value 1001 is too large. Max allowed value is 1000"),
    ],
)
def test_a_statement_is_refused(statement: str, code: str, part: str) -> None:
    error = open_books().query(statement)["Error"][0]
    assert (error["code"], part in error["Detail"]) == (code, True), error["Detail"]


def test_quotes_are_escaped_by_a_backslash() -> None:
    found = three_bills().query(r"select * from Vendor where DisplayName = 'bob\'s shop'")
    assert ids(found, "Vendor") == ["1"]


def test_envelopes_of_some_none_counted_and_projected() -> None:
    caller = three_bills()
    some = caller.query("select * from Bill ORDERBY Id MAXRESULTS 2")
    assert (some["startPosition"], some["maxResults"], "totalCount" in some) == (1, 2, False)
    assert caller.query("select * from Bill where DocNumber = 'none'") == {}
    assert caller.query("select count(*) from Bill MAXRESULTS 1") == {"totalCount": 3}
    assert caller.query("select Id, TotalAmt from Bill where Id = '2'")["Bill"] == [
        {"Id": "2", "TotalAmt": Decimal("20.50"), "sparse": True}
    ]
    assert caller.query("select * from CompanyInfo")["CompanyInfo"][0]["CompanyName"] == "Sandbox Company"
    preferences = caller.query("select * from Preferences")
    assert (preferences["maxResults"], "startPosition" in preferences) == (1, False)
    assert caller.get(f"companyinfo/{REALM}")["CompanyInfo"]["Id"] == "1"


def test_a_statement_may_be_posted_and_a_missing_one_is_a_system_fault_under_status_200() -> None:
    caller = three_bills()
    posted = caller.send("POST", "query", content="select * from Term", headers={"Content-Type": "application/text"})
    assert len(posted.json()["QueryResponse"]["Term"]) == 4
    missing = caller.send("GET", "query")
    assert (missing.status_code, code_of(missing.json())) == (200, "10000")


def test_inactive_objects_are_shown_only_to_who_asks() -> None:
    caller = three_bills()
    caller.simulator.person("deactivate", realm_id=REALM, entity="Vendor", identity="2")
    assert ids(caller.query("select * from Vendor"), "Vendor") == ["1"]
    assert ids(caller.query("select * from Vendor where Active IN (true, false)"), "Vendor") == ["1", "2"]
    assert caller.query("select count(*) from Vendor where Active = false") == {"totalCount": 1}


def test_a_result_is_found_anew_after_each_change() -> None:
    caller = three_bills()
    open_bills = "select * from Bill where Balance > '0' ORDERBY Id"
    assert ids(caller.query(open_bills)) == ["1", "2", "3"]
    caller.simulator.person("pay_bill", realm_id=REALM, bill_id="2")
    assert ids(caller.query(open_bills)) == ["1", "3"]


def test_the_order_without_an_order_is_a_switch() -> None:
    assert ids(three_bills(Switches(newest_first=False)).query("select * from Bill")) == ["1", "2", "3"]


def changed(caller: Caller, since: str, entities: str = "Bill,Vendor,BillPayment") -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = caller.get("cdc", entities=entities, changedSince=since)["CDCResponse"][0][
        "QueryResponse"
    ]
    return groups


def test_changes_are_grouped_with_tombstones_last_and_an_empty_group_for_nothing() -> None:
    caller = three_bills()
    caller.wait(days=1)
    caller.simulator.person("delete_bill", realm_id=REALM, bill_id="1")
    caller.simulator.person("edit_bill", realm_id=REALM, bill_id="3", changes={"PrivateNote": "changed"})
    nothing, bills, payments = changed(caller, "2026-11-03T00:00:00-08:00")
    assert (nothing, payments) == ({}, {})
    assert bills["Bill"][0]["PrivateNote"] == "changed"
    assert bills["Bill"][1] == {
        "domain": "QBO",
        "status": "Deleted",
        "Id": "1",
        "MetaData": {"LastUpdatedTime": "2026-11-03T11:00:00-08:00"},
    }
    caller.simulator.person("deactivate", realm_id=REALM, entity="Vendor", identity="1")
    assert changed(caller, "2026-11-03T00:00:00-08:00")[0]["Vendor"][0]["Active"] is False


def test_a_payment_shows_its_bill_as_changed_and_not_its_vendor() -> None:
    caller = three_bills()
    caller.wait(days=1)
    caller.simulator.person("pay_bill", realm_id=REALM, bill_id="2")
    vendors, bills, payments = changed(caller, "2026-11-03T00:00:00-08:00")
    assert (vendors, ids(bills), ids(payments, "BillPayment")) == ({}, ["2"], ["4"])


def test_a_look_back_of_31_days_is_refused_and_of_the_future_is_empty() -> None:
    caller = three_bills()
    refused = caller.get("cdc", entities="Bill", changedSince="2026-10-02T00:00:00-07:00")
    assert code_of(refused) == "500"
    assert "older than fixed days" in refused["Fault"]["Error"][0]["Detail"]
    assert changed(caller, "2027-01-01", "Bill") == [{}]
    assert code_of(caller.get("cdc", entities="Nothing", changedSince="2026-11-02")) == "2000"


def test_changes_are_cut_at_a_thousand_without_a_word() -> None:
    caller = open_books()
    caller.simulator.seed_many(REALM, vendors=600, bills=700)
    vendors, bills = changed(caller, "2026-11-01", "Bill,Vendor")
    assert (len(vendors["Vendor"]), len(bills["Bill"])) == (600, 400)


def test_paging_through_many_bills_takes_time_in_proportion() -> None:
    caller = open_books()
    caller.simulator.seed_many(REALM, vendors=50, bills=20_000)
    company = caller.simulator.company(REALM)
    assert sum(vendor["Balance"] for vendor in company.vendors.values()) == -company.accounts["33"]["CurrentBalance"]
    caller.send("GET", "query", params={"query": "select count(*) from Bill where Balance > '0' ORDERBY Id"})
    started = process_time()
    for start in range(1, 20_001, 1000):
        page = f"select * from Bill where Balance > '0' ORDERBY Id STARTPOSITION {start} MAXRESULTS 1000"
        answer = caller.send("GET", "query", params={"query": page})
    assert process_time() - started < 5
    assert parsed(answer)["QueryResponse"]["Bill"][-1]["Id"] == "20000"
