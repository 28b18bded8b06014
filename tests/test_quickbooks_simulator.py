"""The simulated QuickBooks company keeps its books as the real one does: bills, payments, names, versions, repeats."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from connectors.clock import VirtualClock
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.quickbooks.simulator_switches import Switches
from tests.quickbooks_company import REALM, START, Caller, bill_body, code_of, line, open_books, payment_body

USD = {"value": "USD", "name": "United States Dollar"}


def balance(caller: Caller, account: str) -> Decimal:
    return Decimal(caller.simulator.company(REALM).accounts[account]["CurrentBalance"])


def test_a_new_bill_has_its_totals_and_defaults() -> None:
    caller = open_books()
    vendor = caller.vendor(TermRef={"value": "3"})
    bill = caller.bill(vendor, "80.25", "20.005", TxnDate="2026-11-01", DocNumber="INV-7781")
    assert bill["TotalAmt"] == bill["Balance"] == Decimal("100.26")
    assert (bill["Id"], bill["SyncToken"], bill["DueDate"], bill["LinkedTxn"]) == ("1", "0", "2026-12-01", [])
    assert bill["APAccountRef"] == {"value": "33", "name": "Accounts Payable (A/P)"}
    assert bill["CurrencyRef"] == USD
    detail = bill["Line"][0]["AccountBasedExpenseLineDetail"]
    assert detail["AccountRef"] == {"value": "7", "name": "Advertising"}
    assert (detail["BillableStatus"], detail["TaxCodeRef"]) == ("NotBillable", {"value": "NON"})
    assert [(part["Id"], part["LineNum"]) for part in bill["Line"]] == [("1", 1), ("2", 2)]
    assert caller.get(f"vendor/{vendor['Id']}")["Vendor"]["Balance"] == Decimal("100.26")
    assert balance(caller, "33") == Decimal("-100.26")


def test_two_part_payments_and_an_overpayment_of_the_rest() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "100.00")
    first = caller.pay("60.00", (bill, "60.00"), DocNumber="1042")["BillPayment"]
    assert first["CheckPayment"]["PrintStatus"] == "NotSet"
    assert "Id" not in first["Line"][0]
    assert code_of(caller.pay("40.01", (bill, "40.01"))) == "6000"
    caller.pay("40.00", (bill, "40.00"))
    paid = caller.get(f"bill/{bill['Id']}")["Bill"]
    assert (paid["Balance"], paid["SyncToken"]) == (0, "2")
    assert paid["LinkedTxn"] == [{"TxnId": number, "TxnType": "BillPaymentCheck"} for number in ("2", "3")]
    assert len(caller.simulator.payments_of_bill(REALM, bill["Id"])) == 2
    assert (balance(caller, "33"), balance(caller, "35")) == (Decimal(0), Decimal(-100))
    assert caller.simulator.company(REALM).vendors["1"]["Balance"] == 0


def test_a_voided_payment_opens_its_bill_which_can_be_paid_again() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "100.00")
    payment = caller.pay("100.00", (bill, "100.00"), PrivateNote="ours")["BillPayment"]
    command = {"Id": payment["Id"], "SyncToken": payment["SyncToken"], "sparse": True}
    voided = caller.post("billpayment", command, operation="update", include="void")["BillPayment"]
    assert (voided["TotalAmt"], voided["Line"], voided["PrivateNote"]) == (0, [], "Voided - ours")
    assert (voided["Id"], voided["SyncToken"]) == (payment["Id"], "1")
    opened = caller.get(f"bill/{bill['Id']}")["Bill"]
    assert (opened["Balance"], opened["LinkedTxn"], opened["SyncToken"]) == (100, [], "2")
    assert balance(caller, "35") == 0
    caller.pay("100.00", (bill, "100.00"))
    assert caller.get(f"bill/{bill['Id']}")["Bill"]["Balance"] == 0


def test_a_bill_is_deleted_only_after_its_payment() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "100.00")
    payment = caller.pay("100.00", (bill, "100.00"))["BillPayment"]
    assert code_of(caller.post("bill", {"Id": bill["Id"], "SyncToken": "1"}, operation="delete")) == "800"
    gone = caller.post("billpayment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
    assert gone["BillPayment"] == {"status": "Deleted", "domain": "QBO", "Id": payment["Id"]}
    assert caller.post("bill", {"Id": bill["Id"], "SyncToken": "2"}, operation="delete")["Bill"]["status"] == "Deleted"
    assert code_of(caller.get(f"bill/{bill['Id']}")) == "610"
    assert balance(caller, "33") == balance(caller, "35") == 0


def test_an_updated_payment_moves_what_it_applies() -> None:
    caller = open_books()
    vendor = caller.vendor()
    first, second = caller.bill(vendor, "50.00"), caller.bill(vendor, "50.00")
    pending = caller.pay("50.00", (first, "50.00"))["BillPayment"]
    changed = payment_body("50.00", (second, "50.00"), CheckPayment={"BankAccountRef": {"value": "36"}})
    caller.post("billpayment", {**changed, "Id": pending["Id"], "SyncToken": "0", "sparse": True})
    bills = caller.simulator.company(REALM).bills
    assert [bills[bill["Id"]]["Balance"] for bill in (first, second)] == [50, 0]
    assert bills[first["Id"]]["LinkedTxn"] == []
    assert (balance(caller, "35"), balance(caller, "36")) == (Decimal(0), Decimal(-50))


def test_a_change_that_leaves_a_paid_bill_alone_does_not_touch_its_version() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "50.00")
    payment = caller.pay("50.00", (bill, "50.00"))["BillPayment"]
    caller.post("billpayment", {"Id": payment["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "cleared"})
    assert caller.simulator.company(REALM).bills[bill["Id"]]["SyncToken"] == "1"


def test_credits_settle_a_bill_in_a_payment_of_nothing() -> None:
    caller = open_books()
    vendor = caller.vendor()
    bill = caller.bill(vendor, "20.00")
    credit = caller.post("vendorcredit", bill_body(vendor, "30.00"))["VendorCredit"]
    body = payment_body("0", (bill, "20.00"))
    body["Line"].append({"Amount": "20.00", "LinkedTxn": [{"TxnId": credit["Id"], "TxnType": "VendorCredit"}]})
    assert caller.post("billpayment", body)["BillPayment"]["TotalAmt"] == 0
    assert caller.get(f"bill/{bill['Id']}")["Bill"]["Balance"] == 0
    assert caller.get(f"vendorcredit/{credit['Id']}")["VendorCredit"]["Balance"] == 10
    assert caller.simulator.company(REALM).vendors[vendor["Id"]]["Balance"] == -10


def test_a_journal_entry_that_owes_a_vendor_can_be_paid() -> None:
    caller = open_books()
    vendor = caller.vendor()
    party: dict[str, object] = {"Entity": {"Type": "Vendor", "EntityRef": {"value": vendor["Id"]}}}
    sides: tuple[tuple[str, str, dict[str, object]], ...] = (("Debit", "35", {}), ("Credit", "33", party))
    entry = caller.post(
        "journalentry",
        {
            "Line": [
                {
                    "Amount": "70.00",
                    "DetailType": "JournalEntryLineDetail",
                    "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}, **more},
                }
                for side, account, more in sides
            ]
        },
    )["JournalEntry"]
    assert (entry["TotalAmt"], entry["Line"][0]["Id"]) == (0, "0")
    body = payment_body("70.00", ({**entry, "VendorRef": {"value": vendor["Id"]}}, "70.00"))
    body["Line"][0]["LinkedTxn"][0]["TxnType"] = "JournalEntry"
    assert caller.post("billpayment", body)["BillPayment"]["TotalAmt"] == 70
    assert code_of(caller.post("billpayment", body)) == "6000"
    assert caller.simulator.company(REALM).vendors[vendor["Id"]]["Balance"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PayType": "Cash"}, "2010"),
        ({"TotalAmt": None}, "6000"),
        ({"TotalAmt": "-1"}, "6000"),
        ({"TotalAmt": "9.99"}, "6000"),
        ({"Line": []}, "2020"),
        ({"CheckPayment": {"BankAccountRef": {"value": "41"}}}, "6430"),
        ({"CheckPayment": {"BankAccountRef": {"value": "9999"}}}, "2500"),
        ({"CheckPayment": {"PrintStatus": "NotSet"}}, "2020"),
        ({"APAccountRef": {"value": "35"}}, "6430"),
        ({"DocNumber": "1" * 22}, "2050"),
        ({"VendorRef": {"value": "2"}}, "620"),
        ({"BillPayment": {}}, "2010"),
        ({"CheckPayment": "35"}, "2010"),
    ],
)
def test_a_payment_that_breaks_a_rule_is_refused_and_leaves_no_trace(change: dict[str, object], code: str) -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "10.00")
    caller.vendor("Somebody else")
    before = caller.simulator.books()
    assert code_of(caller.post("billpayment", {**payment_body("10.00", (bill, "10.00")), **change})) == code
    assert caller.simulator.books() == before


def test_the_older_version_loses() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "10.00")
    caller.simulator.person("edit_bill", realm_id=REALM, bill_id=bill["Id"], changes={"PrivateNote": "by hand"})
    answer = caller.post("bill", {**bill_body({"Id": "1"}, "11.00"), "Id": bill["Id"], "SyncToken": "0"})
    assert code_of(answer) == "5010"
    assert answer["Fault"]["Error"][0]["Detail"].startswith("Stale Object Error : You and ")
    assert caller.simulator.company(REALM).bills[bill["Id"]]["TotalAmt"] == 10


def test_a_sparse_update_keeps_what_is_missing_and_replaces_all_lines() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "10.00", "20.00", DocNumber="A-1")
    kept = {"Id": bill["Id"], "SyncToken": "0", "sparse": True}
    assert code_of(caller.post("bill", {**kept, "Line": [line("20.00", Id="2")]})) == "2020"
    changed = caller.post("bill", {**kept, "VendorRef": {"value": "1"}, "Line": [line("20.00", Id="2")]})["Bill"]
    assert (changed["DocNumber"], changed["TotalAmt"], [part["Id"] for part in changed["Line"]]) == ("A-1", 20, ["2"])
    full = caller.post("bill", {**bill_body({"Id": "1"}, "5.00"), "Id": bill["Id"], "SyncToken": "1"})["Bill"]
    assert "DocNumber" not in full
    assert full["Line"][0]["Id"] == "3"


def test_names_are_unique_across_vendors_and_customers_and_freed_by_deactivation() -> None:
    caller = open_books()
    vendor = caller.vendor("Acme")
    same = caller.post("vendor", {"DisplayName": " ACME "})["Fault"]["Error"][0]
    assert (same["code"], same["Detail"]) == ("6240", f"The name supplied already exists. : Id={vendor['Id']}")
    other = caller.post("customer", {"DisplayName": "acme"})["Fault"]["Error"][0]
    assert (other["code"], "Id=" in other["Detail"]) == ("6240", False)
    bill = caller.bill(vendor, "10.00")
    caller.post("vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert caller.get(f"bill/{bill['Id']}")["Bill"]["VendorRef"]["name"] == "Acme (deleted)"
    assert caller.vendor("Acme")["Id"] != vendor["Id"]
    assert code_of(caller.post("bill", bill_body(vendor, "1.00"))) == "610"
    back = {"Id": vendor["Id"], "SyncToken": "1", "sparse": True, "Active": True}
    assert code_of(caller.post("vendor", back)) == "6240"
    assert code_of(caller.post("vendor", {"DisplayName": "A:B"})) == "2180"
    assert code_of(caller.post("vendor", {"CompanyName": "No name"})) == "6080"


def test_accounts_have_unique_numbers_and_qualified_names() -> None:
    caller = open_books()
    fresh = caller.post("account", {"Name": "Paper", "AccountType": "Expense", "ParentRef": {"value": "8"}})["Account"]
    assert (fresh["FullyQualifiedName"], fresh["SubAccount"]) == ("Office supplies:Paper", True)
    assert "LastUpdatedTime" not in fresh["MetaData"]
    assert code_of(caller.post("account", {"Name": "Rent", "AccountType": "Expense"})) == "6240"
    assert code_of(caller.post("account", {"Name": "New", "AccountType": "Expense", "AcctNum": "6000"})) == "6000"
    assert code_of(caller.post("account", {"Name": "New"})) == "6010"
    assert code_of(caller.post("account", {"Id": "7", "SyncToken": "0"}, operation="delete")) == "500"


@pytest.mark.parametrize(
    ("entity", "status", "code"), [("purchase", 400, "500"), ("billpayment", 400, "500"), ("bill", 200, "10000")]
)
def test_the_wrong_void_fails_in_its_own_way(entity: str, status: int, code: str) -> None:
    answer = open_books().send("POST", entity, json={"Id": "1", "SyncToken": "0"}, params={"operation": "void"})
    assert (answer.status_code, code_of(answer.json())) == (status, code)


def test_the_void_of_a_journal_entry_does_nothing_and_says_so_to_nobody() -> None:
    answer = open_books().post("journalentry", {"Id": "1", "SyncToken": "0"}, operation="void")
    assert answer["BatchItemResponse"] == []


def test_a_repeated_check_number_is_refused_unless_it_is_waived_or_typed_by_a_person() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "30.00", DocNumber="1")
    caller.bill({"Id": "1"}, "30.00", DocNumber="1")  # of bill numbers this company is not warned
    first = caller.pay("10.00", (bill, "10.00"), DocNumber="1001")["BillPayment"]
    error = caller.pay("10.00", (bill, "10.00"), DocNumber="1001")["Fault"]["Error"][0]
    assert error["code"] == "6140"
    assert error["Detail"].endswith(f"DocNumber=1001 is assigned to TxnType=BillPayment with TxnId={first['Id']}")
    waived = {"include": "allowduplicatedocnum"}
    assert "BillPayment" in caller.pay("10.00", (bill, "10.00"), DocNumber="1001", query=waived)
    caller.simulator.person("pay_bill", realm_id=REALM, bill_id=bill["Id"], DocNumber="1001")
    assert caller.simulator.company(REALM).bills[bill["Id"]]["Balance"] == 0


def test_nothing_is_posted_into_a_closed_period() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "10.00", TxnDate="2026-10-15")
    caller.simulator.person("close_books", realm_id=REALM, through="2026-10-31")
    assert code_of(caller.pay("10.00", (bill, "10.00"), TxnDate="2026-10-31")) == "6210"
    assert code_of(caller.post("bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")) == "6210"
    assert "BillPayment" in caller.pay("10.00", (bill, "10.00"), TxnDate="2026-11-01")


def test_a_foreign_bill_has_accounts_payable_of_its_own() -> None:
    caller = open_books(multicurrency=True)
    caller.simulator.person("set_exchange_rate", realm_id=REALM, currency="EUR", rate="1.10")
    vendor = caller.vendor(CurrencyRef={"value": "EUR"})
    assert code_of(caller.post("bill", bill_body(vendor, "100.00"))) == "2020"
    assert code_of(caller.post("bill", bill_body(vendor, "100.00", CurrencyRef={"value": "USD"}))) == "6000"
    bill = caller.bill(vendor, "100.00", CurrencyRef={"value": "EUR"})
    assert bill["APAccountRef"]["name"] == "Accounts Payable (A/P) - EUR"
    assert (bill["ExchangeRate"], bill["HomeBalance"]) == (Decimal("1.10"), 110)
    caller.pay("100.00", (bill, "100.00"), CurrencyRef={"value": "EUR"})
    assert balance(caller, "35") == -110


def test_a_repeated_request_gets_the_first_answer_and_writes_nothing() -> None:
    caller = open_books()
    bill = caller.bill(caller.vendor(), "10.00")
    body = payment_body("10.00", (bill, "10.00"))
    first = caller.send("POST", "billpayment", json=body, params={"requestid": "pay-1"})
    caller.clock.sleep(480)
    again = caller.send("POST", "billpayment", json=body, params={"requestid": "pay-1"})
    assert (again.status_code, again.content) == (200, first.content)
    assert len(caller.simulator.company(REALM).bill_payments) == 1
    assert code_of(caller.post("billpayment", body, requestid="x" * 51)) == "2130"


@pytest.mark.parametrize("replayed", [True, False])
def test_whether_a_repeated_request_gets_the_first_refusal_is_a_switch(replayed: bool) -> None:
    caller = open_books(Switches(replay_faults=replayed))
    bill = caller.bill(caller.vendor(), "10.00", TxnDate="2026-11-02")
    caller.simulator.person("close_books", realm_id=REALM, through="2026-11-30")
    body = payment_body("10.00", (bill, "10.00"), TxnDate="2026-11-02")
    assert code_of(caller.post("billpayment", body, requestid="pay-1")) == "6210"
    caller.simulator.person("close_books", realm_id=REALM, through=None)
    assert ("Fault" in caller.post("billpayment", body, requestid="pay-1")) is replayed


def test_a_batch_answers_each_item_by_itself() -> None:
    caller = open_books()
    caller.vendor("Acme")
    items = [
        {"bId": "a", "operation": "create", "Vendor": {"DisplayName": "Acme"}},
        {"bId": "b", "operation": "create", "Vendor": {"DisplayName": "Other"}},
        {"bId": "c", "Query": "select count(*) from Term"},
    ]
    answer = caller.send("POST", "batch", json={"BatchItemRequest": items}, params={"requestid": "r"})
    refused, created, found = answer.json()["BatchItemResponse"]
    assert code_of(refused) == "6240"
    assert (created["bId"], created["Vendor"]["DisplayName"], found["QueryResponse"]) == (
        "b",
        "Other",
        {"totalCount": 4},
    )
    fewer = caller.post("batch", {"BatchItemRequest": items[1:]}, requestid="r")["BatchItemResponse"]
    assert fewer[0]["Vendor"]["Id"] == created["Vendor"]["Id"]
    assert len(caller.simulator.company(REALM).vendors) == 2
    many = [{"bId": str(number), "Query": "select * from Term"} for number in range(31)]
    assert code_of(caller.post("batch", {"BatchItemRequest": many})) == "1040"


def lose_the_answer(caller: Caller) -> None:
    caller.simulator.drop_answer("POST /bill")


def nothing(caller: Caller) -> None:
    pass


@pytest.mark.parametrize("disturb", [nothing, lose_the_answer])
def test_a_killed_simulator_has_the_same_books_and_tokens_again(
    disturb: Callable[[Caller], None], tmp_path: Path
) -> None:
    journal = tmp_path / "quickbooks.jsonl"
    caller = open_books(journal=journal)
    vendor = caller.vendor()
    disturb(caller)
    with suppress(httpx.ReadTimeout):
        caller.bill(vendor, "10.00")
    caller.simulator.person("pay_bill", realm_id=REALM, bill_id="1", amount=Decimal("4.00"))
    with journal.open("a") as half:
        half.write('{"at": "2026-')
    revived = QuickBooksSimulator(VirtualClock(START), journal)
    assert revived.books() == caller.simulator.books()
    assert revived.company(REALM).bills["1"]["Balance"] == 6
    again = Caller(revived, caller.clock, tokens=caller.tokens)
    assert again.get("vendor/1")["Vendor"]["DisplayName"] == vendor["DisplayName"]


def test_an_account_takes_its_children_and_their_balances_along() -> None:
    caller = open_books()
    child = caller.post("account", {"Name": "Petty", "AccountType": "Bank", "ParentRef": {"value": "35"}})["Account"]
    bill = caller.bill(caller.vendor(), "10.00")
    caller.pay("10.00", (bill, "10.00"), CheckPayment={"BankAccountRef": {"value": child["Id"]}})
    accounts = caller.simulator.company(REALM).accounts
    assert (accounts["35"]["CurrentBalance"], accounts["35"]["CurrentBalanceWithSubAccounts"]) == (0, -10)
    rename = {"Id": "35", "SyncToken": "0", "sparse": True, "Name": "Main"}
    assert caller.post("account", rename)["Account"]["FullyQualifiedName"] == "Main"
    assert accounts[child["Id"]]["FullyQualifiedName"] == "Main:Petty"
    paid_from = caller.get("billpayment/2")["BillPayment"]["CheckPayment"]["BankAccountRef"]["name"]
    assert paid_from == "Main:Petty"
    circle = {"Id": "35", "SyncToken": "1", "sparse": True, "ParentRef": {"value": child["Id"]}}
    assert code_of(caller.post("account", circle)) == "900"
    moved = {"Id": child["Id"], "SyncToken": "1", "sparse": True, "ParentRef": {"value": "36"}}
    assert caller.post("account", moved)["Account"]["FullyQualifiedName"] == "Savings:Petty"
    assert [accounts[parent]["CurrentBalanceWithSubAccounts"] for parent in ("35", "36")] == [0, -10]
