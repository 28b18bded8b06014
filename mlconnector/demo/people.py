"""The people of the demo at work in the simulated books.

Each act looks at the books first and does only what has not been done: it may be repeated after a kill at any moment.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mlconnector.demo.plan import Act
from mlconnector.demo.simulated import ERP, NETWORK, Simulated
from mlconnector.demo.story import (
    ACCOUNTS,
    CHECKING,
    COMPANY,
    NETWORK_COMPANY,
    REALM,
    TIME_ZONE,
    VENDORS,
    Bill,
    Vendor,
)

Row = dict[str, Any]
ON_ITS_WAY = ("processing", "debit_requested", "funds_received", "sent_to_printer", "issued", "cleared")
NET_30 = "3"  # the payment terms that a new company has under this id
CORRECTION = Decimal("20.00")


class Bookkeeper:
    """Works in QuickBooks."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated

    def open_company(self) -> None:
        """A company with nothing in it, that may hold other currencies than the dollar."""
        if REALM not in self._simulated.books(ERP):
            settings = {"multicurrency": True, "time_zone": TIME_ZONE}
            self._simulated.act(ERP, "create_company", realm_id=REALM, name=COMPANY, **settings)
            self._simulated.act(ERP, "set_exchange_rate", realm_id=REALM, currency="EUR", rate="1.09")

    def account_id(self, name: str) -> str:
        """The id of an account."""
        return str(_only(row["Id"] for row in self._rows("Account") if row["Name"] == name))

    def open_account(self, act: Act) -> None:
        name, kind, number = next(account for account in ACCOUNTS if account[0] == act.subject)
        if name not in {row["Name"] for row in self._rows("Account")}:
            self._do("create_account", name=name, account_type=kind, AcctNum=number)

    def enter_vendor(self, act: Act) -> None:
        vendor = VENDORS[act.subject]
        if self._vendor(vendor) is None:
            address = {
                "Line1": vendor.street,
                "City": vendor.city,
                "CountrySubDivisionCode": vendor.state,
                "PostalCode": vendor.postal_code,
                "Country": "USA" if vendor.currency == "USD" else "DE",
            }
            self._do("create_vendor", name=vendor.name, BillAddr=address, CurrencyRef={"value": vendor.currency})

    def deactivate_vendor(self, act: Act) -> None:
        vendor = self._vendor(act.bills[0].vendor)
        if vendor and vendor["Active"]:
            self._do("deactivate", entity="Vendor", identity=vendor["Id"])

    def enter_bill(self, act: Act) -> None:
        (bill,) = act.bills
        vendor = self._vendor(bill.vendor)
        if vendor is None or self.bill(bill) is not None:
            return
        self._do(
            "create_bill",
            vendor_id=vendor["Id"],
            lines=[(self.account_id(account), str(amount)) for account, amount in bill.lines],
            DocNumber=bill.number,
            PrivateNote=bill.key,
            SalesTermRef={"value": NET_30},
            CurrencyRef={"value": bill.vendor.currency},
        )

    def correct_bill(self, act: Act) -> None:
        (bill,) = act.bills
        stands = self.bill(bill)
        if stands and stands["TotalAmt"] == bill.amount:
            line = {**stands["Line"][0], "Amount": str(bill.amount + CORRECTION)}
            self._do("edit_bill", bill_id=stands["Id"], changes={"Line": [line]})

    def delete_bill(self, act: Act) -> None:
        if stands := self.bill(act.bills[0]):
            self._do("delete_bill", bill_id=stands["Id"])

    def pay_by_hand(self, act: Act) -> None:
        stands = self.bill(act.bills[0])
        if stands and stands["Balance"]:
            self._do("pay_bill", bill_id=stands["Id"], bank_account_id=self.account_id(CHECKING))

    def pay_part_by_hand(self, act: Act) -> None:
        stands = self.bill(act.bills[0])
        if stands and stands["Balance"] == stands["TotalAmt"]:
            half = str((stands["TotalAmt"] / 2).quantize(Decimal("0.01")))
            self._do("pay_bill", bill_id=stands["Id"], amount=half, bank_account_id=self.account_id(CHECKING))

    def bill(self, bill: Bill) -> Row | None:
        """The bill as it stands, known by the note that was made on it."""
        return next((row for row in self._rows("Bill") if row.get("PrivateNote") == bill.key), None)

    def _vendor(self, vendor: Vendor) -> Row | None:
        return next((row for row in self._rows("Vendor") if row["DisplayName"].startswith(vendor.name)), None)

    def _rows(self, table: str) -> list[Row]:
        rows: list[Row] = self._simulated.books(ERP)[REALM].get(table, [])
        return rows

    def _do(self, act: str, **arguments: Any) -> None:
        self._simulated.act(ERP, act, realm_id=REALM, **arguments)


class Approvers:
    """Approve and pay at AvidXchange, which moves the checks on."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated

    def approve(self, act: Act) -> None:
        self._decide(act.bills[0], "approve_invoice", "approved")

    def reject(self, act: Act) -> None:
        self._decide(act.bills[0], "put_in_workflow", "in_workflow", unless="rejected")
        self._decide(act.bills[0], "reject_invoice", "rejected")

    def put_on_hold(self, act: Act) -> None:
        self._decide(act.bills[0], "put_in_workflow", "in_workflow", unless="on_hold")
        self._decide(act.bills[0], "hold_invoice", "on_hold")

    def pay(self, act: Act) -> None:
        if len(self._payments(act)) < act.which:
            invoices = {self._invoice(bill)["id"]: None for bill in act.bills}
            self._do("pay", invoices=invoices, method="check")

    def advance(self, act: Act) -> None:
        payment = self._payments(act)[act.which - 1]
        if ON_ITS_WAY.index(payment["status"]) < ON_ITS_WAY.index(act.subject):
            self._do("advance_payment", payment_id=payment["id"], to=act.subject)

    def void_check(self, act: Act) -> None:
        payment = self._payments(act)[0]
        if payment["status"] != "void":
            self._do("void_payment", payment_id=payment["id"], reason="Wrong remittance address")

    def stop_check(self, act: Act) -> None:
        payment = self._payments(act)[0]
        if payment["status"] == "issued":
            self._do("stop_payment", payment_id=payment["id"])

    def reissue_check(self, act: Act) -> None:
        payment = self._payments(act)[0]
        if payment["status"] == "stopped":
            self._do("reissue_payment", payment_id=payment["id"])

    def _decide(self, bill: Bill, act: str, to: str, unless: str = "") -> None:
        invoice = self._invoice(bill)
        if invoice["workflow_status"] not in (to, unless):
            self._do(act, invoice_id=invoice["id"])

    def _invoice(self, bill: Bill) -> Row:
        """The invoice that is meant, found as a person finds it: by vendor and number."""
        books = self._books()
        vendors = {vendor["id"] for vendor in books["vendors"] if vendor["name"] == bill.vendor.name}
        invoice: Row = _only(
            row
            for row in books["invoices"]
            if row["invoice_number"] == bill.number and row["vendor_id"] in vendors
        )  # fmt: skip
        return invoice

    def _payments(self, act: Act) -> list[Row]:
        """The payments of exactly these bills, in the order in which they were made."""
        invoices = sorted(self._invoice(bill)["id"] for bill in act.bills)
        return [
            payment
            for payment in sorted(self._books()["payments"], key=lambda payment: str(payment["id"]))
            if sorted(application["invoice_id"] for application in payment["applications"]) == invoices
        ]

    def _books(self) -> dict[str, list[Row]]:
        books: dict[str, list[Row]] = self._simulated.books(NETWORK)[NETWORK_COMPANY]
        return books

    def _do(self, act: str, **arguments: Any) -> None:
        self._simulated.act(NETWORK, act, company_id=NETWORK_COMPANY, **arguments)


class People:
    """Everybody who acts in the story."""

    def __init__(self, simulated: Simulated) -> None:
        self.bookkeeper = Bookkeeper(simulated)
        self.approvers = Approvers(simulated)

    def do(self, act: Act) -> None:
        """Do one act of the plan, if it has not been done."""
        who = self.bookkeeper if hasattr(self.bookkeeper, act.verb) else self.approvers
        getattr(who, act.verb)(act)


def _only(found: Iterable[Any]) -> Any:
    (one,) = found
    return one
