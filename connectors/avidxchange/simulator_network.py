"""One step of the whole network, as a function of state and time: for the demo, and for runs in virtual time."""

from collections import defaultdict
from datetime import datetime, timedelta

from connectors.avidxchange.simulator_books import ActRefused, Company, Record
from connectors.avidxchange.simulator_invoices import move_invoice
from connectors.avidxchange.simulator_payments import advance_payment, pay


def run_network(company: Company, now: datetime, approval_days: int = 2, clearing_days: int = 3) -> dict[str, int]:
    """Every invoice and payment moves at most one step; answers how many moved, by what happened.

    Received goes to workflow, an approver takes `approval_days`, what is approved is paid by check, one per vendor, a
    payment goes from status to status, and an issued check clears after `clearing_days`.
    """
    moving = [payment for payment in company.payments.values() if _is_due(payment, now, clearing_days)]
    stepped = sum(advance_payment(company, payment, now) for payment in moving)
    paid = _pay_approved(company, now)
    approved = entered = 0
    for invoice in list(company.invoices.values()):
        if invoice["workflow_status"] == "received":
            move_invoice(company, invoice, "in_workflow", now)
            entered += 1
        elif (
            invoice["workflow_status"] == "in_workflow"
            and now - invoice["in_workflow_at"] >= timedelta(days=approval_days)
        ):  # fmt: skip
            move_invoice(company, invoice, "approved", now)
            approved += 1
    return {"in_workflow": entered, "approved": approved, "payments_created": paid, "payments_moved": stepped}


def _is_due(payment: Record, now: datetime, clearing_days: int) -> bool:
    if payment["status"] == "issued":
        return bool(now.date() - payment["issued_date"] >= timedelta(days=clearing_days))
    return payment["status"] not in ("held", "error", "pending_approval", "stop_requested")


def _pay_approved(company: Company, now: datetime) -> int:
    """One check per vendor for all that is approved and that nobody pays yet; a vendor that cannot be paid waits."""
    open_by_vendor: dict[str, dict[str, str | None]] = defaultdict(dict)
    for invoice in company.invoices.values():
        untouched = invoice["payment_status"] in ("unpaid", "open") and not invoice["amount_scheduled"]
        if invoice["workflow_status"] == "approved" and untouched:
            open_by_vendor[invoice["vendor_external_id"]][invoice["id"]] = None
    created = 0
    for amounts in open_by_vendor.values():
        try:
            pay(company, amounts, "check", now)
        except ActRefused:
            continue
        created += 1
    return created
