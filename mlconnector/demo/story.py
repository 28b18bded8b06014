"""Who is in the demo: one company, its vendors, sixty bills, and what becomes of each. Data and no more. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

COMPANY = "Blue Ridge Wholesale"
REALM = "9130357992000001"  # the company's id in QuickBooks
NETWORK_COMPANY = "BRW-2207"  # and at AvidXchange
TIME_ZONE = "America/New_York"
CHECKING = "Checking"
IN_TRANSIT = "Payments in transit"

# Opened beside those that a new company has: name, type, number.
ACCOUNTS = (
    (IN_TRANSIT, "Bank", "1050"),
    ("Freight in", "Expense", "6600"),
    ("Repairs and maintenance", "Expense", "6700"),
    ("Insurance", "Expense", "6800"),
    ("Software subscriptions", "Expense", "6900"),
    ("Warehouse supplies", "Expense", "7000"),
)


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor with all that a check needs to find its way."""

    name: str
    street: str
    city: str
    state: str
    postal_code: str
    currency: str = "USD"


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One bill: entered on this day of the story, and what becomes of it."""

    key: str
    day: int
    vendor: Vendor
    number: str
    lines: Sequence[tuple[str, Decimal]]
    fate: str

    @cached_property
    def amount(self) -> Decimal:
        """What it is over."""
        return sum((amount for _, amount in self.lines), Decimal(0))


def _vendors(table: str) -> dict[str, Vendor]:
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return {
        key: Vendor(name=name, street=street, city=city, state=state, postal_code=postal_code, currency=currency)
        for key, name, street, city, state, postal_code, currency in rows
    }


VENDORS = _vendors("""
    freight   | Carolina Freight Lines      | 4100 Wilkinson Blvd    | Charlotte     | NC | 28208 | USD
    packaging | Piedmont Packaging Co.      | 2218 Patterson St      | Greensboro    | NC | 27407 | USD
    power     | Catawba Valley Power        | 75 Lenoir Rhyne Blvd   | Hickory       | NC | 28602 | USD
    landlord  | Foothills Industrial Park   | 900 Enterprise Dr      | Morganton     | NC | 28655 | USD
    forklift  | Summit Lift & Equipment     | 1450 Smoky Park Hwy    | Asheville     | NC | 28806 | USD
    legal     | Hargrove & Tate LLP         | 301 S College St       | Charlotte     | NC | 28202 | USD
    insurer   | Old North Mutual            | 5 Exchange Plaza       | Raleigh       | NC | 27601 | USD
    software  | Larkspur Software Inc.      | 88 Kendall Sq          | Cambridge     | MA | 02142 | USD
    print     | Ridgeline Print & Sign      | 17 Biltmore Ave        | Asheville     | NC | 28801 | USD
    janitor   | Brightwater Cleaning        | 640 Merrimon Ave       | Asheville     | NC | 28804 | USD
    paper     | Yadkin Paper Supply         | 3300 Jonestown Rd      | Winston-Salem | NC | 27104 | USD
    pallets   | Great Smoky Pallet Co.      | 212 Sawmill Rd         | Waynesville   | NC | 28786 | USD
    telecom   | Tri-County Telecom          | 48 Courthouse Sq       | Marion        | NC | 28752 | USD
    travel    | Parkway Travel Desk         | 1 Haywood St           | Asheville     | NC | 28801 | USD
    doors     | Dogwood Overhead Doors      | 520 Sweeten Creek Rd   | Asheville     | NC | 28803 | USD
    racking   | Ironwood Racking            | 1780 Industrial Way    | Greenville    | SC | 29607 | USD
    labels    | Sugar Maple Labels          | 95 Riverside Dr        | Knoxville     | TN | 37914 | USD
    security  | Nantahala Security          | 233 Main St            | Sylva         | NC | 28779 | USD
    scales    | Rheintal Waagen GmbH        | Industriestrasse 14    | Singen        | BW | 78224 | EUR
    sign shop | Old Mill Sign Shop          | 6 Mill St              | Black Mountain| NC | 28711 | USD
""")

# Day, vendor, number, account and amount of each line, and its fate where it is not simply approved and paid.
_BILLS = """
     1 | freight   | CFL-88120   | Freight in 1840.00 + Freight in 212.50       |
     1 | freight   | CFL-88143   | Freight in 967.35                            |
     1 | packaging | 40117       | Warehouse supplies 3412.80                   |
     1 | power     | 7731-0418   | Utilities 2188.47                            |
     1 | landlord  | RENT-11     | Rent 12500.00                                |
     1 | forklift  | S-20931     | Repairs and maintenance 689.00 + Warehouse supplies 74.20 |
     1 | legal     | 118-2204    | Legal and professional fees 4375.00          |
     1 | insurer   | POL-55810   | Insurance 3120.00                            |
     1 | software  | LS-30077    | Software subscriptions 1499.00               |
     1 | print     | 9921        | Advertising 845.60                           |
     1 | janitor   | BC-1107     | Repairs and maintenance 1150.00              |
     1 | paper     | YP-66120    | Office supplies 318.44                       |
     1 | pallets   | 5512        | Warehouse supplies 2760.00                   |
     1 | telecom   | 828-4410-11 | Utilities 642.18                             |
     1 | travel    | PTD-771     | Travel 1284.90                               |
     1 | doors     | 20458       | Repairs and maintenance 2315.00              |
     1 | racking   | IR-4092     | Warehouse supplies 7980.00                   |
     1 | labels    | SML-1830    | Warehouse supplies 512.75                    | stopped
     2 | security  | NS-2203     | Repairs and maintenance 890.00               | voided
     2 | scales    | RW-2026-311 | Warehouse supplies 4260.00                   | left
     3 | freight   | CFL-88207   | Freight in 1422.10                           |
     3 | janitor   | BC-1112     | Repairs and maintenance 460.00               | partly paid
     3 | packaging | 40161       | Warehouse supplies 1288.15                   |
     3 | sign shop | OM-310      | Advertising 275.00                           | vendor gone
     4 | paper     | YP-66187    | Office supplies 201.19                       | corrected
     4 | travel    | PTD-780     | Travel 655.20                                | settled
     4 | power     | 7731-0425   | Utilities 305.66                             |
     5 | pallets   | 5539        | Warehouse supplies 1380.00                   |
     5 | software  | LS-30102    | Software subscriptions 240.00                |
     6 | print     | 9937        | Advertising 410.00                           | rejected
     6 | doors     | 20471       | Repairs and maintenance 385.00               | by hand too
     6 | freight   | CFL-88260   | Freight in 733.90 + Freight in 58.00         |
     7 | legal     | 118-2231    | Legal and professional fees 1250.00          | deleted
     7 | labels    | SML-1844    | Warehouse supplies 338.40                    |
     8 | telecom   | 828-4410-12 | Utilities 644.03                             | by hand
     8 | forklift  | S-20977     | Repairs and maintenance 1204.50              |
     9 | packaging | 40117       | Warehouse supplies 3412.80                   | left
     9 | racking   | IR-4118     | Warehouse supplies 2240.00                   |
    10 | insurer   | POL-55944   | Insurance 780.00                             | on hold
    10 | freight   | CFL-88311   | Freight in 1890.75                           |
    11 | janitor   | BC-1129     | Repairs and maintenance 1150.00              |
    11 | power     | 7731-0502   | Utilities 1976.32                            |
    12 | paper     | YP-66240    | Office supplies 287.03                       |
    12 | pallets   | 5561        | Warehouse supplies 2070.00                   |
    13 | travel    | PTD-802     | Travel 912.45                                |
    13 | security  | NS-2219     | Repairs and maintenance 890.00               |
    14 | software  | LS-30140    | Software subscriptions 1499.00               |
    14 | freight   | CFL-88377   | Freight in 1105.60                           |
    15 | packaging | 40209       | Warehouse supplies 2977.35                   |
    15 | landlord  | CAM-11      | Rent 1340.00                                 |
    16 | labels    | SML-1861    | Warehouse supplies 604.10                    |
    16 | legal     | 118-2260    | Legal and professional fees 2125.00          |
    17 | forklift  | S-21020     | Repairs and maintenance 415.75               |
    17 | doors     | 20502       | Repairs and maintenance 1180.00              |
    18 | telecom   | 828-4411-01 | Utilities 640.77                             |
    18 | print     | 9960        | Advertising 1320.00                          |
    19 | freight   | CFL-88420   | Freight in 1377.25                           |
    19 | racking   | IR-4150     | Warehouse supplies 890.00                    |
    20 | paper     | YP-66301    | Office supplies 166.80                       |
    20 | insurer   | POL-56010   | Insurance 3120.00                            |
"""


def _bills(table: str) -> list[Bill]:
    bills = []
    for place, row in enumerate(table.strip().splitlines(), 1):
        day, vendor, number, lines, fate = (cell.strip() for cell in row.split("|"))
        coded = [line.rpartition(" ") for line in lines.split(" + ")]
        bills.append(
            Bill(
                key=f"B{place:02d}",
                day=int(day),
                vendor=VENDORS[vendor],
                number=number,
                lines=[(account, Decimal(amount)) for account, _, amount in coded],
                fate=fate or "paid",
            )
        )
    return bills


BILLS = _bills(_BILLS)
