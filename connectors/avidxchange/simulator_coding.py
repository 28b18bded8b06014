"""The lists of codes that lines are coded with: GL accounts, dimensions and their values.

Public: codes go in and are never changed inside. Assumed: what is absent becomes null or, of a flag, its usual value;
a code may be used by one active entry of its list only; active dimensions count against the limit; an inactive value
is refused like an unknown one, since no other code is named.
"""

from collections.abc import Iterator
from datetime import datetime

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.simulator_books import (
    CodeList,
    Company,
    Problem,
    Record,
    RecordRefused,
    RequestRefused,
    Upserted,
    replace,
)
from connectors.avidxchange.simulator_wire import Wire


def upsert_gl_account(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """A GL account."""
    return _upsert_code(company.gl_accounts, "gl_account", sent, wire.profile, now)


def upsert_dimension(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """A dimension: no more active ones than the contract allows."""
    sent["is_required_on_line"] = sent["is_required_on_line"] is True
    active = sum(
        known["is_active"] for known in company.dimensions.values() if known["external_id"] != sent["external_id"]
    )
    if sent["is_active"] is not False and active >= wire.profile.limits.dimensions:
        place = wire.profile.name("dimension", "external_id")
        raise RecordRefused(Problem(code="field_invalid", field=place, message=f"There are {active} dimensions."))
    return _upsert_code(company.dimensions, "dimension", sent, wire.profile, now)


def upsert_dimension_value(company: Company, sent: Record, wire: Wire, now: datetime, dimension_id: str) -> Upserted:
    """A value of a dimension that exists."""
    if dimension_id not in company.dimensions:
        raise RequestRefused(404, "not_found", f"There is no dimension {dimension_id}.")
    values = company.values_of(company.dimensions[dimension_id])
    return _upsert_code(values, "dimension_value", sent, wire.profile, now)


def _upsert_code(shelf: CodeList, kind: str, sent: Record, profile: Profile, now: datetime) -> Upserted:
    """An entry of a list: its code is free or its own, its parent is known."""
    sent["is_active"] = sent["is_active"] is not False
    existing = shelf.external(sent["external_id"])
    holder = shelf.holder(sent["code"])
    if sent["is_active"] and holder is not None and holder is not existing:
        place = profile.name(kind, "code")
        raise RecordRefused(Problem(code="field_invalid", field=place, message="Another active entry has this code."))
    parent = sent.get("parent_external_id")
    if parent is not None and shelf.external(parent) is None:
        place = profile.name(kind, "parent_external_id")
        raise RecordRefused(Problem(code=f"{kind}_not_found", field=place, message="There is no such parent."))
    record, action = replace(shelf, existing, sent, {}, now)
    return Upserted(record=record, action=action)


def coding_problems(company: Company, kind: str, line: Record, place: str, profile: Profile) -> Iterator[Problem]:
    """What is wrong with the account and the dimensions of a line, which stands at `place`."""
    if line["gl_account_external_id"] is not None:
        account = company.gl_accounts.external(line["gl_account_external_id"])
        at = f"{place}.{profile.name(kind, 'gl_account_external_id')}"
        if account is None:
            yield Problem(code="gl_account_not_found", field=at, message="No GL account with this external id.")
        elif not account["is_active"]:
            yield Problem(code="gl_account_inactive", field=at, message="The GL account is inactive.")
    seen = set()
    for number, coded in enumerate(line["dimensions"]):
        at = f"{place}.{profile.name(kind, 'dimensions')}[{number}]"
        dimension = company.dimensions.holder(coded["dimension_code"])
        if dimension is None:
            yield Problem(code="dimension_not_found", field=at, message="No active dimension has this code.")
            continue
        if dimension["id"] in seen:
            yield Problem(code="field_invalid", field=at, message="A line has one value of a dimension.")
        seen.add(dimension["id"])
        value = company.values_of(dimension).external(coded["value_external_id"])
        if value is None or not value["is_active"]:
            yield Problem(code="dimension_value_not_found", field=at, message="The dimension has no such active value.")


def missing_dimensions(company: Company, line: Record, place: str) -> Iterator[Problem]:
    """The dimensions that every line of an invoice needs and that this one lacks."""
    given = {coded["dimension_code"] for coded in line["dimensions"]}
    for dimension in company.dimensions.values():
        if dimension["is_active"] and dimension["is_required_on_line"] and dimension["code"] not in given:
            yield Problem(code="dimension_required", field=place, message=f"{dimension['name']} needs a value.")


def quantity_problems(kind: str, line: Record, place: str, profile: Profile) -> Iterator[Problem]:
    """Quantities that are finer than the contract allows."""
    most = profile.limits.quantity_decimals
    for name in ("quantity", "quantity_received"):
        value = line.get(name)
        if value is not None and value != round(value, most):
            at = f"{place}.{profile.name(kind, name)}"
            yield Problem(code="field_invalid", field=at, message=f"A quantity has at most {most} decimals.")
