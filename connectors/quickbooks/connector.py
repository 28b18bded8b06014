"""QuickBooks Online, as the engine sees it: an ERP that is read and that payments are posted to.

Size: the folder passes the usual 1,200 lines because an ERP is read whole: sixteen entities, each with the shape of its
rows and what they mean to us; and for what *Check connection* and the faults say in plain words.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode, urlsplit

import msgspec

from connectors import base, oauth
from connectors.base import Action, Cursor, Delivered, Hint, Page, Session, Write
from connectors.errors import AuthError
from connectors.quickbooks import entries
from connectors.quickbooks.checks import check
from connectors.quickbooks.client import Client, addresses
from connectors.quickbooks.entering import may_need_one
from connectors.quickbooks.faults import FAULTS, PROVIDER, REQUEST_ID, classify_sign_in, error_of
from connectors.quickbooks.images import open_image
from connectors.quickbooks.mapping import OF_KIND
from connectors.quickbooks.payments import Payments
from connectors.quickbooks.sweep import Sweep, start_of_changes
from connectors.quickbooks.webhook import read_hints
from connectors.records import AnyRecord, Image, Kind, LedgerEntry, Payment

SCOPE = "com.intuit.quickbooks.accounting"
HARD_EXPIRY = {"x-include-refresh-token-hard-expires-in": "true"}
RECONNECT = "https://appcenter.intuit.com/app/connect/oauth2/request"
PAGES = {
    Kind.VENDOR: "vendordetail?nameId=",
    Kind.PURCHASE_ORDER: "purchaseorder?txnId=",
    Kind.BILL: "bill?txnId=",
    Kind.CREDIT: "vendorcredit?txnId=",
    Kind.PAYMENT: "billpayment?txnId=",
}
# Three entities of the general ledger every night would take more reads than a month of an idle company may cost.
COMPARE_DAYS = {**dict.fromkeys((Kind.ITEM, Kind.TERM, Kind.CURRENCY, Kind.COMPANY), 7), Kind.LEDGER_ENTRY: 2}
KEYS = "From the app's keys in Intuit's developer portal: Development for sandbox companies, Production for real ones."
APP_ID = "From the app's page in Intuit's developer portal; with it we can show a link to connect a company again."
VERIFIER = "From the app's Webhooks page in Intuit's developer portal; leave empty to do without webhooks."
HOME = (
    "Enter the currency of the company's books as three capital letters, such as USD; QuickBooks shows it under "
    "Account and settings, Advanced, Currency. A company with one currency does not name it on its records."
)
SECRET = {"secret": True}


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One registration in Intuit's developer portal."""

    client_id: Annotated[str, msgspec.Meta(title="Client ID", description=KEYS, min_length=1)]
    client_secret: Annotated[str, msgspec.Meta(title="Client secret", description=KEYS, min_length=1, extra=SECRET)]
    webhook_verifier: Annotated[str, msgspec.Meta(title="Webhook verifier", description=VERIFIER, extra=SECRET)] = ""

    app_id: Annotated[str, msgspec.Meta(title="App ID", description=APP_ID)] = ""

    def __repr__(self) -> str:
        return f"App(client_id={self.client_id!r})"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing to type in: signing in gives the company id and the tokens."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What we have to know of the company beforehand."""

    home_currency: Annotated[str, msgspec.Meta(title="Home currency", description=HOME, pattern="^[A-Z]{3}$")] = "USD"


class QuickBooksConnector(base.Connector):
    """One company of QuickBooks Online."""

    key = PROVIDER
    name = "QuickBooks Online"
    role = "erp"
    sign_in: ClassVar[Literal["redirect", "credentials"]] = "redirect"
    token_owner: ClassVar[Literal["app", "connection"]] = "connection"
    company_parameter = "realmId"
    reads = frozenset(OF_KIND)
    writes = frozenset({Kind.PAYMENT})
    announces = frozenset(OF_KIND) - {Kind.IMAGE}  # Intuit: there are no webhooks for attachments
    phases = frozenset({"pending", "executed", "reversed"})
    # Intuit: 500 a minute and 10 a second by one app in one company; an older text has 10 at once instead.
    limits = base.Limits(
        per_minute=500, per_second=10, concurrency=8, batch={Kind.PAYMENT: 1}, timeout=120.0, metered_reads=True
    )
    compare_days: ClassVar[Mapping[Kind, int]] = COMPARE_DAYS
    faults = FAULTS
    App, Credentials, Settings = App, Credentials, Settings

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        session.http.request_id_header = REQUEST_ID
        assert isinstance(session.app, App)
        assert isinstance(session.settings, Settings)
        self._app, self._home_currency = session.app, session.settings.home_currency
        self._addresses = addresses(session.environment, session.simulator_url)
        self._client = Client(session)
        self._sweep = Sweep(self._client, self._home_currency)
        self._payments = Payments(self._client, self._home_currency)

    @classmethod
    def hosts(cls, environment: base.Environment, app: msgspec.Struct, simulator_url: str) -> frozenset[str]:
        ours = addresses(environment, simulator_url)  # a person's browser goes to the others
        return ours.storage | {urlsplit(url).netloc for url in (ours.api, ours.tokens)}

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        asked = {"client_id": self._app.client_id, "scope": SCOPE, "redirect_uri": redirect_uri, "state": state}
        return oauth.authorize_url(self._addresses.authorize, **asked)

    def exchange(self, *, code: str, redirect_uri: str) -> base.Tokens:
        try:
            return self._tokens({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})
        except AuthError as error:
            if error.code != "reauthorise":
                raise
            raise error_of("sign_in_code") from error  # the same answer as for a dead refresh token

    def obtain(self, refresh_token: str) -> base.Tokens:
        if not refresh_token:
            raise error_of("reauthorise", "There is no refresh token.")
        return self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def account(self) -> base.AccountInfo:
        company, realm = self._client.company_info(), self.session.account_id
        details = {"country": str(company.get("Country") or ""), "legal name": str(company.get("LegalName") or "")}
        name, environment = str(company.get("CompanyName") or ""), self.session.environment.value
        return base.AccountInfo(id=realm, name=name, environment=environment, details=details)

    def check(self) -> list[base.Finding]:
        return check(self._client, self.session.account_id, self._home_currency)

    def url(self, kind: Kind, id: str) -> str:
        first, *_ = id.split(base.JOINT)
        return f"{self._addresses.pages}/{PAGES[kind]}{first}" if self._addresses.pages and kind in PAGES else ""

    def read(self, kind: Kind, after: Cursor | None) -> Page:
        return self._sweep.read(kind, after)

    def count(self, kind: Kind) -> int:
        return sum(self._client.count(source.entity) for source in OF_KIND[kind])

    def changes(self, cursor: Cursor) -> Page:
        return self._sweep.changes(cursor, self.session.http.clock.now())

    def start_of_changes(self, present: datetime) -> Cursor:
        return start_of_changes(present)

    def fetch(self, kind: Kind, ids: Sequence[str]) -> dict[str, AnyRecord]:
        if kind is not Kind.PAYMENT:
            return self._sweep.fetch(kind, ids)
        pieces = [piece for id in ids for piece in base.ids_of_pieces(id)]
        found = self._sweep.fetch(kind, [piece for piece in pieces if not entries.is_entry(piece)])
        beside = self._sweep.fetch(Kind.LEDGER_ENTRY, [piece for piece in pieces if entries.is_entry(piece)])
        payments = {id: one for id, one in found.items() if isinstance(one, Payment)}
        made = {id: one for id, one in beside.items() if isinstance(one, LedgerEntry)}
        joined = {id: whole for id in ids if base.JOINT in id and (whole := entries.whole(id, payments, made))}
        return {id: one for id, one in found.items() if id in ids} | joined

    def open(self, image: Image) -> Iterator[bytes]:
        return open_image(self._client, image)

    @classmethod
    def hints(cls, delivered: Delivered, app: msgspec.Struct) -> list[Hint]:
        assert isinstance(app, App)
        return read_hints(delivered, app.webhook_verifier)

    @classmethod
    def reconnect_url(cls, account_id: str, app: msgspec.Struct) -> str:
        assert isinstance(app, App)
        asked = {"mode": "reconnect", "appId": app.app_id, "realmId": account_id}
        return f"{RECONNECT}?{urlencode(asked)}" if app.app_id else ""

    def find(self, writes: Sequence[Write]) -> dict[str, base.Receipt | None]:
        return self._payments.find(writes)

    def requests_of(self, writes: Sequence[Write]) -> int:
        """The posting; a look for our entries; of a void, the payment and its credits; of a discount, its credit."""
        discounted = [one for one in writes if isinstance(one.record, Payment) and one.record.discounts]
        voided = [one for one in writes if one.action is Action.VOID]
        return len(writes) + sum(map(may_need_one, writes)) + 2 * len(voided) + 3 * len(discounted)

    def write(self, writes: Sequence[Write]) -> list[base.Outcome]:
        return self._payments.write(writes)

    def _tokens(self, form: Mapping[str, str]) -> base.Tokens:
        names = {"client_id": self._app.client_id, "client_secret": self._app.client_secret}
        url, http = self._addresses.tokens, self.session.http
        return oauth.request_tokens(http, url, form, **names, classify=classify_sign_in, headers=HARD_EXPIRY)
