"""What people and the network do inside AvidXchange: link companies, enter, code, approve and turn down.

Every act is journalled by `Simulator.person`, so its arguments are plain JSON: amounts are texts.
"""

from collections.abc import Mapping

from connectors.avidxchange.simulator_allocations import read_amount
from connectors.avidxchange.simulator_books import ActRefused, Company, Record, Serial
from connectors.avidxchange.simulator_gate import Gate
from connectors.avidxchange.simulator_images import finish_checks
from connectors.avidxchange.simulator_invoices import move_invoice, new_invoice, number_key, recode_line
from connectors.avidxchange.simulator_network import run_network
from connectors.avidxchange.simulator_payers import Payers
from connectors.avidxchange.simulator_shapes import SENT


class People(Payers):
    """The acts; the simulator is one of these that also answers requests."""

    gate: Gate
    serial: Serial
    companies: dict[str, Company]

    def company(self, company_id: str) -> Company:
        """The books of one customer, with every check of an image that is over by now."""
        if company_id not in self.companies:
            raise ActRefused(f"there is no company {company_id}")
        finish_checks(self.companies[company_id], self.now())
        return self.companies[company_id]

    # Sign-in.

    def person_register_app(self, client_id: str, client_secret: str) -> None:
        """AvidXchange gives a partner's application its id and secret, or a new secret."""
        self.gate.clients[client_id] = client_secret

    def person_link_company(
        self, company_id: str, name: str, client_id: str = "partner-app", funding_external_id: str | None = None
    ) -> None:
        """A customer joins, and lets a partner's application in; its books stay if it was here before."""
        company = self.companies.setdefault(
            company_id, Company(id=company_id, name=name, serial=self.serial, client_id=client_id)
        )
        company.name, company.client_id = name, client_id
        if not company.bank_accounts:
            account = {"external_id": funding_external_id, "name": "Operating", "last4": "9087", "currency": "USD"}
            company.bank_accounts.add({**account, "status": "synced"}, self.now())

    def person_unlink_company(self, company_id: str) -> None:
        """A customer lets no application in any more."""
        self.company(company_id).client_id = None

    def person_issue_tokens(self, company_id: str) -> dict[str, str]:
        """A customer makes a Company Token and a User Token; the ones before are dead."""
        company = self.company(company_id)
        for token in [*self._tokens_of(company.id)]:
            self.gate.forget(token)
        tokens = {"company_token": self.gate.secret(company_id), "user_token": self.gate.secret(company_id)}
        self.gate.company_tokens[tokens["company_token"]] = company_id
        self.gate.user_tokens[tokens["user_token"]] = company_id
        return tokens

    def _tokens_of(self, company_id: str) -> list[str]:
        known = [*self.gate.company_tokens.items(), *self.gate.user_tokens.items()]
        return [token for token, of in known if of == company_id]

    def person_revoke_token(self, token: str) -> None:
        """Somebody revokes a token of any sort."""
        self.gate.forget(token)

    def person_revoke_all_tokens(self) -> None:
        """Every access token dies at once."""
        for token in list(self.gate.issued):
            self.gate.forget(token)

    def person_limit_user(self, company_id: str, may_write: bool = False) -> None:
        """The customer takes from its API user the right to send anything, or gives it back."""
        limited = {token for token, of in self.gate.user_tokens.items() if of == self.company(company_id).id}
        self.gate.limited_users = self.gate.limited_users - limited if may_write else self.gate.limited_users | limited

    def person_limit_requests(self, per_resource: int | None = None, hard: int | None = None) -> None:
        """The gateway refuses more requests a minute than these: to one resource, and of anybody at all."""
        self.gate.resource_limit, self.gate.hard_limit = per_resource, hard

    # Vendors and bank accounts.

    def person_add_vendor(self, company_id: str, name: str, external_id: str | None = None, **fields: str) -> str:
        """Somebody at AvidXchange enters a vendor, usually one that no external id belongs to."""
        company = self.company(company_id)
        empty = dict.fromkeys([*(SENT["vendor"].keys() - {"link_to_id"}), "preferred_payment_method"])
        known = {"name": name, "external_id": external_id, "is_active": True, "network_status": "enrolled", **fields}
        vendor = company.vendors.add({**empty, **known}, self.now())
        if external_id is None:
            company.unlinked_vendors[name.casefold()] = vendor["id"]
        return str(vendor["id"])

    def person_enroll_vendor(
        self, company_id: str, status: str = "enrolled", method: str | None = None, **which: str
    ) -> None:
        """A vendor joins the network, or is blocked there, and says how it wants to be paid."""
        company = self.company(company_id)
        chosen = {"network_status": status, "preferred_payment_method": method}
        company.vendors.change(company.vendor(**which), chosen, self.now())

    def person_add_bank_account(
        self,
        company_id: str,
        name: str,
        last4: str,
        external_id: str | None = None,
        status: str = "pending",
    ) -> str:
        """The customer names a bank account to be drawn on; it is used once it is `synced`."""
        account = {"external_id": external_id, "name": name, "last4": last4, "currency": "USD", "status": status}
        return str(self.company(company_id).bank_accounts.add(account, self.now())["id"])

    def person_judge_bank_account(self, company_id: str, bank_account_id: str, status: str = "synced") -> None:
        """The treasury lets a bank account be drawn on, or does not."""
        accounts = self.company(company_id).bank_accounts
        if bank_account_id not in accounts:
            raise ActRefused(f"there is no bank account {bank_account_id}")
        accounts.change(accounts[bank_account_id], {"status": status}, self.now())

    def person_lose_record(self, company_id: str, kind: str, external_id: str) -> None:
        """AvidXchange loses a `vendor`, say by putting back older books: whether it ever does is not known."""
        shelf = self.company(company_id).shelf(f"{kind}s")
        record = shelf.external(external_id)
        if record is None:
            raise ActRefused(f"there is no {kind} {external_id}")
        shelf.lose(record)

    def person_edit_record(self, company_id: str, kind: str, external_id: str, changes: Mapping[str, str]) -> None:
        """Somebody at AvidXchange changes a vendor, GL account, dimension or purchase order, which nobody should."""
        shelf = self.company(company_id).shelf(f"{kind}s")
        record = shelf.external(external_id)
        if record is None or not changes.keys() <= record.keys():
            raise ActRefused(f"there is no {kind} {external_id} with {sorted(changes)}")
        shelf.change(record, dict(changes), self.now())

    # Invoices.

    def person_enter_invoice(
        self,
        company_id: str,
        vendor_id: str,
        invoice_number: str,
        amount: str,
        external_id: str | None = None,
        origin: str = "email",
    ) -> str:
        """An invoice comes in by mail, scan or portal, a credit if it is below zero; answers its id."""
        company, total = self.company(company_id), read_amount(amount)
        vendor = company.vendor(vendor_id)
        line: Record = {**dict.fromkeys(SENT["invoice_line"]), "line_number": 1, "amount": total, "dimensions": []}
        empty = dict.fromkeys(SENT["invoice"].keys() - {"image_content", "image_file_name"})
        known = {
            "external_id": external_id,
            "document_type": "credit" if total < 0 else "invoice",
            "invoice_number": invoice_number,
            "vendor_external_id": vendor["external_id"],
            "invoice_date": self.now().date(),
            "currency": "USD",
            "amount": total,
            "lines": [line],
        }
        made = {**empty, **known, **new_invoice(known, vendor), "origin": origin}
        invoice = company.invoices.add(made, self.now())
        company.sent_invoices[invoice["id"]] = known
        company.invoice_numbers[number_key(invoice)] = invoice["id"]
        return str(invoice["id"])

    def person_recode_line(
        self,
        company_id: str,
        line: int = 0,
        account: str | None = None,
        dimensions: Mapping[str, str] | None = None,
        description: str | None = None,
        **which: str,
    ) -> None:
        """An approver codes a line otherwise: another account, other dimensions (code to value), another text."""
        company = self.company(company_id)
        coded = None
        if dimensions is not None:
            coded = [{"dimension_code": code, "value_external_id": value} for code, value in dimensions.items()]
        changes = {"gl_account_external_id": account, "dimensions": coded, "description": description}
        known = {name: value for name, value in changes.items() if value is not None}
        recode_line(company, company.invoice(**which), line, known, self.now())

    def person_put_in_workflow(self, **which: str) -> None:
        """An invoice is coded and goes to its approvers."""
        self._move_invoice("in_workflow", None, **which)

    def person_release_invoice(self, **which: str) -> None:
        """An invoice on hold goes back to its approvers."""
        self._move_invoice("in_workflow", None, **which)

    def person_approve_invoice(self, **which: str) -> None:
        """The approver approves; an invoice that just came in is put in workflow first."""
        company_id, rest = which["company_id"], {name: id for name, id in which.items() if name != "company_id"}
        if self.company(company_id).invoice(**rest)["workflow_status"] == "received":
            self._move_invoice("in_workflow", None, **which)
        self._move_invoice("approved", None, **which)

    def person_reject_invoice(self, reason: str = "Not ours", **which: str) -> None:
        """The approver rejects."""
        self._move_invoice("rejected", reason, **which)

    def person_hold_invoice(self, **which: str) -> None:
        """An approver puts an invoice on hold."""
        self._move_invoice("on_hold", None, **which)

    def person_fail_invoice(self, reason: str = "The vendor's number is unreadable", **which: str) -> None:
        """Indexing finds an invoice unusable until it is sent again, corrected."""
        self._move_invoice("error", reason, **which)

    def _move_invoice(self, to: str, reason: str | None, company_id: str, **which: str) -> None:
        company = self.company(company_id)
        move_invoice(company, company.invoice(**which), to, self.now(), reason)

    def person_run_network(self, company_id: str, **pace: int) -> dict[str, int]:
        """Everything moves at most one step."""
        return run_network(self.company(company_id), self.now(), **pace)

    def person_furnish(self, account_id: str) -> dict[str, str]:
        """Every bill that has come in is approved and paid by a payment of its own."""
        company = self.company(account_id)
        for invoice in [one for one in company.invoices.values() if one["amount"] > 0]:
            if invoice["workflow_status"] in ("received", "in_workflow"):
                self.person_approve_invoice(company_id=account_id, invoice_id=invoice["id"])
                self.person_advance_payment(account_id, self.person_pay(account_id, {invoice["id"]: None}))
        return {}
