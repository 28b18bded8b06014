"""The rules of what else moves accounts: expenses and checks, journal entries, deposits."""

from decimal import Decimal

from connectors.quickbooks.simulator_bills import ENTRIES, settle_rate, stored_lines, sum_of
from connectors.quickbooks.simulator_chart import currency
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body, Refusal, business, missing, wrong_account_type
from connectors.quickbooks.simulator_ledger import is_payable
from connectors.quickbooks.simulator_taxes import settle_tax

NEED_A_NAME = {"Accounts Payable": "Vendor", "Accounts Receivable": "Customer"}


def no_name(kind: str) -> Refusal:
    """An amount on this type of account says nobody's name."""
    return business(f"When you use {kind}, you must choose a {NEED_A_NAME[kind].lower()} in the Name field.")


def prepare_purchase(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check an expense, check or card charge, in place."""
    draft.setdefault("CurrencyRef", currency(act.company.home_currency))
    kind = act.company.accounts[draft["AccountRef"]["value"]]["AccountType"]
    if kind != ("Credit Card" if draft["PaymentType"] == "CreditCard" else "Bank"):
        raise wrong_account_type()
    settle_rate(act, draft)
    draft["Line"] = stored_lines(act, draft["Line"], old)
    named = draft.get("EntityRef", {}).get("type", "Vendor" if "EntityRef" in draft else "")
    for line in draft["Line"]:
        account = line.get("AccountBasedExpenseLineDetail", {}).get("AccountRef", {}).get("value")
        if account and is_payable(act.company, account) and named != "Vendor":
            raise no_name("Accounts Payable")
    tax = settle_tax(act, draft, old)
    draft["TotalAmt"] = sum_of(draft["Line"]) + tax
    if draft["TotalAmt"] < 0:
        raise business("Transaction amount must be 0 or greater.")


def prepare_journal_entry(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check a journal entry, in place; its total is always 0."""
    draft.setdefault("CurrencyRef", currency(act.company.home_currency))
    settle_rate(act, draft)
    draft["Line"] = stored_lines(act, draft["Line"], old, ENTRIES, first=0)
    sums = {"Debit": Decimal(0), "Credit": Decimal(0)}
    for line in draft["Line"]:
        detail = line.get("JournalEntryLineDetail", {})
        if "PostingType" not in detail:
            raise Refusal("2260", "Posting type is missing", "Each line needs a PostingType.", "PostingType")
        if "AccountRef" not in detail:
            raise missing("AccountRef")
        party = detail.get("Entity", {})
        kind = act.company.accounts[detail["AccountRef"]["value"]]["AccountType"]
        if kind in NEED_A_NAME and (party.get("Type") != NEED_A_NAME[kind] or "EntityRef" not in party):
            raise no_name(kind)
        sums[detail["PostingType"]] += line["Amount"]
    if sums["Debit"] != sums["Credit"]:
        raise Refusal("2300", "Debits not equal to credits", "Debits and credits of a journal entry must be equal.")
    draft.update(TotalAmt=Decimal(0), Adjustment=draft.get("Adjustment", False))
    draft.setdefault("LinkedTxn", [])


def prepare_deposit(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check a deposit, in place; money of customers that waits to be deposited is not simulated."""
    draft.setdefault("CurrencyRef", currency(act.company.home_currency))
    settle_rate(act, draft)
    kind = act.company.accounts[draft["DepositToAccountRef"]["value"]]["AccountType"]
    if kind not in ("Bank", "Other Current Asset"):
        raise wrong_account_type()
    draft["Line"] = stored_lines(act, draft["Line"], old, ("DepositLineDetail",))
    for line in draft["Line"]:
        detail = line.get("DepositLineDetail", {})
        if "AccountRef" not in detail:
            raise missing("AccountRef")
        party = detail.get("Entity", {})
        if is_payable(act.company, detail["AccountRef"]["value"]) and party.get("type", "").title() != "Vendor":
            raise no_name("Accounts Payable")
    cash_back = draft.get("CashBack", {}).get("Amount", Decimal(0))
    draft["TotalAmt"] = sum_of(draft["Line"]) - cash_back
    if draft["TotalAmt"] < 0:
        raise business("Transaction amount must be 0 or greater.")
    draft.setdefault("LinkedTxn", [])
