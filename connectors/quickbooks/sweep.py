"""Reading a company: all of a kind by pages, what changed in all kinds by one call, some records by their ids."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors import base
from connectors.base import Cursor, Page
from connectors.errors import ConnectorError, MappingError, UnexpectedResponse
from connectors.http import CARD_FOUND
from connectors.quickbooks.client import PAGE, Client
from connectors.quickbooks.faults import error_of, is_off
from connectors.quickbooks.mapping import OF_KIND, SOURCES, Source
from connectors.quickbooks.reading import clean_row, text_of
from connectors.quickbooks.values import glimpse
from connectors.records import AnyRecord, Kind

OVERLAP = timedelta(minutes=5)
LOOK_BACK = timedelta(days=29)  # Intuit: changes are told for 30 days
MOST_CHANGES = 1000  # Intuit: the most objects of one answer about changes, with no sign that there are more
EVEN_INACTIVE = "Active in (true, false)"
ALWAYS_THERE = [source.entity for source in SOURCES if not (source.optional or source.single)]

Rows = Sequence[msgspec.Raw]


@dataclass(frozen=True)
class Sweep:
    """The records of one company."""

    client: Client
    home_currency: str

    def read(self, kind: Kind, after: Cursor | None) -> Page:
        """One page by position of one entity; every page after its first begins with the last row of the one before.

        Intuit: rows move while one pages, and a row with bad stored data fails its whole page (live captures). If the
        overlapping row is not the one expected, or a row had to be passed over, the sweep may have missed something:
        then it does not count as complete.
        """
        sources = OF_KIND[kind]
        cursor = {"entity": sources[0].entity, "start": 1, "size": PAGE, "last": "", "gaps": False, **(after or {})}
        place = next(place for place, source in enumerate(sources) if source.entity == cursor["entity"])
        source = sources[place]
        try:
            rows = self._rows(source, cursor["start"], cursor["size"])
        except UnexpectedResponse as error:
            if error.code != "stored_data":
                raise
            return _around_bad_row(source, cursor, str(error))
        overlaps = bool(rows and cursor["last"]) and glimpse(rows[0]).id == cursor["last"]
        gaps, more = cursor["gaps"] or bool(cursor["last"]) and not overlaps, len(rows) == cursor["size"]
        following = {"entity": source.entity, "start": cursor["start"] + len(rows), "size": cursor["size"]}
        if more and not gaps:
            following |= {"start": cursor["start"] + len(rows) - 1, "last": glimpse(rows[-1]).id}
        elif not more and place + 1 < len(sources):
            more, following = True, {"entity": sources[place + 1].entity}
        complete = frozenset() if more or gaps else frozenset({kind})
        fresh = [(source, rows[1:] if overlaps else rows)]
        return self._page(fresh, cursor={**following, "gaps": gaps}, more=more, complete=complete)

    def changes(self, cursor: Cursor, now: datetime) -> Page:
        """What changed in all kinds, in one call; `truncated` when QuickBooks may have told less than everything."""
        too_old = Page(records=(), cursor=start_of_changes(now), more=False, truncated=True)
        if datetime.fromisoformat(cursor["since"]) < now - LOOK_BACK:
            return too_old
        try:
            changed, time = self._changed(cursor["since"])
        except UnexpectedResponse as error:
            if error.code == "changes_too_old":
                return too_old
            raise
        cut = sum(len(rows) for rows in changed.values()) >= MOST_CHANGES
        told = [(source, changed[source.entity]) for source in SOURCES if source.entity in changed]
        return self._page(told, cursor=start_of_changes(time), more=False, truncated=cut)

    def fetch(self, kind: Kind, ids: Sequence[str]) -> dict[str, AnyRecord]:
        """These records as they are now; raises for one that is there and cannot be read, since it is not gone."""
        found = [(source, self._rows_by_id(source, source.row_ids(ids))) for source in OF_KIND[kind]]
        page, wanted = self._page(found, cursor={}, more=False), set(ids)
        if page.unreadable:
            raise error_of("unreadable_record", f"{kind} {page.unreadable[0].id}: {page.unreadable[0].why}")
        return {record.id: record for _, record in page.records if record.id in wanted}

    def _rows(self, source: Source, start: int, size: int) -> Rows:
        where = f"where {EVEN_INACTIVE}" if source.listed else ""
        return self._told(source, lambda: self.client.page(source.entity, start=start, size=size, where=where))

    def _rows_by_id(self, source: Source, ids: Sequence[str]) -> Rows:
        also = f" and {EVEN_INACTIVE}" if source.listed else ""
        return self._told(source, lambda: self.client.by_ids(source.entity, ids, where=also)) if ids else []

    def _told(self, source: Source, ask: Callable[[], Rows]) -> Rows:
        """What QuickBooks answers; nothing where the company does not have the feature, or has it switched off."""
        if source.single:
            return [self.client.preferences()]
        try:
            return ask()
        except ConnectorError as error:
            if source.optional and is_off(error):
                return []
            raise

    def _changed(self, since: str) -> tuple[Mapping[str, Rows], datetime]:
        """What changed; without what a company may not have if QuickBooks refuses the question because of that."""
        try:
            return self.client.changes([source.entity for source in SOURCES], since)
        except ConnectorError as error:
            if not is_off(error):
                raise
            return self.client.changes(ALWAYS_THERE, since)

    def _page(self, rows: Iterable[tuple[Source, Rows]], **facts: Any) -> Page:
        """A page of these rows: what they say, which are gone, and which cannot be read."""
        records: list[tuple[Kind, AnyRecord]] = []
        gone, unreadable = [], []
        for source, row in ((source, row) for source, found in rows for row in found):
            try:
                if clean_row(row) != bytes(row):
                    raise MappingError(CARD_FOUND)
                records += [(source.kind, record) for record in source.decode(row, self.home_currency)]
            except MappingError as error:
                ids = source.ids(row)
                if ids and glimpse(row).status == "Deleted":
                    gone += [base.Gone(kind=source.kind, id=id) for id in ids]
                    continue
                raw = text_of(row)
                unreadable += [
                    base.Unreadable(kind=source.kind, id=id, raw=raw, why=error.message) for id in ids or [""]
                ]
        return Page(records=records, gone=gone, unreadable=unreadable, **facts)


def start_of_changes(present: datetime) -> Cursor:
    """The cursor that overlaps by some minutes with what was read until now."""
    return {"since": (present - OVERLAP).isoformat(timespec="seconds")}


def _around_bad_row(source: Source, cursor: Cursor, why: str) -> Page:
    """Closer to the row that fails its page, by smaller pages, and then past it."""
    entity, start = source.entity, cursor["start"]
    if cursor["size"] > 1:
        closer = {"entity": entity, "start": start, "size": cursor["size"] // 10, "gaps": True}
        return Page(records=(), cursor=closer, more=True)
    bad = base.Unreadable(kind=source.kind, id="", raw="", why=f"Row {start} of {entity}: {why}")
    past = {"entity": entity, "start": start + 1, "gaps": True}
    return Page(records=(), unreadable=(bad,), cursor=past, more=True)
