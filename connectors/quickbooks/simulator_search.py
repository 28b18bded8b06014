"""Running a query over the tables of a company, and reading what changed since a time.

A result is remembered, as ids, until its table changes: paging through 100,000 bills sorts them once.
"""

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from connectors.quickbooks.simulator_attachments import shown
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body, Refusal, missing
from connectors.quickbooks.simulator_features import refuse_unreadable
from connectors.quickbooks.simulator_query import Condition, Query, invalid, parse_query
from connectors.quickbooks.simulator_rates import EXCHANGE_RATE, rates_on
from connectors.quickbooks.simulator_tables import Table

SINGLETONS = ("CompanyInfo", "Preferences")
REMEMBERED = 32
COMPARE = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
LOOK_BACK = timedelta(days=30)
MOST_CHANGES = 1000
RATES = EXCHANGE_RATE.name
BY_LOWER_NAME = {name.lower(): name for name in (*ENTITIES, *SINGLETONS, RATES)}
NOT_FOLLOWED = ("TaxCode", "TaxRate")


def run_query(act: Act, statement: str) -> Body:
    """The value of `QueryResponse`."""
    query = parse_query(statement)
    name = BY_LOWER_NAME.get(query.entity.lower())
    if name is None:
        raise invalid(f"Entity {query.entity} not found")
    if name in SINGLETONS:
        return _singleton(act, name)
    if name in ENTITIES:
        refuse_unreadable(act, ENTITIES[name])
    table = _rates(act, query) if name == RATES else act.company.tables[name]
    ids = _search(act, table, query) if name == RATES else _found(act, table, query)
    if query.counts:
        return {"totalCount": len(ids)}
    page = ids[query.start - 1 : query.start - 1 + query.size]
    if not page:
        return {}
    objects = [_projected(act, table, identity, query.projection) for identity in page]
    return {name: objects, "startPosition": query.start, "maxResults": len(page)}


def _singleton(act: Act, name: str) -> Body:
    value = act.company.info if name == "CompanyInfo" else act.company.preferences
    return {name: [value], "maxResults": 1}


def _rates(act: Act, query: Query) -> Table:
    """The rates of the day that is asked for, today's if none is."""
    days = [condition.values[0] for condition in query.conditions if condition.name.lower() == "asofdate"]
    today = act.company.today(act.now).isoformat()
    return rates_on(act.company, str(_operand(act, "date", "AsOfDate", days[0]) or today) if days else today)


def _projected(act: Act, table: Table, identity: str, projection: tuple[str, ...]) -> Any:
    if not projection:
        return _whole(act, table, identity)
    wanted = {name.lower() for name in projection}
    row = table.rows[identity]
    return {**{name: value for name, value in row.items() if name.lower() in wanted}, "sparse": True}


def _whole(act: Act, table: Table, identity: str) -> Any:
    if table.entity.name == RATES:
        return {name: value for name, value in table.rows[identity].items() if name != "Id"}
    if table.entity.name == "Attachable":
        return shown(act, table.entity, table.rows[identity])
    return table.written(identity)


def _found(act: Act, table: Table, query: Query) -> list[str]:
    remembered = act.company.found
    key = (table.entity.name, query.conditions, query.order, act.company.today(act.now))
    version, ids = remembered.get(key, (-1, []))
    if version != table.version:
        while len(remembered) >= REMEMBERED:
            del remembered[next(iter(remembered))]
        ids = _search(act, table, query)
        remembered[key] = table.version, ids
    return ids


def _search(act: Act, table: Table, query: Query) -> list[str]:
    tests = [_test(act, table, condition) for condition in query.conditions]
    if table.entity.listed and not any(condition.name.lower() == "active" for condition in query.conditions):
        tests.append(lambda row: bool(row["Active"]))
    rows = [row for row in table.rows.values() if all(test(row) for test in tests)]
    if not query.order and act.switches.newest_first and not table.entity.listed:
        rows.reverse()
    for name, descending in reversed(query.order):
        rows.sort(key=_sort_key(act, table, name), reverse=descending)
    return [row["Id"] for row in rows]


def _property(table: Table, written: str) -> tuple[str, str]:
    """The property's canonical name and kind."""
    for name, kind in table.entity.filters.items():
        if name.lower() == written.lower():
            return name, kind
    if any(name.lower() == written.lower() for name in table.entity.fields):
        raise invalid(f"property '{written}' is not queryable")
    raise invalid(f"Property {written} not found for Entity {table.entity.name}")


def _reader(name: str, kind: str) -> Callable[[Body], Any]:
    """How to get a property's value out of an object."""
    if name.startswith("MetaData."):
        part = name.removeprefix("MetaData.")
        return lambda row: _instant(row["MetaData"][part])
    if kind == "reference":
        return lambda row: row[name]["value"] if name in row else None
    if kind == "attached":
        part = name.rpartition(".")[2].lower()
        return lambda row: [one.get("EntityRef", {}).get(part, "").lower() for one in row.get("AttachableRef", ())]
    if kind == "text":
        return lambda row: str(row[name]).lower() if name in row else None
    return lambda row: row.get(name)


def _sort_key(act: Act, table: Table, written: str) -> Callable[[Body], Any]:
    name, kind = _property(table, written)
    if name in table.entity.unsorted:
        raise invalid(f"property '{written}' is not sortable")
    if kind == "id":
        return lambda row: int(row["Id"])
    read = _reader(name, kind)
    return lambda row: ((value := read(row)) is not None, value)


def _test(act: Act, table: Table, condition: Condition) -> Callable[[Body], bool]:
    name, kind = _property(table, condition.name)
    if kind == "id" and condition.operator not in ("=", "IN"):
        raise invalid(f"operator {condition.operator} is not supported for property Id")
    read = _reader(name, kind)
    if condition.operator == "LIKE":
        return _like(condition.values[0], read)
    values = [_operand(act, kind, name, value) for value in condition.values]
    if condition.operator in ("=", "IN"):
        wanted = frozenset(values)
        if kind == "attached":
            return lambda row: not wanted.isdisjoint(read(row))
        return lambda row: read(row) in wanted
    if (value := values[0]) is None:
        raise invalid(f"value {condition.values[0]!r} is not valid for property {name}")
    compare = COMPARE[condition.operator]
    return lambda row: (found := read(row)) is not None and bool(compare(found, value))


def _like(pattern: str, read: Callable[[Body], Any]) -> Callable[[Body], bool]:
    """Only % is special, so the pieces between must follow each other."""
    first, *others = pattern.lower().split("%")

    def matches(row: Body) -> bool:
        found = str(read(row) or "").lower()
        if not others:
            return found == first
        if not found.startswith(first):
            return False
        at = len(first)
        for piece in others[:-1]:
            at = found.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return found.endswith(others[-1]) and len(found) - len(others[-1]) >= at

    return matches


def _operand(act: Act, kind: str, name: str, written: str) -> Any:
    """A value of the statement as the property's kind; one blank in quotes stands for an absent one."""
    if written.upper() == "CURRENT_DATE":
        written = act.company.today(act.now).isoformat()
    if not written.strip() and kind != "flag":
        return None
    try:
        if kind == "time":
            return read_time(act, written)
        if kind == "number":
            return Decimal(written)
        if kind == "flag":
            return {"true": True, "false": False}[written.lower()]
        if kind == "date":
            return datetime.fromisoformat(written).date().isoformat()
    except (ValueError, KeyError, InvalidOperation):
        raise invalid(f"value {written} is not valid for property {name}") from None
    return written.lower() if kind in ("text", "attached") else written


def read_time(act: Act, written: str) -> datetime:
    """A time with an offset, or in the company's zone where there is none; a bare date is its first moment."""
    read = datetime.fromisoformat(written)
    return read if read.tzinfo else read.replace(tzinfo=act.company.zone)


@lru_cache(maxsize=65536)
def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def changes(act: Act, entities: str | None, changed_since: str | None) -> Body:
    """The answer of change data capture without its time; cut at 1000 objects without a word."""
    if not entities or not changed_since:
        raise missing("changedSince" if entities else "entities")
    names = set()
    for written in entities.split(","):
        name = BY_LOWER_NAME.get(written.strip().lower(), "")
        if not name or name in NOT_FOLLOWED:
            raise Refusal("2000", "Invalid object name", f"Invalid object name : {written}", "entities")
        names.add(name)
    try:
        since = read_time(act, changed_since)
    except ValueError:
        raise Refusal("2060", "Invalid Date", f"Invalid Date : {changed_since}", "changedSince") from None
    if since < act.now - LOOK_BACK:
        raise Refusal(
            "500",
            "Unsupported Operation",
            (f"Operation cdc with changedSince date {changed_since} which is older than fixed days is not supported."),
            "Operation",
        )
    room, groups = MOST_CHANGES, []
    for name in sorted(names, key=lambda name: (name in ENTITIES and not ENTITIES[name].listed, name)):
        objects = _changed(act, name, since)[:room]
        room -= len(objects)
        groups.append(
            {
                name: objects,
                "startPosition": 1,
                "maxResults": len(objects),
                "totalCount": len(objects),
            }
            if objects
            else {}
        )
    return {"CDCResponse": [{"QueryResponse": groups}]}


def _changed(act: Act, name: str, since: datetime) -> list[Any]:
    since = since.replace(microsecond=0)
    if name not in ENTITIES:
        return [row for row in _without_table(act, name) if _instant(row["MetaData"]["LastUpdatedTime"]) >= since]
    table = act.company.tables[name]
    objects = [_whole(act, table, identity) for identity in table.changed_since(since)]
    gone = sorted((at, identity) for identity, at in table.tombstones.items() if at >= since)
    return objects + [
        {
            "domain": "QBO",
            "status": "Deleted",
            "Id": identity,
            "MetaData": {"LastUpdatedTime": act.company.stamp(at)},
        }
        for at, identity in gone
    ]


def _without_table(act: Act, name: str) -> list[Body]:
    if name == RATES:
        return list(act.company.rates.values())
    return [act.company.info if name == "CompanyInfo" else act.company.preferences]
