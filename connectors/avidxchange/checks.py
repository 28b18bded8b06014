"""*Check connection*: who we are at AvidXchange, what we may do there and what is missing, in plain words."""

from collections.abc import Iterator

from connectors.avidxchange.client import Client
from connectors.avidxchange.faults import remedy
from connectors.avidxchange.mapping import ROUTES
from connectors.avidxchange.wire import Row, as_list
from connectors.base import Environment, Finding
from connectors.errors import AuthError, TokenExpired
from connectors.records import Kind

READ = {
    "list_vendors": "vendors",
    "list_gl_accounts": "GL accounts",
    "list_invoices": "invoices",
    "list_payments": "payments",
}
SENT = {Kind.VENDOR: "vendors", Kind.ACCOUNT: "GL accounts", Kind.BILL: "bills (as invoices)"}
OFFERED = {
    "payment_void": "voiding payments",
    "payment_ack": "being told which payments are recorded",
    "idempotency_header": "marking repeated requests",
    "purchase_orders": "purchase orders",
    "invoice_image": "images of invoices",
}
BY_HAND = "When a bill is withdrawn, cancel its invoice at AvidXchange by hand."
NOBODYS = "check-connection"  # no record has this external id: the answer is empty, and shows that we may ask


def check(client: Client, client_id: str, company_id: str, environment: Environment) -> Iterator[Finding]:
    """All findings; raises TokenExpired, for which there is a fresh token, and what says nothing about permissions."""
    try:
        company = Row(client.profile, "company", client.read("read_company"))
    except TokenExpired:
        raise
    except AuthError as error:
        yield Finding(level="missing", text=str(error), remedy=remedy(error.code))
    else:
        yield from _company(company, client_id, company_id, environment)
        yield from _reading(client)
        yield from _offers(client, company)
    yield _contract(client)


def _company(company: Row, client_id: str, company_id: str, environment: Environment) -> Iterator[Finding]:
    id, name = company.text("id"), company.text("name")
    if id == company_id:
        text = f"Connected to {name}, company id {id}, as the partner application {client_id} ({environment})."
        yield Finding(level="ok", text=text)
    else:
        yield Finding(
            level="missing",
            text=f"AvidXchange answers for {name}, company id {id}, not for company id {company_id}.",
            remedy="Correct the company id; nothing is read or sent for another company.",
        )
    world = company.profile.meaning("company_environment", company.text("environment"))
    if environment is not Environment.SIMULATED and world != environment:
        yield Finding(
            level="missing",
            text=f"This is a {environment} connection, but the company says that it is {world}.",
            remedy="Use the application and the addresses of the right environment.",
        )


def _reading(client: Client) -> Iterator[Finding]:
    for operation, what in READ.items():
        try:
            client.page(operation, {"external_ids": NOBODYS, "page_size": "1"})
        except TokenExpired:
            raise
        except AuthError as error:
            yield Finding(level="missing", text=f"We may not read {what}: {error}", remedy=remedy(error.code))
        else:
            yield Finding(level="ok", text=f"We may read {what}.")


def _offers(client: Client, company: Row) -> Iterator[Finding]:
    """What we send; there is no question for the right to write, so the first of each kind answers it."""
    profile = client.profile
    ways: dict[bool, list[str]] = {True: [], False: []}
    for kind, route in ROUTES.items():
        ways[profile.offers(route.write)].append(SENT[kind])
    if ways[True]:
        text = (
            f"We send {', '.join(ways[True])}, and nothing else. Whether AvidXchange lets us, it says with the first "
            "of each; if not, that waits as a problem that says what to do."
        )
        yield Finding(level="ok", text=text)
    if ways[False]:
        remedy = "Choose a contract profile that has one, or ask AvidXchange for it."
        text = f"We cannot send {', '.join(ways[False])}: the contract profile has no request for it."
        yield Finding(level="missing", text=text, remedy=remedy)
    if profile.offers("cancel_invoice"):
        yield Finding(level="ok", text="We may withdraw an invoice as long as AvidXchange has not begun to pay it.")
    else:
        yield Finding(level="warning", text="We cannot withdraw an invoice that was sent.", remedy=BY_HAND)
    meanings = {profile.meaning("capability", word) for word in as_list(company.value("capabilities"))}
    if more := [words for meaning, words in OFFERED.items() if meaning in meanings]:
        yield Finding(level="ok", text=f"AvidXchange also offers this company: {', '.join(more)}. We do without.")


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
