"""The exchange rate of a posting: the company's own, as of the posting's day, or nothing is posted.

Intuit: a rate is the home units for one foreign unit; which one a transaction gets that is sent without, or is moved to
another day, is not documented.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.errors import RecordRejected
from connectors.quickbooks import wire
from connectors.quickbooks.client import Client
from connectors.quickbooks.faults import error_of


@dataclass(frozen=True)
class Rates:
    """The exchange rates of one company."""

    client: Client
    home_currency: str

    def on(self, day: date | None, currency: str) -> dict[str, Decimal]:
        """What a transaction of this day, today if there is none, says of its rate: nothing in the home currency.

        Refused as `no_exchange_rate` where QuickBooks names no rate, that of a later day, or one of other currencies.
        """
        if not self.is_foreign(currency):
            return {}
        try:
            told = self.client.exchange_rate(currency, day)
        except RecordRejected as error:
            raise self._none(day, currency, error.detail) from error
        pair = (told.source_currency_code, told.target_currency_code or self.home_currency)
        if told.rate is None or told.rate <= 0 or pair != (currency, self.home_currency):
            raise self._none(day, currency, f"QuickBooks says {told.rate} for one {pair[0]} in {pair[1]}.")
        if day and told.as_of_date and told.as_of_date > day:
            raise self._none(day, currency, f"The first one is of {told.as_of_date}.")
        return {"ExchangeRate": told.rate}

    def is_foreign(self, currency: str) -> bool:
        """Whether this is not the currency of the books."""
        return currency not in ("", self.home_currency)

    def _none(self, day: date | None, currency: str, detail: str) -> Exception:
        when = day.isoformat() if day else "today"
        return error_of("no_exchange_rate", f"{currency} in {self.home_currency} on {when}. {detail}".strip())


def is_of(sent: dict[str, object], row: wire.BillPayment) -> bool:
    """Whether what stands there has the rate that was sent; what is made without one is in the home currency."""
    stands = row.exchange_rate or Decimal(1)
    return sent.get("ExchangeRate", stands if "Id" in sent else Decimal(1)) == stands
