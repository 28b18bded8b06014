"""Whole lists: what AvidXchange holds of vendors, accounts, dimensions and purchase orders, and its bank accounts.

They need no filter and are read page by page to the end, so that what a reading did not show is there no more. The
values of each dimension are a list of their own; what is still to be read stands in the cursor.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from connectors.avidxchange.client import Client
from connectors.avidxchange.decoding_lists import decode_value
from connectors.avidxchange.dimensions import known_dimensions
from connectors.avidxchange.mapping import value_id
from connectors.avidxchange.reading import decode_rows
from connectors.base import Cursor, Page, Unreadable
from connectors.records import AnyRecord, Kind

LISTS: Mapping[Kind, str] = {
    Kind.VENDOR: "list_vendors",
    Kind.ACCOUNT: "list_gl_accounts",
    Kind.DIMENSION: "list_dimension_values",
    Kind.PURCHASE_ORDER: "list_purchase_orders",
    Kind.FUNDING_ACCOUNT: "list_bank_accounts",
}
Decoded = tuple[list[tuple[Kind, AnyRecord]], list[Unreadable]]


def read_list(client: Client, kind: Kind, after: Cursor | None) -> Page:
    """One page of a whole list."""
    cursor = after or {"left": _of_dimensions(client) if kind is Kind.DIMENSION else [None], "following": {}}
    left, following = cursor["left"], cursor["following"]
    if not left:
        return Page(records=[], cursor={}, more=False, complete=frozenset({kind}))
    code, slots = _slots(left[0])
    page = client.page(LISTS[kind], {}, following, **slots)
    records, unreadable = _decoded(client, kind, code, page.rows)
    if page.following and page.following != following:
        following = page.following
    else:
        left, following = left[1:], {}
    return Page(
        records=records,
        unreadable=unreadable,
        cursor={"left": left, "following": following},
        more=bool(left),
        complete=frozenset() if left else frozenset({kind}),
    )


def fetch_from_list(client: Client, kind: Kind, ids: Sequence[str]) -> Decoded:
    """These records as they are now, and which of them cannot be read."""
    records: list[tuple[Kind, AnyRecord]] = []
    unreadable: list[Unreadable] = []
    for code, slots, some in _by_list(client, kind, ids):
        found = _decoded(client, kind, code, list(client.rows(LISTS[kind], "ids", some, **slots)))
        records += found[0]
        unreadable += found[1]
    return records, unreadable


def _by_list(client: Client, kind: Kind, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    if kind is not Kind.DIMENSION:
        yield "", {}, list(ids)
        return
    for code, dimension_id in _of_dimensions(client, {id.partition(":")[0] for id in ids}):
        yield code, {"dimension_id": dimension_id}, [id[len(code) + 1 :] for id in ids if id.startswith(f"{code}:")]


def _of_dimensions(client: Client, codes: Collection[str] = ()) -> list[list[str]]:
    return [[code, row.text("id")] for code, row in known_dimensions(client, codes).items()]


def _slots(dimension: Sequence[str] | None) -> tuple[str, dict[str, str]]:
    return (dimension[0], {"dimension_id": dimension[1]}) if dimension else ("", {})


def _decoded(client: Client, kind: Kind, code: str, rows: Sequence[Any]) -> Decoded:
    if not code:
        return decode_rows(client.profile, kind, rows)
    records, unreadable = decode_rows(client.profile, kind, rows, partial(decode_value, code=code))
    return records, [replace(one, id=value_id(code, one.id)) for one in unreadable]
