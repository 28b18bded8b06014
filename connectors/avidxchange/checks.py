"""*Check connection*: who we are at AvidXchange, what we may do there and what is missing, in plain words."""

from collections.abc import Iterator

from connectors.avidxchange.client import Client
from connectors.avidxchange.faults import remedy
from connectors.avidxchange.mapping import ROUTES
from connectors.avidxchange.wire import Row, as_list
from connectors.base import Environment, Finding
from connectors.errors import AuthError, TokenExpired

READ = {
    "list_vendors": "vendors",
    "list_gl_accounts": "GL accounts",
    "list_invoices": "invoices",
    "list_payments": "payments",
}
NOBODYS = "check-connection"  # no record has this external id: the answer is empty, and shows that we may ask


def check(client: Client, company_id: str, environment: Environment) -> Iterator[Finding]:
    """All findings; raises TokenExpired, for which there is a fresh token, and what says nothing about permissions."""
    try:
        company = Row(client.profile, "company", client.read("read_company"))
    except TokenExpired:
        raise
    except AuthError as error:
        yield Finding(level="missing", text=str(error), remedy=remedy(error.code))
    else:
        yield from _company(company, company_id, environment)
        yield from _reading(client)
        yield from _offers(client, company)
    yield _contract(client)


def _company(company: Row, company_id: str, environment: Environment) -> Iterator[Finding]:
    id, name = company.text("id"), company.text("name")
    if id == company_id:
        yield Finding(level="ok", text=f"Connected to {name}, company id {id}.")
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
    for kind, route in ROUTES.items():
        offered = client.profile.offers(route.write)
        may = "sent; whether we may shows with the first" if offered else "not sent: the contract has no way"
        yield Finding(level="ok" if offered else "missing", text=f"Each {kind} is {may}.")
    offered_words = as_list(company.value("capabilities"))
    capabilities = sorted(client.profile.meaning("capability", word).replace("_", " ") for word in offered_words)
    yield Finding(level="ok", text=f"The company's capabilities: {', '.join(capabilities) or 'none beyond the least'}.")


def _contract(client: Client) -> Finding:
    profile = client.profile
    named = f"Contract profile {profile.profile_id} {profile.profile_version} ({profile.content_hash[:12]})"
    if profile.confirmed_by:
        return Finding(level="ok", text=f"{named}, confirmed by {profile.confirmed_by}.")
    assumed = f"{named}: its names are assumed, nobody at AvidXchange has confirmed them."
    return Finding(level="warning", text=assumed, remedy="Confirm or correct them at partner onboarding.")
