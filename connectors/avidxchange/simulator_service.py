"""What the simulated network's application answers to each operation, once the gateway has let a request in."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.simulator_batches import BATCHES, run_batch
from connectors.avidxchange.simulator_books import ActRefused, Company, Record, RecordRefused, RequestRefused, Shelf
from connectors.avidxchange.simulator_images import check_image, put_image, read_upload, stored_image
from connectors.avidxchange.simulator_invoices import cancel_invoice
from connectors.avidxchange.simulator_lists import LISTINGS, read_page
from connectors.avidxchange.simulator_payments import request_void
from connectors.avidxchange.simulator_wire import Wire, encode_json, read_body
from connectors.simulators import Request, Response

# The operations that are offered only with a capability.
CAPABILITIES: Final[Mapping[str, str]] = {
    "upsert_purchase_orders": "purchase_orders",
    "list_purchase_orders": "purchase_orders",
    "put_invoice_image": "invoice_image",
    "get_invoice_image": "invoice_image",
    "void_payment": "payment_void",
    "acknowledge_payments": "payment_ack",
}

REPLAYED_FOR: Final = timedelta(hours=24)


class Service:
    """The application under one profile; `reply_faults` are irregularities that replies show on purpose."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.profile: Profile = wire.profile
        self.reply_faults: set[str] = set()
        self._last_shown: dict[str, list[Any]] = {}
        self._replies: dict[tuple[str, str], tuple[str, datetime, Response]] = {}

    def serve(
        self, request: Request, operation: str, company: Company, slots: Mapping[str, str], now: datetime
    ) -> Response:
        """The application's answer; where the contract has keys for it, a repeated request is answered as before."""
        header = self.profile.header("idempotency_key") if self.profile.capabilities.idempotency_header else None
        key = request.headers.get(header.lower()) if header and request.method != "GET" else None
        if key is None:
            return self._answer(request, operation, company, slots, now)
        asked = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()
        before = self._replies.get((company.id, key))
        if before is None or now - before[1] >= REPLAYED_FOR:
            before = (asked, now, self._answer(request, operation, company, slots, now))
            self._replies[company.id, key] = before
            return before[2]
        if before[0] != asked:
            raise RequestRefused(422, "idempotency_key_reused", "The key was sent with another request.", header)
        headers = {**before[2].headers, "idempotent-replayed": "true"}
        return Response(status=before[2].status, headers=headers, body=before[2].body)

    def _answer(
        self, request: Request, operation: str, company: Company, slots: Mapping[str, str], now: datetime
    ) -> Response:
        if operation == "read_company":
            return json_response(self._company(company))
        if operation in LISTINGS:
            return self._list(request, operation, company, slots, now)
        if operation in BATCHES:
            reply = run_batch(company, operation, slots, self.wire, request.body, now)
            written = self.wire.write("batch_reply", reply)
            if "single_results" in self.reply_faults:
                self._unwrap(written)
            return json_response(written)
        return ONE[operation](self, request, company, slots["id"], now)

    def _company(self, company: Company) -> Record:
        able = msgspec.structs.asdict(self.profile.capabilities)
        return self.wire.write(
            "company",
            {
                "id": company.id,
                "name": company.name,
                "accounting_system_id": company.accounting_system_id,
                "environment": "sandbox",
                "time_zone": company.time_zone,
                "capabilities": [name for name, offered in able.items() if offered],
            },
        )

    def _list(
        self, request: Request, operation: str, company: Company, slots: Mapping[str, str], now: datetime
    ) -> Response:
        query = {name: values[0] for name, values in request.query.items()}
        origin = "https://elsewhere.example" if "foreign_links" in self.reply_faults else ""
        path = origin + urlsplit(request.base_url).path + request.path
        page = read_page(self._shelf(company, operation, slots), operation, self.wire, query, now, path)
        if "repeated_records" in self.reply_faults:
            shown = page["items"]
            page["items"] = [*(self._last_shown.get(operation) or shown[:1]), *shown]
            self._last_shown[operation] = shown[-1:]
        if "no_paging" in self.reply_faults:
            return json_response({self.profile.name("page", "items"): page["items"]})
        return json_response(self.wire.write("page", page))

    def _shelf(self, company: Company, operation: str, slots: Mapping[str, str]) -> Shelf:
        if operation != "list_dimension_values":
            return company.shelf(LISTINGS[operation].shelf)
        return company.values_of(_found(company.dimensions, slots["dimension_id"], "dimension"))

    def _unwrap(self, reply: Record) -> None:
        """Public: real batch replies carry one object where there is one of a list."""
        results = self.profile.get("batch_reply", reply, "results")
        for result in results:
            errors = self.profile.get("batch_result", result, "errors")
            if len(errors) == 1:
                self.profile.put("batch_result", result, "errors", errors[0])
        if len(results) == 1:
            self.profile.put("batch_reply", reply, "results", results[0])

    # One record.

    def get_vendor(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """A vendor."""
        return self._show("vendor", company.vendors, id)

    def get_invoice(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """An invoice."""
        return self._show("invoice", company.invoices, id)

    def get_payment(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """A payment."""
        return self._show("payment", company.payments, id)

    def payment_history(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """The statuses that a payment has had."""
        payment = _found(company.payments, id, "payment")
        events = [{**event, "method": payment["method"]} for event in payment["history"]]
        items = [self.wire.write("history_event", event) for event in events]
        return json_response({self.profile.name("page", "items"): items})

    def cancel_invoice(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """The customer withdraws an invoice."""
        if request.body:
            self._read("cancel_request", request)
        try:
            cancel_invoice(company, _found(company.invoices, id, "invoice"), now)
        except ActRefused as refused:
            raise RequestRefused(409, "conflict", str(refused)) from refused
        return self._show("invoice", company.invoices, id)

    def put_image(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """The customer uploads an invoice's image; answered with the invoice."""
        invoice = _found(company.invoices, id, "invoice")
        image, digest = read_upload(request, self.profile)
        check_image(image, digest, self.profile)
        status = put_image(company, invoice, image, now)
        return self._show("invoice", company.invoices, id, status)

    def get_image(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """The image of an invoice, with its digest and name."""
        invoice = _found(company.invoices, id, "invoice")
        image = stored_image(company, invoice)
        said = {"content_sha256": invoice["image_sha256"], "file_name": image.file_name}
        named = {self.profile.header(name): value for name, value in said.items()}
        headers = {name.lower(): value for name, value in named.items() if name and value}
        return Response(headers={"content-type": image.content_type, **headers}, body=image.content)

    def void_payment(self, request: Request, company: Company, id: str, now: datetime) -> Response:
        """The customer asks for a void, or for a stop of a check that is out."""
        payment = _found(company.payments, id, "payment")
        sent = self._read("void_request", request)
        request_void(company, payment, sent["request_external_id"], sent["reason"], now)
        return self._show("payment", company.payments, id, 202)

    def _read(self, kind: str, request: Request) -> Record:
        try:
            return self.wire.read(kind, read_body(request.body))
        except RecordRefused as refused:
            problem = refused.problems[0]
            raise RequestRefused(400, "malformed_request", problem.message, problem.field) from refused

    def _show(self, kind: str, shelf: Shelf, id: str, status: int = 200) -> Response:
        _found(shelf, id, kind)
        return json_response(self.wire.page_item(kind, shelf, id), status)


ONE: Final[Mapping[str, Callable[[Service, Request, Company, str, datetime], Response]]] = {
    "get_vendor": Service.get_vendor,
    "get_invoice": Service.get_invoice,
    "get_payment": Service.get_payment,
    "payment_history": Service.payment_history,
    "cancel_invoice": Service.cancel_invoice,
    "put_invoice_image": Service.put_image,
    "get_invoice_image": Service.get_image,
    "void_payment": Service.void_payment,
}


def serves(profile: Profile, operation: str) -> bool:
    """Whether an operation has a path, and the capability that it needs."""
    if profile.operations[operation] is None:
        return False
    image = profile.strategies.image
    if (operation == "put_invoice_image" and image == "base64InInvoice") or (
        operation in ("put_invoice_image", "get_invoice_image") and image == "unsupported"
    ):
        return False
    return operation not in CAPABILITIES or bool(getattr(profile.capabilities, CAPABILITIES[operation]))


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON answer whose amounts are digits, not floats."""
    return Response(status=status, headers={"content-type": "application/json;charset=UTF-8"}, body=encode_json(value))


def _found(shelf: Shelf, id: str, kind: str) -> Record:
    if id not in shelf:
        raise RequestRefused(404, "not_found", f"There is no {kind} {id}.")
    return shelf[id]
