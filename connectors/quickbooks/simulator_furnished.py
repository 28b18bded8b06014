"""A company in which there is something of every kind that accounts payable rests on."""

from base64 import b64encode
from typing import Any

from connectors.quickbooks.simulator_clerks import ClerksInQuickBooks
from connectors.quickbooks.simulator_people import expense_line

FEATURES = ("classes", "departments")
CHECKING, EXPENSES, PAYABLES = "35", "8", "33"
DOCUMENT = b64encode(b"%PDF-1.7 the invoice").decode()
ADDRESS = {
    "Line1": "100 Main St",
    "City": "Charlotte",
    "CountrySubDivisionCode": "NC",
    "PostalCode": "28202",
    "Country": "US",
}


class FurnishedQuickBooks(ClerksInQuickBooks):
    """What people enter first in a company that buys, receives and pays."""

    def person_furnish(self, account_id: str) -> dict[str, str]:
        """Everything is entered once, and an app is let in; a second time there is nothing left to do."""
        company = self.company(account_id)
        if company.tables["Bill"].rows:
            return {}
        self.person_consent_automatically(account_id)
        for feature in FEATURES:
            self.person_switch_feature(account_id, feature, on=True)
        vendor = self.person_create_vendor(account_id, "Acme Paper", BillAddr=ADDRESS)["Id"]
        for entity, name in (("Department", "Berlin"), ("Class", "Wholesale")):
            self._enter(account_id, entity, Name=name)
        line = self._stock_line(account_id)
        billed = self.person_order(account_id, vendor, [line], DocNumber="PO-1")
        bill = self.person_bill_order(account_id, billed["Id"], DocNumber="INV-1")
        self.person_order(account_id, vendor, [line], DocNumber="PO-2")
        self.person_create_bill(account_id, vendor, [(EXPENSES, "80.00")], DocNumber="INV-2")
        self._enter(account_id, "VendorCredit", VendorRef={"value": vendor}, DocNumber="CM-1",
                    Line=[expense_line(EXPENSES, "20.00")])  # fmt: skip
        self.person_attach(account_id, "Bill", bill["Id"], "invoice.pdf", DOCUMENT, "application/pdf")
        self.person_write_check(account_id, vendor, [(EXPENSES, "12.00")])
        transit = self.person_create_account(account_id, "Payments in transit", "Bank")["Id"]
        self.person_switch_feature(account_id, "multicurrency", on=True)
        self._enter(account_id, "CompanyCurrency", Code="CAD", Name="Canadian Dollar")
        return {"funding_account": CHECKING, "in_transit": transit}

    def _enter(self, realm_id: str, entity: str, **body: Any) -> str:
        return str(self.person_create(realm_id, entity, body)["Id"])

    def _stock_line(self, realm_id: str) -> dict[str, Any]:
        """A line of something that is kept in stock."""
        sorts = {"Stock": "Other Current Asset", "Cost of goods": "Cost of Goods Sold", "Sales": "Income"}
        stock, cost, sales = (self.person_create_account(realm_id, name, sort)["Id"] for name, sort in sorts.items())
        item = self._enter(
            realm_id, "Item", Name="Toner", Type="Inventory", TrackQtyOnHand=True, QtyOnHand=0,
            InvStartDate="2026-01-01", AssetAccountRef={"value": stock}, ExpenseAccountRef={"value": cost},
            IncomeAccountRef={"value": sales},
        )  # fmt: skip
        detail = {"ItemRef": {"value": item}, "Qty": "10", "UnitPrice": "12.50"}
        return {"Amount": "125.00", "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail}
