"""The company of the demo: who it is at both providers, and how its books are kept. Data and no more. Pure."""

COMPANY = "Blue Ridge Wholesale"
REALM = "9130357992000001"  # the company's id in QuickBooks
NETWORK_COMPANY = "BRW-2207"  # and at AvidXchange
TIME_ZONE = "America/New_York"
CHECKING = "Checking"
IN_TRANSIT = "Payments in transit"
INVENTORY = "Inventory"
SALES = "Sales of goods"
COST_OF_GOODS = "Cost of goods sold"
FREIGHT_IN = "Freight in"
TRADE_SHOWS = "Trade shows"

# Opened beside those that a new company has: name, type, number.
ACCOUNTS = (
    (IN_TRANSIT, "Bank", "1050"),
    (INVENTORY, "Other Current Asset", "1200"),
    (SALES, "Income", "4000"),
    (COST_OF_GOODS, "Cost of Goods Sold", "5000"),
    (FREIGHT_IN, "Cost of Goods Sold", "5100"),
    ("Repairs and maintenance", "Expense", "6600"),
    ("Insurance", "Expense", "6700"),
    ("Software subscriptions", "Expense", "6800"),
    ("Vehicle fuel", "Expense", "6900"),
    ("Temporary labor", "Expense", "7000"),
    ("Janitorial services", "Expense", "7100"),
)
BRANCHES = ("Asheville", "Greenville", "Knoxville")  # departments, which QuickBooks calls locations
CLASSES = ("Foodservice", "Housekeeping", "Packaging", "Overhead")
