"""How it came about, from the attempts that stand in our rows and from what was seen on the wire."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise

from audit.models import Event
from connectors.registry import connector_class
from syncs.models import Attempt, SyncRecord
from tests.simulation.faults import FaultyTransport, Sent
from tests.simulation.world import World

UNSETTLED = ("", "in doubt")
POSTINGS = ("/billpayment", "/vendorcredit")
LOOKED_UP = ("in doubt", "found", "absent")
UPSERTS = {"upsert_vendors": "vendor", "upsert_gl_accounts": "gl_account", "submit_invoices": "invoice"}


def attempts(world: World) -> Iterator[str]:
    """One try at a time, each revision under one key of its own, and nothing is looked up too early."""
    records = {
        record.pk: record for record in SyncRecord.objects.select_related("stream__integration", "remote_record")
    }
    told = Event.objects.filter(verb="attempt_started").count()
    if told != Attempt.objects.count():
        yield f"the audit tells of {told} attempts, there were {Attempt.objects.count()}"
    for record_id, group in groupby(Attempt.objects.order_by("sync_record_id", "id"), lambda one: one.sync_record_id):
        record, tries = records[record_id], list(group)
        yield from _in_turn(world, record, tries)
        yield from _keys(record, tries)


def _in_turn(world: World, record: SyncRecord, tries: list[Attempt]) -> Iterator[str]:
    target = world.integration.erp if record.stream.kind == "payment" else world.integration.ap_network
    doubt = connector_class(target.provider).limits.timeout
    for before, after in pairwise(tries):
        if before.outcome in UNSETTLED or before.ended_at is None:
            yield f"{record}: attempt {after.pk} began while {before.pk} was not settled"
        elif before.outcome == "absent" and (before.ended_at - before.deadline).total_seconds() < doubt:
            yield f"{record}: attempt {before.pk} was given up {before.ended_at - before.deadline} after its deadline"
    if tries[-1].outcome in UNSETTLED and record.attempt_id != tries[-1].pk:
        yield f"{record}: attempt {tries[-1].pk} was never settled"


def _keys(record: SyncRecord, tries: list[Attempt]) -> Iterator[str]:
    kept: dict[tuple[int, str, str], set[str]] = {}
    for one in tries:
        kept.setdefault((one.revision, one.action, one.link_version), set()).add(one.request_key)
    keys = [key for several in kept.values() for key in several]
    if len(keys) != len(kept) or len(set(keys)) != len(keys):
        yield f"{record}: its request keys are {kept}"
    # Sent once more over another version is what a comparison found to stand otherwise there.
    accepted = Counter((one.revision, one.action, one.link_version) for one in tries if one.outcome == "accepted")
    for (revision, *_), times in sorted(accepted.items()):
        if times > 1:
            yield f"{record}: revision {revision} was accepted {times} times"


def wire(world: World) -> Iterator[str]:
    """Whatever left, left between the beginning and the deadline of an attempt to send just that."""
    if not isinstance(world.wire, FaultyTransport):
        return
    by_request: dict[str, list[Attempt]] = {}
    by_record: dict[str, list[Attempt]] = {}
    for one in Attempt.objects.all():
        by_request.setdefault(one.request_key, []).append(one)
        by_record.setdefault(one.record_key, []).append(one)
    for sent in world.wire.sent:
        concerned = [by_request.get(_request_key(sent), [])] if sent.url.path.endswith(POSTINGS) else []
        concerned += [by_record.get(key, []) for key in _batched(world, sent)]
        for tries in concerned:
            at_work = [one for one in tries if one.started_at <= sent.at <= one.deadline]
            what = f"{sent.url.path} at {sent.at:%H:%M:%S}"
            if not at_work:
                yield f"{what} left when nobody was to send it"
            elif sent in world.wire.lost and not any(one.outcome in LOOKED_UP for one in at_work):
                yield f"the answer to {what} was lost, and nobody looked: {[one.outcome for one in at_work]}"


def _request_key(sent: Sent) -> str:
    """The attempt's request key: what is sent for a part or a discount of a payment has its own ending."""
    return str(sent.url.params["requestid"])[:36]


def _batched(world: World, sent: Sent) -> list[str]:
    """The record keys of a batch that was sent to the network."""
    profile = world.avidxchange.profile
    for name, kind in UPSERTS.items():
        if not profile.offers(name):
            continue
        operation = profile.operation(name)
        if sent.method == operation.method and sent.url.path.endswith(operation.path):
            items = json.loads(sent.body)[operation.items]
            return [str(profile.get(kind, item, "external_id")) for item in items]
    return []
