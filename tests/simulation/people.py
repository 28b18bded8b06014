"""What people do in a history: they keep books, approve, pay, change their minds, and sign out by mistake."""

import random
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from connectors.avidxchange.simulator_books import ActRefused
from connectors.models import Connection
from connectors.quickbooks.simulator_faults import Refusal
from connectors.records import Kind
from syncs.models import RemoteRecord
from tests.simulation.world import ADDRESS, REALM, World, sign_in

LIVE = ("pending", "executed")


@dataclass
class People:
    """Everybody who acts in one history; `bills_left` are still to be entered.

    `forgotten` are the bills that stood in the books when our rows were restored from a backup.
    """

    world: World
    chance: random.Random
    bills_left: int
    expenses: list[str] = field(default_factory=list)
    entered: int = 0
    ordered: int = 0
    credited: int = 0
    attached: int = 0
    class_id: str = ""
    may_delete: bool = True
    forgotten: set[str] = field(default_factory=set)

    def begin(self, vendors: int) -> None:
        """The books as they are found: vendors and accounts, and the first bills."""
        qb = self.world.quickbooks
        for number in range(vendors):
            self.world.person(qb, "create_vendor", name=f"Vendor {number}", BillAddr=ADDRESS)
        for name in ("Supplies", "Freight"):
            account = self.world.person(qb, "create_account", name=name, account_type="Expense")
            self.expenses.append(account["Id"])
        self.class_id = self.world.person(qb, "create", entity="Class", body={"Name": "Retail"})["Id"]
        for _ in range(self.bills_left // 2):
            self.enter_a_bill()

    def act(self) -> str:
        """Somebody does one thing, whatever there is to be done; what it was."""
        acts = [
            self.enter_a_bill,
            self.enter_a_bill,
            self.approve,
            self.approve,
            self.pay,
            self.pay,
            self.pay,
            self.advance,
            self.advance,
            self.advance,
            self.advance,
            self.take_back,
            self.edit_a_bill,
            self.order_goods,
            self.bill_an_order,
            self.enter_a_credit,
            self.attach_a_file,
            self.delete_a_bill,
            self.pay_by_hand,
            self.void_a_posting,
            self.rename_a_vendor,
            self.disconnect,
        ]
        for act in self.chance.sample(acts, len(acts)):
            try:
                if act():
                    return act.__name__.replace("_", " ")
            except (ActRefused, Refusal):
                continue
        return ""

    def enter_a_bill(self) -> bool:
        if not self.bills_left:
            return False
        self.bills_left -= 1
        self.entered += 1
        vendor = self.chance.choice(list(self.world.company.vendors.values()))
        cents = self.chance.choice([25000, 25000, self.chance.randint(100, 99999), self.chance.randint(100, 99999)])
        lines = [[self.chance.choice(self.expenses), f"{cents // 100}.{cents % 100:02d}"]]
        if self.chance.random() < 0.5:
            lines.append([self.chance.choice(self.expenses), "10.00"])
        self.world.person(
            self.world.quickbooks,
            "create_bill",
            vendor_id=vendor["Id"],
            lines=lines,
            DocNumber=f"B-{self.entered}",
        )
        return True

    def order_goods(self) -> bool:
        if self.ordered >= 3 or self.chance.random() < 0.5:
            return False
        self.ordered += 1
        qb, vendor = self.world.quickbooks, self.chance.choice(list(self.world.company.vendors.values()))
        lines = [self._line(amount, self.chance.random() < 0.5) for amount in ("40.00", "60.00")]
        self.world.person(qb, "order", vendor_id=vendor["Id"], lines=lines, DocNumber=f"PO-{self.ordered}")
        return True

    def bill_an_order(self) -> bool:
        orders = [one for one in self.world.company.tables["PurchaseOrder"].rows.values() if one["POStatus"] == "Open"]
        if not orders or not self.bills_left:
            return False
        order = self.chance.choice(orders)
        self.bills_left -= 1
        self.entered += 1
        some = {order["Line"][0]["Id"]: "20.00"} if self.chance.random() < 0.4 else None
        number = f"B-{self.entered}"
        self.world.person(self.world.quickbooks, "bill_order", order_id=order["Id"], quantities=some, DocNumber=number)
        return True

    def enter_a_credit(self) -> bool:
        if self.credited >= 2 or self.chance.random() < 0.5:
            return False
        self.credited += 1
        vendor = self.chance.choice(list(self.world.company.vendors.values()))
        body = {"VendorRef": {"value": vendor["Id"]}, "Line": [self._line("15.00")], "DocNumber": f"C-{self.credited}"}
        self.world.person(self.world.quickbooks, "create", entity="VendorCredit", body=body)
        return True

    def attach_a_file(self) -> bool:
        bill = self._open_bill()
        if bill is None or self.chance.random() < 0.6:
            return False
        self.attached += 1
        content = b64encode(f"%PDF-1.4 scan {self.attached}".encode()).decode()
        name = {"file_name": f"scan-{self.attached}.pdf", "content_type": "application/pdf"}
        pointer = {"entity": "Bill", "identity": bill["Id"]}
        self.world.person(self.world.quickbooks, "attach", **pointer, **name, content=content)
        return True

    def _line(self, amount: str, with_class: bool = False) -> dict[str, Any]:
        detail: dict[str, Any] = {"AccountRef": {"value": self.chance.choice(self.expenses)}}
        if with_class:
            detail["ClassRef"] = {"value": self.class_id}
        kind = "AccountBasedExpenseLineDetail"
        return {"Amount": amount, "DetailType": kind, kind: detail}

    def approve(self) -> bool:
        invoice = self._invoice("received", "in_workflow")
        if invoice is None:
            return False
        self.world.person(self.world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
        return True

    def pay(self) -> bool:
        invoice = self._invoice("approved")
        if invoice is None:
            return False
        also = [
            other
            for other in self.world.network.invoices.values()
            if other["workflow_status"] == "approved"
            and other["vendor_external_id"] == invoice["vendor_external_id"]
            and other["id"] != invoice["id"]
            and not self._is_paid(other)
        ]
        chosen = [invoice, *(also if self.chance.random() < 0.4 else [])]
        self.world.person(
            self.world.avidxchange, "pay", invoices={one["id"]: None for one in chosen if not self._is_paid(one)}
        )
        return True

    def advance(self) -> bool:
        payment = self._payment()
        if payment is None:
            return False
        self.world.person(self.world.avidxchange, "advance_payment", payment_id=payment["id"])
        return True

    def take_back(self) -> bool:
        payment = self._payment()
        if payment is None or self.chance.random() < 0.5:
            return False
        self.world.person(self.world.avidxchange, "void_payment", payment_id=payment["id"])
        return True

    def edit_a_bill(self) -> bool:
        bill = self._open_bill()
        if bill is None:
            return False
        changes: dict[str, Any] = {"PrivateNote": f"Looked at {self.world.clock.now()}"}
        if self.chance.random() < 0.15:
            changes = {"DueDate": f"2026-04-{self.chance.randint(1, 30):02d}"}
        self.world.person(self.world.quickbooks, "edit_bill", bill_id=bill["Id"], changes=changes)
        return True

    def delete_a_bill(self) -> bool:
        bill = self._open_bill()
        if bill is None or self.chance.random() < 0.9 or self.world.company.payments_of_bill(bill["Id"]):
            return False
        if not self.may_delete or self._is_forgotten(bill["Id"]):
            return False
        self.world.person(self.world.quickbooks, "delete_bill", bill_id=bill["Id"])
        self.world.deleted_bills.append(bill["Id"])
        return True

    def _is_forgotten(self, bill_id: str) -> bool:
        """Whether our rows are from a backup and do not know it again yet: deleted now, nobody ever would."""
        known = RemoteRecord.objects.filter(connection=self.world.integration.erp, kind=Kind.BILL, remote_id=bill_id)
        return bill_id in self.forgotten and not known.exists()

    def pay_by_hand(self) -> bool:
        bill = self._open_bill()
        if bill is None or self.chance.random() < 0.9:
            return False
        self.world.person(self.world.quickbooks, "pay_bill", bill_id=bill["Id"])
        return True

    def void_a_posting(self) -> bool:
        """A payment is voided by hand in the ERP, ours or somebody else's."""
        standing = [one for one in self.world.company.bill_payments.values() if one["Line"]]
        if not standing or self.chance.random() < 0.9:
            return False
        self.world.person(self.world.quickbooks, "void_payment", payment_id=self.chance.choice(standing)["Id"])
        return True

    def rename_a_vendor(self) -> bool:
        vendor = self.chance.choice(list(self.world.company.vendors.values()))
        self.world.person(
            self.world.quickbooks,
            "edit",
            entity="Vendor",
            identity=vendor["Id"],
            changes={"CompanyName": f"Known as {self.chance.randint(1, 99)}"},
        )
        return True

    def disconnect(self) -> bool:
        if self.chance.random() < 0.9:
            return False
        self.world.person(self.world.quickbooks, "disconnect")
        return True

    def sign_in_again(self) -> bool:
        """Operations sees a connection that needs somebody, and connects it."""
        if not Connection.objects.filter(status=Connection.Status.ATTENTION).exists():
            return False
        sign_in(self.world)
        Connection.objects.filter(status=Connection.Status.ATTENTION).update(status=Connection.Status.CONNECTED)
        return True

    def _invoice(self, *statuses: str) -> dict[str, Any] | None:
        fitting = [
            one
            for one in self.world.network.invoices.values()
            if one["workflow_status"] in statuses and not self._is_paid(one)
        ]
        return self.chance.choice(fitting) if fitting else None

    def _is_paid(self, invoice: dict[str, Any]) -> bool:
        return any(
            application["invoice_id"] == invoice["id"]
            for payment in self.world.avidxchange.books()[self.world.network.id]["payments"]
            if payment["phase"] in LIVE or payment["phase"] == "none"
            for application in payment["applications"]
        )

    def _payment(self) -> dict[str, Any] | None:
        payments = [
            one for one in self.world.avidxchange.books()[self.world.network.id]["payments"] if one["phase"] in LIVE
        ]
        return self.chance.choice(payments) if payments else None

    def _open_bill(self) -> dict[str, Any] | None:
        bills = [one for one in self.world.quickbooks.company(REALM).bills.values() if one["Balance"] > 0]
        return self.chance.choice(bills) if bills else None
