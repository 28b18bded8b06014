"""What people and banks do with payments: pay, change their minds, send money back, pay anew."""

from collections.abc import Mapping
from datetime import timedelta

from connectors.avidxchange.simulator_allocations import apply_credit, change_applications, pay
from connectors.avidxchange.simulator_books import Company
from connectors.avidxchange.simulator_payments import (
    REFERENCE,
    advance_payment,
    change_method,
    give_reference,
    move_payment,
    reissue_payment,
    way_to,
)
from connectors.simulators import Simulator


class Payers(Simulator):
    """The acts on payments; amounts are texts, invoices go by external id or id."""

    def company(self, company_id: str) -> Company:
        """The books of one customer."""
        raise LookupError(company_id)

    def person_pay(
        self,
        company_id: str,
        invoices: Mapping[str, str | None],
        method: str = "check",
        discounts: Mapping[str, str] | None = None,
        status: str = "processing",
    ) -> str:
        """The payer pays these invoices, each a gross amount or None for what is open; answers the payment's id."""
        company = self.company(company_id)
        return str(pay(company, invoices, method, self.now(), discounts, status=status)["id"])

    def person_change_applications(
        self,
        company_id: str,
        payment_id: str,
        invoices: Mapping[str, str | None],
        discounts: Mapping[str, str] | None = None,
    ) -> None:
        """A payment settles other invoices than it did."""
        company = self.company(company_id)
        change_applications(company, company.payment(payment_id), invoices, discounts or {}, self.now())

    def person_apply_credit(self, company_id: str, credit: str, invoice: str, amount: str) -> None:
        """A credit settles a part of an invoice outside of any payment."""
        company = self.company(company_id)
        found = [company.invoices.external(key) or company.invoice(key) for key in (credit, invoice)]
        apply_credit(company, found[0], found[1], amount, self.now())

    # The usual way.

    def person_advance_payment(
        self, company_id: str, payment_id: str, to: str | None = None, without_reference: bool = False
    ) -> str:
        """A payment takes its usual next step, or the usual steps until it becomes `to`, its reference maybe late."""
        company = self.company(company_id)
        payment = company.payment(payment_id)
        if to is None:
            advance_payment(company, payment, self.now())
        for step in way_to(payment, to) if to is not None else ():
            missing = {REFERENCE[payment["method"]]: None} if without_reference and step == "issued" else {}
            move_payment(company, payment, step, self.now(), **missing)
        return str(payment["status"])

    def person_give_reference(self, company_id: str, payment_id: str) -> None:
        """The check number, trace or card of a payment that was issued without one becomes known."""
        company = self.company(company_id)
        give_reference(company, company.payment(payment_id), self.now())

    def person_change_method(self, company_id: str, payment_id: str, method: str = "check") -> str:
        """A payment goes another way, as when a card becomes a check; answers the payment that goes on."""
        company = self.company(company_id)
        return str(change_method(company, company.payment(payment_id), method, self.now())["id"])

    def person_fail_payment(
        self, company_id: str, payment_id: str, code: str = "6", message: str = "The bank account is inactive."
    ) -> None:
        """A payment runs into an error that can be fixed; it goes on by `advance_payment`."""
        exceptions = [{"code": code, "message": message, "fixable": True}]
        self._move_payment(company_id, payment_id, "error", exceptions=exceptions)

    # Ways back.

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

    def person_reissue_payment(
        self, company_id: str, payment_id: str, method: str = "check", tell_later: bool = False
    ) -> str:
        """A payment is made anew, maybe by another method; the old one says so only when it is advanced to
        `reissued` if `tell_later`. Answers the new payment's id."""
        company = self.company(company_id)
        payment = company.payment(payment_id)
        return str(reissue_payment(company, payment, method, self.now(), tell_later=tell_later)["id"])

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

    def person_age_cards(self, company_id: str) -> list[str]:
        """Cards that nobody charged until they expired expire; answers their payments' ids."""
        company, today = self.company(company_id), self.now().date()
        stale = [
            payment for payment in company.payments.values()
            if payment["method"] == "virtual_card" and payment["status"] == "issued"
            and payment["card_expires_date"] < today
        ]  # fmt: skip
        for payment in stale:
            move_payment(company, payment, "expired", self.now())
        return [payment["id"] for payment in stale]

    def _move_payment(self, company_id: str, payment_id: str, to: str, **values: object) -> None:
        company = self.company(company_id)
        move_payment(company, company.payment(payment_id), to, self.now(), **values)
