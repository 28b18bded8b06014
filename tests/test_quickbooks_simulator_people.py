"""What people do in the simulated company, and what it has besides its books: taxes, reports, subscriptions, usage."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.quickbooks.simulator_faults import Refusal
from connectors.quickbooks.simulator_switches import Switches
from tests.quickbooks_company import CREDENTIALS, REALM, Caller, bill_body, code_of, line, open_books
from tests.test_quickbooks_simulator_webhooks import URL, VERIFIER, Receiver


def two_vendors(switches: Switches | None = None) -> Caller:
    """Acme with a bill of 10.00; Acme Ltd with a bill of 5.00, a part payment, a credit, an order, an image."""
    caller = open_books(switches)
    caller.bill(caller.vendor("Acme"), "10.00")
    loser = caller.vendor("Acme Ltd")
    bill = caller.bill(loser, "5.00")
    caller.pay("2.00", (bill, "2.00"))
    caller.post("vendorcredit", bill_body(loser, "1.00"))
    caller.post("purchaseorder", bill_body(loser, "7.00"))
    caller.simulator.person(
        "enter_journal", realm_id=REALM, lines=[("Debit", "7", "4.00"), ("Credit", "33", "4.00")], vendor_id="2"
    )
    place = [{"EntityRef": {"type": "Vendor", "value": "2"}}]
    caller.post("attachable", {"Note": "W-9", "AttachableRef": place})
    return caller


def merge(caller: Caller) -> None:
    caller.simulator.person("merge_vendors", realm_id=REALM, survivor_id="1", loser_id="2")


def test_a_merged_vendor_leaves_everything_to_the_survivor() -> None:
    caller = two_vendors()
    before = caller.get("bill/2")["Bill"]["SyncToken"]
    merge(caller)
    company = caller.simulator.company(REALM)
    assert company.vendors["1"]["Balance"] == Decimal("16.00")
    assert (company.vendors["2"]["DisplayName"], company.vendors["2"]["Active"], company.vendors["2"]["Balance"]) == (
        "Acme Ltd (deleted)",
        False,
        0,
    )
    for entity in ("Bill", "BillPayment", "VendorCredit", "PurchaseOrder"):
        assert {row["VendorRef"]["value"] for row in company.tables[entity].rows.values()} == {"1"}, entity
    (entry,) = company.tables["JournalEntry"].rows.values()
    assert entry["Line"][1]["JournalEntryLineDetail"]["Entity"]["EntityRef"]["value"] == "1"
    (note,) = company.tables["Attachable"].rows.values()
    assert note["AttachableRef"][0]["EntityRef"]["value"] == "1"
    moved = caller.get("bill/2")["Bill"]
    assert (moved["VendorRef"], int(moved["SyncToken"])) == ({"value": "1", "name": "Acme"}, int(before) + 1)


def test_a_merge_can_leave_versions_alone_and_take_the_loser_away() -> None:
    caller = two_vendors(Switches(merged_vendor_disappears=True, merge_touches_transactions=False))
    before = caller.get("bill/2")["Bill"]["SyncToken"]
    caller.wait(hours=1)
    merge(caller)
    moved = caller.get("bill/2")["Bill"]
    assert (moved["VendorRef"]["value"], moved["SyncToken"]) == ("1", before)
    assert code_of(caller.get("vendor/2")) == "610"
    groups = caller.get("cdc", entities="Bill,Vendor", changedSince="2026-11-02T10:30:00-08:00")["CDCResponse"][0]
    vendors, bills = groups["QueryResponse"]
    assert ([(row["Id"], row.get("status")) for row in vendors["Vendor"]], bills) == (
        [("1", None), ("2", "Deleted")],
        {},
    )


MERGED: dict[str, dict[str, Any]] = {
    "Account": {"AccountType": "Expense"},
    "Item": {"ExpenseAccountRef": {"value": "7"}},
    "Class": {},
    "Department": {},
}


@pytest.mark.parametrize("entity", list(MERGED))
def test_others_of_a_list_are_merged_too_and_lines_and_children_follow(entity: str) -> None:
    caller, receiver = two_vendors(), Receiver()
    for feature in ("classes", "departments"):
        caller.simulator.person("switch_feature", realm_id=REALM, feature=feature, on=True)
    caller.simulator.person("register_webhook", client_id=CREDENTIALS[0], url=URL, verifier=VERIFIER)

    def enter(name: str, **more: Any) -> str:
        body = {"Name": name, **MERGED[entity], **more}
        return str(caller.simulator.person("create", realm_id=REALM, entity=entity, body=body)["Id"])

    survivor, loser = enter("Freight"), enter("Freight in")
    child = enter("Sea", ParentRef={"value": loser}) if entity != "Item" else None
    on_line = {"Account": {"AccountRef": {"value": loser}}, "Class": {"ClassRef": {"value": loser}}}
    detail = {"AccountRef": {"value": "7"}, **on_line.get(entity, {})}
    part: dict[str, Any] = {**line("3.00"), "AccountBasedExpenseLineDetail": detail}
    if entity == "Item":
        part = {"Amount": "3.00", "DetailType": "ItemBasedExpenseLineDetail"}
        part["ItemBasedExpenseLineDetail"] = {"ItemRef": {"value": loser}}
    on_bill = {"DepartmentRef": {"value": loser}} if entity == "Department" else {}
    bill = caller.post("bill", {"VendorRef": {"value": "1"}, "Line": [part], **on_bill})["Bill"]
    caller.simulator.person("merge", realm_id=REALM, entity=entity, survivor_id=survivor, loser_id=loser)
    caller.simulator.deliver(receiver)
    rows = caller.simulator.company(REALM).tables[entity].rows
    assert (rows[loser]["Name"], rows[loser]["Active"]) == ("Freight in (deleted)", False)
    moved = str(caller.get(f"bill/{bill['Id']}")["Bill"])
    assert (f"'value': '{survivor}', 'name': 'Freight'" in moved, "Freight in" in moved) == (True, False)
    if child is not None:
        assert rows[child]["FullyQualifiedName"] == "Freight:Sea"
    told = [event for event in receiver.events if event["type"] == f"qbo.{entity.lower()}.merged.v1"]
    assert [(event["intuitentityid"], event["data"]) for event in told] == [(survivor, {"deletedId": loser})]


def test_merged_accounts_have_one_balance_and_must_be_of_one_type() -> None:
    caller = open_books()

    def enter(name: str, kind: str) -> str:
        return str(
            caller.simulator.person("create_account", realm_id=REALM, name=name, account_type=kind)["Id"]
        )  # fmt: skip

    one, other, expense = enter("Bank one", "Bank"), enter("Bank two", "Bank"), enter("Fees", "Expense")
    vendor = caller.vendor()["Id"]
    for account, amount in ((one, "16.00"), (other, "4.00")):
        caller.simulator.person("deposit", realm_id=REALM, vendor_id=vendor, account_id=account, amount=amount)
    before = {name: caller.simulator.company(REALM).accounts[name]["CurrentBalance"] for name in (one, other)}
    with pytest.raises(Refusal):
        caller.simulator.person("merge", realm_id=REALM, entity="Account", survivor_id=one, loser_id=expense)
    caller.simulator.person("merge", realm_id=REALM, entity="Account", survivor_id=one, loser_id=other)
    after = caller.simulator.company(REALM).accounts
    assert (after[one]["CurrentBalance"], after[other]["CurrentBalance"]) == (sum(before.values()), 0)
    with pytest.raises(Refusal):
        caller.simulator.person("merge", realm_id=REALM, entity="Term", survivor_id="1", loser_id="2")


def test_a_merge_is_told_once_with_who_is_gone() -> None:
    caller, receiver = two_vendors(), Receiver()
    caller.simulator.person("register_webhook", client_id=CREDENTIALS[0], url=URL, verifier=VERIFIER)
    merge(caller)
    caller.simulator.deliver(receiver)
    merged = [event for event in receiver.events if ".vendor." in event["type"]]
    assert [(event["type"], event["intuitentityid"], event["data"]) for event in merged] == [
        ("qbo.vendor.merged.v1", "1", {"deletedId": "2"})
    ]


def test_a_vendor_is_not_merged_with_itself_or_an_inactive_one() -> None:
    caller = two_vendors()
    with pytest.raises(Refusal):
        caller.simulator.person("merge_vendors", realm_id=REALM, survivor_id="1", loser_id="1")
    caller.simulator.person("deactivate", realm_id=REALM, entity="Vendor", identity="2")
    with pytest.raises(Refusal):
        merge(caller)


def canadian() -> Caller:
    caller = open_books(country="CA")
    caller.vendor()
    caller.simulator.person("create_tax", realm_id=REALM, name="GST", percent="5")
    return caller


def taxed(amount: str, how: str | None = "TaxExcluded", code: str = "1", **fields: Any) -> dict[str, Any]:
    part = line(amount)
    part["AccountBasedExpenseLineDetail"]["TaxCodeRef"] = {"value": code}
    body = {"VendorRef": {"value": "1"}, "Line": [part], **fields}
    return {**body, "GlobalTaxCalculation": how} if how else body


@pytest.mark.parametrize(
    ("body", "net", "tax", "total"),
    [
        (taxed("100.00"), "100.00", "5.00", "105.00"),
        (taxed("105.00", "TaxInclusive"), "100.00", "5.00", "105.00"),
        (taxed("100.00", "NotApplicable"), "100.00", None, "100.00"),
    ],
)
def test_tax_is_worked_out_outside_of_the_us(body: dict[str, Any], net: str, tax: str | None, total: str) -> None:
    caller = canadian()
    bill = caller.post("bill", body)["Bill"]
    assert (bill["Line"][0]["Amount"], bill["TotalAmt"], bill["Balance"]) == (Decimal(net), *[Decimal(total)] * 2)
    worked_out = bill.get("TxnTaxDetail", {}).get("TotalTax")
    assert worked_out == (Decimal(tax) if tax else None)
    if tax:
        (row,) = bill["TxnTaxDetail"]["TaxLine"]
        assert (row["TaxLineDetail"]["TaxPercent"], row["TaxLineDetail"]["NetAmountTaxable"]) == (5, Decimal(net))
    again = {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "VendorRef": {"value": "1"}, "PrivateNote": "x"}
    assert caller.post("bill", again)["Bill"]["TotalAmt"] == Decimal(total)
    accounts = caller.simulator.company(REALM).accounts.values()
    kept = {account["AccountSubType"]: account["CurrentBalance"] for account in accounts}
    assert kept["GlobalTaxPayable"] == Decimal(tax or 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (taxed("1.00", None), "2020"),
        (taxed("1.00", code="9"), "6160"),
        (taxed("1.00", "NotApplicable", TxnTaxDetail={"TotalTax": 1}), "6170"),
    ],
)
def test_a_taxed_bill_that_breaks_a_rule_is_refused(body: dict[str, Any], code: str) -> None:
    assert code_of(canadian().post("bill", body)) == code


def test_taxes_are_read_and_not_written() -> None:
    caller = canadian()
    assert [row["Name"] for row in caller.query("select * from TaxCode")["TaxCode"]] == ["GST"]
    assert caller.query("select * from TaxRate")["TaxRate"][0]["RateValue"] == 5
    assert code_of(caller.post("taxcode", {"Name": "VAT"})) == "500"
    assert code_of(caller.get("cdc", entities="TaxCode", changedSince="2026-11-01")) == "2000"


def test_a_report_ages_what_is_open() -> None:
    caller = open_books()
    vendor = caller.vendor()
    for due, amount in (("2026-11-02", "1.00"), ("2026-11-01", "2.00"), ("2026-10-02", "4.00"), ("2026-01-01", "8.00")):
        caller.bill(vendor, amount, DueDate=due)
    caller.simulator.person("deposit", realm_id=REALM, vendor_id=vendor["Id"], account_id="33", amount="16.00")
    report = caller.get("reports/AgedPayables")
    row, total = report["Rows"]["Row"]
    assert [cell["value"] for cell in row["ColData"]] == ["Acme Paper", "17.00", "2.00", "4.00", "", "8.00", "31.00"]
    assert (row["ColData"][0]["id"], total["Summary"]["ColData"][-1]["value"]) == (vendor["Id"], "31.00")
    assert caller.get("reports/VendorBalance")["Rows"]["Row"][0]["ColData"][-1]["value"] == "31.00"
    assert code_of(caller.get("reports/Nothing")) == "500"


def test_a_smaller_subscription_takes_features_away() -> None:
    caller = open_books()
    sku = "QuickBooks Online Simple Start"
    caller.simulator.person("set_subscription", realm_id=REALM, status="PAID", sku=sku)
    told = {pair["Name"]: pair["Value"] for pair in caller.get(f"companyinfo/{REALM}")["CompanyInfo"]["NameValue"]}
    assert (told["OfferingSku"], told["SubscriptionStatus"]) == (sku, "PAID")
    assert code_of(caller.post("class", {"Name": "Ops"})) == "5030"
    caller.simulator.person("set_subscription", realm_id=REALM, status="CANCELLED")
    assert code_of(caller.get("vendor/1")) == "6190"


@pytest.mark.parametrize("refused", [True, False])
def test_whether_what_is_off_can_be_read_is_a_switch(refused: bool) -> None:
    caller = open_books(Switches(reads_need_features=refused))
    caller.simulator.person("switch_feature", realm_id=REALM, feature="purchase_orders", on=False)
    assert ("Error" in caller.query("select * from PurchaseOrder")) is refused


def test_few_preferences_can_be_written() -> None:
    caller = open_books()
    preferences = caller.get("preferences")["Preferences"]
    preferences["AccountingInfoPrefs"] |= {"TrackDepartments": False, "BookCloseDate": "2026-10-31"}
    changed = caller.post("preferences", preferences)["Preferences"]
    assert (changed["AccountingInfoPrefs"]["TrackDepartments"], changed["SyncToken"]) == (False, "1")
    assert "BookCloseDate" not in changed["AccountingInfoPrefs"]
    assert code_of(caller.post("preferences", preferences)) == "5010"


def test_people_read_how_many_reads_a_month_had() -> None:
    caller = open_books()
    caller.query("select * from Vendor")
    caller.vendor()
    caller.get("vendor/99")
    caller.wait(days=30)
    caller.get("cdc", entities="Vendor", changedSince="2026-12-01")
    assert caller.simulator.person("read_usage", realm_id=REALM) == {"2026-11": 1, "2026-12": 1}


def test_a_request_that_is_under_way_is_refused_until_it_is_answered() -> None:
    caller = open_books(Switches(in_flight_seconds=5))
    assert "Vendor" in caller.post("vendor", {"DisplayName": "Acme"}, requestid="r-1")
    assert code_of(caller.post("vendor", {"DisplayName": "Acme"}, requestid="r-1")) == "600"
    caller.clock.sleep(5)
    assert caller.post("vendor", {"DisplayName": "Acme"}, requestid="r-1")["Vendor"]["Id"] == "1"


@pytest.mark.parametrize(
    ("kind", "status", "part"),
    [
        ("throttled", 429, "003001"),
        ("expired", 401, "Token expired"),
        ("forbidden", 403, "003100"),
        ("system_failure", 200, "System Failure Error"),
    ],
)
def test_a_fault_can_be_ordered(kind: str, status: int, part: str) -> None:
    caller = open_books()
    caller.simulator.refuse("GET /query", caller.simulator.refusal(kind))
    answer = caller.send("GET", "query", params={"query": "select * from Vendor"})
    assert (answer.status_code, part in answer.text) == (status, True)


def test_a_slow_answer_takes_its_time() -> None:
    caller = open_books()
    before = caller.clock.now()
    caller.simulator.slow("GET /preferences", 119)
    caller.get("preferences")
    assert (caller.clock.now() - before).total_seconds() == 119


def test_stock_follows_bills_of_inventory_items() -> None:
    caller = open_books()
    income = caller.post("account", {"Name": "Sales", "AccountType": "Income"})["Account"]
    refs = {"IncomeAccountRef": income["Id"], "ExpenseAccountRef": "8", "AssetAccountRef": "20"}
    stock = {"Name": "Printer", "Type": "Inventory", "QtyOnHand": 1, "InvStartDate": "2026-01-01"}
    item = caller.post("item", {**stock, **{name: {"value": value} for name, value in refs.items()}})["Item"]
    detail = {"ItemRef": {"value": item["Id"]}, "Qty": 2, "UnitPrice": 5}
    bought = {"Amount": "10", "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail}
    bill = caller.post("bill", {**bill_body(caller.vendor()), "Line": [bought]})["Bill"]
    assert caller.get(f"item/{item['Id']}")["Item"]["QtyOnHand"] == 3
    caller.post("bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")
    assert caller.get(f"item/{item['Id']}")["Item"]["QtyOnHand"] == 1
