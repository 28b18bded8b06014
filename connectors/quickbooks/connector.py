"""QuickBooks Online, as the engine sees it: an ERP that is read and that payments are posted to.

Size: the folder passes the usual 1,200 lines by a few, for what *Check connection* says in plain words and because the
token endpoint gives one answer to a dead refresh token and to a wrong code, which are not the same to a person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec

from connectors import base, oauth
from connectors.base import Cursor, Page, Session, Write
from connectors.errors import AuthError, MappingError, UnexpectedResponse
from connectors.http import CARD_FOUND
from connectors.quickbooks.checks import check
from connectors.quickbooks.client import PAGE, Client, addresses
from connectors.quickbooks.faults import FAULTS, PROVIDER, REQUEST_ID, classify_sign_in, error_of
from connectors.quickbooks.mapping import DECODE, ENTITIES, glimpse
from connectors.quickbooks.payments import Payments
from connectors.quickbooks.reading import clean_row, text_of
from connectors.records import AnyRecord, Kind

SCOPE = "com.intuit.quickbooks.accounting"
HARD_EXPIRY = {"x-include-refresh-token-hard-expires-in": "true"}
OVERLAP = timedelta(minutes=5)
LOOK_BACK = timedelta(days=29)  # Intuit: changes are told for 30 days
MOST_CHANGES = 1000  # Intuit: the most objects of one answer about changes, with no sign that there are more
EVEN_INACTIVE = dict.fromkeys((Kind.VENDOR, Kind.ACCOUNT), "Active in (true, false)")
PAGES = {Kind.VENDOR: "vendordetail?nameId=", Kind.BILL: "bill?txnId=", Kind.PAYMENT: "billpayment?txnId="}
KEYS = "From the app's keys in Intuit's developer portal: Development for sandbox companies, Production for real ones."
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
    reads = frozenset(ENTITIES)
    writes = frozenset({Kind.PAYMENT})
    phases = frozenset({"pending", "executed", "reversed"})
    # Intuit: 500 a minute and 10 a second by one app in one company; an older text has 10 at once instead.
    limits = base.Limits(
        per_minute=500, per_second=10, concurrency=8, batch={Kind.PAYMENT: 1}, timeout=120.0, metered_reads=True
    )
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
        self._payments = Payments(self._client, self._home_currency)

    @classmethod
    def hosts(cls, environment: base.Environment, app: msgspec.Struct, simulator_url: str) -> frozenset[str]:
        ours = addresses(environment, simulator_url)  # a person's browser goes to the others
        return frozenset(urlsplit(url).netloc for url in (ours.api, ours.tokens))

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
        return f"{self._addresses.pages}/{PAGES[kind]}{id}" if self._addresses.pages and kind in PAGES else ""

    def read(self, kind: Kind, after: Cursor | None) -> Page:
        """One page by position; every page after the first begins with the last row of the one before.

        Intuit: rows move while one pages, and a row with bad stored data fails its whole page (live captures). If the
        overlapping row is not the one expected, or a row had to be passed over, the sweep may have missed something:
        then it does not count as complete.
        """
        cursor = {"start": 1, "size": PAGE, "last": "", "gaps": False, **(after or {})}
        where = f"where {EVEN_INACTIVE[kind]}" if kind in EVEN_INACTIVE else ""
        try:
            rows = self._client.page(ENTITIES[kind], start=cursor["start"], size=cursor["size"], where=where)
        except UnexpectedResponse as error:
            if error.code != "stored_data":
                raise
            return self._around_bad_row(kind, cursor, str(error))
        overlaps = bool(rows and cursor["last"]) and glimpse(rows[0]).id == cursor["last"]
        gaps, more = cursor["gaps"] or bool(cursor["last"]) and not overlaps, len(rows) == cursor["size"]
        after_these = {"start": cursor["start"] + len(rows), "size": cursor["size"], "gaps": gaps}
        if more and not gaps:
            after_these |= {"start": cursor["start"] + len(rows) - 1, "last": glimpse(rows[-1]).id}
        complete = frozenset() if more or gaps else frozenset({kind})
        fresh = {kind: rows[1:] if overlaps else rows}
        return self._page(fresh, cursor=after_these, more=more, complete=complete)

    def changes(self, cursor: Cursor) -> Page:
        """What changed in all kinds, in one call; `truncated` when QuickBooks may have told less than everything."""
        now = self.session.http.clock.now()
        too_old = Page(records=(), cursor=self.start_of_changes(now), more=False, truncated=True)
        if datetime.fromisoformat(cursor["since"]) < now - LOOK_BACK:
            return too_old
        try:
            changed, time = self._client.changes(list(ENTITIES.values()), cursor["since"])
        except UnexpectedResponse as error:
            if error.code == "changes_too_old":
                return too_old
            raise
        cut = sum(len(rows) for rows in changed.values()) >= MOST_CHANGES
        rows = {kind: changed[entity] for kind, entity in ENTITIES.items()}
        return self._page(rows, cursor=self.start_of_changes(time), more=False, truncated=cut)

    def start_of_changes(self, present: datetime) -> Cursor:
        return {"since": (present - OVERLAP).isoformat(timespec="seconds")}

    def fetch(self, kind: Kind, ids: Sequence[str]) -> dict[str, AnyRecord]:
        """These records as they are now; raises for one that is there and cannot be read, since it is not gone."""
        also = f" and {EVEN_INACTIVE[kind]}" if kind in EVEN_INACTIVE else ""
        page = self._page({kind: self._client.by_ids(ENTITIES[kind], ids, where=also)}, cursor={}, more=False)
        if page.unreadable:
            raise error_of("unreadable_record", f"{kind} {page.unreadable[0].id}: {page.unreadable[0].why}")
        return {record.id: record for _, record in page.records}

    def find(self, writes: Sequence[Write]) -> dict[str, base.Receipt | None]:
        return self._payments.find(writes)

    def write(self, writes: Sequence[Write]) -> list[base.Outcome]:
        return self._payments.write(writes)

    def _tokens(self, form: Mapping[str, str]) -> base.Tokens:
        names = {"client_id": self._app.client_id, "client_secret": self._app.client_secret}
        url, http = self._addresses.tokens, self.session.http
        return oauth.request_tokens(http, url, form, **names, classify=classify_sign_in, headers=HARD_EXPIRY)

    def _around_bad_row(self, kind: Kind, cursor: Cursor, why: str) -> Page:
        """Closer to the row that fails its page, by smaller pages, and then past it."""
        if cursor["size"] > 1:
            closer = {"start": cursor["start"], "size": cursor["size"] // 10, "gaps": True}
            return Page(records=(), cursor=closer, more=True)
        bad = base.Unreadable(kind=kind, id="", raw="", why=f"Row {cursor['start']} of {ENTITIES[kind]}: {why}")
        return Page(records=(), unreadable=(bad,), cursor={"start": cursor["start"] + 1, "gaps": True}, more=True)

    def _page(self, rows: Mapping[Kind, Sequence[msgspec.Raw]], **facts: Any) -> Page:
        """A page of these rows: what they say, which are gone, and which cannot be read."""
        records: list[tuple[Kind, AnyRecord]] = []
        gone, unreadable = [], []
        for kind, row in ((kind, row) for kind, found in rows.items() for row in found):
            try:
                if clean_row(row) != bytes(row):
                    raise MappingError(CARD_FOUND)
                records.append((kind, DECODE[kind](row, self._home_currency)))
            except MappingError as error:
                seen = glimpse(row)
                if seen.id and seen.status == "Deleted":
                    gone.append(base.Gone(kind=kind, id=seen.id))
                else:
                    bad = base.Unreadable(kind=kind, id=seen.id, raw=text_of(row), why=error.message)
                    unreadable.append(bad)
        return Page(records=records, gone=gone, unreadable=unreadable, **facts)
