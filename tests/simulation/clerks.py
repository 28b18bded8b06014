"""What people do in QuickBooks' own pages in a history: they keep the books of a company."""

from base64 import b64encode
from datetime import date, timedelta
from typing import Any

from connectors.records import Kind
from syncs.models import RemoteRecord
from tests.simulation.somebody import Somebody
from tests.simulation.world import REALM

DOCUMENTS = {"Bill": Kind.BILL, "VendorCredit": Kind.CREDIT, "PurchaseOrder": Kind.PURCHASE_ORDER}


class Clerks(Somebody):
    """Who enters, edits and deletes in the ERP; each act says whether there was anything to do."""

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
            **self._on_an_open_day(),
            **self._ap_account(),
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
        body |= self._ap_account() | self._on_an_open_day()
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

    def close_the_books(self) -> bool:
        """The accountant closes the books through some day around this one, or opens them again."""
        if self.happens(0.7):
            return False
        days = self.chance.choice([None, -1, 0, 1, 3])
        day = None if days is None else str((self.world.clock.now() + timedelta(days=days)).date())
        self.world.person(self.world.quickbooks, "close_books", through=day)
        self.world.closings += [day] if day else []
        return True

    def replace_a_file(self) -> bool:
        files = list(self.world.company.tables["Attachable"].rows.values())
        if not files or self.happens(0.7):
            return False
        self.attached += 1
        content = b64encode(f"%PDF-1.4 better scan {'x' * self.attached}".encode()).decode()
        act, one = "replace_file", self.chance.choice(files)
        self.world.person(self.world.quickbooks, act, attachment_id=one["Id"], content=content)
        return True

    def merge_vendors(self) -> bool:
        """A vendor who was entered twice becomes one."""
        active = [one["Id"] for one in self.world.company.vendors.values() if one["Active"]]
        if len(active) < 2 or self.happens(0.8):
            return False
        survivor, loser = self.chance.sample(active, 2)
        self.world.person(self.world.quickbooks, "merge_vendors", survivor_id=survivor, loser_id=loser)
        self.world.merged[loser] = survivor
        return True

    def switch_a_vendor(self) -> bool:
        """A vendor is made inactive, or active again; one who was merged away stays away."""
        vendor = self.chance.choice(list(self.world.company.vendors.values()))
        if vendor["Id"] in self.world.merged:
            return False
        if self.happens(0.6 if vendor["Active"] else 0.2):
            return False
        self.world.person(
            self.world.quickbooks,
            "edit",
            entity="Vendor",
            identity=vendor["Id"],
            changes={"Active": not vendor["Active"]},
        )
        return True

    def switch_an_account(self) -> bool:
        """An account of lines is made inactive, or active again."""
        account = self.world.company.accounts[self.chance.choice(self.expenses)]
        if self.happens(0.7 if account["Active"] else 0.2):
            return False
        changes = {"Active": not account["Active"]}
        self.world.person(self.world.quickbooks, "edit", entity="Account", identity=account["Id"], changes=changes)
        return True

    def delete_something(self) -> bool:
        """A credit, an order or a payment is deleted."""
        if self.happens(0.8) or not self.may_delete:
            return False
        entity = self.chance.choice(["VendorCredit", "PurchaseOrder", "BillPayment"])
        rows = list(self.world.company.tables[entity].rows.values())
        if not rows:
            return False
        chosen = self.chance.choice(rows)
        identity = chosen["Id"]
        if self._is_forgotten(identity):
            return False
        self.world.person(self.world.quickbooks, "delete", entity=entity, identity=identity)
        self.world.deletions.append((entity, identity))
        self._note_meddling(chosen)
        return True

    def change_an_amount(self) -> bool:
        """A bill is corrected: its first line is of another amount."""
        bill = self._open_bill()
        if bill is None or self.happens(0.8):
            return False
        lines = [dict(line) for line in bill["Line"]]
        lines[0]["Amount"] = str(lines[0]["Amount"] + 5)
        self.world.person(self.world.quickbooks, "edit_bill", bill_id=bill["Id"], changes={"Line": lines})
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
        self.world.deletions.append(("Bill", bill["Id"]))
        return True

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
        chosen = self.chance.choice(standing)
        self.world.person(self.world.quickbooks, "void_payment", payment_id=chosen["Id"])
        self._note_meddling(chosen)
        return True

    def forget(self) -> None:
        """Our rows are from a backup: what stands in the books may be unknown to us."""
        self.forgotten = {id for entity in DOCUMENTS for id in self.world.company.tables[entity].rows}

    def _note_meddling(self, posting: dict[str, Any]) -> None:
        noted = {id for id in self.world.network.payments if f"payment {id};" in posting.get("PrivateNote", "")}
        self.world.meddled |= noted

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

    def _line(self, amount: str, with_class: bool = False) -> dict[str, Any]:
        detail: dict[str, Any] = {"AccountRef": {"value": self.chance.choice(self.expenses)}}
        if with_class:
            detail["ClassRef"] = {"value": self.class_id}
        kind = "AccountBasedExpenseLineDetail"
        return {"Amount": amount, "DetailType": kind, kind: detail}

    def _on_an_open_day(self) -> dict[str, Any]:
        """The first open day, where the books are closed for this one."""
        closed = self.world.company.closed_through
        today = str(self.world.clock.now().date())
        return {"TxnDate": str(date.fromisoformat(closed) + timedelta(days=1))} if closed >= today else {}

    def _ap_account(self) -> dict[str, Any]:
        return {"APAccountRef": {"value": self.chance.choice(self.payables)}} if self.payables else {}

    def _is_forgotten(self, identity: str) -> bool:
        """Whether our rows are from a backup and do not know it again yet: deleted now, nobody ever would."""
        known = RemoteRecord.objects.filter(connection=self.world.integration.erp, remote_id=identity)
        return identity in self.forgotten and not known.filter(kind__in=DOCUMENTS.values()).exists()

    def _open_bill(self) -> dict[str, Any] | None:
        bills = [one for one in self.world.quickbooks.company(REALM).bills.values() if one["Balance"] > 0]
        return self.chance.choice(bills) if bills else None
