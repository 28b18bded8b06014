"""How the simulated network says no, and how it goes wrong on purpose.

Faults that a test puts in the way answer the next requests that match and are not journalled; promises that are broken
and irregular replies last until they are told to stop.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any, Final, Literal

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.simulator_books import ActRefused, Company, Record
from connectors.avidxchange.simulator_gate import gateway_fault
from connectors.avidxchange.simulator_service import Service, json_response
from connectors.avidxchange.simulator_wire import Wire
from connectors.clock import Clock
from connectors.simulators import Request, Response, Simulator

REPLY_FAULTS: Final = frozenset({"text_booleans", "single_results", "no_paging", "foreign_links", "repeated_records"})
# What is said in place of the truth when a promise is broken: kind, field, raw value.
BROKEN_PROMISES: Final[Mapping[str, tuple[str, str, object]]] = {
    "total": ("payment", "amount", Decimal("0.01")),
    "unknown_status": ("payment", "status", "Teleported"),
    "unknown_method": ("payment", "method", "CarrierPigeon"),
    "card_number": ("payment", "status_reason", "Card 5555555555554444 was declined"),
}
PROXY_PAGE: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
RetryAfter = Literal["date", "seconds", "absent"]


class SkewedClock:
    """The network's own clock, which may be wrong."""

    def __init__(self, right: Clock) -> None:
        self._right = right
        self.skew = timedelta(0)

    def now(self) -> datetime:
        """The present as the network takes it."""
        return self._right.now() + self.skew

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._right.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._right.sleep(seconds)

    def chance(self) -> float:
        """A random number."""
        return self._right.chance()


class Faults(Simulator):
    """Refusals, and everything that is put in the way of a right answer."""

    profile: Profile
    wire: Wire
    service: Service
    dialect: str
    network_clock: SkewedClock

    def company(self, company_id: str) -> Company:
        """The books of one customer."""
        raise LookupError(company_id)

    # Refusals.

    def refusal(
        self, status: int, code: str, message: str = "", field: str | None = None, correlation: str | None = None
    ) -> Response:
        """The application's error body."""
        error: Record = {"code": code, "message": message, "field": field, "correlation": correlation, "details": []}
        return json_response(self.wire.write("error_reply", error), status)

    def gateway_refusal(
        self,
        code: int,
        dialect: str | None = None,
        wait_seconds: int | None = None,
        retry_after: RetryAfter = "date",
    ) -> Response:
        """The gateway's error body, for `refuse`; `wait_seconds` is when a throttled caller may come again."""
        free_at = None if wait_seconds is None else self.now() + timedelta(seconds=wait_seconds)
        refused = gateway_fault(code, dialect or self.dialect, free_at)
        headers = {name: value for name, value in refused.headers.items() if name != "retry-after"}
        if retry_after == "date":
            return refused
        if retry_after == "seconds":
            headers["retry-after"] = str(wait_seconds)
        return Response(status=refused.status, headers=headers, body=refused.body)

    def dress(self, request: Request, response: Response) -> Response:
        """An answer with the headers that every answer has."""
        headers = {"date": format_datetime(self.now().replace(microsecond=0), usegmt=True), **response.headers}
        if name := self.profile.header("correlation"):
            headers[name.lower()] = self.correlation(request)
        if name := self.profile.header("gateway_correlation"):
            headers[name.lower()] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"gateway:{self.correlation(request)}"))
        return Response(status=response.status, headers=headers, body=response.body)

    def correlation(self, request: Request) -> str:
        """The id that the client gave its request, else one of the network's."""
        sent = request.headers.get((self.profile.header("correlation") or "").lower())
        return sent or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{request.method} {request.path} {self.now()}"))

    # What goes wrong with the next requests.

    def answer_with(self, match: str, make: Callable[[], Response], times: int = 1) -> None:
        """The next requests do not happen and are answered with what is made at that time, its usual headers too."""
        self.fault(match, lambda request, proceed: self.dress(request, make()), times)

    def refuse_at_gateway(self, match: str, code: int, times: int = 1, **options: Any) -> None:
        """The gateway refuses: options as of `gateway_refusal`."""
        self.answer_with(match, lambda: self.gateway_refusal(code, **options), times)

    def refuse_in_application(self, match: str, status: int, code: str, times: int = 1, message: str = "") -> None:
        """The application refuses, by our name of the code."""
        self.answer_with(match, lambda: self.refusal(status, code, message), times)

    def show_proxy_page(self, match: str, times: int = 1, status: int = 502) -> None:
        """A proxy answers with a page for people."""
        page = Response(status=status, headers={"content-type": "text/html"}, body=PROXY_PAGE)
        self.answer_with(match, lambda: page, times)

    def delay(self, match: str, seconds: float, times: int = 1) -> None:
        """The request happens, and its answer comes so much later."""

        def act(request: Request, proceed: Callable[[], Response]) -> Response:
            response = proceed()
            self.network_clock.sleep(seconds)
            return response

        self.fault(match, act, times)

    def person_add_fault(self, match: str, action: str, times: int = 1, **options: Any) -> None:
        """The next requests that match meet an action out of `ACTIONS`; no restart brings it back."""
        if action not in ACTIONS:
            raise ActRefused(f"there is no fault {action}: choose from {sorted(ACTIONS)}")
        if not self._replaying:
            ACTIONS[action](self, match, times=times, **options)

    def person_clear_faults(self) -> None:
        """Nothing is put in the way of requests any more."""
        self.clear_faults()

    def person_skew_clock(self, minutes: int) -> None:
        """The network's clock is wrong by so much from now on."""
        self.network_clock.skew = timedelta(minutes=minutes)

    # Broken promises.

    def person_break_promise(self, company_id: str, payment_id: str, promise: str) -> None:
        """A payment reads wrong from now on: `total`, `unknown_status`, `unknown_method` or `card_number`."""
        kind, field, value = BROKEN_PROMISES[promise]
        self.person_misreport(company_id, kind, payment_id, field, value)

    def person_misreport(self, company_id: str, kind: str, id: str, field: str, value: Any) -> None:
        """A field of a record reads as this raw value from now on."""
        self._touch(company_id, kind, id)
        self.wire.broken.setdefault((kind, id), {})[field] = value

    def person_keep_promises(self, company_id: str, kind: str, id: str) -> None:
        """A record reads as it is again."""
        self._touch(company_id, kind, id)
        self.wire.broken.pop((kind, id), None)

    def _touch(self, company_id: str, kind: str, id: str) -> None:
        shelf = self.company(company_id).shelf(f"{kind}s")
        if id not in shelf:
            raise ActRefused(f"there is no {kind} {id}")
        shelf.change(shelf[id], {}, self.now())

    def person_garble_replies(self, faults: list[str]) -> None:
        """Replies show these irregularities from now on, and no others: names out of `REPLY_FAULTS`."""
        if unknown := set(faults) - REPLY_FAULTS:
            raise ActRefused(f"there is no irregularity {sorted(unknown)}: choose from {sorted(REPLY_FAULTS)}")
        self.service.reply_faults = set(faults)
        self.wire.text_booleans = "text_booleans" in faults


ACTIONS: Final[Mapping[str, Callable[..., None]]] = {
    "gateway": Faults.refuse_at_gateway,
    "application": Faults.refuse_in_application,
    "proxy_page": Faults.show_proxy_page,
    "delay": Faults.delay,
    "drop_request": Faults.drop_request,
    "drop_answer": Faults.drop_answer,
    "truncate": Faults.truncate,
}
