"""Requests to AvidXchange: where they go, how they are signed, how a list's next page is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.contract_sections import Address
from connectors.avidxchange.faults import classify, fault, read_http_date
from connectors.avidxchange.sweep import Listed
from connectors.avidxchange.wire import BadRow, Row, as_list, write_body
from connectors.errors import UnexpectedResponse
from connectors.http import Answer, Http

READ_TIMEOUT = 30.0
WRITE_TIMEOUT = 60.0


@dataclass(frozen=True, kw_only=True)
class Client:
    """One company's side of AvidXchange; `signed` are the headers that say who asks, and for whom;
    where the company's own tokens do, no other token can be fetched."""

    http: Http
    profile: Profile
    address: Address
    signed: Mapping[str, str]
    by_tokens: bool = False

    def read(self, operation: str, arguments: Mapping[str, str] | None = None, **slots: str) -> Any:
        """What a request that changes nothing brings."""
        return self._read(self._url(operation, **slots), arguments or {})[0]

    def page(
        self,
        operation: str,
        arguments: Mapping[str, str],
        following: Mapping[str, str] | None = None,
        **slots: str,
    ) -> Listed:
        """One page of a list: the first, or the one that the page before pointed to."""
        if following and "link" in following:
            return self._listed(*self._read(self._same_origin(following["link"]), {}))
        size = str(self.profile.limits.max_page_size)
        asked = self.profile.arguments(operation, **{"page_size": size, **arguments, **(following or {})})
        return self._listed(*self._read(self._url(operation, **slots), asked))

    def whole(self, operation: str, arguments: Mapping[str, str] | None = None, **slots: str) -> Iterator[Any]:
        """Every row of a list, whatever the number of its pages."""
        following: Mapping[str, str] | None = {}
        while following is not None:
            page = self.page(operation, arguments or {}, following, **slots)
            yield from page.rows
            following = page.following if page.following != following else None

    def rows(self, operation: str, name: str, values: Sequence[str], **slots: str) -> Iterator[Any]:
        """Every row of a list that one of these ids names, however many the other side takes at once."""
        if not self.profile.offers(operation) or not self.profile.query_of(operation)[name]:
            raise fault("not_offered", f"{operation} by {name}")  # without the argument it would be another question
        for first in range(0, len(values), self.profile.limits.ids_per_query):
            some = ",".join(values[first : first + self.profile.limits.ids_per_query])
            yield from self.whole(operation, {name: some}, **slots)

    def write(
        self,
        operation: str,
        body: bytes,
        key: str,
        slots: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
        timeout: float = WRITE_TIMEOUT,
    ) -> Any:
        """Send something once; OutcomeUnknown when no readable answer came."""
        headers = self._headers({"Content-Type": "application/json", **(more or {})})
        name = self.profile.header("idempotency_key")
        if name and self.profile.capabilities.idempotency_header:
            headers[name] = key
        answer = self.http.write(
            self._url(operation, **(slots or {})),
            classify=classify(self.profile, write=True, by_tokens=self.by_tokens),
            body=body,
            headers=headers,
            method=self.profile.operation(operation).method,
            timeout=timeout,
        )
        try:
            return answer.json() if answer.body.strip() else None
        except UnexpectedResponse as error:
            raise fault("answer_lost", error.detail, write=True) from error

    def _read(self, url: str, arguments: Mapping[str, str]) -> tuple[Any, Answer]:
        answer = self.http.read(
            url,
            classify=classify(self.profile, write=False, by_tokens=self.by_tokens),
            params=arguments or None,
            headers=self._headers({}),
            timeout=READ_TIMEOUT,
        )
        try:
            return answer.json(), answer
        except UnexpectedResponse as error:
            if answer.body.lstrip()[:1] in (b"{", b"["):
                raise fault("answer_lost", error.detail) from error
            raise fault("unexpected", error.detail) from error

    def _listed(self, body: Any, answer: Answer) -> Listed:
        page = Row(self.profile, "page", body)
        if not isinstance(body, dict) or page.value("items") is None:
            raise fault("unexpected", "The list has no rows, not even none.")
        try:
            server_time = page.moment("as_of") or read_http_date(answer.headers.get("date", ""))
            total = page.text("total_items")
            return Listed(
                rows=as_list(page.value("items")),
                server_time=server_time,
                following=self._following(page),
                total=int(total) if total.isdecimal() else None,
            )
        except BadRow as error:
            raise fault("unexpected", str(error)) from error

    def _following(self, page: Row) -> dict[str, str] | None:
        paging = self.profile.paging
        if paging.strategy == "cursor":
            cursor = page.text("next_cursor")
            return {"cursor": cursor} if cursor else None
        if paging.strategy == "linkThenPage":
            for link in page.rows("links", "link"):
                if link.text("rel") == paging.next_rel:
                    return {"link": link.required("href")}
        number, count = page.text("page_number"), page.text("page_count")
        if paging.strategy == "none" or not (number.isdecimal() and count.isdecimal()) or int(number) >= int(count):
            return None
        return {"page_number": str(int(number) + 1)}

    def _same_origin(self, link: str) -> str:
        try:
            url = urljoin(self.address.base_url, link)
            origin, host = urlsplit(url)[:2], urlsplit(url).hostname or ""
        except ValueError:
            raise fault("foreign_link", "an address that is none") from None
        if origin != urlsplit(self.address.base_url)[:2]:
            raise fault("foreign_link", host)
        return url

    def _url(self, operation: str, **slots: str) -> str:
        return self.address.base_url + self.profile.path(operation, **slots)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        headers = {"Accept": "application/json", **self.signed, **more}
        if name := self.profile.header("correlation"):
            headers[name] = str(UUID(int=int(self.http.clock.chance() * 2**128), version=4))
        return headers


def batch_body(profile: Profile, operation: str, items: Sequence[Mapping[str, Any]], key: str) -> bytes:
    """The body of a batch."""
    body: dict[str, Any] = {str(profile.operation(operation).items): list(items)}
    profile.put("batch_request", body, "batch_external_id", key)
    return write_body(body)
