"""The demo's bookkeeper at the entries of QuickBooks: orders, bills, credits, images, and payments by hand."""

from base64 import b64encode
from decimal import Decimal

from mlconnector.demo.company import CHECKING
from mlconnector.demo.goods import ITEMS
from mlconnector.demo.lists import ListKeeper, Row
from mlconnector.demo.paper import image_of
from mlconnector.demo.plan import Act
from mlconnector.demo.story import Bill, Entry, Line, Order

NET_30 = "3"  # the payment terms that a new company has under this id
CORRECTION = Decimal("20.00")


class Bookkeeper(ListKeeper):
    """What is entered is known again by its key in the memo."""

    def order(self, act: Act) -> None:
        (order,) = act.entries
        if self._entry("PurchaseOrder", order) is None:
            self._do("order", vendor_id=self._payee(order), lines=self._lines(order), **self._about(order))

    def receive(self, act: Act) -> None:
        """Half of it has come, and no bill yet."""
        row = self._entry("PurchaseOrder", act.entries[0])
        if row and not any(line["Received"] for line in row["Line"]):
            half = {line["Id"]: str(line["ItemBasedExpenseLineDetail"]["Qty"] / 2) for line in row["Line"]}
            self._do("receive", order_id=row["Id"], quantities=half)

    def enter_bill(self, act: Act) -> None:
        (bill,) = act.entries
        assert isinstance(bill, Bill)
        if self.bill(bill) is not None:
            return
        about = {**self._about(bill), "SalesTermRef": {"value": NET_30}}
        if bill.order is not None:
            self._do("bill_order", **self._came(bill, bill.order), **about)
        else:
            body = {"VendorRef": {"value": self._payee(bill)}, "Line": self._lines(bill), **about}
            self._do("create", entity="Bill", body=body)

    def enter_credit(self, act: Act) -> None:
        (credit,) = act.entries
        if self._entry("VendorCredit", credit) is None:
            body = {"VendorRef": {"value": self._payee(credit)}, "Line": self._lines(credit), **self._about(credit)}
            self._do("create", entity="VendorCredit", body=body)

    def attach_image(self, act: Act) -> None:
        (bill,) = act.entries
        assert isinstance(bill, Bill)
        name, stands = f"{bill.number}-{bill.key}.pdf", self.bill(bill)
        if stands and name not in {row.get("FileName") for row in self._rows("Attachable")}:
            content = b64encode(image_of(bill)).decode()
            file = {"file_name": name, "content": content, "content_type": "application/pdf"}
            self._do("attach", entity="Bill", identity=stands["Id"], **file)

    def correct_bill(self, act: Act) -> None:
        (bill,) = act.entries
        stands = self.bill(bill)
        if stands and stands["TotalAmt"] == bill.amount:
            line = stands["Line"][0]
            changed = {**line, "Amount": str(line["Amount"] + CORRECTION)}
            self._do("edit_bill", bill_id=stands["Id"], changes={"Line": [changed, *stands["Line"][1:]]})

    def delete_bill(self, act: Act) -> None:
        if stands := self.bill(act.entries[0]):
            self._do("delete_bill", bill_id=stands["Id"])

    def pay_by_hand(self, act: Act) -> None:
        stands = self.bill(act.entries[0])
        if stands and stands["Balance"]:
            self._do("pay_bill", bill_id=stands["Id"], bank_account_id=self.account_id(CHECKING))

    def pay_part_by_hand(self, act: Act) -> None:
        stands = self.bill(act.entries[0])
        if stands and stands["Balance"] == stands["TotalAmt"]:
            half = str((stands["TotalAmt"] / 2).quantize(Decimal("0.01")))
            self._do("pay_bill", bill_id=stands["Id"], amount=half, bank_account_id=self.account_id(CHECKING))

    def close_books(self, act: Act) -> None:
        """Through the date of this bill."""
        if stands := self.bill(act.entries[0]):
            self._do("close_books", through=stands["TxnDate"])

    def bill(self, bill: Entry) -> Row | None:
        """The bill as it stands."""
        return self._entry("Bill", bill)

    def _entry(self, table: str, entry: Entry) -> Row | None:
        return next((row for row in self._rows(table) if row.get("PrivateNote") == entry.key), None)

    def _payee(self, entry: Entry) -> str:
        vendor = self._vendor(entry.vendor)
        assert vendor is not None
        return str(vendor["Id"])

    def _about(self, entry: Entry) -> Row:
        named = {"DocNumber": entry.number, "PrivateNote": entry.key, "CurrencyRef": {"value": entry.vendor.currency}}
        return {**named, "DepartmentRef": {"value": self._named("Department", entry.branch)}} if entry.branch else named

    def _lines(self, entry: Entry) -> list[Row]:
        return [self._line(line) for line in entry.lines]

    def _line(self, line: Line) -> Row:
        shared: Row = {"ClassRef": {"value": self._named("Class", line.klass)}}
        if line.item:
            item = ITEMS[line.item]
            bought = {"ItemRef": {"value": self._named("Item", item.name)}, "Qty": line.quantity}
            kind, detail = "ItemBasedExpenseLineDetail", {**shared, **bought, "UnitPrice": str(item.cost)}
        else:
            kind, detail = "AccountBasedExpenseLineDetail", {
                **shared, "AccountRef": {"value": self.account_id(line.account)},
            }  # fmt: skip
        return {"Amount": str(line.amount), "Description": line.words, "DetailType": kind, kind: detail}

    def _came(self, bill: Bill, order: Order) -> Row:
        """How much of which line of the order is on this bill."""
        row = self._entry("PurchaseOrder", order)
        assert row is not None
        quantities = {line["Id"]: str(came.quantity) for line, came in zip(row["Line"], bill.lines, strict=True)}
        return {"order_id": row["Id"], "quantities": quantities}
