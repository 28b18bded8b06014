"""The rules of list entities: names and their uniqueness, deactivation, accounts and their parents."""

from connectors.quickbooks.simulator_chart import account_body, currency
from connectors.quickbooks.simulator_company import CURRENCIES, Act
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import (
    Body,
    Refusal,
    bad_currency,
    bad_name,
    business,
    duplicate_name,
    missing,
    too_long,
)
from connectors.quickbooks.simulator_lists_table import ACCOUNT_TYPES
from connectors.quickbooks.simulator_rates import use_currency

DELETED = " (deleted)"
PEOPLE = ("Vendor", "Customer", "Employee")
SUBTYPES = {
    "Bank": "Checking",
    "Accounts Payable": "AccountsPayable",
    "Credit Card": "CreditCard",
    "Other Current Asset": "OtherCurrentAssets",
    "Other Current Liability": "OtherCurrentLiabilities",
    "Cost of Goods Sold": "SuppliesMaterialsCogs",
    "Expense": "OtherBusinessExpenses",
}
TYPES = {
    **{subtype: kind for kind, subtype in SUBTYPES.items()},
    **dict.fromkeys(("Savings", "MoneyMarket", "CashOnHand", "TrustAccounts", "RentsHeldInTrust"), "Bank"),
    **dict.fromkeys(
        (
            "SuppliesMaterials",
            "OfficeGeneralAdministrativeExpenses",
            "AdvertisingPromotional",
            "LegalProfessionalFees",
            "RentOrLeaseOfBuildings",
            "Utilities",
            "Travel",
            "OtherMiscellaneousServiceCost",
        ),
        "Expense",
    ),
    **dict.fromkeys(("PrepaidExpenses", "Inventory"), "Other Current Asset"),
    **dict.fromkeys(("GlobalTaxPayable", "SalesTaxPayable", "LineOfCredit"), "Other Current Liability"),
}
DEEPEST = 5
NEEDED_FOR_STOCK = ("AssetAccountRef", "IncomeAccountRef", "ExpenseAccountRef", "QtyOnHand", "InvStartDate")


def prepare_listed(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check an object of a list, in place."""
    draft.setdefault("Active", True)
    refuse_circle(act, entity, draft)
    if entity.name in PEOPLE:
        _prepare_person(act, entity, draft, old)
    elif entity.name == "Account":
        _prepare_account(act, draft, old)
    elif entity.name == "CompanyCurrency":
        _prepare_currency(act, entity, draft)
    else:
        _prepare_grouping(act, entity, draft, old)


def _checked_name(draft: Body, old: Body | None, key: str, forbidden: str) -> str:
    """The name, trimmed, with the mark of deactivation put on or taken off."""
    name = str(draft[key]).strip()
    if not name or any(letter in name for letter in forbidden):
        raise bad_name()
    if not draft["Active"] and (old is None or old["Active"]):
        name = name.removesuffix(DELETED) + DELETED
    elif draft["Active"] and old is not None and not old["Active"]:
        name = name.removesuffix(DELETED)
    draft[key] = name
    return name


def _prepare_person(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    company = act.company
    parts = [draft[part] for part in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix") if draft.get(part)]
    if not draft.get("DisplayName"):
        if not parts:
            raise Refusal("6080", "No name given", "No name given : A display name or a part of a name is required.")
        draft["DisplayName"] = " ".join(parts)
    name = _checked_name(draft, old, "DisplayName", ":\t\n\r")
    for kind in PEOPLE:
        for other in company.tables[kind].named(name):
            if kind != entity.name:
                raise duplicate_name(
                    "Another customer, vendor or employee is already using this name. Please use a different name."
                )
            if other["Id"] != draft.get("Id"):
                raise duplicate_name(f"Id={other['Id']}")
    draft.setdefault("PrintOnCheckName", name.removesuffix(DELETED))
    draft.setdefault("Balance", 0)
    _settle_currency(act, draft, old)
    if entity.name == "Vendor":
        draft.setdefault("Vendor1099", False)
        draft.setdefault("V4IDPseudonym", f"0020{len(company.vendors):04x}")
        if (tax := draft.get("TaxIdentifier")) and not tax.startswith("XXXXX"):
            draft["TaxIdentifier"] = "XXXXX" + tax[-4:]


def _settle_currency(act: Act, draft: Body, old: Body | None) -> None:
    home = act.company.home_currency
    draft.setdefault("CurrencyRef", currency(home))
    if old is not None and draft["CurrencyRef"]["value"] != old["CurrencyRef"]["value"]:
        raise business("You can't change the currency after it has been set.")
    if draft["CurrencyRef"]["value"] != home and not act.company.has_many_currencies:
        raise business("Multicurrency is not turned on for this company.")
    if draft["CurrencyRef"]["value"] != home:
        use_currency(act.company, draft["CurrencyRef"]["value"], act.now)


def _prepare_currency(act: Act, entity: Entity, draft: Body) -> None:
    """A currency has a code of three letters, which is unique and not the home currency's."""
    draft["Code"] = code = draft["Code"].upper()
    if len(code) != 3 or not code.isalpha() or code == act.company.home_currency:
        raise bad_currency("Code", code)
    for other in act.company.tables[entity.name].named(code):
        if other["Id"] != draft.get("Id"):
            raise duplicate_name(f"Id={other['Id']}")
    draft.setdefault("Name", CURRENCIES.get(code, code))


def _prepare_account(act: Act, draft: Body, old: Body | None) -> None:
    kind, subtype = draft.get("AccountType"), draft.get("AccountSubType")
    if not kind and subtype not in TYPES:
        raise Refusal("6010", "Account type or subtype required", "Account type or account subtype is required.")
    draft["AccountType"] = kind = kind or TYPES[subtype or ""]
    draft["AccountSubType"] = subtype or SUBTYPES.get(kind, kind.replace(" ", ""))
    draft["Classification"] = ACCOUNT_TYPES[kind]
    parent = act.company.accounts[draft["ParentRef"]["value"]] if "ParentRef" in draft else None
    if parent and parent["AccountType"] != kind:
        raise business("For subaccounts, you must select the same account type as their parent.")
    name = _checked_name(draft, old, "Name", ':"\t\n\r')
    _refuse_sibling(
        act,
        ENTITIES["Account"],
        draft,
        name,
        parent,
        (
            "An account already has the same display name. Display Name must be unique. "
            "Please provide a different display name."
        ),
    )
    _qualify(draft, name, parent)
    draft["SubAccount"] = parent is not None
    if act.company.preferences["AccountingInfoPrefs"]["UseAccountNumbers"]:
        _check_number(act, draft)
    else:
        draft.pop("AcctNum", None)
    for figure in ("CurrentBalance", "CurrentBalanceWithSubAccounts"):
        draft[figure] = draft.get(figure, 0) if draft["Active"] else 0
    _settle_currency(act, draft, old)


def _check_number(act: Act, draft: Body) -> None:
    number = draft.get("AcctNum")
    longest = 20 if act.company.info["Country"] in ("AU", "CA") else 7
    if number and len(number) > longest:
        raise too_long("AcctNum", longest, len(number))
    if number and any(
        other["Id"] != draft.get("Id") and other["Active"] and other.get("AcctNum") == number
        for other in act.company.accounts.values()
    ):
        raise business("Another account is already using this number.  Please use a different number.")


def _prepare_grouping(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    table = act.company.tables[entity.name]
    parent = table.rows[draft["ParentRef"]["value"]] if "ParentRef" in draft else None
    name = _checked_name(draft, old, "Name", ":\t\n\r")
    _refuse_sibling(act, entity, draft, name, parent, "")
    if entity.name in ("TaxCode", "TaxRate"):
        return
    if entity.name == "Term":
        draft["Type"] = "DATE_DRIVEN" if "DayOfMonthDue" in draft else "STANDARD"
        return
    _qualify(draft, name, parent)
    if entity.name in ("Class", "Department"):
        draft[f"Sub{entity.name}"] = parent is not None
    if entity.name == "Item":
        draft.setdefault("Type", "Service")
        draft.setdefault("Taxable", False)
        for needed in NEEDED_FOR_STOCK if draft["Type"] == "Inventory" else ():
            if needed not in draft:
                raise missing(needed)


def _refuse_sibling(act: Act, entity: Entity, draft: Body, name: str, parent: Body | None, text: str) -> None:
    for other in act.company.tables[entity.name].named(name):
        same_parent = other.get("ParentRef", {}).get("value") == (parent["Id"] if parent else None)
        if other["Id"] != draft.get("Id") and other["Active"] and same_parent:
            raise duplicate_name(text or f"Id={other['Id']}")


def _qualify(draft: Body, name: str, parent: Body | None) -> None:
    draft["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{name}" if parent else name
    if draft["FullyQualifiedName"].count(":") >= DEEPEST:
        raise Refusal("6180", "Too many sub-levels", "Too many sub-levels : At most five levels are allowed.")


def refuse_circle(act: Act, entity: Entity, draft: Body) -> None:
    """Nothing stands below itself."""
    rows = act.company.tables[entity.name].rows
    above = draft.get("ParentRef", {}).get("value")
    while above is not None:
        if above == draft.get("Id"):
            raise Refusal("900", "Parent cannot be child", "Parent cannot be child : Choose another parent.")
        above = rows[above].get("ParentRef", {}).get("value")


def rename_children(act: Act, entity: Entity, parent: Body) -> None:
    """What stands below an object is called after it."""
    for child in list(act.company.tables[entity.name].rows.values()):
        if child.get("ParentRef", {}).get("value") != parent["Id"]:
            continue
        qualified = f"{parent['FullyQualifiedName']}:{child['Name']}"
        if child["FullyQualifiedName"] != qualified:
            renamed = act.company.replace(entity, {**child, "FullyQualifiedName": qualified}, act.now)
            rename_children(act, entity, renamed)


def payable_account(act: Act, currency_code: str) -> Body:
    """The accounts payable of this currency; QuickBooks opens one for a currency that has none."""
    for account in act.company.accounts.values():
        if (account["AccountType"], account["CurrencyRef"]["value"]) == ("Accounts Payable", currency_code):
            return account
    body = account_body(
        f"Accounts Payable (A/P) - {currency_code}",
        "Accounts Payable",
        "AccountsPayable",
        "",
        currency_code,
    )
    return act.company.insert(ENTITIES["Account"], body, act.now)
