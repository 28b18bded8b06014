"""Resolving: every reference of a record becomes the id that the other side knows it by, or names what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection as database
from msgspec.structs import replace

from connectors.records import AnyRecord, Bill, Kind, Payment, Ref
from syncs.delivery.slice import Slice
from syncs.states import State

COLUMNS = """
    w.kind, w.id, w.key, r.remote_id, s.target_id, s.record_key, s.state, s.problem_id,
    coalesce(nullif(r.number, ''), nullif(r.name, ''), r.remote_id)
"""
FORWARD = f"""
SELECT {COLUMNS} FROM unnest(%(kinds)s::text[], %(ids)s::text[], %(keys)s::text[]) AS w (kind, id, key)
JOIN syncs_stream stream ON stream.integration_id = %(integration)s AND stream.kind = w.kind
JOIN syncs_remoterecord r ON r.tenant_id = %(tenant)s AND r.connection_id = %(source)s
    AND r.kind = w.kind AND r.remote_id = w.id
JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.stream_id = stream.id AND s.remote_record_id = r.id
"""
BACKWARD = f"""
SELECT {COLUMNS} FROM unnest(%(kinds)s::text[], %(ids)s::text[], %(keys)s::text[]) AS w (kind, id, key)
JOIN syncs_stream stream ON stream.integration_id = %(integration)s AND stream.kind = w.kind
JOIN syncs_syncrecord s ON s.tenant_id = %(tenant)s AND s.stream_id = stream.id
    AND (s.target_id = w.id AND w.id <> '' OR s.record_key = w.key AND w.key <> '')
JOIN syncs_remoterecord r ON r.id = s.remote_record_id
"""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What we know of a referenced record: its ids on both sides and where its own delivery stands."""

    source_id: str
    target_id: str
    key: str
    state: State
    problem_id: int | None
    label: str


@dataclass(kw_only=True)
class Missing(Exception):
    """A reference that cannot be resolved: to wait for, or to hold for a person."""

    kind: Kind
    id: str
    code: str
    reason: str
    waits: bool
    problem_id: int | None = None


def references(record: AnyRecord) -> list[Ref]:
    """The references of a record that have to be resolved before it is sent."""
    if isinstance(record, Bill):
        return [record.vendor, *(line.account for line in record.lines if line.account is not None)]
    if isinstance(record, Payment):
        return [record.vendor, *(application.target for application in record.applications)]
    return []


def look_up(slice_: Slice, records: Iterable[AnyRecord]) -> dict[Ref, Known]:
    """What we know of everything that these records reference, in one statement."""
    wanted = sorted(
        {ref for record in records for ref in references(record)}, key=lambda ref: (ref.kind, ref.id, ref.key)
    )
    if not wanted:
        return {}
    with database.cursor() as cursor:
        cursor.execute(
            FORWARD if slice_.flow.source == "erp" else BACKWARD,
            {
                "kinds": [str(ref.kind) for ref in wanted],
                "ids": [ref.id for ref in wanted],
                "keys": [ref.key for ref in wanted],
                "integration": slice_.integration.pk,
                "tenant": slice_.tenant_id,
                "source": slice_.source.pk,
            },
        )
        rows = cursor.fetchall()
    known: dict[Ref, Known] = {}
    ambiguous: set[Ref] = set()
    for kind, id, key, source_id, target_id, record_key, state, problem_id, label in rows:
        ref = Ref(Kind(kind), id, key)
        if ref in known and known[ref].source_id != source_id:
            ambiguous.add(ref)  # its id says one record and its key another: nobody guesses
        known[ref] = Known(
            source_id=source_id,
            target_id=target_id,
            key=record_key,
            state=State(state),
            problem_id=problem_id,
            label=label,
        )
    return {ref: one for ref, one in known.items() if ref not in ambiguous}


def resolve(slice_: Slice, record: AnyRecord, known: Mapping[Ref, Known]) -> AnyRecord:
    """The record in the target's ids; Missing names what to wait for, MappingError what a person has to map."""
    if isinstance(record, Bill):
        lines = tuple(
            line if line.account is None else replace(line, account=_across(slice_, line.account, known))
            for line in record.lines
        )
        return replace(record, vendor=_across(slice_, record.vendor, known), lines=lines)
    if isinstance(record, Payment):
        applications = tuple(
            replace(application, target=_across(slice_, application.target, known))
            for application in record.applications
        )
        return replace(
            record,
            vendor=_across(slice_, record.vendor, known),
            applications=applications,
            funding_account=slice_.accounts.account_for(record),
        )
    return record


def _across(slice_: Slice, ref: Ref, known: Mapping[Ref, Known]) -> Ref:
    forward = slice_.flow.source == "erp"
    other = known.get(ref)
    words = str(ref.kind).replace("_", " ")
    if other is None:
        raise Missing(
            kind=ref.kind,
            id=ref.id,
            code="reference_unknown",
            waits=forward,
            reason=f"We have not seen {words} {ref.id}.",
        )
    if other.target_id:
        return Ref(ref.kind, other.target_id if forward else other.source_id, other.key)
    if other.state in (State.OUT_OF_SCOPE, State.IGNORED):
        raise Missing(
            kind=ref.kind,
            id=other.source_id,
            code="reference_left_out",
            waits=False,
            reason=f"Its {words} {other.label} is left out ({other.state.replace('_', ' ')}).",
        )
    held = ", which is held" if other.state is State.HELD else ""
    raise Missing(
        kind=ref.kind,
        id=other.source_id,
        code="waiting",
        waits=True,
        problem_id=other.problem_id,
        reason=f"Waiting for {words} {other.label}{held}.",
    )
