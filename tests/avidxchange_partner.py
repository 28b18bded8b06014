"""Our connector on a simulated AvidXchange with one company, and records and samples for it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from connectors.avidxchange import connector
from connectors.avidxchange.connector import App, AvidXchangeConnector, Credentials, Settings
from connectors.avidxchange.contract import FOLDER, Profile, load_profile, named_profile
from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.base import Action, Cursor, Environment, Link, Page, Session, Write
from connectors.clock import VirtualClock
from connectors.http import Http, digest
from connectors.records import (
    STRUCTS,
    Account,
    Address,
    AnyRecord,
    Bill,
    Credit,
    Dimension,
    Image,
    Kind,
    Line,
    Payable,
    PurchaseOrder,
    Ref,
    Vendor,
)
from connectors.simulators import SimulatorTransport

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
COMPANY = "C-1"
SIMULATOR = "http://simulator"
APP = App(client_id="partner-app", client_secret="partner-secret")
SAMPLES = Path(connector.__file__).parent / "samples"
PROFILES = ["assumed-v1", "renamed-v1"]
PARTS = {"lines": "invoice_line", "dimensions": "line_dimension", "applications": "application"}
P = TypeVar("P", bound=Payable)
WORDS = {
    "origin": "origin",
    "document_type": "document_type",
    "workflow_status": "workflow_status",
    "method": "payment_method",
}


def key_of(name: str) -> str:
    """A record key: 32 characters, the same for the same name."""
    spelled = name.encode().hex()
    return spelled.ljust(32, "0") if len(spelled) <= 32 else digest(name.encode())[:32]


# Records to write.


def vendor(number: int = 1, /, **more: Any) -> Vendor:
    address = Address(line1="100 Main St", city="Charlotte", state="NC", postal_code="28202", country="USA")
    return Vendor(**{"id": str(number), "name": f"Vendor {number}", "remit_to": address, **more})


def account(number: int = 1, /, **more: Any) -> Account:
    return Account(
        **{"id": str(number), "code": str(6000 + number), "name": f"Account {number}", "type": "Expense", **more}
    )


def line(amount: str = "100.00", number: int = 1, **more: Any) -> Line:
    known = {"number": number, "amount": Decimal(amount), "account": Ref(Kind.ACCOUNT, "", key_of("account 1"))}
    return Line(**{**known, **more})


def value(number: int = 1, /, of: str = "class", **more: Any) -> Dimension:
    """A value of a dimension, as an ERP that calls it `Class-1` would give it."""
    known = {"id": f"{of.capitalize()}-{number}", "dimension": of, "code": str(number), "name": f"{of} {number}"}
    return Dimension(**{**known, **more})


def coded(number: int = 1, of: str = "class", id: str = "") -> Ref:
    """A reference to a value, as the engine resolves it: by the id that its receipt had."""
    return Ref(Kind.DIMENSION, id or f"{of.upper()}:val_9", key_of(f"dimension {of.capitalize()}-{number}"))


def order(number: int = 1, /, *amounts: str, **more: Any) -> PurchaseOrder:
    lines = tuple(line(amount, place, id=str(place)) for place, amount in enumerate(amounts or ["100.00"], 1))
    known = {
        "id": str(number), "number": f"PO-{number}", "vendor": Ref(Kind.VENDOR, "", key_of("vendor 1")),
        "date": date(2026, 2, 1), "currency": "USD", "amount": sum((one.amount for one in lines), Decimal(0)),
        "status": "open", "lines": lines,
    }  # fmt: skip
    return PurchaseOrder(**{**known, **more})


def ordered(number: int = 1, of_line: str = "1") -> dict[str, Any]:
    """What a bill's line says of the purchase order's line that it is for."""
    key = key_of(f"purchase_order {number}")
    return {"order": Ref(Kind.PURCHASE_ORDER, "", key), "order_line": of_line}


def image(number: int = 1, /, invoice: str = "", **more: Any) -> Image:
    known = {"id": str(number), "of": Ref(Kind.BILL, invoice, key_of("bill 1")), "file_name": f"Invoice {number}.pdf"}
    return Image(**{**known, **more})


def bill(number: int = 1, /, *amounts: str, **more: Any) -> Bill:
    return payable(Bill, f"INV-{number}", number, amounts, more)


def credit(number: int = 1, /, *amounts: str, **more: Any) -> Credit:
    return payable(Credit, f"CM-{number}", number, amounts, more)


def payable(shape: type[P], called: str, number: int, amounts: Sequence[str], more: dict[str, Any]) -> P:
    lines = tuple(line(amount, place) for place, amount in enumerate(amounts or ["100.00"], 1))
    lines = more.get("lines", lines)
    total = sum((one.amount for one in lines), Decimal(0))
    known = {
        "id": str(number), "number": called, "vendor": Ref(Kind.VENDOR, "", key_of("vendor 1")),
        "date": date(2026, 3, 1), "due_date": date(2026, 3, 31), "currency": "USD", "amount": total, "balance": total,
        "lines": lines,
    }  # fmt: skip
    return shape(**{**known, **more})


def write(record: AnyRecord, action: Action = Action.CREATE, **more: Any) -> Write:
    kind = next(kind for kind, shape in STRUCTS.items() if type(record) is shape)
    key = key_of(f"{kind} {record.id}")
    return Write(kind=kind, action=action, record=record, record_key=key, request_key=f"{key}{action:.3}", **more)


def withdrawal(number: int, id: str) -> Write:
    return write(bill(number), Action.WITHDRAW, link=Link(id=id))


def changed(override: dict[str, Any], name: str = "assumed-v1") -> Profile:
    """A shipped profile with something else in it."""
    return load_profile(FOLDER / f"{name}.json", override)


# Samples, which are written by the names of the assumed profile.


def sample(name: str, kind: str, profile: Profile) -> Any:
    """A sample as it would stand under another profile."""
    raw = msgspec.json.Decoder(float_hook=Decimal).decode(next(SAMPLES.rglob(f"{name}.json")).read_bytes())
    return raw if profile.profile_id == "assumed-v1" else translate(raw, kind, named_profile("assumed-v1"), profile)


def translate(raw: Any, kind: str, source: Profile, target: Profile) -> Any:
    """The same object by another profile's names and words."""
    if isinstance(raw, list):
        return [translate(part, kind, source, target) for part in raw]
    translated: dict[str, Any] = {}
    for field in source.fields[kind]:
        value = source.get(kind, raw, field)
        if value is None or field.endswith("_detail") or field.startswith("remit_to"):
            continue
        if field in PARTS:
            value = translate(value, PARTS[field], source, target)
        elif field in WORDS:
            value = target.word(WORDS[field], source.meaning(WORDS[field], value))
        elif field == "payment_status":
            value = target.word("invoice_payment_status", source.meaning("invoice_payment_status", value))
        elif field == "image_status":
            value = target.word("image_status", source.meaning("image_status", value))
        elif kind == "payment" and field == "status":
            known = source.payment_status(value)
            value = target.payment_status_word(known.meaning, known.method) if known.meaning != "unknown" else value
        target.put(kind, translated, field, value)
    return translated


class SkewedClock(VirtualClock):
    """Our own clock, which is wrong by so much."""

    def __init__(self, right: VirtualClock, skew: timedelta) -> None:
        super().__init__(right.now())
        self._right, self._skew = right, skew

    def now(self) -> datetime:
        return self._right.now() + self._skew


class Partner:
    """The simulator, its clock, and connectors that speak to it."""

    def __init__(
        self, profile: str | Profile = "assumed-v1", *, skew: timedelta = timedelta(0), **options: Any
    ) -> None:
        self.clock = VirtualClock(START)
        self.profile = profile if isinstance(profile, Profile) else named_profile(profile)
        self.sim = AvidXchangeSimulator(self.clock, profile=self.profile, **{"throttle": False, **options})
        self.sim.person("link_company", company_id=COMPANY, name="Acme")
        self.http = Http(
            transport=SimulatorTransport({"avidxchange": self.sim}),
            clock=SkewedClock(self.clock, skew),
            hosts=AvidXchangeConnector.hosts(Environment.SIMULATED, APP, SIMULATOR),
            private_hosts_allowed=True,
        )
        self.token, self.token_ends = "", START

    def connector(self) -> AvidXchangeConnector:
        """A connector that is signed in."""
        if self.clock.now() >= self.token_ends:
            tokens = self.unsigned().obtain("")
            self.token, self.token_ends = tokens.access_token, self.clock.now() + timedelta(seconds=tokens.expires_in)
        return self.unsigned()

    def unsigned(self, app: App = APP, company_id: str = COMPANY) -> AvidXchangeConnector:
        return self.signed_in(app, Credentials(company_id=company_id), company_id)

    def signed_in(self, app: App, credentials: Credentials, account_id: str = "") -> AvidXchangeConnector:
        """A connector by whatever sign-in."""
        connector = AvidXchangeConnector(
            Session(
                environment=Environment.SIMULATED,
                account_id=account_id,
                app=app,
                credentials=credentials,
                settings=Settings(profile=self.profile.profile_id),
                http=self.http,
                simulator_url=SIMULATOR,
                access_token=self.token,
            )
        )
        # A profile made for one test is shipped nowhere, so no setting names it.
        connector._profile = self.profile
        connector._client = replace(connector._client, profile=self.profile)
        return connector

    def act(self, act: str, **arguments: Any) -> Any:
        return self.sim.person(act, company_id=COMPANY, **arguments)

    def later(self, **time: int) -> None:
        self.clock.advance(timedelta(**time))

    @property
    def books(self) -> Any:
        return self.sim.company(COMPANY)

    def request(self, operation: str) -> str:
        """`METHOD /path` of an operation, as the simulator's faults are matched."""
        offered = self.profile.operation(operation)
        return f"{offered.method} {offered.path.partition('{')[0]}"

    def counted(self, operation: str) -> int:
        """How many requests for an operation have arrived."""
        method, _, path = self.request(operation).partition(" ")
        return sum(1 for verb, at, _ in self.sim.requests if verb == method and path in at)

    def sweep(self, cursor: Cursor) -> tuple[list[Page], Cursor]:
        """All pages of what changed since a cursor; each cursor is kept as JSON in between."""
        pages: list[Page] = []
        while not pages or pages[-1].more:
            pages.append(self.connector().changes(cursor))
            cursor = json.loads(json.dumps(pages[-1].cursor))
        return pages, cursor

    def with_reference_data(self) -> "Partner":
        self.connector().write([write(vendor())])
        self.connector().write([write(account())])
        return self

    def with_bills(self, *numbers: int) -> "Partner":
        self.with_reference_data().connector().write([write(bill(number)) for number in numbers])
        return self


def ids(pages: Sequence[Page], kind: Kind) -> list[str]:
    """The ids of all records of a kind, in order."""
    return [record.id for page in pages for at, record in page.records if at is kind]
