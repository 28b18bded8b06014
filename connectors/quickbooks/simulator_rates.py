"""Exchange rates: home units for one foreign unit, from a day on until the next rate.

That a day before the first known rate has the first one, and a currency without any has 1, is assumed; so is that a
transaction which a sparse update moves to another day keeps its rate (`rate_follows_date` among the switches). A rate
has no Id (Intuit: ExchangeRate); asked for a day, it is shown as of that day.
"""

from datetime import datetime
from decimal import Decimal

from connectors.quickbooks.simulator_company import CURRENCIES, Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_entity import EVERYWHERE, Entity
from connectors.quickbooks.simulator_faults import OTHER_USER, Body, bad_currency, business, feature_off, missing, stale
from connectors.quickbooks.simulator_fields import day, decode_fields, ignored, number, text
from connectors.quickbooks.simulator_tables import Table

FIELDS = {
    **dict.fromkeys(("Id", "MetaData", "domain", "sparse", "CustomField"), ignored),
    "SyncToken": text(20),
    "SourceCurrencyCode": text(3),
    "TargetCurrencyCode": text(3),
    "Rate": number,
    "AsOfDate": day,
}
EXCHANGE_RATE = Entity(
    name="ExchangeRate",
    noun="ExchangeRates",
    listed=False,
    dated=False,
    fields=FIELDS,
    filters={
        "SourceCurrencyCode": "text",
        "AsOfDate": "date",
        "MetaData.LastUpdatedTime": EVERYWHERE["MetaData.LastUpdatedTime"],
    },
)


def rate_of(company: Company, code: str, on: str) -> Decimal:
    """The home units for one unit of a currency on a day."""
    row = _row_on(company, code, on)
    return Decimal(row["Rate"]) if row else Decimal(1)


def _row_on(company: Company, code: str, on: str) -> Body | None:
    days = sorted(since for known, since in company.rates if known == code)
    earlier = [since for since in days if since <= on]
    chosen = earlier[-1:] or days[:1]
    return company.rates[code, chosen[0]] if chosen else None


def set_rate(company: Company, code: str, rate: Decimal, on: str, now: datetime) -> Body:
    """The rate of a currency from a day on; the currency becomes one of the company's."""
    use_currency(company, code, now)
    old = company.rates.get((code, on))
    company.rates[code, on] = {
        "SyncToken": str(int(old["SyncToken"]) + 1) if old else "0",
        "domain": "QBO",
        "sparse": False,
        "SourceCurrencyCode": code,
        "TargetCurrencyCode": company.home_currency,
        "Rate": rate,
        "AsOfDate": on,
        "MetaData": {"LastUpdatedTime": company.stamp(now)},
    }
    return company.rates[code, on]


def use_currency(company: Company, code: str, now: datetime) -> None:
    """A foreign currency that is used for the first time is one of the company's from then on (assumed)."""
    if code != company.home_currency and not company.tables["CompanyCurrency"].named(code):
        body = {"Code": code, "Name": CURRENCIES.get(code, code), "Active": True}
        company.insert(ENTITIES["CompanyCurrency"], body, now)


def read_rate(act: Act, code: str | None, on: str | None) -> Body:
    """The rate of a currency on a day, today if none is named."""
    if not code:
        raise missing("sourcecurrencycode")
    asked = day("asofdate", on or "") or act.company.today(act.now).isoformat()
    return _shown(act.company, code.upper(), asked)


def _shown(company: Company, code: str, on: str) -> Body:
    if code == company.home_currency:
        stamp = {"LastUpdatedTime": company.info["MetaData"]["LastUpdatedTime"]}
        row: Body = {"SyncToken": "0", "domain": "QBO", "sparse": False, "Rate": Decimal(1), "MetaData": stamp}
    elif found := _row_on(company, code, on):
        row = found
    else:
        raise bad_currency("SourceCurrencyCode", code)
    return {**row, "SourceCurrencyCode": code, "TargetCurrencyCode": company.home_currency, "AsOfDate": on}


def write_rate(act: Act, body: Body) -> Body:
    """Set a rate; the SyncToken, where one is sent, is the present one of that day's rate."""
    company = act.company
    if not company.has_many_currencies:
        raise feature_off("Multicurrency")
    fields = {name: value for name, value in decode_fields(FIELDS, body).items() if value is not None}
    for name in ("SourceCurrencyCode", "Rate"):
        if name not in fields:
            raise missing(name)
    code, on = fields["SourceCurrencyCode"].upper(), fields.get("AsOfDate") or company.today(act.now).isoformat()
    if code == company.home_currency:
        raise business("The source currency can't be the home currency.")
    if fields.get("TargetCurrencyCode", company.home_currency) != company.home_currency:
        raise business("The target currency must be the home currency.")
    if fields["Rate"] <= 0:
        raise business("The exchange rate must be more than 0.")
    old = company.rates.get((code, on))
    if old and fields.get("SyncToken", old["SyncToken"]) != old["SyncToken"]:
        raise stale(OTHER_USER)
    return set_rate(company, code, fields["Rate"], on, act.now)


def rates_on(company: Company, on: str) -> Table:
    """A table of each currency's rate on a day, for a query."""
    table = Table(EXCHANGE_RATE)
    for code in dict.fromkeys(code for code, _ in company.rates):
        table.put({**_shown(company, code, on), "Id": code})
    return table
