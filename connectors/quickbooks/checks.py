"""*Check connection*: who we are in QuickBooks, what we may do there and what is missing, in plain words."""

from collections.abc import Callable, Iterator
from functools import partial

from connectors.base import Finding
from connectors.errors import ConnectorError, MappingError, RateLimited, TokenExpired
from connectors.quickbooks.client import Client
from connectors.quickbooks.faults import is_off, row_of
from connectors.quickbooks.lists import decode_account, decode_company
from connectors.quickbooks.mapping import SOURCES, Source
from connectors.quickbooks.reading import clean_row

COUNTED = [source for source in SOURCES if not source.single]
IN_TRANSIT = "Make one for payments in transit in the chart of accounts; QuickBooks takes no other type."


def check(client: Client, realm: str, home_currency: str) -> list[Finding]:
    """All findings: a refusal is one too and stops no other question. Raised are TokenExpired, to be cured, and
    RateLimited, which says nothing about what we may do."""
    found = _ask("read who the company is", lambda: _company(client, realm))
    found += _ask("read its preferences", lambda: _preferences(client, home_currency))
    reading = {source.entity: _ask(f"read {source.plural}", partial(_readable, client, source)) for source in COUNTED}
    found += [finding for findings in reading.values() for finding in findings]
    found.append(_posting(reading["BillPayment"]))
    return found + _ask("look for bank accounts", lambda: _bank_accounts(client, home_currency))


def _ask(what: str, question: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(question())
    except (TokenExpired, RateLimited):
        raise
    except (ConnectorError, MappingError) as error:
        return [Finding(level="missing", text=f"We could not {what}: {error}", remedy=row_of(error.code).remedy)]


def _company(client: Client, realm: str) -> Iterator[Finding]:
    company = client.company_info()
    more = {pair.get("Name"): pair.get("Value") for pair in company.get("NameValue") or []}
    country, status = company.get("Country") or "country not given", more.get("SubscriptionStatus")
    yield Finding(level="ok", text=f"Connected to {company.get('CompanyName')} ({country}), company id {realm}.")
    text = f"Its plan is {more.get('OfferingSku') or 'not named'}, subscription {status or 'not stated'}."
    sound = not status or status.upper() in ("PAID", "TRIAL")
    remedy = "" if sound else "See in QuickBooks that the subscription is in order."
    yield Finding(level="ok" if sound else "warning", text=text, remedy=remedy)


def _preferences(client: Client, home_currency: str) -> Iterator[Finding]:
    company = decode_company(client.preferences(), home_currency)
    home, others = company.home_currency, "several currencies" if company.many_currencies else "no other"
    remedy = "" if home == home_currency else f"Change the home currency in this connection's settings to {home}."
    text = f"Its home currency is {home}; it keeps {others}."
    text += f" This connection takes it for {home_currency}." if remedy else ""
    yield Finding(level="missing" if remedy else "ok", text=text, remedy=remedy)
    closed = company.closed_through
    until = f"Its books are closed until {closed}: nothing can be posted up to that day." if closed else ""
    yield Finding(level="ok", text=until or "Its books have never been closed.")


def _readable(client: Client, source: Source) -> Iterator[Finding]:
    try:
        text = f"We can read {source.plural}: there are {client.count(source.entity)}."
    except ConnectorError as error:
        if not (source.optional and is_off(error)):
            raise
        text = f"This company does not use {source.plural}, or its plan has none: we read none."
    yield Finding(level="ok", text=text)


def _posting(reading: list[Finding]) -> Finding:
    """Intuit has no question for the right to write; its scope for accounting covers reading and writing alike."""
    if refused := [finding for finding in reading if finding.level == "missing"]:
        text = "We cannot post bill payments: each is looked up before and after, and we could not read them."
        return Finding(level="missing", text=text, remedy=refused[0].remedy)
    return Finding(
        level="ok",
        text="We may write bill payments, and write nothing else: the sign-in is for reading and writing. Whether the "
        "person who signed in may enter them too, QuickBooks says with the first; if not, it waits as a problem.",
    )


def _bank_accounts(client: Client, home_currency: str) -> Iterator[Finding]:
    rows = client.every("Account", "where AccountType = 'Bank' and Active = true")
    accounts = [decode_account(clean_row(row), home_currency) for row in rows]
    names = ", ".join(sorted(f"{account.name} ({account.currency})" for account in accounts))
    if names:
        yield Finding(level="ok", text=f"Bank accounts that payments can be posted to: {names}.")
    else:
        yield Finding(level="missing", text="There is no active account of type Bank.", remedy=IN_TRANSIT)
