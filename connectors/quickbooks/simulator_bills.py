"""The rules of bills and credits, and of lines in general: totals, due dates, currencies and numbers."""

from datetime import date, timedelta
from decimal import Decimal

from connectors.quickbooks.simulator_chart import currency
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import (
    Body,
    Refusal,
    business,
    duplicate_number,
    missing,
    unsupported_property,
    wrong_account_type,
)
from connectors.quickbooks.simulator_fields import cents
from connectors.quickbooks.simulator_ledger import item_account
from connectors.quickbooks.simulator_lists import payable_account
from connectors.quickbooks.simulator_rates import rate_of
from connectors.quickbooks.simulator_taxes import settle_tax

EXPENSES = ("AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail")
ENTRIES = ("JournalEntryLineDetail",)
TOLERANCE = Decimal("0.01")


def prepare_payable(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check a bill or a vendor credit, in place."""
    settle_parties(act, draft)
    if old and old.get("LinkedTxn") and draft["VendorRef"]["value"] != old["VendorRef"]["value"]:
        raise business("You can't change the vendor of a transaction that is linked to others.")
    draft["Line"] = stored_lines(act, draft["Line"], old)
    tax = settle_tax(act, draft, old)
    draft["TotalAmt"] = sum_of(draft["Line"]) + tax
    settled = old["TotalAmt"] - old["Balance"] if old else Decimal(0)
    draft["Balance"] = draft["TotalAmt"] - settled
    if draft["TotalAmt"] < 0:
        raise business("Transaction amount must be 0 or greater.")
    if draft["Balance"] < 0:
        raise business("The amount can't be less than what is already paid or applied.")
    if act.company.has_many_currencies:
        draft["HomeBalance"] = cents(draft["Balance"] * draft["ExchangeRate"])
    draft.setdefault("LinkedTxn", [])
    if entity.name == "Bill":
        draft.setdefault("DueDate", _due_date(act, draft))


def settle_parties(act: Act, draft: Body) -> None:
    """The currency is the vendor's, and the accounts payable are the ones of that currency."""
    company = act.company
    vendor = company.vendors[draft["VendorRef"]["value"]]
    if company.has_many_currencies and "CurrencyRef" not in draft:
        raise missing("CurrencyRef")
    draft.setdefault("CurrencyRef", currency(company.home_currency))
    code = draft["CurrencyRef"]["value"]
    if code != vendor["CurrencyRef"]["value"]:
        raise business("The currency of the transaction must be the currency of the vendor.")
    if "APAccountRef" not in draft:
        account = payable_account(act, code)
        draft["APAccountRef"] = {"value": account["Id"], "name": account["FullyQualifiedName"]}
    account = company.accounts[draft["APAccountRef"]["value"]]
    if account["AccountType"] != "Accounts Payable":
        raise wrong_account_type()
    if account["CurrencyRef"]["value"] != code:
        raise business("The currency of the account must be the currency of the transaction.")
    settle_rate(act, draft)


def settle_rate(act: Act, draft: Body) -> None:
    """The exchange rate is the one sent, else the list's; there is none without multicurrency."""
    if not act.company.has_many_currencies:
        draft.pop("ExchangeRate", None)
    elif not draft.get("ExchangeRate"):
        draft["ExchangeRate"] = rate_of(act.company, draft["CurrencyRef"]["value"], draft["TxnDate"])


def stored_lines(
    act: Act,
    lines: list[Body],
    old: Body | None,
    kinds: tuple[str, ...] = EXPENSES,
    first: int = 1,
) -> list[Body]:
    """The lines as stored: numbered, with defaults; a line keeps its id only if the object had that line."""
    if not lines:
        raise missing("Line")
    known = {line["Id"] for line in old["Line"] if "Id" in line} if old else set()
    fresh = max((int(identity) + 1 for identity in known), default=first)
    stored = []
    for position, line in enumerate(lines, 1):
        checked = _checked_line(act, line, kinds)
        identity = line.get("Id")
        if identity not in known:
            identity, fresh = str(fresh), fresh + 1
        stored.append({**checked, "Id": identity, "LineNum": position, "LinkedTxn": [], "CustomExtensions": []})
    return stored


def _checked_line(act: Act, line: Body, kinds: tuple[str, ...]) -> Body:
    kind = line.get("DetailType")
    if kind is None:
        raise missing("DetailType")
    if kind == "DescriptionOnly":
        return line
    if kind not in kinds:
        raise unsupported_property()
    if "Amount" not in line:
        raise missing("Amount")
    if not set(kinds) & set(EXPENSES):
        return line
    detail = line.get(kind, {})
    if ("AccountRef" if kind == EXPENSES[0] else "ItemRef") not in detail:
        raise Refusal("6440", "Line needs item or account", "Line needs item or account : Choose one for each line.")
    defaults: Body = {"BillableStatus": "NotBillable"}
    if kind == EXPENSES[1]:
        account = _item_account(act, line, detail)
        if act.switches.item_accounts_on_lines:
            defaults["ItemAccountRef"] = account
    if act.company.info["Country"] == "US":
        defaults["TaxCodeRef"] = {"value": "NON"}
        if detail.get("TaxCodeRef", defaults["TaxCodeRef"])["value"] not in ("TAX", "NON"):
            raise Refusal("6100", "Invalid line tax code", "Invalid line tax code : Use TAX or NON.")
    return {**line, kind: {**defaults, **detail}}


def _item_account(act: Act, line: Body, detail: Body) -> Body:
    """The account that this line is booked on, once its figures agree with each other."""
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    if quantity and price and abs(quantity * price - line["Amount"]) > TOLERANCE:
        raise Refusal(
            "6070",
            "Amount is not equal to UnitPrice * Qty",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{line['Amount']}",
        )
    item = act.company.tables["Item"].rows[detail["ItemRef"]["value"]]
    if "ExpenseAccountRef" not in item:
        raise business("The item has no expense account.")
    return item_account(item)


def sum_of(lines: list[Body]) -> Decimal:
    """The sum of the lines' amounts."""
    return sum((line["Amount"] for line in lines if "Amount" in line), Decimal(0))


def _due_date(act: Act, draft: Body) -> str:
    """The terms of the bill, else the vendor's (assumed), else at once."""
    vendor = act.company.vendors[draft["VendorRef"]["value"]]
    reference = draft.get("SalesTermRef") or vendor.get("TermRef")
    billed = date.fromisoformat(draft["TxnDate"])
    term = act.company.tables["Term"].rows[reference["value"]] if reference else {}
    if "DayOfMonthDue" not in term:
        return (billed + timedelta(days=int(term.get("DueDays", 0)))).isoformat()
    due = billed.replace(day=min(int(term["DayOfMonthDue"]), 28))
    if due < billed + timedelta(days=int(term.get("DueNextMonthDays", 0))):
        due = (due.replace(day=1) + timedelta(days=32)).replace(day=due.day)
    return due.isoformat()


def refuse_taken_number(act: Act, entity: Entity, draft: Body) -> None:
    """A document number that is in use, where the company wants to be warned and the caller did not waive it."""
    warning = {
        "Bill": "WarnDuplicateBillNumber",
        "BillPayment": "WarnDuplicateCheckNumber",
        "Purchase": "WarnDuplicateCheckNumber",
    }.get(entity.name)
    number = draft.get("DocNumber")
    if not warning or not number or act.may_repeat_numbers or not act.company.warns(warning):
        return
    for other in act.company.tables[entity.name].named(number):
        if other["Id"] != draft.get("Id") and (act.switches.numbers_per_company or _same_book(draft, other)):
            raise duplicate_number(number, entity.name, other["Id"])


def _same_book(draft: Body, other: Body) -> bool:
    if "Balance" in draft:
        return bool(draft["VendorRef"]["value"] == other["VendorRef"]["value"])
    return all(draft.get(key) == other.get(key) for key in ("CheckPayment", "CreditCardPayment", "AccountRef"))
