"""What people in accounts payable do in QuickBooks itself: bills, payments, orders, checks, deposits, images."""

from base64 import b64decode
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_books import void
from connectors.quickbooks.simulator_company import Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_fields import cents
from connectors.quickbooks.simulator_ledger import is_payable
from connectors.quickbooks.simulator_orders import left_to_bill, ordered, receive
from connectors.quickbooks.simulator_people import PeopleInQuickBooks, expense_line
from connectors.quickbooks.simulator_uploads import attach_file

Amount = Decimal | str


class ClerksInQuickBooks(PeopleInQuickBooks):
    """The acts of people in accounts payable; amounts may be texts, so that they can be said in JSON."""

    def person_create_vendor(self, realm_id: str, name: str, **fields: Any) -> Body:
        """Enter a vendor."""
        return self.person_create(realm_id, "Vendor", {"DisplayName": name, **fields})

    def person_create_account(self, realm_id: str, name: str, account_type: str, **fields: Any) -> Body:
        """Open an account."""
        return self.person_create(realm_id, "Account", {"Name": name, "AccountType": account_type, **fields})

    def person_create_bill(self, realm_id: str, vendor_id: str, lines: list[tuple[str, str]], **fields: Any) -> Body:
        """Enter a bill; each line is an account and an amount."""
        return self.person_create(
            realm_id,
            "Bill",
            {
                "VendorRef": {"value": vendor_id},
                "Line": [expense_line(*line) for line in lines],
                **fields,
            },
        )

    def person_edit_bill(self, realm_id: str, bill_id: str, changes: Body) -> Body:
        """Change some fields of a bill."""
        return self.person_edit(realm_id, "Bill", bill_id, changes)

    def person_delete_bill(self, realm_id: str, bill_id: str) -> Body:
        """Delete a bill that nothing is linked to."""
        return self.person_delete(realm_id, "Bill", bill_id)

    def person_pay_bill(
        self,
        realm_id: str,
        bill_id: str,
        amount: Amount | None = None,
        bank_account_id: str = "35",
        credits: dict[str, Amount] | None = None,
        **fields: Any,
    ) -> Body:
        """Write a check for a bill: for all that is open, or for less; credits, by their ids, pay their part of it."""
        bill = self.company(realm_id).row("Bill", bill_id)
        settled = Decimal(amount) if amount is not None else bill["Balance"]
        used = {identity: Decimal(part) for identity, part in (credits or {}).items()}
        lines = [paid_line("Bill", bill_id, settled)]
        lines += [paid_line("VendorCredit", identity, part) for identity, part in used.items()]
        body = {
            "VendorRef": {"value": bill["VendorRef"]["value"]},
            "PayType": "Check",
            "TotalAmt": settled - sum(used.values()),
            "APAccountRef": {"value": bill["APAccountRef"]["value"]},
            "CurrencyRef": {"value": bill["CurrencyRef"]["value"]},
            "CheckPayment": {"BankAccountRef": {"value": bank_account_id}},
            "Line": lines,
        }
        return self.person_create(realm_id, "BillPayment", {**body, **fields})

    def person_void(self, realm_id: str, entity: str, identity: str) -> Body:
        """Void a transaction: it stays, with status Voided and without amounts."""
        return void(self._act(realm_id), ENTITIES[entity], self.company(realm_id).row(entity, identity))

    def person_void_payment(self, realm_id: str, payment_id: str) -> Body:
        """Void a bill payment."""
        return self.person_void(realm_id, "BillPayment", payment_id)

    def person_delete_payment(self, realm_id: str, payment_id: str) -> Body:
        """Delete a bill payment."""
        return self.person_delete(realm_id, "BillPayment", payment_id)

    # Orders.

    def person_order(self, realm_id: str, vendor_id: str, lines: list[Body], **fields: Any) -> Body:
        """Enter a purchase order with lines as the API would have them."""
        body = {"VendorRef": {"value": vendor_id}, "Line": lines, **fields}
        return self.person_create(realm_id, "PurchaseOrder", body)

    def person_receive(self, realm_id: str, order_id: str, quantities: dict[str, Amount]) -> Body:
        """Goods have come: so much of each line of an order, by the line's id."""
        return receive(self._act(realm_id), order_id, {line: Decimal(part) for line, part in quantities.items()})

    def person_bill_order(
        self, realm_id: str, order_id: str, quantities: dict[str, Amount] | None = None, **fields: Any
    ) -> Body:
        """Turn an order into a bill: all that no bill has yet, or so much of each of these lines."""
        company = self.company(realm_id)
        order = company.row("PurchaseOrder", order_id)
        asked = left_to_bill(company, order) if quantities is None else quantities
        wanted = {line: Decimal(part) for line, part in asked.items()}
        lines = [_billed_line(order, line, wanted[line["Id"]]) for line in order["Line"] if wanted.get(line["Id"])]
        body = {"VendorRef": order["VendorRef"], "CurrencyRef": order["CurrencyRef"], "Line": lines, **fields}
        return self.person_create(realm_id, "Bill", body)

    # What else touches accounts payable.

    def person_write_check(
        self, realm_id: str, vendor_id: str, lines: list[tuple[str, str]], bank_account_id: str = "35", **fields: Any
    ) -> Body:
        """Write a check to a vendor without a bill; each line is an account, also of payables, and an amount."""
        body = {
            "PaymentType": "Check",
            "AccountRef": {"value": bank_account_id},
            "EntityRef": {"value": vendor_id, "type": "Vendor"},
            "Line": [expense_line(*line) for line in lines],
            **fields,
        }
        return self.person_create(realm_id, "Purchase", body)

    def person_enter_journal(
        self, realm_id: str, lines: list[tuple[str, str, str]], vendor_id: str | None = None, **fields: Any
    ) -> Body:
        """A journal entry; each line is Debit or Credit, an account and an amount, those on payables of this vendor."""
        company = self.company(realm_id)
        body = {"Line": [_entry_line(*line, _party(company, line[1], vendor_id)) for line in lines], **fields}
        return self.person_create(realm_id, "JournalEntry", body)

    def person_deposit(
        self, realm_id: str, vendor_id: str, account_id: str, amount: Amount, bank_account_id: str = "35", **fields: Any
    ) -> Body:
        """Deposit what a vendor paid back, on an account of payables or another one."""
        detail = {"AccountRef": {"value": account_id}, "Entity": {"value": vendor_id, "type": "Vendor"}}
        line = {"Amount": str(amount), "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
        body = {"DepositToAccountRef": {"value": bank_account_id}, "Line": [line], **fields}
        return self.person_create(realm_id, "Deposit", body)

    # Images.

    def person_attach(
        self, realm_id: str, entity: str, identity: str, file_name: str, content: str, content_type: str = ""
    ) -> Body:
        """Attach a file, its bytes as base64, to an object."""
        pointer = {"EntityRef": {"type": entity, "value": identity}, "IncludeOnSend": False}
        described: Body = {"FileName": file_name, "AttachableRef": [pointer]}
        if content_type:
            described["ContentType"] = content_type
        return attach_file(self._act(realm_id), described, b64decode(content))

    def person_replace_file(self, realm_id: str, attachment_id: str, content: str) -> Body:
        """Put another file, its bytes as base64, in the place of an attached one."""
        row = self.company(realm_id).row("Attachable", attachment_id)
        described: Body = {name: row[name] for name in ("Id", "SyncToken", "FileName", "ContentType") if name in row}
        return attach_file(self._act(realm_id), {**described, "sparse": True}, b64decode(content))


def paid_line(kind: str, identity: str, amount: Amount) -> Body:
    """A line of a bill payment as a request has it."""
    return {"Amount": str(amount), "LinkedTxn": [{"TxnId": identity, "TxnType": kind}]}


def _billed_line(order: Body, line: Body, measure: Decimal) -> Body:
    kind = line["DetailType"]
    detail = dict(line[kind])
    amount = cents(line["Amount"] * measure / ordered(line))
    if "Qty" in detail:
        detail["Qty"] = measure
    link = {"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": line["Id"]}
    told = {"Description": line["Description"]} if "Description" in line else {}
    return {"Amount": amount, "DetailType": kind, kind: detail, "LinkedTxn": [link], **told}


def _entry_line(side: str, account_id: str, amount: str, party: Body) -> Body:
    detail = {"PostingType": side, "AccountRef": {"value": account_id}, **party}
    return {"Amount": amount, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}


def _party(company: Company, account_id: str, vendor_id: str | None) -> Body:
    if vendor_id is None or not is_payable(company, account_id):
        return {}
    return {"Entity": {"Type": "Vendor", "EntityRef": {"value": vendor_id}}}
