"""The rules of bill payments: what they may pay, and what they do to the bills, credits and entries they are linked to.

Lines on credits carry positive amounts, and TotalAmt is the bills minus the credits (Intuit: BillPayment; seen in
client code). Paying more than is open, or across vendors, payables accounts or currencies is refused (assumed codes).
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from connectors.quickbooks.simulator_bills import settle_parties
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import (
    Body,
    Refusal,
    business,
    cannot_be_linked,
    missing,
    unsupported_property,
    wrong_account_type,
)
from connectors.quickbooks.simulator_fields import cents
from connectors.quickbooks.simulator_ledger import funding_account, postings

Target = tuple[str, str]
LINKABLE = ("Bill", "VendorCredit", "JournalEntry", "Deposit")
NOTHING = Decimal(0)


def prepare_bill_payment(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check a bill payment, in place."""
    if "TotalAmt" not in draft:
        raise business("You must set a transaction amount.")
    if draft["TotalAmt"] < 0:
        raise business("Transaction amount must be 0 or greater.")
    settle_parties(act, draft)
    _check_funding(act, draft)
    draft["Line"] = [_checked_line(line) for line in draft["Line"]]
    if not draft["Line"] and not (old and not old["Line"]):
        raise missing("Line")
    before = applied(old) if old else {}
    due = NOTHING
    for target, amount in applied(draft).items():
        opened, sign = _open_amount(act, target, draft)
        if amount > opened + before.get(target, NOTHING):
            raise business("The amount of the payment can't be more than the open balance of the transaction it pays.")
        due += sign * amount
    if draft["TotalAmt"] < due:
        raise business("The amount of the payment can't be less than the transactions it pays, minus the credits.")


def _check_funding(act: Act, draft: Body) -> None:
    kinds = {
        "Check": ("CheckPayment", "BankAccountRef", "Bank"),
        "CreditCard": ("CreditCardPayment", "CCAccountRef", "Credit Card"),
    }
    member, reference, kind = kinds[draft["PayType"]]
    if reference not in draft.get(member, {}):
        raise missing(reference)
    account = act.company.accounts[funding_account(draft)]
    if account["AccountType"] != kind:
        raise wrong_account_type()
    if account["CurrencyRef"]["value"] not in (draft["CurrencyRef"]["value"], act.company.home_currency):
        raise business("The currency of the account must be the currency of the transaction.")
    if member == "CheckPayment":
        draft[member] = {"PrintStatus": "NotSet", **draft[member]}


def _checked_line(line: Body) -> Body:
    if "Amount" not in line:
        raise missing("Amount")
    if line["Amount"] < 0:
        raise Refusal("2290", "Negative amount", "The amount of a line can't be negative.", "Amount")
    links = line.get("LinkedTxn", [])
    if len(links) != 1 or not links[0].get("TxnId"):
        raise missing("LinkedTxn")
    if links[0].get("TxnType") not in LINKABLE:
        raise unsupported_property()
    return {"Amount": line["Amount"], "LinkedTxn": [{key: links[0][key] for key in ("TxnId", "TxnType")}]}


def applied(payment: Body) -> dict[Target, Decimal]:
    """What a payment applies to each transaction, all its lines together."""
    amounts: defaultdict[Target, Decimal] = defaultdict(Decimal)
    for line in payment["Line"]:
        for link in line["LinkedTxn"]:
            amounts[link["TxnType"], link["TxnId"]] += line["Amount"]
    return amounts


def _open_amount(act: Act, target: Target, draft: Body) -> tuple[Decimal, int]:
    """What is open on a transaction, and whether it is owed (1) or a credit (-1)."""
    kind, identity = target
    row = act.company.row(kind, identity)
    if kind in ("JournalEntry", "Deposit"):
        return _open_on_entry(act.company, kind, row, draft)
    if row["VendorRef"]["value"] != draft["VendorRef"]["value"]:
        raise cannot_be_linked(f"{kind} {identity} is of another vendor.")
    if row["APAccountRef"]["value"] != draft["APAccountRef"]["value"]:
        raise cannot_be_linked(f"{kind} {identity} is in another accounts payable account.")
    return row["Balance"], (1 if kind == "Bill" else -1)


def _open_on_entry(company: Company, kind: str, entry: Body, draft: Body) -> tuple[Decimal, int]:
    """What a journal entry or deposit owes this vendor on this account, less what payments used of it."""
    party = draft["APAccountRef"]["value"], draft["VendorRef"]["value"]
    posted = postings(company, ENTITIES[kind], entry)
    owed = -sum((part.amount for part in posted if (part.account_id, part.vendor_id) == party), NOTHING)
    if not owed:
        raise cannot_be_linked(f"{kind} {entry['Id']} owes this vendor nothing.")
    payments = (company.bill_payments[link["TxnId"]] for link in entry["LinkedTxn"])
    used = sum((applied(payment)[kind, entry["Id"]] for payment in payments), NOTHING)
    return abs(owed) - used, (1 if owed > 0 else -1)


def settle_links(act: Act, old: Body | None, new: Body | None) -> None:
    """Move the balances and links of what a payment pays from its old value to its new one; either may be absent."""
    payment = new or old or {}
    before: Mapping[Target, Decimal] = applied(old) if old else {}
    after: Mapping[Target, Decimal] = applied(new) if new else {}
    kind = "BillPaymentCheck" if payment["PayType"] == "Check" else "BillPaymentCreditCard"
    for target in dict.fromkeys((*before, *after)):
        row = act.company.tables[target[0]].rows[target[1]]
        links = [link for link in row["LinkedTxn"] if link["TxnId"] != payment["Id"]]
        if target in after:
            links.append({"TxnId": payment["Id"], "TxnType": kind})
        difference = after.get(target, NOTHING) - before.get(target, NOTHING)
        changed = {**row, "LinkedTxn": links}
        if "Balance" in row:
            changed["Balance"] = row["Balance"] - difference
        if "HomeBalance" in row:
            changed["HomeBalance"] = cents(changed["Balance"] * row["ExchangeRate"])
        if changed != row:
            act.company.replace(ENTITIES[target[0]], changed, act.now)
