"""Resolving: every reference of a record becomes the id that the other side knows it by, or names what is missing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection as database
from msgspec.structs import replace

from connectors.errors import MappingError
from connectors.records import (
    Account,
    AnyRecord,
    Dimension,
    Image,
    Kind,
    Line,
    Payable,
    Payment,
    Phase,
    PurchaseOrder,
    Ref,
    Vendor,
)
from syncs.delivery.as_left import accounts_left
from syncs.delivery.decided import bills_of_invoices
from syncs.delivery.reissues import Owed, owed_on_entries, settle_entry
from syncs.delivery.slice import Slice
from syncs.mapping.dimensions import dimension_of, required_dimensions
from syncs.mapping.items import accounts_of_items
from syncs.mapping.terms import names_of_terms
from syncs.states import State

LEFT_OUT = (State.OUT_OF_SCOPE, State.IGNORED)

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


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What stands for what a record leaves out: the accounts of items and of tax, and the names of terms."""

    items: Mapping[str, Ref]
    taxes: Ref | None
    terms: Mapping[str, str]

    def account_of(self, line: Line) -> Ref | None:
        """Where a line is booked: on its own account, else on its item's, or on the one for tax."""
        if line.account is None and line.is_tax:
            return self.taxes
        return line.account or (self.items.get(line.item.id) if line.item else None)


@dataclass(frozen=True, kw_only=True)
class References:
    """What is known of everything that records refer to, what stands for what names no account or name, and what the
    ERP owes anew, by the payments that some replace."""

    known: Mapping[Ref, Known]
    standing: Standing
    owed: Mapping[str, Owed] = field(default_factory=dict)
    paid_from: Mapping[str, Ref] = field(default_factory=dict)  # of payments that stand as executed


def references(record: AnyRecord, standing: Standing) -> list[Ref]:
    """The references of a record that have to be resolved before it is sent."""
    if isinstance(record, Payable | PurchaseOrder):
        on_lines = ((standing.account_of(line), line.order, *line.dimensions) for line in record.lines)
        return [record.vendor, *(ref for refs in on_lines for ref in refs if ref is not None)]
    if isinstance(record, Image):
        return [record.of]
    if isinstance(record, Payment):
        return [record.vendor, *(application.target for application in record.applications)]
    parent = record.parent if isinstance(record, Account | Dimension) else None
    return [parent] if parent else []


def look_up(slice_: Slice, records: Sequence[AnyRecord]) -> References:
    """What we know of everything that these records reference, in one statement for what flows."""
    lines = (line for record in records if isinstance(record, Payable | PurchaseOrder) for line in record.lines)
    standing = Standing(
        items=accounts_of_items(slice_.source, lines),
        taxes=slice_.accounts.taxes,
        terms=names_of_terms(slice_.source, records),
    )
    wanted = {ref for record in records for ref in references(record, standing)}
    known = _known(slice_, sorted(wanted, key=lambda ref: (ref.kind, ref.id, ref.key)))
    if slice_.flow.source != "erp":
        known = _decided(slice_, wanted) | known
    owed, paid_from = owed_on_entries(slice_, records), accounts_left(slice_, records)
    return References(known=known, standing=standing, owed=owed, paid_from=paid_from)


def _decided(slice_: Slice, wanted: Collection[Ref]) -> dict[Ref, Known]:
    """The bills that a person said some invoices of the network are."""
    return {
        ref: Known(source_id=id, target_id=ref.id, key="", state=State.SYNCED, problem_id=None, label=id)
        for ref, id in bills_of_invoices(slice_, wanted).items()
    }


def _known(slice_: Slice, wanted: Sequence[Ref]) -> dict[Ref, Known]:
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


def resolve(slice_: Slice, record: AnyRecord, there: References) -> AnyRecord:
    """The record in the target's ids; Missing names what to wait for, MappingError what a person has to map."""
    if isinstance(record, Payable | PurchaseOrder):
        if isinstance(record, Payable) and any(line.is_tax and not line.account for line in record.lines):
            slice_.accounts.tax_account()  # an order is sent without: it decides no money
        vendor = _across(slice_, record.vendor, there)
        lines = tuple(_resolve_line(slice_, line, there) for line in record.lines)
        return replace(record, vendor=vendor, lines=lines)
    if isinstance(record, Vendor) and record.term is not None:
        return replace(record, term=None, terms=there.standing.terms.get(record.term.id, record.terms))
    if isinstance(record, Image):
        return replace(record, of=_across(slice_, record.of, there))
    if isinstance(record, Payment):
        applications = tuple(
            replace(application, target=_across(slice_, application.target, there))
            for application in record.applications
        )
        resolved = replace(
            record,
            vendor=_across(slice_, record.vendor, there),
            applications=applications,
            funding_account=_funding_account(slice_, record, there),
        )
        owed = there.owed.get(record.reissue_of)
        return settle_entry(resolved, owed) if owed else resolved
    if isinstance(record, Account | Dimension) and record.parent is not None:
        return replace(record, parent=_across(slice_, record.parent, there))
    return record


def _funding_account(slice_: Slice, payment: Payment, there: References) -> Ref:
    """What stands as executed stays on the account that we posted it on, whatever is mapped since."""
    stands_on = there.paid_from.get(payment.id) if payment.phase is Phase.EXECUTED else None
    return stands_on or slice_.accounts.account_for(payment)


def _resolve_line(slice_: Slice, line: Line, there: References) -> Line:
    """The line in the target's ids; a purchase order that is not there is left out, since it decides no money."""
    account = there.standing.account_of(line)
    if not line.is_tax:
        carried = {dimension_of(ref) for ref in line.dimensions}
        for name in required_dimensions(slice_.policies):
            if name not in carried:
                raise MappingError(
                    f"Line {line.number} has no {name}: enter it in the ERP.", code="dimension_missing", missing=name
                )
    order = line.order if line.order and _is_sent(there.known.get(line.order)) else None
    return replace(
        line,
        account=_across(slice_, account, there) if account else None,
        dimensions=tuple(_across(slice_, ref, there) for ref in line.dimensions),
        order=_across(slice_, order, there) if order else None,
        order_line=line.order_line if order else "",
    )


def _is_sent(order: Known | None) -> bool:
    """Whether the purchase order is there or is still to come."""
    return order is not None and (bool(order.target_id) or order.state not in LEFT_OUT)


def _across(slice_: Slice, ref: Ref, there: References) -> Ref:
    forward = slice_.flow.source == "erp"
    if forward and (ref.kind, ref.id) in slice_.codes:
        return slice_.codes[ref.kind, ref.id]
    other = there.known.get(ref)
    words = str(ref.kind).replace("_", " ")
    if other is None:
        raise Missing(
            kind=ref.kind,
            id=ref.id,
            code="reference_unknown",
            waits=forward,
            reason=f"We have not seen {words} {ref.id}.",
        )
    # A payee that is just being changed goes first: what was made inactive must not be billed as if it were active.
    changing = forward and ref.kind is Kind.VENDOR and other.state in (State.PENDING, State.SENDING, State.IN_DOUBT)
    if other.target_id and not changing:
        return Ref(ref.kind, other.target_id if forward else other.source_id, other.key)
    if other.state in LEFT_OUT:
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
        problem_id=None if changing else other.problem_id,  # what is being changed holds nobody up for long
        reason=f"Waiting for {words} {other.label}{held}.",
    )
