"""Many vendors and bills at once, for measuring: stored as the API would have stored them, without its checks."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from connectors.quickbooks.simulator_chart import currency
from connectors.quickbooks.simulator_company import Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_ledger import move

PAYABLE = "33"
EXPENSES = ("7", "8", "9", "10", "11", "12")


def seed(company: Company, now: datetime, vendors: int, bills: int, lines_per_bill: int) -> None:
    """Active vendors and open bills, their amounts and dates spread by their position alone."""
    stamped = company.insert  # one name less to look up a hundred thousand times
    money = currency(company.home_currency)
    seeded = [
        stamped(
            ENTITIES["Vendor"],
            {
                "DisplayName": f"Vendor {position:06d}",
                "PrintOnCheckName": f"Vendor {position:06d}",
                "Active": True,
                "Balance": Decimal(0),
                "Vendor1099": False,
                "CurrencyRef": money,
                "V4IDPseudonym": f"0020{position:06x}",
            },
            now,
        )
        for position in range(1, vendors + 1)
    ]
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    parts = _Parts(company, now)
    for position in range(bills):
        vendor = seeded[position % len(seeded)]
        body = parts.bill(vendor, position, lines_per_bill)
        owed[vendor["Id"]] += stamped(ENTITIES["Bill"], body, now)["TotalAmt"]
    for vendor_id, amount in owed.items():
        company.adjust("Vendor", vendor_id, Balance=amount)
    move(company, PAYABLE, -sum(owed.values(), Decimal(0)))
    company.events.clear()


class _Parts:
    """What bills have in common, made once."""

    def __init__(self, company: Company, now: datetime) -> None:
        today = company.today(now)
        self._days = [(today - timedelta(days=age)).isoformat() for age in range(60)]
        self._currency = currency(company.home_currency)
        self._payable = {"value": PAYABLE, "name": company.accounts[PAYABLE]["FullyQualifiedName"]}
        self._details = [
            {
                "BillableStatus": "NotBillable",
                "TaxCodeRef": {"value": "NON"},
                "AccountRef": {"value": account, "name": company.accounts[account]["FullyQualifiedName"]},
            }
            for account in EXPENSES
        ]

    def bill(self, vendor: Body, position: int, lines: int) -> Body:
        """An open bill whose amounts follow from its position."""
        amounts = [Decimal(1000 + (position * 37 + line * 911) % 90000) / 100 for line in range(lines)]
        return {
            "TxnDate": self._days[position % 60],
            "DueDate": self._days[0],
            "DocNumber": f"S{position + 1:07d}",
            "VendorRef": {"value": vendor["Id"], "name": vendor["DisplayName"]},
            "APAccountRef": self._payable,
            "CurrencyRef": self._currency,
            "LinkedTxn": [],
            "Line": [
                {
                    "Id": str(line + 1),
                    "LineNum": line + 1,
                    "Description": "Goods",
                    "Amount": amount,
                    "LinkedTxn": [],
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "CustomExtensions": [],
                    "AccountBasedExpenseLineDetail": self._details[(position + line) % len(self._details)],
                }
                for line, amount in enumerate(amounts)
            ],
            "TotalAmt": (total := sum(amounts, Decimal(0))),
            "Balance": total,
        }
