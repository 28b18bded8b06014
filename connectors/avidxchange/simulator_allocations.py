"""Which invoices and credits a payment settles, and by how much; credits that are applied outside of any payment.

Assumed: net is gross less discount, a credit's part is negative and carries no discount, all are of one vendor, and
what live payments take of an invoice together is never more than what it is about.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from connectors.avidxchange.simulator_books import CENT, ZERO, ActRefused, Company, Record
from connectors.avidxchange.simulator_invoices import EXECUTED, LIVE, derive_figures, live_payments
from connectors.avidxchange.simulator_payments import open_payment

Amounts = Mapping[str, str | None]


def pay(
    company: Company,
    amounts: Amounts,
    method: str,
    now: datetime,
    discounts: Mapping[str, str] | None = None,
    **values: str,
) -> Record:
    """A payment of invoices and credits by external id or id: gross amounts, or None for all that is open."""
    applications = allocate(company, amounts, discounts or {})
    vendor = company.vendor(company.invoices[applications[0]["invoice_id"]]["vendor_id"])
    about = {"method": method, "amount": _total(applications), "applications": applications}
    return open_payment(company, vendor, {**about, **values}, now)


def allocate(
    company: Company, amounts: Amounts, discounts: Mapping[str, str], instead_of: Record | None = None
) -> list[Record]:
    """The applications of a payment; `instead_of` is the payment whose own are given up for them."""
    applications = []
    for key, amount in amounts.items():
        invoice = company.invoices.external(key) or company.invoice(key)
        gross = _gross(company, invoice, amount, instead_of)
        discount = read_amount(discounts.get(key) or "0")
        if discount and not 0 < discount < gross:
            raise ActRefused(f"{invoice['id']} cannot have a discount of {discount} on {gross}")
        application = {"invoice_id": invoice["id"], "invoice_external_id": invoice["external_id"]}
        about = {"invoice_number": invoice["invoice_number"], "gross_amount": gross, "discount_amount": discount}
        applications.append({**application, **about, "net_amount": gross - discount})
    ids = [application["invoice_id"] for application in applications]
    if len({company.invoices[id]["vendor_id"] for id in ids}) != 1:
        raise ActRefused("a payment pays invoices of one vendor")
    if len(set(ids)) != len(ids):
        raise ActRefused("a payment names an invoice once")
    if _total(applications) <= 0:
        raise ActRefused("a payment is above zero")
    return applications


def _total(applications: list[Record]) -> Decimal:
    return sum((application["net_amount"] for application in applications), ZERO)


def open_amount(company: Company, invoice: Record, besides: Record | None = None) -> Decimal:
    """What of an invoice no live payment takes yet; `besides` is one that does not count."""
    taken = sum(
        (
            application["gross_amount"]
            for payment in live_payments(company, invoice)
            for application in payment["applications"]
            if application["invoice_id"] == invoice["id"] and payment is not besides
        ),
        ZERO,
    )
    left: Decimal = invoice["amount"] - invoice["amount_credited"] - taken
    return left


def _gross(company: Company, invoice: Record, amount: str | None, besides: Record | None) -> Decimal:
    if invoice["workflow_status"] != "approved":
        raise ActRefused(f"{invoice['id']} is {invoice['workflow_status']}, not approved")
    left = open_amount(company, invoice, besides)
    gross = left if amount is None else read_amount(amount)
    if gross == 0 or (gross < 0) != (left < 0) or abs(gross) > abs(left):
        raise ActRefused(f"{invoice['id']} has {left} left to be paid, not {gross}")
    return gross


def read_amount(text: str) -> Decimal:
    """An amount that a person typed."""
    try:
        amount = Decimal(text)
        if amount != amount.quantize(CENT):
            raise ActRefused(f"{text} is finer than a cent")
    except InvalidOperation as error:
        raise ActRefused(f"{text} is not an amount") from error
    return amount.quantize(CENT)


def change_applications(
    company: Company, payment: Record, amounts: Amounts, discounts: Mapping[str, str], now: datetime
) -> None:
    """A live payment settles other invoices from now on; once it is executed its amount stays what it was."""
    if payment["status"] not in LIVE:
        raise ActRefused(f"{payment['id']} is {payment['status']} and settles nothing")
    applications = allocate(company, amounts, discounts, instead_of=payment)
    total = _total(applications)
    if payment["status"] in EXECUTED and total != payment["amount"]:
        raise ActRefused(f"{payment['id']} is over {payment['amount']}, not {total}")
    before, after = ({part["invoice_id"] for part in parts} for parts in (payment["applications"], applications))
    if company.invoices[next(iter(after))]["vendor_id"] != payment["vendor_id"]:
        raise ActRefused("the payment is another vendor's")
    for invoice_id in before - after:
        company.invoices[invoice_id]["payment_ids"].remove(payment["id"])
    for invoice_id in after - before:
        company.invoices[invoice_id]["payment_ids"].append(payment["id"])
    company.payments.change(payment, {"applications": applications, "amount": total}, now)
    for invoice_id in sorted(before | after):
        derive_figures(company, company.invoices[invoice_id], now)


def apply_credit(company: Company, credit: Record, invoice: Record, amount: str, now: datetime) -> None:
    """A credit settles a part of an invoice of its vendor without any payment."""
    value = read_amount(amount)
    if credit["vendor_id"] != invoice["vendor_id"]:
        raise ActRefused("the credit is another vendor's")
    if not 0 < value <= min(open_amount(company, invoice), -open_amount(company, credit)):
        raise ActRefused(f"{value} is more than the invoice or the credit has left")
    invoice["amount_credited"] += value
    credit["amount_credited"] -= value
    for record in (invoice, credit):
        derive_figures(company, record, now)
