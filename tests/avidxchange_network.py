"""A simulated AvidXchange with one company, and a plain client of it that speaks through a profile."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from connectors.avidxchange.contract import FOLDER, Profile, load_profile, named_profile, profile_names
from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.clock import VirtualClock
from connectors.simulators import SimulatorTransport

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
COMPANY = "C-1"
ROOT = "https://network.example/avidxchange"
ADDRESS = {"remit_line1": "100 Main St", "remit_city": "Charlotte", "remit_state": "NC", "remit_postal_code": "28202"}

STATUSES_WITHOUT_A_WORD = ("stop_requested", "stopped", "returned", "expired", "reissued")


def narrow_profile() -> Profile:
    """A contract of payments and invoice status only: no other operation, by two tokens, with fewer fields and words,
    one word that stands for all that begin so, and pages by number."""
    whole = named_profile("assumed-v1")
    statuses = [
        {
            **msgspec.to_builtins(row),
            "word": None
            if row.canonical in STATUSES_WITHOUT_A_WORD
            else "Void*"
            if row.canonical == "void"
            else row.word,
        }
        for row in whole.payment_statuses
    ]
    payment = ("version", "reissue_of", "replaced_by", "check_detail", "ach_detail", "card_detail", "created_at")
    override = {
        "profileId": "narrow",
        "auth": {"oauth": None},
        "operations": dict.fromkeys(set(whole.operations) - {"list_payments", "list_invoices"}),
        "query": {"cursor": None, "page_size": None, "status": None},
        "paging": {"strategy": "page"},
        "fields": {
            "payment": dict.fromkeys(payment),
            "invoice": {"document_type": None, "lines": None, "image_status": None},
            "page": {"as_of": None, "links": None},
        },
        "enums": {"origin": {"email": None}, "delivery_method": {"mail": None}},
        "paymentStatuses": statuses,
        "capabilities": {"purchaseOrders": False, "invoiceImage": False},
    }
    return load_profile(FOLDER / "assumed-v1.json", override)


EVERY_PROFILE = [*(named_profile(name) for name in profile_names()), narrow_profile()]
WRITING_PROFILES = [profile for profile in EVERY_PROFILE if profile.offers("submit_invoices")]

decode = msgspec.json.Decoder(float_hook=Decimal).decode
encode = msgspec.json.Encoder(decimal_format="number").encode


class Network:
    """The simulator, its clock, and the requests of a partner's application."""

    def __init__(self, profile: str | Profile = "assumed-v1", **options: Any) -> None:
        self.clock = VirtualClock(START)
        self.profile = profile if isinstance(profile, Profile) else named_profile(profile)
        self.sim = AvidXchangeSimulator(self.clock, profile=self.profile, **{"throttle": False, **options})
        self.http = httpx.Client(transport=SimulatorTransport({"avidxchange": self.sim}))
        self.tokens: dict[str, str] = {}
        self.address = self.profile.address("simulated", ROOT)
        self.person("link_company", company_id=COMPANY, name="Acme", funding_external_id="erp:account:35")

    # Acts and books.

    def person(self, act: str, **arguments: Any) -> Any:
        return self.sim.person(act, **arguments)

    def act(self, act: str, **arguments: Any) -> Any:
        return self.sim.person(act, company_id=COMPANY, **arguments)

    def later(self, **time: int) -> None:
        self.clock.advance(timedelta(**time))

    @property
    def books(self) -> Any:
        return self.sim.company(COMPANY)

    def invoice(self, external_id: str = "bill:1") -> dict[str, Any]:
        return dict(self.books.invoice(external_id=external_id))

    # Requests.

    def token(self, client_id: str = "partner-app", secret: str = "partner-secret") -> httpx.Response:
        form = {"grant_type": "client_credentials"}
        return self.http.post(str(self.address.token_url), data=form, auth=(client_id, secret))

    def headers(self, company_id: str = COMPANY) -> dict[str, str]:
        if self.profile.oauth is None:
            self.tokens = self.tokens or self.person("issue_tokens", company_id=company_id)
            return self.profile.sign_in_headers("tokens", **self.tokens)
        token = self.token().json()["access_token"]
        return self.profile.sign_in_headers("oauth", access_token=token, company_id=company_id)

    def call(
        self,
        operation: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        **slots: str,
    ) -> httpx.Response:
        return self.http.request(
            self.profile.operation(operation).method,
            self.address.base_url + self.profile.path(operation, **slots),
            headers=self.headers() if headers is None else headers,
            params=self.profile.arguments(operation, **(query or {})),
            content=encode(body) if body is not None else b"",
        )

    def batch(self, operation: str, *items: Any, **slots: Any) -> dict[str, Any]:
        """The reply to a batch in canonical names; its results are read too."""
        response = self.call(operation, {str(self.profile.operation(operation).items): list(items)}, **slots)
        assert response.status_code == 200, response.text
        return self.read("batch_reply", decode(response.content))

    def result(self, operation: str, item: Any, **slots: str) -> dict[str, Any]:
        """What became of the only record of a batch."""
        return self.read("batch_result", self.batch(operation, item, **slots)["results"][0])

    def errors(self, operation: str, item: Any, **slots: str) -> list[dict[str, Any]]:
        """The errors of the only record of a batch, their codes as meanings."""
        return [self.read("record_error", error) for error in self.result(operation, item, **slots)["errors"]]

    def error(self, operation: str, item: Any, **slots: str) -> dict[str, Any]:
        """The first error of the only record of a batch."""
        return self.errors(operation, item, **slots)[0]

    def page(self, operation: str, /, slots: Mapping[str, Any] | None = None, **query: object) -> dict[str, Any]:
        response = self.call(operation, query=query, **(slots or {}))
        assert response.status_code == 200, response.text
        return self.read("page", decode(response.content))

    def rows(self, operation: str, kind: str, /, **query: Any) -> list[dict[str, Any]]:
        return [self.read(kind, row) for row in self.page(operation, **query)["items"]]

    def one(self, operation: str, kind: str, id: str) -> dict[str, Any]:
        return self.read(kind, decode(self.call(operation, id=id).content))

    def payment(self, id: str) -> dict[str, Any]:
        """A payment as this contract shows it, by whichever way it has."""
        if self.profile.offers("get_payment"):
            return self.one("get_payment", "payment", id)
        return self.rows("list_payments", "payment", ids=id)[0]

    def refusal(self, response: httpx.Response) -> tuple[int, str]:
        """Status and meaning of an application's error."""
        body = self.read("error_reply", decode(response.content))
        return response.status_code, str(body["code"])

    # Records.

    def write(self, kind: str, **fields: Any) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for name, value in fields.items():
            self.profile.put(kind, record, name, value)
        return record

    def read(self, kind: str, record: Any) -> dict[str, Any]:
        """A record in canonical names, words of enums as meanings."""
        read = {name: self.profile.get(kind, record, name) for name in self.profile.fields[kind]}
        enums = {
            "batch_result": {"action": "batch_action"},
            "record_error": {"code": "error_code"},
            "error_reply": {"code": "error_code"},
            "invoice": {
                "workflow_status": "workflow_status",
                "payment_status": "invoice_payment_status",
                "image_status": "image_status",
            },
            "purchase_order": {"status": "purchase_order_status"},
            "payment": {"method": "payment_method"},
        }
        for name, enum in enums.get(kind, {}).items():
            read[name] = self.profile.meaning(enum, read[name])
        if kind in ("payment", "history_event"):
            read["status"] = self.profile.payment_status(read["status"]).meaning
        if kind == "payment":
            read["applications"] = [self.read("application", part) for part in read["applications"]]
        return read

    def vendor(self, number: int = 1, **fields: Any) -> dict[str, Any]:
        known = {"external_id": f"vendor:{number}", "name": f"Vendor {number}", "remit_country": "US", **ADDRESS}
        return self.write("vendor", **{**known, **fields})

    def account(self, number: int = 1, **fields: Any) -> dict[str, Any]:
        known = {"external_id": f"account:{number}", "code": str(6000 + number), "name": f"Account {number}"}
        return self.write("gl_account", **{**known, **fields})

    def dimension(self, number: int = 1, **fields: Any) -> dict[str, Any]:
        known = {"external_id": f"dimension:{number}", "code": f"DIM-{number}", "name": f"Dimension {number}"}
        return self.write("dimension", **{**known, **fields})

    def value(self, number: int = 1, **fields: Any) -> dict[str, Any]:
        known = {"external_id": f"value:{number}", "code": str(number), "name": f"Value {number}"}
        return self.write("dimension_value", **{**known, **fields})

    def line(self, kind: str = "invoice_line", **fields: Any) -> dict[str, Any]:
        """A line of an invoice or an order; `coded` are pairs of a dimension's code and a value's external id."""
        coded = [
            self.write("line_dimension", dimension_code=code, value_external_id=value)
            for code, value in fields.pop("coded", ())
        ]
        known = {"amount": Decimal("1000.00"), "gl_account_external_id": "account:1", "dimensions": coded}
        return self.write(kind, **{**known, **fields})

    def order(self, number: int = 1, status: str = "open", **fields: Any) -> dict[str, Any]:
        line = self.line("purchase_order_line", external_id=f"po:{number}:1", quantity=2, unit_price=Decimal("500.00"))
        known = {
            "external_id": f"po:{number}",
            "po_number": f"PO-{number}",
            "vendor_external_id": "vendor:1",
            "order_date": "2026-02-01",
            "currency": "USD",
            "status": self.profile.word("purchase_order_status", status),
            "total_amount": Decimal("1000.00"),
            "lines": [line],
        }
        return self.write("purchase_order", **{**known, **fields})

    def bill(self, number: int = 1, amount: str = "1000.00", kind: str = "invoice", **fields: Any) -> dict[str, Any]:
        line = self.write("invoice_line", amount=Decimal(amount), gl_account_external_id="account:1")
        known = {
            "external_id": f"bill:{number}",
            "document_type": self.profile.word("document_type", kind),
            "invoice_number": f"INV-{number}",
            "vendor_external_id": "vendor:1",
            "invoice_date": "2026-03-01",
            "currency": "USD",
            "amount": Decimal(amount),
            "lines": [line],
        }
        return self.write("invoice", **{**known, **fields})

    # Where many tests begin.

    def with_reference_data(self) -> "Network":
        self.batch("upsert_vendors", self.vendor())
        self.batch("upsert_gl_accounts", self.account())
        return self

    def with_dimension(self, **fields: Any) -> str:
        """Dimension DIM-1 with the values value:1 and value:2; answers its id."""
        id = str(self.result("upsert_dimensions", self.dimension(**fields))["id"])
        self.batch("upsert_dimension_values", self.value(1), self.value(2), dimension_id=id)
        return id

    def with_received(self) -> "Network":
        """bill:1 as it has just come in."""
        self.with_reference_data()
        assert self.result("submit_invoices", self.bill())["successful"] is True
        return self

    def with_approved(self, *amounts: str) -> "Network":
        """Approved invoices bill:1, bill:2, ... of these amounts; below zero makes a credit."""
        self.with_reference_data()
        for number, amount in enumerate(amounts, 1):
            kind = "credit" if amount.startswith("-") else "invoice"
            assert self.result("submit_invoices", self.bill(number, amount, kind))["successful"] is True
            self.act("approve_invoice", external_id=f"bill:{number}")
        return self

    def with_entered(self, *amounts: str) -> "Network":
        """As `with_approved`, but entered by people inside: this needs no operation that sends anything."""
        vendor = self.act("add_vendor", name="Vendor 1", external_id="vendor:1", remit_country="US", **ADDRESS)
        for number, amount in enumerate(amounts, 1):
            about = {"invoice_number": f"INV-{number}", "amount": amount, "external_id": f"bill:{number}"}
            self.act("enter_invoice", vendor_id=vendor, **about)
            self.act("approve_invoice", external_id=f"bill:{number}")
        return self

    def issued(self, invoices: Mapping[str, str | None], method: str = "check", **more: Any) -> str:
        """A payment of these that is executed."""
        payment = str(self.act("pay", invoices=invoices, method=method, **more))
        self.act("advance_payment", payment_id=payment, to="issued")
        return payment

    def since(self, days: int = 1) -> str:
        """A lower bound so many days ago, as this contract writes it."""
        moment = self.clock.now() - timedelta(days=days)
        dated = self.profile.change_feed.granularity == "date"
        return moment.date().isoformat() if dated else moment.isoformat().replace("+00:00", "Z")
