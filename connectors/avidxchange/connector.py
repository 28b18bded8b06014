"""AvidXchange, as the engine sees it: vendors, their coding, orders, bills, credits and images go in, invoices and
payments come out.

Size: the folder passes the usual 1,200 lines because nothing here may assume a name: whatever reads or writes goes
through the contract profile, and three dialects of faults and several tolerances are spelt out for it.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec

from connectors import oauth
from connectors.avidxchange import sweep as sweeps
from connectors.avidxchange.checks import check, read_company
from connectors.avidxchange.client import WRITE_TIMEOUT, Client
from connectors.avidxchange.contract import (
    DEFAULT_PROFILE,
    Profile,
    named_profile,
    profile_names,
)
from connectors.avidxchange.contract_check import ContractError
from connectors.avidxchange.contract_sections import Address
from connectors.avidxchange.delivery import deliver, look_up
from connectors.avidxchange.faults import FAULTS, PROVIDER, classify_sign_in, fault
from connectors.avidxchange.lists import LISTS, fetch_from_list, read_list
from connectors.avidxchange.mapping import ROUTES
from connectors.avidxchange.reading import decode_rows
from connectors.avidxchange.sign_in import App as App
from connectors.avidxchange.sign_in import Credentials as Credentials
from connectors.avidxchange.sign_in import is_by_tokens, refuse_no_token_address, signed
from connectors.avidxchange.sweep import Sweep
from connectors.base import (
    AccountInfo,
    Connector,
    Cursor,
    Environment,
    Fault,
    Finding,
    Limits,
    Outcome,
    Page,
    Receipt,
    Session,
    Tokens,
    Write,
)
from connectors.errors import UnexpectedResponse
from connectors.records import AnyRecord, Dimension, Kind

LISTINGS = {Kind.BILL: "list_invoices", Kind.PAYMENT: "list_payments"}
LISTED_WITH = {Kind.CREDIT: Kind.BILL}  # they stand in one list, which is read once
OUR_SHARE = 80  # percent of the application's quota, which all its customers share
_default = named_profile(DEFAULT_PROFILE)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How AvidXchange speaks to this customer."""

    profile: Annotated[
        str,
        msgspec.Meta(
            title="Contract profile",
            description=f"Which names AvidXchange's interface goes by: {', '.join(profile_names())}.",
            min_length=1,
        ),
    ] = DEFAULT_PROFILE
    look_back_days: Annotated[
        int,
        msgspec.Meta(
            title="Days read in full",
            description="How far back a full reading goes: a year's books and the month of their closing, unless you "
            "know better. What has not changed for longer is final; if not, it is read by its id.",
            ge=1,
            le=3650,
        ),
    ] = 400


class AvidXchangeConnector(Connector):
    """One company at AvidXchange, reached by the partner application."""

    key = PROVIDER
    name = "AvidXchange"
    role = "ap_network"
    sign_in: ClassVar[Literal["redirect", "credentials"]] = "credentials"
    token_owner: ClassVar[Literal["app", "connection"]] = "app"
    reads = frozenset({*LISTS, *LISTINGS, *LISTED_WITH})
    writes = frozenset({*ROUTES, Kind.IMAGE})
    limits = Limits(
        per_minute=_default.limits.requests_per_minute * OUR_SHARE // 100,
        concurrency=2,
        timeout=WRITE_TIMEOUT,
        shared_by_app=True,
        per_poll=2,
        batch={kind: _default.operation(route.write).max_items or 1 for kind, route in ROUTES.items()}
        | {Kind.IMAGE: 1},
    )
    faults: ClassVar[Sequence[Fault]] = FAULTS
    App = App
    Credentials = Credentials
    Settings = Settings

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        assert isinstance(session.app, App)
        assert isinstance(session.credentials, Credentials)
        assert isinstance(session.settings, Settings)
        self._app, self._settings, self._company_id = session.app, session.settings, session.credentials.company_id
        self._by_tokens = is_by_tokens(session.app, session.credentials)
        self._profile = _profile(session.settings.profile)
        self._address = _address(self._profile, session.environment, session.app, session.simulator_url)
        refuse_no_token_address(self._address, self._by_tokens)
        self._clock = session.http.clock
        session.http.request_id_header = self._profile.header("gateway_correlation") or ""
        self._client = Client(
            http=session.http,
            profile=self._profile,
            address=self._address,
            signed=signed(self._profile, session.app, session.credentials, session.access_token),
            by_tokens=self._by_tokens,
        )

    @property
    def uses_access_token(self) -> bool:
        return not self._by_tokens

    @classmethod
    def hosts(cls, environment: Environment, app: msgspec.Struct, simulator_url: str) -> frozenset[str]:
        assert isinstance(app, App)
        hosts: set[str] = set()
        for name in profile_names():
            with suppress(UnexpectedResponse):  # this one has no address; one that is used without says so
                address = _address(named_profile(name), environment, app, simulator_url)
                hosts |= {urlsplit(url).netloc for url in (address.base_url, address.token_url) if url}
        return frozenset(hosts)

    def obtain(self, refresh_token: str) -> Tokens:
        sign_in = self._profile.oauth
        if sign_in is None or not self._address.token_url:
            raise fault("address_missing")
        form = {"grant_type": sign_in.grant} | ({"scope": sign_in.scope} if sign_in.scope else {})
        return oauth.request_tokens(
            self.session.http,
            self._address.token_url,
            form,
            client_id=self._app.client_id,
            client_secret=self._app.client_secret,
            classify=classify_sign_in,
        )

    def account(self) -> AccountInfo:
        company = read_company(self._client)
        return AccountInfo(
            id=company.text("id"),
            name=company.text("name"),
            environment=self._profile.meaning("company_environment", company.text("environment")),
            details={
                "accounting system": company.text("accounting_system_id"),
                "time zone": company.text("time_zone"),
                "contract profile": f"{self._profile.profile_id} {self._profile.profile_version}",
                "contract profile's hash": self._profile.content_hash,
            },
        )

    def check(self) -> list[Finding]:
        company_id = self._company_id or self.session.account_id
        who = "by its own two tokens" if self._by_tokens else f"as the partner application {self._app.client_id}"
        return list(check(self._client, who, company_id, self.session.environment))

    def read(self, kind: Kind, after: Cursor | None) -> Page:
        if kind in LISTED_WITH or not self._profile.offers({**LISTS, **LISTINGS}[kind]):
            return Page(records=[], cursor={}, more=False)
        if kind in LISTS:
            return read_list(self._client, kind, after)
        present = self._clock.now()
        earliest = present - timedelta(days=self._settings.look_back_days)
        return self._page(sweeps.resume(after or {}), earliest, (kind,))

    def changes(self, cursor: Cursor) -> Page:
        swept = tuple(kind for kind, listing in LISTINGS.items() if self._profile.offers(listing))
        if not swept:
            return Page(records=[], cursor=cursor, more=False)
        sweep = sweeps.resume(cursor)
        return self._page(sweep, sweep.since if sweep else sweeps.checkpoint(cursor), swept)

    def start_of_changes(self, present: datetime) -> Cursor:
        return sweeps.rest_at(present - timedelta(seconds=self._profile.change_feed.safety_lag_seconds))

    def _page(self, sweep: Sweep | None, since: datetime, kinds: Sequence[Kind]) -> Page:
        if sweep is None or sweep.kind not in kinds:  # another profile may have been chosen in the middle of one
            sweep = sweeps.begin(self._profile, since, kinds, self._clock.now())
        page = self._client.page(LISTINGS[sweep.kind], sweeps.bounds(self._profile, sweep), sweep.following)
        records, unreadable = decode_rows(self._profile, sweep.kind, page.rows)
        cursor, more = sweeps.advance(self._profile, sweep, kinds, page)
        return Page(records=records, unreadable=unreadable, cursor=cursor, more=more)

    def fetch(self, kind: Kind, ids: Sequence[str]) -> dict[str, AnyRecord]:
        if kind in LISTS:
            records, unreadable = fetch_from_list(self._client, kind, ids)
        else:
            rows = list(self._client.rows(LISTINGS[LISTED_WITH.get(kind, kind)], "ids", ids))
            records, unreadable = decode_rows(self._profile, kind, rows)
        if unreadable:
            raise fault("row_unreadable", f"{kind} {unreadable[0].id}: {unreadable[0].why}")
        return {record.id: record for its, record in records if its is kind}

    @property
    def images_in_bills(self) -> bool:
        """Whether the contract has no request for an image of its own."""
        return self._profile.strategies.image == "base64InInvoice"

    def find(self, writes: Sequence[Write]) -> dict[str, Receipt | None]:
        found: dict[str, Receipt | None] = {}
        for kind in {write.kind for write in writes}:
            found |= look_up(self._client, kind, {write.record_key: write for write in writes if write.kind is kind})
        return found

    def requests_of(self, writes: Sequence[Write]) -> int:
        """Values go in a request for each dimension, after two looks for those and one that makes what is missing."""
        dimensions = {one.record.dimension for one in writes if isinstance(one.record, Dimension)}
        return 3 + len(dimensions) if dimensions else 1

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        return deliver(self._client, writes)


def _profile(name: str) -> Profile:
    try:
        profile = named_profile(name)
    except ContractError as error:
        raise fault("contract_profile", str(error)) from error
    chosen = profile.strategies
    written = chosen.upsert == "batch" and chosen.identifier == "string" and chosen.coding == "split"
    writes = any(profile.offers(route.write) for route in ROUTES.values())
    if chosen.applications != "embedded" or (writes and not written):
        raise fault("contract_profile", f"{name} asks for strategies that this connector does not have.")
    return profile


def _address(profile: Profile, environment: Environment, app: App, simulator_url: str) -> Address:
    if environment is Environment.SIMULATED:
        return profile.address("simulated", f"{simulator_url.rstrip('/')}/{PROVIDER}")
    if app.base_url:
        return Address(base_url=app.base_url.rstrip("/"), token_url=app.token_url or None, revoke_url=None)
    try:
        return profile.address("production" if environment is Environment.PRODUCTION else "sandbox")
    except ContractError as error:
        raise fault("address_missing", str(error)) from error
