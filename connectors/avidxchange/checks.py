"""*Check connection*: who we are at AvidXchange, what we may do there and what is missing, in plain words."""

from collections.abc import Iterator, Mapping
from typing import Literal

from connectors.avidxchange.client import Client
from connectors.avidxchange.contract import Profile
from connectors.avidxchange.faults import fault, remedy
from connectors.avidxchange.sweep import begin, bounds
from connectors.avidxchange.wire import Row, as_list
from connectors.base import Environment, Finding
from connectors.errors import AuthError, TokenExpired
from connectors.records import Kind

READ = {
    "list_vendors": "vendors",
    "list_gl_accounts": "GL accounts",
    "list_invoices": "invoices",
    "list_payments": "payments",
    "list_dimensions": "dimensions",
    "list_purchase_orders": "purchase orders",
    "list_bank_accounts": "bank accounts",
}
ASKED_FOR = 4  # of these, the first: every question counts against a quota that all customers share
SENT = {
    "upsert_vendors": "vendors",
    "upsert_gl_accounts": "GL accounts",
    "upsert_dimension_values": "dimensions",
    "upsert_purchase_orders": "purchase orders",
    "submit_invoices": "bills and credits (as invoices)",
    "put_invoice_image": "images",
}
UNUSED = {
    "payment_void": "voiding payments",
    "payment_ack": "being told which payments are recorded",
    "idempotency_header": "marking repeated requests",
}
USED = {"purchase_orders": "purchase orders", "invoice_image": "images of invoices"}
WITH_DIMENSIONS = ("upsert_dimension_values", "upsert_dimensions", "list_dimensions")
INDISPENSABLE = {"list_invoices", "list_payments", "upsert_vendors", "upsert_gl_accounts", "submit_invoices"}
REFERENCES = {
    "check_number": "numbers of checks",
    "ach_trace": "traces of ACH payments",
    "card_last4": "the last four digits of cards",
    "reissue_of": "which payment another one replaces",
    "applications": "what a payment pays",
}
BY_HAND = "When a bill is withdrawn, cancel its invoice at AvidXchange by hand."
NOBODYS = "check-connection"  # no record has this id: the answer is empty, and shows that we may ask
CHOOSE = "Choose a contract profile that has it, or ask AvidXchange for it."


def read_company(client: Client) -> Row:
    """Who answers; where a customer has several accounting systems, the first of them."""
    body = client.read("read_company")
    listed = client.profile.get("page", body, "items") if isinstance(body, dict) else body
    found = as_list(body if listed is None else listed)
    if not found:
        raise fault("unexpected", "Nobody answers to the question who we are.")
    return Row(client.profile, "company", found[0])


def check(client: Client, who: str, company_id: str, environment: Environment) -> Iterator[Finding]:
    """All findings; raises TokenExpired, for which there is a fresh token, and what says nothing about permissions."""
    try:
        company = read_company(client)
    except TokenExpired:
        raise
    except AuthError as error:
        yield Finding(level="missing", text=str(error), remedy=remedy(error.code))
    else:
        yield from _company(company, who, company_id, environment)
        yield from _reading(client)
        yield from _offers(client, company)
    yield _contract(client)


def _company(company: Row, who: str, company_id: str, environment: Environment) -> Iterator[Finding]:
    id, name = company.text("id"), company.text("name")
    if id == (company_id or id):
        text = f"Connected to {name}, company id {id}, {who} ({environment})."
        yield Finding(level="ok", text=text)
    else:
        yield Finding(
            level="missing",
            text=f"AvidXchange answers for {name}, company id {id}, not for company id {company_id}.",
            remedy="Correct the company id; nothing is read or sent for another company.",
        )
    world = company.profile.meaning("company_environment", company.text("environment"))
    says = company.profile.has("company", "environment")
    if says and environment is not Environment.SIMULATED and world != environment:
        yield Finding(
            level="missing",
            text=f"This is a {environment} connection, but the company says that it is {world}.",
            remedy="Use the application and the addresses of the right environment.",
        )


def _reading(client: Client) -> Iterator[Finding]:
    for place, (operation, what) in enumerate(READ.items()):
        if not client.profile.offers(operation):
            yield _off(operation, f"We do not read {what}")
            continue
        if place >= ASKED_FOR:
            continue
        try:
            client.page(operation, {**_small_question(client, operation), "page_size": "1"})
        except TokenExpired:
            raise
        except AuthError as error:
            yield Finding(level="missing", text=f"We may not read {what}: {error}", remedy=remedy(error.code))
        else:
            yield Finding(level="ok", text=f"We may read {what}.")


def _small_question(client: Client, operation: str) -> Mapping[str, str]:
    """What nobody has the id of; where there are no ids to ask by, what has changed today."""
    names, now = client.profile.query_of(operation), client.http.clock.now()
    by_id = next((name for name in ("external_ids", "ids") if names[name]), "")
    return {by_id: NOBODYS} if by_id else bounds(client.profile, begin(client.profile, now, (Kind.BILL,), now))


def _offers(client: Client, company: Row) -> Iterator[Finding]:
    """What we send; there is no question for the right to write, so the first of each kind answers it."""
    profile = client.profile
    if sent := [what for operation, what in SENT.items() if _is_sent(profile, operation)]:
        text = (
            f"We send {', '.join(sent)}, and nothing else. Whether AvidXchange lets us, it says with the first "
            "of each; if not, that waits as a problem that says what to do."
        )
        yield Finding(level="ok", text=text)
    for operation, what in SENT.items():
        if not _is_sent(profile, operation):
            yield _off(operation, f"We do not send {what}")
    if lacking := [what for field, what in REFERENCES.items() if not profile.has("payment", field)]:
        text = f"Off, for the contract profile has no name for it: {', '.join(lacking)}."
        yield Finding(level="warning", text=text, remedy=CHOOSE)
    if profile.offers("cancel_invoice"):
        yield Finding(level="ok", text="We may withdraw an invoice as long as AvidXchange has not begun to pay it.")
    elif profile.offers("submit_invoices"):
        yield Finding(level="warning", text="We cannot withdraw an invoice that was sent.", remedy=BY_HAND)
    yield from _capabilities(company)


def _capabilities(company: Row) -> Iterator[Finding]:
    """What AvidXchange says that it does for this company, where it says so."""
    words = company.value("capabilities")
    meanings = {company.profile.meaning("capability", word) for word in as_list(words)}
    if more := [what for meaning, what in UNUSED.items() if meaning in meanings]:
        yield Finding(level="ok", text=f"AvidXchange also offers this company: {', '.join(more)}. We do without.")
    if words is not None and (off := [what for meaning, what in USED.items() if meaning not in meanings]):
        text = f"AvidXchange has not switched on for this company: {', '.join(off)}."
        yield Finding(level="warning", text=text, remedy="Ask AvidXchange for it, or leave those kinds out.")


def _is_sent(profile: Profile, operation: str) -> bool:
    if operation == "put_invoice_image":
        return profile.takes_images
    return all(map(profile.offers, WITH_DIMENSIONS if operation in WITH_DIMENSIONS else [operation]))


def _off(operation: str, text: str) -> Finding:
    level: Literal["missing", "warning"] = "missing" if operation in INDISPENSABLE else "warning"
    return Finding(level=level, text=f"{text}: the contract profile has no request for it.", remedy=CHOOSE)


def _contract(client: Client) -> Finding:
    profile = client.profile
    named = f"Contract profile {profile.profile_id} {profile.profile_version} ({profile.content_hash[:12]})"
    if profile.confirmed_by:
        return Finding(level="ok", text=f"{named}, confirmed by {profile.confirmed_by}.")
    assumed = f"{named}: its names are assumed, nobody at AvidXchange has confirmed them."
    remedy = (
        "Go through them with AvidXchange at partner onboarding; what is named otherwise is changed in the profile."
    )
    return Finding(level="warning", text=assumed, remedy=remedy)
