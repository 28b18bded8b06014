"""Lists of the simulated network: filters, windows of change, and the three ways of turning pages.

Assumed, all of it. A link's or a number's next page is counted from the start of the window, so a record that changes
between two pages makes the pages after it shift by one; a cursor goes on behind the last record that was read.
"""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.avidxchange.contract import UNKNOWN, Profile
from connectors.avidxchange.simulator_books import Place, Record, RequestRefused, Shelf, milliseconds
from connectors.avidxchange.simulator_wire import Wire


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One list: where it is kept, whether it may be read whole, and which words its status filter knows."""

    shelf: str
    kind: str
    filtered: bool = False
    status_field: str = "status"
    status_enum: str = ""


EVERYTHING: Final = 1_000_000  # a list without pages is one page

LISTINGS: Final[Mapping[str, Listing]] = {
    "list_vendors": Listing(shelf="vendors", kind="vendor"),
    "list_gl_accounts": Listing(shelf="gl_accounts", kind="gl_account"),
    "list_dimensions": Listing(shelf="dimensions", kind="dimension"),
    "list_dimension_values": Listing(shelf="dimension_values", kind="dimension_value"),
    "list_purchase_orders": Listing(
        shelf="purchase_orders", kind="purchase_order", status_enum="purchase_order_status"
    ),
    "list_invoices": Listing(
        shelf="invoices", kind="invoice", filtered=True, status_field="workflow_status", status_enum="workflow_status"
    ),
    "list_payments": Listing(shelf="payments", kind="payment", filtered=True, status_enum="payment_status"),
    "list_bank_accounts": Listing(shelf="bank_accounts", kind="bank_account"),
}


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What one sweep asks for, the same on each of its pages; `size` is already clamped."""

    since: datetime | None = None
    before: datetime | None = None
    ids: list[str] | None = None
    external_ids: list[str] | None = None
    statuses: list[str] | None = None
    vendor: str | None = None
    size: int


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sweep goes on: a page's number, or the place of the last record read."""

    selection: Selection
    page: int = 1
    after: Place | None = None


def read_page(shelf: Shelf, operation: str, wire: Wire, query: Mapping[str, str], now: datetime, path: str) -> Record:
    """One page of a list, in canonical names; `path` is the list's own, for links."""
    listing, profile = LISTINGS[operation], wire.profile
    as_of = milliseconds(now)
    bookmark = read_bookmark(operation, profile, query, as_of)
    selection = bookmark.selection
    places = select(shelf, listing, selection, bookmark.after)
    by_cursor = profile.paging.strategy == "cursor"
    first = 0 if by_cursor else (bookmark.page - 1) * selection.size
    shown = places[first : first + selection.size]
    more = len(places) > first + selection.size
    following = Bookmark(selection=selection, page=bookmark.page + 1, after=shown[-1] if by_cursor and shown else None)
    token = _encode_bookmark(following) if more else None
    names = profile.query_of(operation)
    onward = {names["cursor"]: token} if names["cursor"] else {**query, str(names["page_number"]): following.page}
    link = {"rel": profile.paging.next_rel, "href": f"{path}?{urlencode(onward)}"}
    return {
        "as_of": as_of,
        "items": [wire.page_item(listing.kind, shelf, id) for _, id in shown],
        "page_number": bookmark.page,
        "page_size": selection.size,
        "page_count": math.ceil(len(places) / selection.size),
        "total_items": len(places),
        "links": [link] if token else [],
        "next_cursor": token,
    }


def select(shelf: Shelf, listing: Listing, selection: Selection, after: Place | None) -> list[Place]:
    """The places of what was asked for, by time of change, then id."""
    if selection.ids is None and selection.external_ids is None:
        places = shelf.places(selection.since, selection.before, after)
    else:
        found = [shelf.external(external_id) for external_id in selection.external_ids or []]
        places = shelf.ordered([*(selection.ids or []), *(record["id"] for record in found if record)])
        places = [place for place in places if _in_window(place, selection) and (after is None or place > after)]
    if selection.statuses is not None:
        places = [place for place in places if shelf[place[1]][listing.status_field] in selection.statuses]
    if selection.vendor is not None:
        places = [place for place in places if shelf[place[1]].get("vendor_external_id") == selection.vendor]
    return places


def _in_window(place: Place, selection: Selection) -> bool:
    return (selection.since is None or place[0] >= selection.since) and (
        selection.before is None or place[0] < selection.before
    )


def read_bookmark(operation: str, profile: Profile, query: Mapping[str, str], as_of: datetime) -> Bookmark:
    """What a query asks for; a cursor carries all of it."""
    names = {name: canonical for canonical, name in profile.query_of(operation).items() if name is not None}
    asked = {}
    for name, value in query.items():
        if name not in names:
            raise RequestRefused(400, "invalid_parameter", f"There is no parameter {name}.", name)
        asked[names[name]] = value
    if "cursor" in asked:
        return _decode_bookmark(asked["cursor"], str(profile.argument("cursor")))
    return Bookmark(
        selection=_read_selection(LISTINGS[operation], profile, asked, as_of),
        page=_read_count(profile, asked, "page_number", 1),
    )


def _read_selection(listing: Listing, profile: Profile, asked: Mapping[str, str], as_of: datetime) -> Selection:
    if listing.filtered and not {"updated_since", "ids", "external_ids"} & asked.keys():
        raise RequestRefused(400, "filter_required", "Ask for a window of change or for ids.")
    since = _read_moment(profile, asked, "updated_since")
    before = _read_moment(profile, asked, "updated_before")
    if before is not None and profile.change_feed.upper_bound_inclusive:
        before += timedelta(days=1) if profile.change_feed.granularity == "date" else timedelta(milliseconds=1)
    if since is not None and (before or as_of) - since > timedelta(days=profile.change_feed.max_window_days):
        most = profile.change_feed.max_window_days
        raise RequestRefused(
            400, "window_too_large", f"The window may span at most {most} days.", profile.argument("updated_since")
        )
    by_ids = "ids" in asked or "external_ids" in asked
    size = min(_read_count(profile, asked, "page_size", profile.limits.page_size), profile.limits.max_page_size)
    return Selection(
        since=since,
        before=before if before is not None or by_ids else as_of,
        ids=_read_list(profile, asked, "ids"),
        external_ids=_read_list(profile, asked, "external_ids"),
        statuses=_read_statuses(listing, profile, asked),
        vendor=asked.get("vendor_external_id"),
        size=EVERYTHING if profile.paging.strategy == "none" else size,
    )


def _read_moment(profile: Profile, asked: Mapping[str, str], name: str) -> datetime | None:
    if name not in asked:
        return None
    text = asked[name]
    try:
        if profile.change_feed.granularity == "date":
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        if len(text) <= 10 or moment.tzinfo is None:
            raise ValueError(text)
    except ValueError as error:
        expected = f"A {profile.change_feed.granularity} is expected."
        raise RequestRefused(400, "invalid_parameter", expected, profile.argument(name)) from error
    return moment.astimezone(UTC)


def _read_count(profile: Profile, asked: Mapping[str, str], name: str, otherwise: int) -> int:
    text = asked.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise RequestRefused(400, "invalid_parameter", "A number from 1 is expected.", profile.argument(name))
    return int(text)


def _read_list(profile: Profile, asked: Mapping[str, str], name: str) -> list[str] | None:
    if name not in asked:
        return None
    values = [value for value in asked[name].split(",") if value]
    if not 0 < len(values) <= profile.limits.ids_per_query:
        most = profile.limits.ids_per_query
        raise RequestRefused(400, "invalid_parameter", f"1 to {most} values are expected.", profile.argument(name))
    return values


def _read_statuses(listing: Listing, profile: Profile, asked: Mapping[str, str]) -> list[str] | None:
    words = asked["status"].split(",") if "status" in asked else None
    if words is None:
        return None
    if listing.status_enum == "payment_status":
        meanings = [profile.payment_status(word).meaning for word in words]
    else:
        meanings = [profile.meaning(listing.status_enum, word) if listing.status_enum else UNKNOWN for word in words]
    if UNKNOWN in meanings:
        raise RequestRefused(400, "invalid_parameter", "There is no such status.", profile.argument("status"))
    return meanings


def _encode_bookmark(bookmark: Bookmark) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(bookmark)).decode().rstrip("=")


def _decode_bookmark(token: str, name: str) -> Bookmark:
    try:
        raw: Any = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return msgspec.json.decode(raw, type=Bookmark)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise RequestRefused(400, "invalid_parameter", "This cursor is not one of ours.", name) from error
