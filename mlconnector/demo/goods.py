"""What the vendors of the story sell: goods, which are bought by items, and services, by accounts. Data. Pure."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Item:
    """One of the goods: what a case of it costs, and which class of the business sells it."""

    name: str
    number: str
    cost: Decimal
    trade: str
    klass: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """A trade without goods: how many bills a month, over what, between which amounts, on which account."""

    account: str
    bills: tuple[int, int]
    dollars: tuple[int, int]
    words: tuple[str, ...]


CLASS_OF_TRADE = {"janitorial": "Housekeeping", "linen": "Housekeeping", "packaging": "Packaging", "paper": "Packaging"}
BILLS_OF_GOODS = 2, 4  # a month, beside those for orders

_GOODS = """
    tableware  | Dinner plate 10 in, case of 24 | TW-1010 |  86.40
    tableware  | Soup bowl 12 oz, case of 36    | TW-1120 |  74.16
    tableware  | Water glass 16 oz, case of 48  | TW-1230 |  61.92
    tableware  | Dinner fork, case of 120       | TW-1310 |  54.60
    kitchen    | Saute pan 12 in                | KI-2012 |  38.75
    kitchen    | Stock pot 20 qt                | KI-2020 |  92.10
    kitchen    | Chef's knife 8 in              | KI-2108 |  24.95
    kitchen    | Cutting board, case of 6       | KI-2206 |  71.40
    janitorial | Floor cleaner, 4 x 1 gal       | JA-3004 |  33.28
    janitorial | Glass cleaner, 12 x 1 qt       | JA-3012 |  27.84
    janitorial | Mop head, case of 12           | JA-3112 |  58.20
    janitorial | Can liner 55 gal, case of 100  | JA-3210 |  31.15
    paper      | Dinner napkin, case of 3000    | PA-4030 |  44.70
    paper      | Kitchen roll towel, case of 30 | PA-4130 |  29.35
    paper      | Bath tissue, case of 96        | PA-4196 |  52.80
    paper      | Register roll, case of 50      | PA-4250 |  36.45
    packaging  | Takeout box, case of 200       | PK-5020 |  48.90
    packaging  | Corrugated carton 18 in, 25    | PK-5118 |  22.75
    packaging  | Stretch wrap, 4 rolls          | PK-5204 |  64.35
    packaging  | Pallet 48 x 40                 | PK-5340 |  11.80
    linen      | Table cloth 72 in, dozen       | LI-6072 | 118.80
    linen      | Bar towel, 10 dozen            | LI-6110 |  67.50
    linen      | Bib apron, dozen               | LI-6212 |  82.20
    dry goods  | Bread flour 50 lb              | DG-7050 |  21.60
    dry goods  | Cane sugar 50 lb               | DG-7150 |  34.90
    dry goods  | Dark roast coffee 5 lb, 6      | DG-7206 | 156.00
    dry goods  | Sourwood honey 1 gal, 4        | DG-7304 | 188.40
    beverage   | Spring water 16 oz, case of 24 | BV-8024 |   6.15
    beverage   | Ginger ale 12 oz, case of 24   | BV-8124 |   9.85
    beverage   | Iced tea bags, case of 96      | BV-8296 |  41.25
"""
_SERVICES = """
    freight   | Freight in                  | 6-9 | 180-2400   | Inbound freight; Fuel surcharge; Liftgate delivery
    fuel      | Vehicle fuel                | 3-4 | 640-1900   | Diesel, bulk; Diesel, fleet cards
    utilities | Utilities                   | 2-3 | 240-2600   | Warehouse; Office; Cold storage
    property  | Rent                        | 1-2 | 7800-14500 | Warehouse rent; Common area maintenance
    repairs   | Repairs and maintenance     | 3-5 | 120-2800   | Service call; Parts; Yearly inspection
    software  | Software subscriptions      | 2-3 | 240-1900   | Monthly seats; Support plan
    insurance | Insurance                   | 2-2 | 2200-4100  | General liability; Cargo
    legal     | Legal and professional fees | 2-3 | 800-4400   | Lease review; General counsel
    cleaning  | Janitorial services         | 4-4 | 460-1250   | Warehouse cleaning; Window cleaning
    printing  | Advertising                 | 3-4 | 150-1400   | Spring catalog; Vehicle decals; Shelf signs
    staffing  | Temporary labor             | 4-4 | 1300-4800  | Pickers; Drivers' helpers
    travel    | Travel                      | 3-3 | 300-1500   | Air fare; Hotel
    signs     | Advertising                 | 1-1 | 240-900    | Dock signs
    import    | Inventory                   | 3-3 | 2900-6400  | Stoneware, one pallet
"""


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def _span(words: str) -> tuple[int, int]:
    low, _, high = words.partition("-")
    return int(low), int(high)


ITEMS = {
    number: Item(
        name=name, number=number, cost=Decimal(cost), trade=trade, klass=CLASS_OF_TRADE.get(trade, "Foodservice")
    )
    for trade, name, number, cost in _rows(_GOODS)
}
SERVICES = {
    trade: Service(
        account=account, bills=_span(bills), dollars=_span(dollars), words=tuple(map(str.strip, words.split(";")))
    )
    for trade, account, bills, dollars, words in _rows(_SERVICES)
}
