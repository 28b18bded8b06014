"""A stand-in for AvidXchange: companies, vendors, GL accounts, invoices, payments, and the people who act in them.

Names come from the contract profile, the only thing shared with the connector; what they mean is written here anew.

Public facts: no webhooks; a batch's reply is HTTP 200 with a result per record; lists want a filter; one payment pays
many invoices; the words of payment statuses; GL accounts go in and are never changed here; approval and the choice of
method stay inside. WSO2 facts: the token endpoint, fault codes and dialects, throttle replies. Assumed: all the rest,
above all every path, header, field and word, upsert and paging rules, states and transitions, limits and numbers.

An operation that the profile maps to null, or whose capability is off, is no path here: the gateway answers 900906.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

from connectors.avidxchange.contract import DEFAULT_PROFILE, Profile, named_profile
from connectors.avidxchange.simulator_books import Company, Record, RequestRefused, Serial
from connectors.avidxchange.simulator_faults import Faults, SkewedClock
from connectors.avidxchange.simulator_gate import Caller, Gate, GatewayRefused, gateway_fault
from connectors.avidxchange.simulator_invoices import phase
from connectors.avidxchange.simulator_people import People
from connectors.avidxchange.simulator_service import Service, serves
from connectors.avidxchange.simulator_wire import Wire
from connectors.clock import Clock
from connectors.simulators import Request, Response


class AvidXchangeSimulator(People, Faults):
    """AvidXchange under one contract profile."""

    key: ClassVar[str] = "avidxchange"
    first_acts: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "register_app": {"client_id": "partner-app", "client_secret": "secret"},
        "link_company": {"company_id": "company-1", "name": "Blue Ridge Wholesale", "client_id": "partner-app"},
    }
    signs_in: ClassVar[Mapping[str, Any]] = {
        "account_id": "company-1",
        "app": {"client_id": "partner-app", "client_secret": "secret"},
        "credentials": {"company_id": "company-1"},
    }

    def __init__(
        self,
        clock: Clock,
        journal: Path | None = None,
        *,
        profile: str | Profile = DEFAULT_PROFILE,
        throttle: bool = True,
        token_seconds: int = 3600,
    ) -> None:
        self.profile = profile if isinstance(profile, Profile) else named_profile(profile)
        self.throttled = throttle
        self.dialect: str = self.profile.gateway_faults.dialects[0]
        self._token_seconds = token_seconds
        here = self.profile.address("simulated")
        self._token_path, self._revoke_path = here.token_url, here.revoke_url
        self._base_path = here.base_url
        self._routes = _routes(self.profile)
        self.network_clock = SkewedClock(clock)
        super().__init__(self.network_clock, journal)

    def reset(self) -> None:
        """No company, and one partner application out of the box."""
        self.serial = Serial()
        self.wire = Wire(self.profile)
        self.gate = Gate(self.profile, self.serial, self._token_seconds)
        self.gate.clients["partner-app"] = "partner-secret"
        self.companies: dict[str, Company] = {}
        self.service = Service(self.wire)

    def books(self) -> dict[str, dict[str, list[Record]]]:
        """Every company's records in canonical names, each payment with its phase."""
        return {
            company.id: {
                "vendors": [*company.vendors.values()],
                "gl_accounts": [*company.gl_accounts.values()],
                "dimensions": [*company.dimensions.values()],
                "dimension_values": [
                    {**value, "dimension_id": dimension_id}
                    for dimension_id, values in company.dimension_values.items()
                    for value in values.values()
                ],
                "purchase_orders": [*company.purchase_orders.values()],
                "invoices": [*company.invoices.values()],
                "payments": [{**payment, "phase": phase(payment)} for payment in company.payments.values()],
                "bank_accounts": [*company.bank_accounts.values()],
            }
            for company in map(self.company, self.companies)
        }

    def run_network(self, company_id: str, **pace: int) -> dict[str, int]:
        """Everything moves at most one step; see `simulator_network.run_network` for the pace."""
        moved: dict[str, int] = self.person("run_network", company_id=company_id, **pace)
        return moved

    # Answering.

    def handle(self, request: Request) -> Response:
        """Count the request first: one too many never reaches the books, nor the journal."""
        with self._at(None):
            refused = self._throttle(request) if self.throttled else None
            if refused is None:
                return super().handle(request)
            refused = self.dress(request, refused)
            self.requests.append((request.method, request.path, refused.status))
            return refused

    def answer(self, request: Request) -> Response:
        """The answer of gateway and application, with the headers that every answer has."""
        if request.path == self._token_path:
            return self.gate.issue(request, self.now())
        if request.path == self._revoke_path:
            return self.gate.revoke(request)
        try:
            response = self._serve(request)
        except GatewayRefused as refused:
            response = gateway_fault(refused.code, self.dialect)
        except RequestRefused as refused:
            correlation = self.correlation(request)
            response = self.refusal(refused.status, refused.code, refused.message, refused.field, correlation)
        return self.dress(request, response)

    def _throttle(self, request: Request) -> Response | None:
        if request.path in (self._token_path, self._revoke_path):
            return None
        try:
            over = self.gate.count(self.gate.admit(request, self.now()), request.path, self.now())
        except (GatewayRefused, RequestRefused):
            return None
        return gateway_fault(over[0], self.dialect, over[1]) if over else None

    def _serve(self, request: Request) -> Response:
        caller = self.gate.admit(request, self.now())
        operation, slots = self._route(request)
        company = self._company_of(caller)
        return self.service.serve(request, operation, company, slots, self.now())

    def _route(self, request: Request) -> tuple[str, Mapping[str, str]]:
        if not request.path.startswith(self._base_path + "/"):
            raise GatewayRefused(900906)
        path = request.path.removeprefix(self._base_path)
        found = [(method, name, match) for method, pattern, name in self._routes if (match := pattern.fullmatch(path))]
        if not found:
            raise GatewayRefused(900906)
        for method, name, match in found:
            if method == request.method:
                return name, {slot: unquote(value) for slot, value in match.groupdict().items()}
        raise RequestRefused(405, "method_not_allowed", "This resource has no such verb.")

    def _company_of(self, caller: Caller) -> Company:
        if not caller.company_id:
            raise RequestRefused(400, "company_required", "Say which company is meant.")
        company = self.companies.get(caller.company_id)
        if company is None or caller.client_id not in (None, company.client_id):
            raise RequestRefused(403, "company_not_linked", "The company is not linked to this application.")
        return self.company(company.id)


def _routes(profile: Profile) -> list[tuple[str, re.Pattern[str], str]]:
    """Verb, path and operation of all that is offered and served."""
    return [
        (operation.method, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))), name)
        for name, operation in profile.operations.items()
        if operation is not None and serves(profile, name)
    ]
