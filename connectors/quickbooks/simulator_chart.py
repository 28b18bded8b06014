"""What a new company starts with: its description, its preferences, a chart of accounts and payment terms."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.quickbooks.simulator_company import CURRENCIES, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_lists_table import ACCOUNT_TYPES

# Id, name, type, subtype, number, which some lack as in many companies; a table is in the order of its ids.
ACCOUNTS = (
    ("7", "Advertising", "Expense", "AdvertisingPromotional", "6000"),
    ("8", "Office supplies", "Expense", "SuppliesMaterials", "6100"),
    ("9", "Legal and professional fees", "Expense", "LegalProfessionalFees", "6200"),
    ("10", "Rent", "Expense", "RentOrLeaseOfBuildings", "6300"),
    ("11", "Utilities", "Expense", "Utilities", "6400"),
    ("12", "Travel", "Expense", "Travel", "6500"),
    ("20", "Prepaid expenses", "Other Current Asset", "PrepaidExpenses", "1300"),
    ("33", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", "2000"),
    ("35", "Checking", "Bank", "Checking", ""),
    ("36", "Savings", "Bank", "Savings", ""),
    ("41", "Mastercard", "Credit Card", "CreditCard", ""),
)
TERMS = (("1", "Due on receipt", 0), ("2", "Net 15", 15), ("3", "Net 30", 30), ("4", "Net 60", 60))


def currency(code: str) -> Body:
    """A reference to a currency."""
    return {"value": code, "name": CURRENCIES.get(code, code)}


def account_body(name: str, kind: str, subtype: str, number: str, currency_code: str) -> Body:
    """An account as the books hold it, before it has an id."""
    return {
        "Name": name,
        "SubAccount": False,
        "FullyQualifiedName": name,
        "Active": True,
        "Classification": ACCOUNT_TYPES[kind],
        "AccountType": kind,
        "AccountSubType": subtype,
        **({"AcctNum": number} if number else {}),
        "CurrentBalance": 0,
        "CurrentBalanceWithSubAccounts": 0,
        "CurrencyRef": currency(currency_code),
    }


def open_company(
    realm_id: str,
    name: str,
    now: datetime,
    *,
    home_currency: str,
    multicurrency: bool,
    country: str,
    zone: str,
    switched_on: Iterable[str],
) -> Company:
    """A company with books in which nothing has happened yet."""
    company = Company(realm_id, {}, _preferences(home_currency, multicurrency, set(switched_on)), zone)
    stamp = company.stamp(now)
    company.info = _info(name, country, stamp, zone)
    company.preferences["MetaData"] = {"CreateTime": stamp, "LastUpdatedTime": stamp}
    for identity, account, kind, subtype, number in ACCOUNTS:
        body = account_body(account, kind, subtype, number, home_currency)
        company.insert(ENTITIES["Account"], body, now, identity)
    for identity, term, days in TERMS:
        company.insert(
            ENTITIES["Term"],
            {
                "Name": term,
                "Active": True,
                "Type": "STANDARD",
                "DueDays": days,
                "DiscountDays": 0,
            },
            now,
            identity,
        )
    return company


def _info(name: str, country: str, stamp: str, zone: str) -> Body:
    return {
        "CompanyName": name,
        "LegalName": name,
        "CompanyStartDate": stamp[:10],
        "FiscalYearStartMonth": "January",
        "Country": country,
        "SupportedLanguages": "en",
        "DefaultTimeZone": zone,
        "CompanyAddr": {"Id": "1", "Line1": "1 Main Street", "City": "Springfield", "Country": "USA"},
        "Email": {"Address": "owner@company.example"},
        "WebAddr": {},
        "NameValue": _pairs(
            {"NeoEnabled": "true", "OfferingSku": "QuickBooks Online Plus", "SubscriptionStatus": "PAID"}
        ),
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
        "MetaData": {"CreateTime": stamp, "LastUpdatedTime": stamp},
    }


def _preferences(home_currency: str, multicurrency: bool, switched_on: set[str]) -> Body:
    warnings = {
        f"VendorAndPurchasesPrefs.{name}": str(name in switched_on).lower()
        for name in (
            "UseCustomTxnNumbers",
            "WarnDuplicateBillNumber",
            "WarnDuplicateCheckNumber",
            "PurchaseOrderEnabled",
            "Vendor1099Enabled",
        )
    }
    return {
        "AccountingInfoPrefs": {
            "UseAccountNumbers": True,
            "TrackDepartments": True,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "FirstMonthOfFiscalYear": "January",
            "TaxYearMonth": "January",
            "DepartmentTerminology": "Location",
            "CustomerTerminology": "Customers",
        },
        "CurrencyPrefs": {"MultiCurrencyEnabled": multicurrency, "HomeCurrency": {"value": home_currency}},
        "VendorAndPurchasesPrefs": {"BillableExpenseTracking": False, "TrackingByCustomer": False, "POCustomField": []},
        "SalesFormsPrefs": {"CustomTxnNumbers": False},
        "TaxPrefs": {"UsingSalesTax": False},
        "ReportPrefs": {"ReportBasis": "Accrual"},
        "OtherPrefs": {"NameValue": _pairs(warnings)},
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
    }


def _pairs(values: Mapping[str, Any]) -> list[Body]:
    return [{"Name": name, "Value": value} for name, value in values.items()]
