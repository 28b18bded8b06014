"""The demo's bookkeeper at the lists of QuickBooks: accounts, branches, classes, items and vendors."""

from typing import Any

from mlconnector.demo.company import (
    ACCOUNTS,
    COMPANY,
    COST_OF_GOODS,
    INVENTORY,
    REALM,
    SALES,
    TIME_ZONE,
    TRADE_SHOWS,
)
from mlconnector.demo.goods import ITEMS
from mlconnector.demo.plan import Act
from mlconnector.demo.simulated import ERP, Simulated
from mlconnector.demo.vendors import VENDORS, Vendor

Row = dict[str, Any]
COUNTED_SINCE = "2026-01-01"


class ListKeeper:
    """Each act looks at the books first and does only what has not been done."""

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
        return self._named("Account", name)

    def open_account(self, act: Act) -> None:
        name, kind, number = next(account for account in ACCOUNTS if account[0] == act.subject)
        self._enter("Account", name, {"AccountType": kind, "AcctNum": number})

    def open_branch(self, act: Act) -> None:
        self._enter("Department", act.subject, {})

    def open_class(self, act: Act) -> None:
        self._enter("Class", act.subject, {})

    def enter_item(self, act: Act) -> None:
        item = ITEMS[act.subject]
        accounts = (("Income", SALES), ("Expense", COST_OF_GOODS), ("Asset", INVENTORY))
        described = {f"{role}AccountRef": {"value": self.account_id(name)} for role, name in accounts}
        counted = {"Type": "Inventory", "TrackQtyOnHand": True, "QtyOnHand": 0, "InvStartDate": COUNTED_SINCE}
        about = {"Sku": item.number, "PurchaseDesc": item.name, "PurchaseCost": str(item.cost)}
        self._enter("Item", item.name, {**described, **counted, **about})

    def enter_vendor(self, act: Act) -> None:
        vendor = VENDORS[act.subject]
        address = {
            "Line1": vendor.street,
            "City": vendor.city,
            "CountrySubDivisionCode": vendor.state,
            "PostalCode": vendor.postal_code,
            "Country": "USA" if vendor.currency == "USD" else "DE",
        }
        if self._vendor(vendor) is None:
            self._do("create_vendor", name=vendor.name, BillAddr=address, CurrencyRef={"value": vendor.currency})

    def deactivate_vendor(self, act: Act) -> None:
        vendor = self._vendor(act.entries[0].vendor)
        if vendor and vendor["Active"]:
            self._do("deactivate", entity="Vendor", identity=vendor["Id"])

    def open_lost_account(self, act: Act) -> None:
        """An account that somebody opens for one bill."""
        if not any(row["Name"].startswith(TRADE_SHOWS) for row in self._rows("Account")):
            self._enter("Account", TRADE_SHOWS, {"AccountType": "Expense", "AcctNum": "7900"})

    def close_lost_account(self, act: Act) -> None:
        """It was not wanted, and nobody has corrected the bill."""
        row = next(row for row in self._rows("Account") if row["Name"].startswith(TRADE_SHOWS))
        if row["Active"]:
            self._do("deactivate", entity="Account", identity=row["Id"])

    def _enter(self, entity: str, name: str, body: Row) -> None:
        if not any(row["Name"] == name for row in self._rows(entity)):
            self._do("create", entity=entity, body={"Name": name, **body})

    def _named(self, entity: str, name: str) -> str:
        return next(str(row["Id"]) for row in self._rows(entity) if row["Name"] == name)

    def _vendor(self, vendor: Vendor) -> Row | None:
        names = (vendor.name, f"{vendor.name} (deleted)")
        return next((row for row in self._rows("Vendor") if row["DisplayName"] in names), None)

    def _rows(self, table: str) -> list[Row]:
        rows: list[Row] = self._simulated.books(ERP)[REALM].get(table, [])
        return rows

    def _do(self, act: str, **arguments: Any) -> None:
        self._simulated.act(ERP, act, realm_id=REALM, **arguments)
