"""A client library that knows nothing of us works against the simulator on a real port, unmodified."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException, QuickbooksException
from quickbooks.objects import (
    Account,
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    Attachable,
    AttachableRef,
    Bill,
    BillPayment,
    BillPaymentLine,
    CheckPayment,
    CompanyInfo,
    Deposit,
    DepositLine,
    DepositLineDetail,
    Entity,
    Item,
    ItemBasedExpenseLine,
    ItemBasedExpenseLineDetail,
    JournalEntry,
    JournalEntryLine,
    JournalEntryLineDetail,
    LinkedTxn,
    Preferences,
    Purchase,
    PurchaseOrder,
    Ref,
    Vendor,
    VendorCredit,
)
from quickbooks.objects.companycurrency import CompanyCurrency
from quickbooks.objects.exchangerate import ExchangeRate

from connectors.clock import VirtualClock
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulator_server import SimulatorServer

REALM = "9130347000000001"
CALLBACK = "http://localhost/callback"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
def simulator(clock: VirtualClock) -> QuickBooksSimulator:
    simulator = QuickBooksSimulator(clock)
    simulator.throttled = False
    simulator.register_app("app-1", "secret-1", [CALLBACK])
    simulator.create_company(REALM, "Sandbox Company")
    simulator.person("consent_automatically", realm_id=REALM)
    return simulator


@pytest.fixture
def address(simulator: QuickBooksSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with SimulatorServer({"quickbooks": simulator}) as server:
        address = f"{server.address}/quickbooks"
        monkeypatch.setattr(QuickBooks, "api_url_v3", f"{address}/v3")
        monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
        yield address


@pytest.fixture
def sign_in(address: str) -> Iterator[AuthClient]:
    client = AuthClient("app-1", "secret-1", CALLBACK, f"{address}/.well-known/openid_sandbox_configuration/")
    url = client.get_authorization_url([Scopes.ACCOUNTING, Scopes.OPENID])
    redirect = requests.get(url, allow_redirects=False, timeout=5).headers["location"]
    given = {name: values[0] for name, values in parse_qs(urlsplit(redirect).query).items()}
    assert given["state"] == client.state_token
    client.get_bearer_token(given["code"], realm_id=given["realmId"])
    yield client
    client.close()


@pytest.fixture
def client(sign_in: AuthClient) -> Iterator[QuickBooks]:
    client = QuickBooks(
        auth_client=sign_in,
        refresh_token=sign_in.refresh_token,
        company_id=sign_in.realm_id,
        minorversion=75,
    )
    yield client
    client.session.close()


def reference(value: str) -> Ref:
    ref = Ref()
    ref.value = value
    return ref


def new_vendor(client: QuickBooks, name: str = "Bob's Paper") -> Vendor:
    vendor = Vendor()
    vendor.DisplayName = name
    return vendor.save(qb=client)


def new_bill(client: QuickBooks, vendor: Vendor, amount: float) -> Bill:
    detail = AccountBasedExpenseLineDetail()
    detail.AccountRef = reference("7")
    line = AccountBasedExpenseLine()
    line.Amount = amount
    line.AccountBasedExpenseLineDetail = detail
    bill = Bill()
    bill.VendorRef = vendor.to_ref()
    bill.Line.append(line)
    bill.DocNumber = "INV-1"
    return bill.save(qb=client)


def pay(client: QuickBooks, bill: Bill, amount: float) -> BillPayment:
    line = BillPaymentLine()
    line.Amount = amount
    line.LinkedTxn.append(bill.to_linked_txn())
    payment = BillPayment()
    payment.PayType = "Check"
    payment.TotalAmt = amount
    payment.VendorRef = bill.VendorRef
    payment.CheckPayment = CheckPayment()
    payment.CheckPayment.BankAccountRef = reference("35")
    payment.Line.append(line)
    return payment.save(qb=client)


def test_it_signs_in_refreshes_and_disconnects(sign_in: AuthClient, simulator: QuickBooksSimulator) -> None:
    assert (sign_in.realm_id, sign_in.expires_in) == (REALM, 3600)
    assert sign_in.id_token is not None
    access = sign_in.access_token
    sign_in.refresh()
    assert sign_in.access_token != access
    assert sign_in.get_user_info().json()["emailVerified"] is True
    assert sign_in.revoke() is True
    with pytest.raises(AuthClientError):
        sign_in.refresh()


def test_a_bill_is_entered_paid_changed_and_its_payment_voided(
    client: QuickBooks, simulator: QuickBooksSimulator
) -> None:
    vendor = new_vendor(client)
    bill = new_bill(client, vendor, 80.25)
    payment = pay(client, bill, 80.25)
    books = simulator.company(REALM)
    assert books.bills[bill.Id]["Balance"] == 0
    payment.PrivateNote = "from the library"
    payment = payment.save(qb=client)
    assert books.bill_payments[payment.Id]["PrivateNote"] == "from the library"
    payment.void(qb=client)
    assert books.bill_payments[payment.Id]["TotalAmt"] == 0
    assert books.bills[bill.Id]["Balance"] == Decimal("80.25")
    read = Bill.get(bill.Id, qb=client)
    read.PrivateNote = "changed"
    assert read.save(qb=client).PrivateNote == "changed"
    read = Bill.get(bill.Id, qb=client)
    read.delete(qb=client)
    with pytest.raises(ObjectNotFoundException):
        Bill.get(bill.Id, qb=client)


def test_it_queries_counts_and_follows_changes(client: QuickBooks) -> None:
    vendor = new_vendor(client)
    new_bill(client, vendor, 10)
    assert [found.Id for found in Vendor.filter(DisplayName="Bob's Paper", Active=True, qb=client)] == [vendor.Id]
    assert Vendor.count(qb=client) == 1
    assert {account.AccountType for account in Account.choose(["7", "35"], qb=client)} == {"Expense", "Bank"}
    assert len(Account.all(order_by="Name", max_results=3, qb=client)) == 3
    assert CompanyInfo.get(REALM, qb=client).CompanyName == "Sandbox Company"
    changes = change_data_capture([Vendor, Bill], datetime.now(UTC) - timedelta(days=2), qb=client)
    assert [bill.DocNumber for bill in changes.Bill] == ["INV-1"]


def test_it_understands_our_refusals(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    vendor = new_vendor(client)
    with pytest.raises(QuickbooksException) as refused:
        new_vendor(client)
    assert (refused.value.error_code, refused.value.detail) == (
        6240,
        f"The name supplied already exists. : Id={vendor.Id}",
    )
    another = Vendor()
    another.DisplayName = "Another"
    batch = batch_create([another, vendor], qb=client)
    assert [created.DisplayName for created in batch.successes] == ["Another"]
    assert [fault.Error[0].code for fault in batch.faults] == ["6240"]
    simulator.person("disconnect", realm_id=REALM)
    with pytest.raises(AuthorizationException):
        Vendor.get(vendor.Id, qb=client)


def test_a_page_after_the_other_has_everything_once(client: QuickBooks) -> None:
    for number in range(7):
        new_vendor(client, f"Vendor {number}")
    pages = [Vendor.all(order_by="Id", start_position=start, max_results=3, qb=client) for start in (1, 4, 7)]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({vendor.Id for page in pages for vendor in page}) == 7


def test_a_full_update_clears_and_a_sparse_one_keeps(client: QuickBooks) -> None:
    vendor = new_vendor(client)
    vendor.CompanyName = "Bob's Paper Company"
    vendor.AcctNum = "C-1"
    vendor = vendor.save(qb=client)
    sparse = {"Id": vendor.Id, "SyncToken": vendor.SyncToken, "sparse": True, "CompanyName": "Renamed"}
    kept = client.update_object("Vendor", json.dumps(sparse))["Vendor"]
    assert (kept["CompanyName"], kept["AcctNum"], kept["SyncToken"]) == ("Renamed", "C-1", "2")
    full = {"Id": vendor.Id, "SyncToken": "2", "DisplayName": "Bob's Paper"}
    cleared = client.update_object("Vendor", json.dumps(full))["Vendor"]
    assert ("CompanyName" in cleared, "AcctNum" in cleared) == (False, False)
    with pytest.raises(QuickbooksException) as stale:
        vendor.save(qb=client)
    assert stale.value.error_code == 5010


def test_a_batch_creates_updates_and_deletes(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    vendors = [Vendor() for _ in range(3)]
    for number, vendor in enumerate(vendors):
        vendor.DisplayName = f"Vendor {number}"
    created = batch_create(vendors, qb=client).successes
    for vendor in created:
        vendor.AcctNum = "C-1"
    assert [vendor.AcctNum for vendor in batch_update(created, qb=client).successes] == ["C-1"] * 3
    bill = new_bill(client, created[0], 10)
    assert len(batch_delete([bill], qb=client).successes) == 1
    assert simulator.company(REALM).bills == {}


def test_changes_have_what_was_deleted_and_deactivated(client: QuickBooks) -> None:
    vendor = new_vendor(client)
    bill = new_bill(client, vendor, 10)
    bill.delete(qb=client)
    vendor.Active = False
    vendor.save(qb=client)
    changes = change_data_capture([Vendor, Bill], datetime.now(UTC) - timedelta(days=2), qb=client)
    assert [(gone.Id, gone.status) for gone in changes.Bill] == [(bill.Id, "Deleted")]
    assert [(gone.Active, gone.DisplayName) for gone in changes.Vendor] == [(False, "Bob's Paper (deleted)")]


def test_an_order_is_billed_by_its_lines(client: QuickBooks) -> None:
    vendor, item = new_vendor(client), Item()
    item.Name, item.Type, item.ExpenseAccountRef = "Toner", "NonInventory", reference("8")
    item = item.save(qb=client)
    order = PurchaseOrder()
    order.VendorRef = vendor.to_ref()
    order.Line.append(item_line(item, 4, 5))
    order = order.save(qb=client)
    assert (order.POStatus, order.TotalAmt) == ("Open", 20)
    bill, line, link = Bill(), item_line(item, 4, 5), LinkedTxn()
    link.TxnId, link.TxnType, link.TxnLineId = order.Id, "PurchaseOrder", order.Line[0].Id
    line.LinkedTxn.append(link)
    bill.VendorRef = vendor.to_ref()
    bill.Line.append(line)
    bill = bill.save(qb=client)
    assert bill.Line[0].ItemBasedExpenseLineDetail.ItemRef.name == "Toner"
    closed = PurchaseOrder.get(order.Id, qb=client)
    assert (closed.POStatus, closed.Line[0].Received, closed.LinkedTxn[0].TxnId) == ("Closed", 4, bill.Id)
    sent = closed.send(qb=client, send_to="ap@vendor.example")
    assert sent["PurchaseOrder"]["EmailStatus"] == "EmailSent"
    assert client.download_pdf("PurchaseOrder", order.Id).startswith(b"%PDF-")


def item_line(item: Item, quantity: int, price: int) -> ItemBasedExpenseLine:
    line, detail = ItemBasedExpenseLine(), ItemBasedExpenseLineDetail()
    detail.ItemRef, detail.Qty, detail.UnitPrice = item.to_ref(), quantity, price
    line.Amount, line.ItemBasedExpenseLineDetail = quantity * price, detail
    return line


def account_line(account: str, amount: float) -> AccountBasedExpenseLine:
    line, detail = AccountBasedExpenseLine(), AccountBasedExpenseLineDetail()
    detail.AccountRef = reference(account)
    line.Amount, line.AccountBasedExpenseLineDetail = amount, detail
    return line


def test_what_touches_payables_is_entered_and_found(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    vendor = new_vendor(client)
    credit = VendorCredit()
    credit.VendorRef = vendor.to_ref()
    credit.Line.append(account_line("7", 5))
    assert credit.save(qb=client).Balance == 5
    check = Purchase()
    check.PaymentType, check.AccountRef, check.EntityRef = "Check", reference("35"), vendor.to_ref()
    check.Line.append(account_line("33", 3))
    check.save(qb=client)
    entry = JournalEntry()
    entry.Line += [entry_line("Debit", "7", 2), entry_line("Credit", "33", 2, vendor)]
    entry.save(qb=client)
    deposit, line, detail = Deposit(), DepositLine(), DepositLineDetail()
    detail.AccountRef, detail.Entity = reference("33"), vendor.to_ref()
    line.Amount, line.DepositLineDetail = 1, detail
    deposit.DepositToAccountRef = reference("35")
    deposit.Line.append(line)
    deposit.save(qb=client)
    assert simulator.company(REALM).vendors[vendor.Id]["Balance"] == -5 - 3 + 2 + 1
    for kind in (VendorCredit, Purchase, JournalEntry, Deposit):
        (found,) = kind.all(qb=client)
        found.PrivateNote = "changed"
        assert found.save(qb=client).PrivateNote == "changed"
        kind.get(found.Id, qb=client).delete(qb=client)
        assert kind.count(qb=client) == 0


def entry_line(side: str, account: str, amount: float, vendor: Vendor | None = None) -> JournalEntryLine:
    line, detail = JournalEntryLine(), JournalEntryLineDetail()
    detail.PostingType, detail.AccountRef = side, reference(account)
    if vendor is not None:
        detail.Entity = Entity()
        detail.Entity.Type, detail.Entity.EntityRef = "Vendor", vendor.to_ref()
    line.Amount, line.JournalEntryLineDetail = amount, detail
    return line


def test_a_file_is_attached_fetched_replaced_and_deleted(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    bill = new_bill(client, new_vendor(client), 10)
    place, attachable = AttachableRef(), Attachable()
    place.EntityRef = bill.to_ref()
    attachable.AttachableRef.append(place)
    attachable.FileName, attachable.ContentType, attachable._FileBytes = "inv.pdf", "application/pdf", b"%PDF-1"
    made = attachable.save(qb=client)
    where = f"AttachableRef.EntityRef.Type = 'Bill' AND AttachableRef.EntityRef.value = '{bill.Id}'"
    (found,) = Attachable.where(where, qb=client)
    assert (found.Id, found.Size, found.ContentType) == (made.Id, 6, "application/pdf")
    assert requests.get(found.TempDownloadUri, timeout=5).content == b"%PDF-1"
    assert client.session.get(found.TempDownloadUri, timeout=5).status_code == 400  # it sends its token along
    address = f"{client.api_url}/company/{REALM}/download/{made.Id}"
    told = client.session.get(address, timeout=5).text
    assert requests.get(told, timeout=5).content == b"%PDF-1"
    found.Note = "the invoice"
    found = found.save(qb=client)
    assert (found.Note, found.Size) == ("the invoice", 6)
    with pytest.raises(QuickbooksException):
        found.delete(qb=client)
    client.delete_object("Attachable", found.to_json())
    assert simulator.company(REALM).tables["Attachable"].rows == {}
    note = Attachable()
    note.Note = "Called them"
    assert client.create_object("Attachable", note.to_json())["Attachable"]["Note"] == "Called them"


def test_currencies_rates_preferences_and_reports(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    simulator.person("switch_feature", realm_id=REALM, feature="multicurrency", on=True)
    currency, rate = CompanyCurrency(), ExchangeRate()
    currency.Code, currency.Name = "EUR", "Euro"
    assert currency.save(qb=client).Active is True
    rate.SourceCurrencyCode, rate.Rate, rate.AsOfDate = "EUR", 1.1, "2026-08-01"
    assert rate.save(qb=client).TargetCurrencyCode == "USD"
    (read,) = ExchangeRate.where("SourceCurrencyCode in ('EUR') and AsOfDate = '2026-08-02'", qb=client)
    assert (read.Rate, read.AsOfDate) == (1.1, "2026-08-02")
    preferences = Preferences.get(qb=client)
    assert preferences.CurrencyPrefs.MultiCurrencyEnabled is True
    preferences.AccountingInfoPrefs.TrackDepartments = False
    assert preferences.save(qb=client).AccountingInfoPrefs.TrackDepartments is False
    assert client.get_report("AgedPayables")["Header"]["ReportName"] == "AgedPayables"


def test_a_repeated_request_is_answered_as_the_first(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    vendor = Vendor()
    vendor.DisplayName = "Once"
    body = vendor.to_json()
    first, again = (client.create_object("Vendor", body, request_id="r-1") for _ in range(2))
    assert first == again
    assert len(simulator.company(REALM).vendors) == 1


def test_a_webhook_is_verified_by_their_signature(client: QuickBooks, simulator: QuickBooksSimulator) -> None:
    got: list[tuple[str, str]] = []

    def receive(url: str, headers: Mapping[str, str], body: bytes) -> int:
        got.append((body.decode(), headers["intuit-signature"]))
        return 200

    for form in ("cloudevents", "legacy"):
        simulator.person("register_webhook", client_id="app-1", url=CALLBACK, verifier="v-1", format=form)
        new_vendor(client, form)
        simulator.deliver(receive)
    assert len(got) == 2
    for body, signature in got:
        assert client.validate_webhook_signature(body, signature, "v-1")
        assert not client.validate_webhook_signature(body + " ", signature, "v-1")


def test_tokens_turn_by_the_clock_and_die_when_revoked(
    sign_in: AuthClient, simulator: QuickBooksSimulator, clock: VirtualClock
) -> None:
    old = sign_in.refresh_token
    clock.advance(timedelta(hours=23))
    sign_in.refresh()
    assert sign_in.refresh_token == old
    clock.advance(timedelta(hours=2))
    sign_in.refresh()
    assert sign_in.refresh_token != old
    with pytest.raises(AuthClientError):
        sign_in.refresh(refresh_token=old)
    sign_in.revoke(token=sign_in.access_token)
    with pytest.raises(AuthClientError):
        sign_in.refresh()
