"""What people and banks do in the AP network in a history: they approve, pay, and send money back."""

from typing import Any

from connectors.avidxchange.simulator_allocations import open_amount
from tests.simulation.somebody import Somebody

LIVE = ("pending", "executed")
WAYS_BACK = (
    "stop_payment",
    "return_payment",
    "expire_card",
    "refund_payment",
    "reissue_payment",
    "change_method",
    "fail_payment",
)


class Payers(Somebody):
    """Who approves and pays; each act says whether there was anything to do."""

    def approve(self) -> bool:
        invoice = self._invoice("received", "in_workflow")
        if invoice is None:
            return False
        self.world.person(self.world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
        return True

    def pay(self) -> bool:
        invoice = self._invoice("approved")
        if invoice is None:
            return False
        also = [
            other
            for other in self.world.network.invoices.values()
            if other["workflow_status"] == "approved"
            and other["vendor_external_id"] == invoice["vendor_external_id"]
            and other["id"] != invoice["id"]
            and not self._is_paid(other)
        ]
        chosen = [
            one
            for one in [invoice, *(also if self.happens(0.8 if self.features.ap_accounts else 0.4) else [])]
            if not self._is_paid(one)
        ]
        self.world.person(
            self.world.avidxchange,
            "pay",
            invoices={one["id"]: self._amount(one) for one in chosen},
            discounts=self._discounts(chosen),
            **self._way(),
        )
        return True

    def _amount(self, invoice: dict[str, Any]) -> str | None:
        """Sometimes a part of it; all that is open otherwise."""
        if self.features.ways_back and invoice["amount"] > 20 and self.happens(0.2):
            return "12.00"
        return None

    def _way(self) -> dict[str, str]:
        """How it is paid, and whether it is released already."""
        if not self.features.ways_back:
            return {}
        status = "pending_approval" if self.happens(0.1) else "processing"
        return {"method": self.chance.choice(["check", "ach", "virtual_card"]), "status": status}

    def _discounts(self, chosen: list[dict[str, Any]]) -> dict[str, str]:
        """What is taken off some of these invoices, in a history of discounts."""
        if not self.features.discounts or self.happens(0.5):
            return {}
        return {one["id"]: self.chance.choice(["0.50", "2.00"]) for one in chosen if one["amount"] > 2}

    def advance(self) -> bool:
        payment = self._payment(*LIVE, "none")
        if payment is None:
            return False
        late: dict[str, Any] = {}
        if self.features.ways_back and self.happens(0.1):
            late = {"to": "issued", "without_reference": True}
        self.world.person(self.world.avidxchange, "advance_payment", payment_id=payment["id"], **late)
        return True

    def take_back(self) -> bool:
        payment = self._payment(*LIVE)
        if payment is None or self.chance.random() < 0.5:
            return False
        self.world.person(self.world.avidxchange, "void_payment", payment_id=payment["id"])
        return True

    def go_back(self) -> bool:
        """A payment that is out comes back, or goes another way."""
        payment = self._payment(*LIVE, "reversed")
        if payment is None or self.happens(0.4):
            return False
        act = self.chance.choice(WAYS_BACK)
        new: dict[str, Any] = (
            {"method": self.chance.choice(["check", "ach"])} if act in ("reissue_payment", "change_method") else {}
        )
        if act == "stop_payment":
            new = {"stopped": self.happens(0.8)}
        self.world.person(self.world.avidxchange, act, payment_id=payment["id"], **new)
        return True

    def give_a_reference(self) -> bool:
        payment = self._payment(*LIVE)
        if payment is None:
            return False
        self.world.person(self.world.avidxchange, "give_reference", payment_id=payment["id"])
        return True

    def change_what_is_paid(self) -> bool:
        """A payment settles only the first of its invoices, or another one beside them."""
        payment = self._payment(*LIVE)
        if payment is None or self.happens(0.8):
            return False
        kept = [part["invoice_id"] for part in payment["applications"]][:1]
        other = self._invoice("approved")
        chosen = dict.fromkeys(kept if other is None or self.happens(0.5) else [*kept, other["id"]])
        act = "change_applications"
        self.world.person(self.world.avidxchange, act, payment_id=payment["id"], invoices=chosen)
        return True

    def stop_an_invoice(self) -> bool:
        """An approver rejects an invoice, or puts one on hold, or lets it go again."""
        if self.happens(0.8):
            return False
        act = self.chance.choice(["reject_invoice", "hold_invoice", "release_invoice", "fail_invoice"])
        invoice = self._invoice("on_hold") if act == "release_invoice" else self._invoice("received", "in_workflow")
        if invoice is None:
            return False
        self.world.person(self.world.avidxchange, act, invoice_id=invoice["id"])
        return True

    def recode_an_invoice(self) -> bool:
        """An approver writes another text on a line, which is shown and never written back."""
        invoice = self._invoice("in_workflow", "approved")
        if invoice is None or self.happens(0.7):
            return False
        self.world.person(self.world.avidxchange, "recode_line", invoice_id=invoice["id"], description="Looked at")
        return True

    def _invoice(self, *statuses: str) -> dict[str, Any] | None:
        fitting = [
            one
            for one in self.world.network.invoices.values()
            if one["workflow_status"] in statuses and not self._is_paid(one)
        ]
        return self.chance.choice(fitting) if fitting else None

    def _is_paid(self, invoice: dict[str, Any]) -> bool:
        """Whether payments under way take all of it."""
        return not open_amount(self.world.network, invoice)

    def _payment(self, *phases: str) -> dict[str, Any] | None:
        payments = self.world.avidxchange.books()[self.world.network.id]["payments"]
        fitting = [one for one in payments if one["phase"] in phases]
        return self.chance.choice(fitting) if fitting else None
