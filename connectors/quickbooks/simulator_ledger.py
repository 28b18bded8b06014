"""What a transaction posts to which account, and the balances that follow.

CurrentBalance is kept debit positive, so payables and cards are negative while something is owed (assumed); it is kept
for balance-sheet accounts only (Intuit: Account).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.quickbooks.simulator_company import Company
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_fields import cents

TAX_ACCOUNT = "GlobalTaxPayable"
IN_STOCK = {"Bill": 1, "Purchase": 1, "VendorCredit": -1}
ON_THE_BALANCE_SHEET = ("Asset", "Liability", "Equity")


@dataclass(frozen=True)
class Posting:
    """An amount on an account, debit positive; with the vendor whose balance it moves, if it is a payable."""

    account_id: str
    amount: Decimal
    vendor_id: str | None = None


def postings(company: Company, entity: Entity, body: Body) -> Iterator[Posting]:
    """Everything that a transaction posts."""
    if entity.name in ("Bill", "VendorCredit"):
        sign = 1 if entity.name == "Bill" else -1
        yield Posting(body["APAccountRef"]["value"], -sign * body["TotalAmt"], body["VendorRef"]["value"])
        yield from _expense_lines(company, body, sign, body["VendorRef"]["value"])
        yield from _tax(company, body, sign)
    elif entity.name == "BillPayment":
        yield Posting(body["APAccountRef"]["value"], body["TotalAmt"], body["VendorRef"]["value"])
        yield _in_account_currency(company, Posting(funding_account(body), -body["TotalAmt"]), body)
    elif entity.name == "Purchase":
        sign = -1 if body.get("Credit") else 1
        yield Posting(body["AccountRef"]["value"], -sign * body["TotalAmt"])
        yield from _expense_lines(company, body, sign, body.get("EntityRef", {}).get("value"))
        yield from _tax(company, body, sign)
    elif entity.name == "JournalEntry":
        for line in _lines_with(body, "JournalEntryLineDetail"):
            detail = line["JournalEntryLineDetail"]
            sign = 1 if detail["PostingType"] == "Debit" else -1
            party = detail.get("Entity", {}).get("EntityRef", {}).get("value")
            yield _on(company, detail["AccountRef"]["value"], sign * line["Amount"], party)
    elif entity.name == "Deposit":
        yield Posting(body["DepositToAccountRef"]["value"], body["TotalAmt"])
        if cash := body.get("CashBack", {}).get("Amount"):
            yield Posting(body["CashBack"]["AccountRef"]["value"], cash)
        for line in _lines_with(body, "DepositLineDetail"):
            detail = line["DepositLineDetail"]
            party = detail.get("Entity", {}).get("value")
            yield _on(company, detail["AccountRef"]["value"], -line["Amount"], party)


def _lines_with(body: Body, detail: str) -> Iterator[Body]:
    return (line for line in body["Line"] if detail in line)


def funding_account(payment: Body) -> str:
    """The account that a bill payment is drawn on."""
    if payment["PayType"] == "Check":
        return str(payment["CheckPayment"]["BankAccountRef"]["value"])
    return str(payment["CreditCardPayment"]["CCAccountRef"]["value"])


def is_payable(company: Company, account_id: str) -> bool:
    """Whether an account is one of accounts payable, whose amounts belong to vendors."""
    return bool(company.accounts[account_id]["AccountType"] == "Accounts Payable")


def _on(company: Company, account_id: str, amount: Decimal, party: str | None) -> Posting:
    return Posting(account_id, amount, party if is_payable(company, account_id) else None)


def _expense_lines(company: Company, body: Body, sign: int, party: str | None) -> Iterator[Posting]:
    for line in body["Line"]:
        if account := expense_account(company, line):
            yield _on(company, account, sign * line["Amount"], party)


def _tax(company: Company, body: Body, sign: int) -> Iterator[Posting]:
    if total := body.get("TxnTaxDetail", {}).get("TotalTax"):
        kept = (account["Id"] for account in company.accounts.values() if account["AccountSubType"] == TAX_ACCOUNT)
        yield Posting(next(kept), sign * total)


def expense_account(company: Company, line: Body) -> str | None:
    """The account of an expense line, its item's where the line names an item."""
    if detail := line.get("AccountBasedExpenseLineDetail"):
        return str(detail["AccountRef"]["value"])
    if detail := line.get("ItemBasedExpenseLineDetail"):
        return str(item_account(company.tables["Item"].rows[detail["ItemRef"]["value"]])["value"])
    return None


def item_account(item: Body) -> Body:
    """The account that buying an item is booked on: of an inventory item its asset account."""
    name = "AssetAccountRef" if item["Type"] == "Inventory" else "ExpenseAccountRef"
    return dict(item[name])


def _in_account_currency(company: Company, posting: Posting, body: Body) -> Posting:
    if company.accounts[posting.account_id]["CurrencyRef"]["value"] == body["CurrencyRef"]["value"]:
        return posting
    return Posting(posting.account_id, cents(posting.amount * body.get("ExchangeRate", 1)))


def post(company: Company, entity: Entity, body: Body, sign: int) -> None:
    """Put a transaction's postings into the balances, or with sign -1 take them out again."""
    _put_in_stock(company, entity, body, sign)
    for posting in postings(company, entity, body):
        move(company, posting.account_id, sign * posting.amount)
        if posting.vendor_id is not None:
            vendor = company.vendors[posting.vendor_id]
            company.adjust("Vendor", posting.vendor_id, Balance=vendor["Balance"] - sign * posting.amount)


def _put_in_stock(company: Company, entity: Entity, body: Body, sign: int) -> None:
    for line in body["Line"] if entity.name in IN_STOCK else ():
        detail = line.get("ItemBasedExpenseLineDetail", {})
        item = company.tables["Item"].rows[detail["ItemRef"]["value"]] if detail else {}
        if item.get("Type") == "Inventory":
            come = sign * IN_STOCK[entity.name] * detail.get("Qty", Decimal(0))
            company.adjust("Item", item["Id"], QtyOnHand=item["QtyOnHand"] + come)


def sum_sub_accounts(company: Company) -> None:
    """Add up every account with what stands below it, after an account got another parent."""
    own = {account["Id"]: account["CurrentBalance"] for account in company.accounts.values()}
    for identity in own:
        company.adjust("Account", identity, CurrentBalanceWithSubAccounts=Decimal(0))
    for identity, amount in own.items():
        _move_with_parents(company, identity, amount)


def move(company: Company, account_id: str, amount: Decimal) -> None:
    """Move one account's balance, and what its parents show with sub-accounts."""
    account = company.accounts[account_id]
    if not amount or account["Classification"] not in ON_THE_BALANCE_SHEET or not account["Active"]:
        return
    company.adjust("Account", account_id, CurrentBalance=account["CurrentBalance"] + amount)
    _move_with_parents(company, account_id, amount)


def _move_with_parents(company: Company, account_id: str, amount: Decimal) -> None:
    holder: str | None = account_id
    while holder is not None:
        account = company.accounts[holder]
        company.adjust(
            "Account",
            holder,
            CurrentBalanceWithSubAccounts=account["CurrentBalanceWithSubAccounts"] + amount,
        )
        holder = account.get("ParentRef", {}).get("value")
