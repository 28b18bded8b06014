"""Purchase orders, items, deposits and checks in the simulated company."""

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.quickbooks.simulator_switches import Switches
from tests.quickbooks_company import REALM, Caller, bill_body, code_of, line, open_books, payment_body


def item_line(item: str, quantity: str, price: str, **fields: Any) -> dict[str, Any]:
    detail = {"ItemRef": {"value": item}, "Qty": quantity, "UnitPrice": price}
    amount = str(Decimal(quantity) * Decimal(price))
    return {
        "Amount": amount,
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": detail,
        **fields,
    }


def linked(order: dict[str, Any], line_id: str, **fields: Any) -> dict[str, Any]:
    return {"LinkedTxn": [{"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": line_id}], **fields}


def toner(caller: Caller) -> str:
    item = caller.post("item", {"Name": "Toner", "Type": "NonInventory", "ExpenseAccountRef": {"value": "8"}})
    return str(item["Item"]["Id"])


def ordered(caller: Caller) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A vendor, an order of ten toners and of paper for 30.00, and the toner's id."""
    vendor, item = caller.vendor(), toner(caller)
    body = {"VendorRef": {"value": vendor["Id"]}, "Line": [item_line(item, "10", "5.00"), line("30.00")]}
    return vendor, caller.post("purchaseorder", body)["PurchaseOrder"], item


def order_now(caller: Caller, order: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = caller.get(f"purchaseorder/{order['Id']}")["PurchaseOrder"]
    return read


def test_an_order_is_numbered_open_and_posts_nothing() -> None:
    caller = open_books()
    _, order, _ = ordered(caller)
    assert (order["POStatus"], order["TotalAmt"], order["DocNumber"], order["EmailStatus"]) == (
        "Open",
        80,
        "1001",
        "NotSet",
    )
    assert [part["Received"] for part in order["Line"]] == [0, 0]
    assert order["APAccountRef"]["value"] == "33"
    assert caller.simulator.company(REALM).accounts["33"]["CurrentBalance"] == 0
    assert caller.simulator.company(REALM).vendors[order["VendorRef"]["value"]]["Balance"] == 0


def test_bills_fill_an_order_until_it_closes_and_a_deleted_bill_opens_it_again() -> None:
    caller = open_books()
    vendor, order, item = ordered(caller)
    first = bill_body(vendor)
    first["Line"] = [item_line(item, "4", "5.00", **linked(order, "1"))]
    part = caller.post("bill", first)["Bill"]
    assert part["LinkedTxn"] == [{"TxnId": order["Id"], "TxnType": "PurchaseOrder"}]
    assert part["Line"][0]["LinkedTxn"] == [{"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": "1"}]
    read = order_now(caller, order)
    assert (read["POStatus"], [one["Received"] for one in read["Line"]], read["SyncToken"]) == ("Open", [4, 0], "1")
    rest = caller.simulator.person("bill_order", realm_id=REALM, order_id=order["Id"])
    read = order_now(caller, order)
    assert rest["TotalAmt"] == 60
    assert (read["POStatus"], [one["Received"] for one in read["Line"]]) == ("Closed", [10, 30])
    assert read["LinkedTxn"] == [{"TxnId": bill["Id"], "TxnType": "Bill"} for bill in (part, rest)]
    assert code_of(caller.post("purchaseorder", {"Id": order["Id"], "SyncToken": "2"}, operation="delete")) == "800"
    assert code_of(caller.post("bill", {"Id": rest["Id"], "SyncToken": "0"}, operation="delete")) == "800"
    unlinked = {"Id": rest["Id"], "SyncToken": "0", "sparse": True, "VendorRef": {"value": vendor["Id"]}}
    caller.post("bill", {**unlinked, "Line": [line("60.00")]})
    read = order_now(caller, order)
    assert (read["POStatus"], [one["Received"] for one in read["Line"]]) == ("Open", [4, 0])
    assert "Bill" in caller.post("bill", {"Id": rest["Id"], "SyncToken": "1"}, operation="delete")


def test_a_link_stays_while_a_bill_is_changed_and_paid() -> None:
    caller = open_books()
    _, order, _ = ordered(caller)
    bill = caller.simulator.person("bill_order", realm_id=REALM, order_id=order["Id"])
    caller.pay("80.00", (bill, "80.00"))
    read = caller.get(f"bill/{bill['Id']}")["Bill"]
    assert {link["TxnType"] for link in read["LinkedTxn"]} == {"PurchaseOrder", "BillPaymentCheck"}
    again = caller.post("bill", json.loads(json.dumps(read, default=str)))["Bill"]
    assert (again["LinkedTxn"], again["Line"][0]["LinkedTxn"]) == (
        [link for link in read["LinkedTxn"] if link["TxnType"] != "PurchaseOrder"]
        + [{"TxnId": order["Id"], "TxnType": "PurchaseOrder"}],
        read["Line"][0]["LinkedTxn"],
    )


@pytest.mark.parametrize("wrong", ["no line", "unknown line", "numbered line", "other vendor", "closed"])
def test_a_link_that_is_not_valid_is_dropped_without_a_word(wrong: str) -> None:
    caller = open_books()
    vendor, order, item = ordered(caller)
    fields = linked(order, {"no line": "", "unknown line": "9"}.get(wrong, "1"))
    if wrong == "numbered line":
        fields["LineNum"] = 1
    if wrong == "other vendor":
        vendor = caller.vendor("Somebody else")
    if wrong == "closed":
        caller.simulator.person(
            "edit", realm_id=REALM, entity="PurchaseOrder", identity=order["Id"], changes={"POStatus": "Closed"}
        )
    body = {**bill_body(vendor), "Line": [item_line(item, "4", "5.00", **fields)]}
    assert caller.post("bill", body)["Bill"]["LinkedTxn"] == []
    assert order_now(caller, order)["LinkedTxn"] == []


def test_received_goods_are_shown_before_and_after_they_are_billed() -> None:
    caller = open_books()
    vendor, order, item = ordered(caller)
    caller.simulator.person("receive", realm_id=REALM, order_id=order["Id"], quantities={"1": "7"})
    assert order_now(caller, order)["Line"][0]["Received"] == 7
    body = {**bill_body(vendor), "Line": [item_line(item, "4", "5.00", **linked(order, "1"))]}
    caller.post("bill", body)
    assert (order_now(caller, order)["Line"][0]["Received"], order_now(caller, order)["POStatus"]) == (7, "Open")


def test_orders_are_found_followed_and_deleted() -> None:
    caller = open_books()
    vendor, order, _ = ordered(caller)
    where = f"VendorRef = '{vendor['Id']}' and POStatus = 'Open'"
    assert [row["Id"] for row in caller.query(f"select * from PurchaseOrder where {where}")["PurchaseOrder"]] == [
        order["Id"]
    ]
    caller.post("purchaseorder", {"Id": order["Id"], "SyncToken": "0"}, operation="delete")
    (group,) = caller.get("cdc", entities="PurchaseOrder", changedSince="2026-11-01")["CDCResponse"][0]["QueryResponse"]
    assert [(row["Id"], row["status"]) for row in group["PurchaseOrder"]] == [(order["Id"], "Deleted")]


def test_an_inventory_item_is_booked_on_its_asset_account() -> None:
    caller = open_books()
    income = caller.post("account", {"Name": "Sales", "AccountType": "Income"})["Account"]
    stock = {
        "Name": "Printer",
        "Type": "Inventory",
        "IncomeAccountRef": {"value": income["Id"]},
        "ExpenseAccountRef": {"value": "8"},
        "QtyOnHand": 0,
        "InvStartDate": "2026-01-01",
    }
    assert code_of(caller.post("item", stock)) == "2020"
    item = caller.post("item", {**stock, "TrackQtyOnHand": True, "AssetAccountRef": {"value": "20"}})["Item"]
    body = {**bill_body(caller.vendor()), "Line": [item_line(item["Id"], "2", "50.00")]}
    bill = caller.post("bill", body)["Bill"]
    detail = bill["Line"][0]["ItemBasedExpenseLineDetail"]
    assert detail["ItemAccountRef"] == {"value": "20", "name": "Prepaid expenses"}
    assert caller.simulator.company(REALM).accounts["20"]["CurrentBalance"] == 100


def test_whether_a_line_shows_its_items_account_is_a_switch() -> None:
    caller = open_books(Switches(item_accounts_on_lines=False))
    body = {**bill_body(caller.vendor()), "Line": [item_line(toner(caller), "1", "5.00")]}
    assert "ItemAccountRef" not in caller.post("bill", body)["Bill"]["Line"][0]["ItemBasedExpenseLineDetail"]


def test_a_deposit_from_a_vendor_owes_what_a_payment_takes_with_a_credit() -> None:
    caller = open_books()
    vendor = caller.vendor()
    credit = caller.post("vendorcredit", bill_body(vendor, "25.00"))["VendorCredit"]
    deposit = caller.simulator.person(
        "deposit", realm_id=REALM, vendor_id=vendor["Id"], account_id="33", amount="25.00", TxnDate="2026-11-01"
    )
    company = caller.simulator.company(REALM)
    assert (company.vendors[vendor["Id"]]["Balance"], company.accounts["35"]["CurrentBalance"]) == (0, 25)
    body = payment_body("0", ({**deposit, "VendorRef": {"value": vendor["Id"]}}, "25.00"))
    body["Line"][0]["LinkedTxn"][0]["TxnType"] = "Deposit"
    body["Line"].append({"Amount": "25.00", "LinkedTxn": [{"TxnId": credit["Id"], "TxnType": "VendorCredit"}]})
    payment = caller.post("billpayment", body)["BillPayment"]
    assert caller.get(f"vendorcredit/{credit['Id']}")["VendorCredit"]["Balance"] == 0
    read = caller.get(f"deposit/{deposit['Id']}")["Deposit"]
    assert read["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "BillPaymentCheck"}]
    assert read["Line"][0]["DepositLineDetail"]["Entity"]["name"] == "Acme Paper"
    assert code_of(caller.post("deposit", {"Id": deposit["Id"], "SyncToken": "1"}, operation="delete")) == "800"


def test_a_check_on_accounts_payable_pays_a_vendor_who_must_be_named() -> None:
    caller = open_books()
    vendor = caller.vendor()
    caller.bill(vendor, "40.00")
    check = caller.simulator.person("write_check", realm_id=REALM, vendor_id=vendor["Id"], lines=[("33", "40.00")])
    company = caller.simulator.company(REALM)
    assert (company.vendors[vendor["Id"]]["Balance"], company.accounts["33"]["CurrentBalance"]) == (0, 0)
    unnamed = {"PaymentType": "Check", "AccountRef": {"value": "35"}, "Line": [line("1.00", "33")]}
    assert code_of(caller.post("purchase", unnamed)) == "6000"
    voided = caller.simulator.person("void", realm_id=REALM, entity="Purchase", identity=check["Id"])
    assert (voided["status"], voided["TotalAmt"], voided["Line"][0]["Amount"]) == ("Voided", 0, 0)
    assert company.vendors[vendor["Id"]]["Balance"] == 40


def test_a_person_pays_with_credits_and_enters_a_journal() -> None:
    caller = open_books()
    vendor = caller.vendor()
    bill = caller.bill(vendor, "100.00")
    credit = caller.post("vendorcredit", bill_body(vendor, "30.00"))["VendorCredit"]
    payment = caller.simulator.person("pay_bill", realm_id=REALM, bill_id=bill["Id"], credits={credit["Id"]: "30.00"})
    assert payment["TotalAmt"] == 70
    assert caller.get(f"bill/{bill['Id']}")["Bill"]["Balance"] == 0
    lines = [("Debit", "7", "12.00"), ("Credit", "33", "12.00")]
    entry = caller.simulator.person("enter_journal", realm_id=REALM, lines=lines, vendor_id=vendor["Id"])
    assert entry["Line"][1]["JournalEntryLineDetail"]["Entity"]["EntityRef"]["name"] == "Acme Paper"
    assert caller.simulator.company(REALM).vendors[vendor["Id"]]["Balance"] == 12


def test_a_person_voids_a_bill_and_its_order_is_open_again() -> None:
    caller = open_books()
    _, order, _ = ordered(caller)
    bill = caller.simulator.person("bill_order", realm_id=REALM, order_id=order["Id"])
    voided = caller.simulator.person("void", realm_id=REALM, entity="Bill", identity=bill["Id"])
    assert (voided["status"], voided["TotalAmt"], voided["Balance"], voided["PrivateNote"]) == (
        "Voided",
        0,
        0,
        "Voided",
    )
    assert (order_now(caller, order)["POStatus"], order_now(caller, order)["LinkedTxn"]) == ("Open", [])
    assert caller.simulator.company(REALM).accounts["33"]["CurrentBalance"] == 0


@pytest.mark.parametrize(
    ("feature", "path", "body"),
    [
        ("classes", "class", {"Name": "Ops"}),
        ("departments", "department", {"Name": "Berlin"}),
        ("purchase_orders", "purchaseorder", {"VendorRef": {"value": "1"}, "Line": [line("1.00")]}),
    ],
)
def test_what_is_switched_off_is_refused(feature: str, path: str, body: dict[str, Any]) -> None:
    caller = open_books()
    caller.vendor()
    caller.simulator.person("switch_feature", realm_id=REALM, feature=feature, on=False)
    assert code_of(caller.post(path, body)) == "5030"
    caller.simulator.person("switch_feature", realm_id=REALM, feature=feature, on=True)
    assert "Fault" not in caller.post(path, body)


def test_a_class_on_a_line_is_refused_without_class_tracking() -> None:
    caller = open_books()
    group = caller.post("class", {"Name": "Ops"})["Class"]
    part = line("1.00")
    part["AccountBasedExpenseLineDetail"]["ClassRef"] = {"value": group["Id"]}
    body = {**bill_body(caller.vendor()), "Line": [part]}
    assert "Bill" in caller.post("bill", body)
    caller.simulator.person("switch_feature", realm_id=REALM, feature="classes", on=False)
    assert code_of(caller.post("bill", body)) == "5030"
    preferences = caller.get("cdc", entities="Preferences", changedSince="2026-11-02")["CDCResponse"][0]
    shown = preferences["QueryResponse"][0]["Preferences"][0]
    assert (shown["SyncToken"], shown["AccountingInfoPrefs"]["ClassTrackingPerTxnLine"]) == ("1", False)
