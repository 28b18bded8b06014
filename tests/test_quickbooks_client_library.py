"""A client library that knows nothing of us works against the simulator on a real port, unmodified."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException, QuickbooksException
from quickbooks.objects import (
    Account,
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    Bill,
    BillPayment,
    BillPaymentLine,
    CheckPayment,
    CompanyInfo,
    Ref,
    Vendor,
)

from connectors.clock import VirtualClock
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulator_server import SimulatorServer

REALM = "9130347000000001"
CALLBACK = "http://localhost/callback"


@pytest.fixture
def simulator() -> QuickBooksSimulator:
    simulator = QuickBooksSimulator(VirtualClock(datetime.now(UTC)))
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
