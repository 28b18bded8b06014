"""What people and the network do inside AvidXchange: link companies, approve, pay, send money back, break promises.

Every act is journalled by `Simulator.person`, so its arguments are plain JSON: amounts are texts.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.avidxchange.simulator_books import ActRefused, Company, Serial
from connectors.avidxchange.simulator_gate import Gate
from connectors.avidxchange.simulator_images import finish_checks
from connectors.avidxchange.simulator_invoices import move_invoice
from connectors.avidxchange.simulator_network import run_network
from connectors.avidxchange.simulator_payments import advance_payment, move_payment, pay, reissue_payment, way_to
from connectors.avidxchange.simulator_service import Service
from connectors.avidxchange.simulator_shapes import SENT
from connectors.avidxchange.simulator_wire import Wire
from connectors.simulators import Simulator

REPLY_FAULTS: Final = frozenset({"text_booleans", "single_results", "no_paging", "foreign_links", "repeated_records"})
# What is said in place of the truth when a promise is broken: kind, field, raw value.
BROKEN_PROMISES: Mapping[str, tuple[str, str, object]] = {
    "total": ("payment", "amount", Decimal("0.01")),
    "unknown_status": ("payment", "status", "Teleported"),
    "unknown_method": ("payment", "method", "CarrierPigeon"),
    "card_number": ("payment", "status_reason", "Card 5555555555554444 was declined"),
}


class People(Simulator):
    """The acts; the simulator is one of these that also answers requests."""

    wire: Wire
    gate: Gate
    serial: Serial
    companies: dict[str, Company]
    service: Service

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

    # Vendors and invoices.

    def person_add_vendor(self, company_id: str, name: str) -> str:
        """Somebody at AvidXchange enters a vendor that no external id belongs to."""
        company = self.company(company_id)
        empty = dict.fromkeys([*(SENT["vendor"].keys() - {"link_to_id"}), "preferred_payment_method"])
        known = {"name": name, "is_active": True, "network_status": "enrolled"}
        vendor = company.vendors.add({**empty, **known}, self.now())
        company.unlinked_vendors[name.casefold()] = vendor["id"]
        return str(vendor["id"])

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

    def person_fail_invoice(self, **which: str) -> None:
        """Indexing finds an invoice unusable until it is sent again, corrected."""
        self._move_invoice("error", None, **which)

    def _move_invoice(self, to: str, reason: str | None, company_id: str, **which: str) -> None:
        company = self.company(company_id)
        move_invoice(company, company.invoice(**which), to, self.now(), reason)

    # Payments.

    def person_pay(
        self,
        company_id: str,
        invoices: Mapping[str, str | None],
        method: str = "check",
        discounts: Mapping[str, str] | None = None,
        status: str = "processing",
    ) -> str:
        """The payer pays these invoices, each a gross amount or None for what is open; answers the payment's id."""
        return str(pay(self.company(company_id), invoices, method, self.now(), discounts, status)["id"])

    def person_advance_payment(self, company_id: str, payment_id: str, to: str | None = None) -> str:
        """A payment takes its usual next step, or the usual steps until it can become `to`."""
        company = self.company(company_id)
        payment = company.payment(payment_id)
        if to is None:
            advance_payment(company, payment, self.now())
        for step in way_to(payment, to) if to is not None else ():
            move_payment(company, payment, step, self.now())
        return str(payment["status"])

    def person_void_payment(self, company_id: str, payment_id: str, reason: str | None = None) -> None:
        """A payment is voided."""
        self._move_payment(company_id, payment_id, "void", status_reason=reason)

    def person_stop_payment(self, company_id: str, payment_id: str, stopped: bool = True) -> None:
        """The bank is asked to stop a check, and does or is too late."""
        self._move_payment(company_id, payment_id, "stop_requested")
        self._move_payment(company_id, payment_id, "stopped" if stopped else "cleared")

    def person_return_payment(self, company_id: str, payment_id: str, code: str | None = None) -> None:
        """A check comes back undelivered, or an ACH credit with a return code."""
        self._move_payment(company_id, payment_id, "returned", **({"ach_return_code": code} if code else {}))

    def person_expire_card(self, company_id: str, payment_id: str) -> None:
        """Nobody charged the card in time."""
        self._move_payment(company_id, payment_id, "expired")

    def person_refund_payment(self, company_id: str, payment_id: str) -> None:
        """The money goes back to the payer."""
        self._move_payment(company_id, payment_id, "refunded")

    def person_reissue_payment(self, company_id: str, payment_id: str, method: str = "check") -> str:
        """A payment is made anew, maybe by another method; answers the new payment's id."""
        company = self.company(company_id)
        return str(reissue_payment(company, company.payment(payment_id), method, self.now())["id"])

    def person_age_checks(self, company_id: str, days: int = 90) -> list[str]:
        """Checks that nobody cashed in so many days are refunded; answers their ids."""
        company, limit = self.company(company_id), self.now().date() - timedelta(days=days)
        stale = [
            payment for payment in company.payments.values()
            if payment["method"] == "check" and payment["status"] == "issued" and payment["issued_date"] <= limit
        ]  # fmt: skip
        for payment in stale:
            move_payment(company, payment, "refunded", self.now(), status_reason="Stale")
        return [payment["id"] for payment in stale]

    def _move_payment(self, company_id: str, payment_id: str, to: str, **values: object) -> None:
        company = self.company(company_id)
        move_payment(company, company.payment(payment_id), to, self.now(), **values)

    def person_run_network(self, company_id: str, **pace: int) -> dict[str, int]:
        """Everything moves at most one step."""
        return run_network(self.company(company_id), self.now(), **pace)

    # Broken promises.

    def person_break_promise(self, company_id: str, payment_id: str, promise: str) -> None:
        """A payment reads wrong from now on: `total`, `unknown_status`, `unknown_method` or `card_number`."""
        kind, field, value = BROKEN_PROMISES[promise]
        self.person_misreport(company_id, kind, payment_id, field, value)

    def person_misreport(self, company_id: str, kind: str, id: str, field: str, value: Any) -> None:
        """A field of a record reads as this raw value from now on."""
        self._touch(company_id, kind, id)
        self.wire.broken.setdefault((kind, id), {})[field] = value

    def person_keep_promises(self, company_id: str, kind: str, id: str) -> None:
        """A record reads as it is again."""
        self._touch(company_id, kind, id)
        self.wire.broken.pop((kind, id), None)

    def _touch(self, company_id: str, kind: str, id: str) -> None:
        shelf = self.company(company_id).shelf(f"{kind}s")
        if id not in shelf:
            raise ActRefused(f"there is no {kind} {id}")
        shelf.change(shelf[id], {}, self.now())

    def person_garble_replies(self, faults: list[str]) -> None:
        """Replies show these irregularities from now on, and no others: names out of `REPLY_FAULTS`."""
        if unknown := set(faults) - REPLY_FAULTS:
            raise ActRefused(f"there is no irregularity {sorted(unknown)}: choose from {sorted(REPLY_FAULTS)}")
        self.service.reply_faults = set(faults)
        self.wire.text_booleans = "text_booleans" in faults
