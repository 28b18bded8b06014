"""The requests to QuickBooks Online: where they go, how they are signed, and which envelope an answer is in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.base import Environment, Session
from connectors.quickbooks import wire
from connectors.quickbooks.faults import classify_address, classify_file, classify_read, classify_write, error_of
from connectors.quickbooks.values import Shape

TIMEOUT = 120.0  # Intuit: the server's own limit
MINOR_VERSION = "75"
PAGE = 1000  # Intuit: the most rows of one answer
IDS_AT_ONCE = 150  # the address of a query with ids of 19 digits stays below 5,000 characters

write_body = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where one environment of QuickBooks lives; signing in is the same for sandbox and production."""

    api: str
    authorize: str = "https://appcenter.intuit.com/connect/oauth2"
    tokens: str = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    pages: str = ""
    storage: frozenset[str] = frozenset()


# Where attached files are kept: not documented, seen in public samples and recordings from 2014 to 2023.
STORAGE = frozenset(f"intuit-qbo-prod{number}.s3.amazonaws.com" for number in ("", *(f"-{n}" for n in range(1, 100))))


def addresses(environment: Environment, simulator_url: str) -> Addresses:
    """The addresses of this environment."""
    if environment is Environment.SIMULATED:
        root = f"{simulator_url.rstrip('/')}/quickbooks"
        return Addresses(api=root, authorize=f"{root}/connect/oauth2", tokens=f"{root}/oauth2/v1/tokens/bearer")
    sandbox = environment is Environment.SANDBOX
    return Addresses(
        api=f"https://{'sandbox-' if sandbox else ''}quickbooks.api.intuit.com",
        pages=f"https://app.{'sandbox.' if sandbox else ''}qbo.intuit.com/app",
        storage=STORAGE,
    )


class Client:
    """One company's API, for one session."""

    def __init__(self, session: Session) -> None:
        self._http = session.http
        self._realm = quote(session.account_id, safe="")
        self._company = f"{addresses(session.environment, session.simulator_url).api}/v3/company/{self._realm}"
        token = {"Authorization": f"Bearer {session.access_token}"}
        self._headers = {**token, "Accept": "application/json", "User-Agent": "ml-connector"}
        self.taken = 0  # how many writes QuickBooks has taken

    def page(self, entity: str, *, start: int, size: int, where: str = "") -> list[msgspec.Raw]:
        """So many rows of an entity from a place on, by id: without an order the rows come as they like."""
        return self._query(entity, f"{where} orderby Id startposition {start} maxresults {size}")

    def every(self, entity: str, where: str) -> list[msgspec.Raw]:
        """All rows that match, however many pages they are."""
        rows: list[msgspec.Raw] = []
        while more := self.page(entity, start=len(rows) + 1, size=PAGE, where=where):
            rows += more
            if len(more) < PAGE:
                break
        return rows

    def by_ids(self, entity: str, ids: Sequence[str], *, name: str = "Id", where: str = "") -> list[msgspec.Raw]:
        """The rows with these ids, or numbers: a query is one metered call for many, reading each is one for each."""
        unique = list(dict.fromkeys(ids))
        rows: list[msgspec.Raw] = []
        for first in range(0, len(unique), IDS_AT_ONCE):
            listed = ", ".join(quoted(id) for id in unique[first : first + IDS_AT_ONCE])
            rows += self._query(entity, f"where {name} in ({listed}){where} maxresults {PAGE}")
        return rows

    def count(self, entity: str) -> int:
        """How many rows a query without conditions would find."""
        counted = self._get("query", query=f"select count(*) from {entity}").query_response
        return _read(counted.get("totalCount", b"0"), int)

    def changes(self, entities: Sequence[str], since: str) -> tuple[dict[str, list[msgspec.Raw]], datetime]:
        """The changed rows of each entity and the server's time, by one call for all: that is one metered read."""
        answer = self._get("cdc", entities=",".join(entities), changedSince=since)
        if answer.time is None:
            raise error_of("unexpected", "The answer about changes has no time.")
        groups = [group for part in answer.changes for group in part.get("QueryResponse", ())]
        return {entity: [row for group in groups for row in _rows(group, entity)] for entity in entities}, answer.time

    def company_info(self) -> dict[str, Any]:
        """Who the company is."""
        return self._get(f"companyinfo/{self._realm}").company_info

    def preferences(self) -> msgspec.Raw:
        """How the company keeps its books, as it came."""
        return self._get("preferences").preferences

    def exchange_rate(self, currency: str, day: date | None) -> wire.ExchangeRate:
        """The rate of a currency on a day, today if none is named."""
        asked = {"sourcecurrencycode": currency, **({"asofdate": day.isoformat()} if day else {})}
        return self._get("exchangerate", **asked).exchange_rate

    def file_address(self, id: str) -> str:
        """Where the file of an attachment can be fetched for some minutes, without our token."""
        url, params = f"{self._company}/download/{quote(id, safe='')}", {"minorversion": MINOR_VERSION}
        answer = self._http.read(url, classify=classify_address, params=params, headers=self._headers, timeout=TIMEOUT)
        return answer.body.decode().strip()

    def file(self, address: str, *, most: int) -> Iterator[bytes]:
        """The file at such an address, in chunks."""
        return self._http.file(address, classify=classify_file, most=most)

    def post(self, entity: str, body: Mapping[str, Any], *, request_key: str, **options: str) -> msgspec.Raw:
        """Write an object once; the same request key gets the first answer again and writes nothing more."""
        url, sent = f"{self._company}/{entity.lower()}", write_body(body)
        params = {"minorversion": MINOR_VERSION, "requestid": request_key, **options}
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = self._http.write(url, classify=classify_write, body=sent, params=params, headers=headers)
        self.taken += 1
        try:
            return msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])[entity]
        except (msgspec.DecodeError, KeyError) as error:
            raise error_of("answer_lost", str(error), answer=answer, write=True) from error

    def _query(self, entity: str, rest: str) -> list[msgspec.Raw]:
        return _rows(self._get("query", query=f"select * from {entity} {rest.strip()}").query_response, entity)

    def _get(self, path: str, **params: str) -> wire.Answer:
        url, params = f"{self._company}/{path}", {**params, "minorversion": MINOR_VERSION}
        answer = self._http.read(url, classify=classify_read, params=params, headers=self._headers, timeout=TIMEOUT)
        return _read(answer.body, wire.Answer)


def _read(body: bytes | msgspec.Raw, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise error_of("unexpected", str(error)) from error


def _rows(group: Mapping[str, msgspec.Raw], entity: str) -> list[msgspec.Raw]:
    """The rows of one entity, each still as it came, so that a damaged one harms no other."""
    return _read(group[entity], list[msgspec.Raw]) if entity in group else []


def quoted(value: str) -> str:
    """A value in a query; Intuit: numbers are quoted as well, and an apostrophe takes a backslash."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
