"""What the pages of operations show, with a fixed number of queries each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from connectors.models import Connection
from connectors.records import Account, Kind, from_minor_units, restore
from connectors.registry import connectors
from syncs.mapping.codes import CODED, source_of
from syncs.mapping.policies import DEFAULTS, policies_in_force
from syncs.models import (
    Application,
    Feed,
    Integration,
    Mapping,
    Policy,
    Problem,
    RemoteRecord,
    StoppedInvoice,
    Stream,
    SyncRecord,
)
from syncs.services.rules import BANK, is_fit

PAYS = ("payment_id", "connection_id", "target_id")


@dataclass(frozen=True, kw_only=True)
class InForce:
    """One decision that holds now: what, its value in words, and who made it, when and why."""

    what: str
    value: str
    since: datetime | None = None
    changed_by: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What the page of an integration shows beside its fields."""

    feeds: Sequence[Feed]
    streams: Sequence[Stream]
    mappings: Sequence[InForce]
    policies: dict[str, InForce]
    problems: Sequence[Problem]


def connections_of_role(role: str) -> QuerySet[Connection]:
    """Connections to providers that are this to us."""
    keys = [key for key, connector in connectors().items() if connector.role == role]
    found = Connection.objects.filter(provider__in=keys).select_related("tenant")
    return found.defer("credentials").order_by("tenant__name", "pk")


def accounts_to_map(integration: Integration) -> list[Account]:
    """The ERP's active accounts that can stand for something, each type together, by name; bank accounts first."""
    fit = [one for one in _accounts(integration) if one.active and any(is_fit(one, what) for what in Mapping.Subject)]
    return sorted(fit, key=lambda one: (one.type.lower() != BANK, one.type, one.name.lower()))


def overview(integration: Integration, *, now: datetime) -> Overview:
    """Everything about one integration at a glance."""
    return Overview(
        streams=list(Stream.objects.filter(integration=integration).select_related("schedule").order_by("pk")),
        feeds=list(
            Feed.objects.filter(connection__in=(integration.erp_id, integration.ap_network_id))
            .select_related("connection", "schedule")
            .defer("connection__credentials")
        ),
        mappings=_mappings(integration),
        policies=_policies(integration, now),
        problems=list(Problem.objects.filter(integration=integration, resolved_at=None)[:20]),
    )


def paused_work(tenant_id: int | None = None) -> list[Feed | Stream]:
    """What people have paused, of one tenant or of all, the longest first."""
    paused = {"paused": True} if tenant_id is None else {"paused": True, "tenant_id": tenant_id}
    feeds = Feed.objects.filter(**paused).select_related("connection", "tenant").defer("connection__credentials")
    streams = Stream.objects.filter(**paused).select_related("integration__erp", "integration__ap_network", "tenant")
    found: list[Feed | Stream] = [*feeds.order_by("paused_at")[:15], *streams.order_by("paused_at")[:15]]
    return found


def stories_of(records: Sequence[SyncRecord]) -> dict[int, int]:
    """The bill whose story tells of each delivery, by the id of that: the bill itself, or one that a payment pays."""
    told = {one.pk: one.remote_record_id for one in records if one.stream.kind == Kind.BILL}
    payments = {one.remote_record_id: one.pk for one in records if one.stream.kind == Kind.PAYMENT}
    rows = Application.objects.filter(payment_id__in=list(payments), target_kind=Kind.BILL).order_by("-place")
    paid = {payment: (connection, bill) for payment, connection, bill in rows.values_list(*PAYS)}
    invoices = RemoteRecord.objects.filter(
        connection_id__in={connection for connection, _ in paid.values()},
        kind=Kind.BILL,
        remote_id__in={bill for _, bill in paid.values()},
    )
    ids = {(connection, id): pk for connection, id, pk in invoices.values_list("connection_id", "remote_id", "pk")}
    return told | {payments[payment]: ids[bill] for payment, bill in paid.items() if bill in ids}


def stopped_invoices(problem: Problem) -> list[StoppedInvoice]:
    """The invoices and payments that stand still and that this problem is about."""
    return list(problem.stopped_invoices.select_related("remote_record")[:20])


def open_problems() -> str:
    """How many problems are open and not left as they are, in words short enough for a badge; nothing where there is
    none."""
    count = Problem.objects.filter(resolved_at=None, left_at=None)[:100].count()
    return "99+" if count > 99 else str(count or "")


def amounts(money: dict[str, int]) -> str:
    """Money by currency in minor units, in words."""
    return ", ".join(f"{from_minor_units(int(amount), currency):,} {currency}" for currency, amount in money.items())


def codes_to_map(integration: Integration) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The accounts and dimensions of the ERP that were not sent, and the network's own codes, each with its name."""
    known = RemoteRecord.objects.filter(tenant_id=integration.tenant_id, kind__in=CODED, gone="")
    sent = SyncRecord.objects.filter(stream__integration=integration, stream__kind__in=CODED).exclude(target_id="")
    ours = known.filter(connection_id=integration.erp_id).exclude(pk__in=sent.values("remote_record_id"))
    there = known.filter(connection_id=integration.ap_network_id).exclude(remote_id__in=sent.values("target_id"))
    return (
        [(source_of(Kind(row.kind), row.remote_id), _named(row)) for row in ours.order_by("kind", "name")],
        [(row.remote_id, _named(row)) for row in there.exclude(key="").order_by("kind", "name")],
    )


def _named(row: RemoteRecord) -> str:
    return f"{row.kind} {row.number} {row.name}"


def _mappings(integration: Integration) -> list[InForce]:
    sides = (integration.erp_id, integration.ap_network_id)
    shown = RemoteRecord.objects.filter(tenant_id=integration.tenant_id, connection__in=sides, kind__in=CODED)
    names = {(row.connection_id, row.remote_id): row.name for row in shown}
    rows = Mapping.objects.filter(integration=integration, valid_to=None).exclude(target="")
    return [_mapping(integration, row, names) for row in rows]


def _mapping(integration: Integration, row: Mapping, names: dict[tuple[int, str], str]) -> InForce:
    source, side = "every other way" if row.source == "*" else row.source, integration.erp_id
    if row.subject == Mapping.Subject.CODE:
        source, side = names.get((side, row.source.partition(":")[2]), row.source), integration.ap_network_id
    return InForce(
        what=f"{row.get_subject_display()}: {source}",
        value=f"{names.get((side, row.target), 'unknown')} ({row.target})",
        since=row.valid_from,
        changed_by=row.changed_by,
        why=row.why,
    )


def _policies(integration: Integration, now: datetime) -> dict[str, InForce]:
    values = policies_in_force(integration.pk, at=now)
    rows = {row.key: row for row in Policy.objects.filter(integration=integration, valid_to=None)}
    return {
        key: InForce(
            what=key,
            value=_in_words(values[key]),
            since=rows[key].valid_from if key in rows else None,
            changed_by=rows[key].changed_by if key in rows else "",
            why=rows[key].why if key in rows else "the default",
        )
        for key in DEFAULTS
    }


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _accounts(integration: Integration) -> list[Account]:
    bodies = RemoteRecord.objects.filter(
        tenant_id=integration.tenant_id, connection_id=integration.erp_id, kind=Kind.ACCOUNT, gone=""
    ).values_list("body", flat=True)
    accounts = [restore(Kind.ACCOUNT, body) for body in bodies]
    return [account for account in accounts if isinstance(account, Account)]
