"""Purchase orders: how much of each line was received and billed, and the links between them and bills.

A link that is not valid is dropped without a word and the bill is entered all the same (reported by users of client
libraries); that a fully billed order closes, and opens again when a bill leaves it, is assumed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_bills import EXPENSES, settle_parties, stored_lines, sum_of
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body, business
from connectors.quickbooks.simulator_taxes import settle_tax

NOTHING = Decimal(0)
FIRST_NUMBER = 1001


def prepare_order(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Complete and check a purchase order, in place."""
    settle_parties(act, draft)
    if old and old["LinkedTxn"] and draft["VendorRef"]["value"] != old["VendorRef"]["value"]:
        raise business("You can't change the vendor of a transaction that is linked to others.")
    draft["Line"] = stored_lines(act, draft["Line"], old)
    tax = settle_tax(act, draft, old)
    draft["TotalAmt"] = sum_of(draft["Line"]) + tax
    for name, value in (("POStatus", "Open"), ("EmailStatus", "NotSet"), ("LinkedTxn", [])):
        draft.setdefault(name, value)
    if "DocNumber" not in draft and not act.company.warns("UseCustomTxnNumbers"):
        draft["DocNumber"] = str(FIRST_NUMBER + len(act.company.tables["PurchaseOrder"].rows))
    draft["Line"] = with_received(act.company, draft, _bills_of(act.company, draft))


def link_lines(act: Act, bill: Body, requested: list[Body], old: Body | None) -> None:
    """Keep the valid links of a bill's lines to lines of purchase orders, and name these orders on the bill."""
    before = {line["Id"]: line["LinkedTxn"] for line in old["Line"] if "Id" in line} if old else {}
    for line, asked in zip(bill["Line"], requested, strict=True):
        sent = [_order_link(link) for link in asked.get("LinkedTxn", []) if link.get("TxnType") == "PurchaseOrder"]
        if asked.get("Id") in before:
            line["LinkedTxn"] = [link for link in sent if link in before[line["Id"]]]
        elif not asked.get("Id") and not asked.get("LineNum"):
            line["LinkedTxn"] = [link for link in sent if _is_valid(act.company, bill, link)]
    others = [link for link in bill.get("LinkedTxn", []) if link["TxnType"] != "PurchaseOrder"]
    bill["LinkedTxn"] = others + [{"TxnId": order, "TxnType": "PurchaseOrder"} for order in orders_of(bill)]


def _order_link(link: Body) -> Body:
    return {name: link.get(name, "") for name in ("TxnId", "TxnType", "TxnLineId")}


def _is_valid(company: Company, bill: Body, link: Body) -> bool:
    order = company.tables["PurchaseOrder"].rows.get(link["TxnId"])
    return (
        order is not None
        and order["POStatus"] == "Open"
        and order["VendorRef"]["value"] == bill["VendorRef"]["value"]
        and any(line["Id"] == link["TxnLineId"] for line in order["Line"])
    )


def orders_of(bill: Body | None) -> list[str]:
    """The ids of the purchase orders that lines of a bill are for."""
    lines = bill["Line"] if bill else []
    return list(dict.fromkeys(link["TxnId"] for line in lines for link in line["LinkedTxn"]))


def settle_orders(act: Act, old: Body | None, new: Body | None) -> None:
    """Move what orders show as received and billed from a bill's old value to its new one; either may be absent."""
    bill: Mapping[str, Any] = new or old or {}
    for order_id in dict.fromkeys((*orders_of(old), *orders_of(new))):
        order = act.company.tables["PurchaseOrder"].rows[order_id]
        bills = [other for other in _bills_of(act.company, order) if other["Id"] != bill["Id"]]
        bills += [new] if new and order_id in orders_of(new) else []
        changed = {**order, "LinkedTxn": [{"TxnId": linked["Id"], "TxnType": "Bill"} for linked in bills]}
        changed["Line"] = with_received(act.company, changed, bills)
        changed["POStatus"] = "Closed" if bills and _is_all_billed(order, bills) else "Open"
        if changed != order:
            act.company.replace(ENTITIES["PurchaseOrder"], changed, act.now)


def _bills_of(company: Company, order: Body) -> list[Body]:
    return [company.bills[link["TxnId"]] for link in order["LinkedTxn"]]


def with_received(company: Company, order: Body, bills: Iterable[Body]) -> list[Body]:
    """The order's lines with what was received: by hand, or at least what was billed."""
    billed = _billed(order, bills)
    return [
        {**line, "Received": max(billed[line["Id"]], company.received.get((order.get("Id", ""), line["Id"]), NOTHING))}
        if line.get("DetailType") in EXPENSES
        else line
        for line in order["Line"]
    ]


def left_to_bill(company: Company, order: Body) -> dict[str, Decimal]:
    """How much of each line, in its own measure, no bill has yet."""
    billed = _billed(order, _bills_of(company, order))
    return {line["Id"]: ordered(line) - billed[line["Id"]] for line in order["Line"] if line["DetailType"] in EXPENSES}


def _is_all_billed(order: Body, bills: Iterable[Body]) -> bool:
    billed = _billed(order, bills)
    return all(billed[line["Id"]] >= ordered(line) for line in order["Line"] if line["DetailType"] in EXPENSES)


def _billed(order: Body, bills: Iterable[Body]) -> defaultdict[str, Decimal]:
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bill in bills:
        for line in bill["Line"]:
            for link in line["LinkedTxn"]:
                if link["TxnId"] == order.get("Id"):
                    amounts[link["TxnLineId"]] += ordered(line)
    return amounts


def ordered(line: Body) -> Decimal:
    """A line's measure: its quantity where it has one, else its amount."""
    quantity = line.get("ItemBasedExpenseLineDetail", {}).get("Qty")
    return Decimal(line["Amount"] if quantity is None else quantity)


def receive(act: Act, order_id: str, quantities: Mapping[str, Decimal]) -> Body:
    """Goods of an order have come, before any bill: so much of each of these lines."""
    company = act.company
    order = company.row("PurchaseOrder", order_id)
    for line_id, quantity in quantities.items():
        key = order_id, line_id
        company.received[key] = company.received.get(key, NOTHING) + quantity
    changed = {**order, "Line": with_received(company, order, _bills_of(company, order))}
    return company.replace(ENTITIES["PurchaseOrder"], changed, act.now)
