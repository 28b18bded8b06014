"""A payment that a person has linked to one of the ERP, which is not ours: nothing of it is ever written there.

What becomes of either of the two is still followed: when they come apart, somebody is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Kind, Payment, Phase
from syncs.delivery.planned import Claim
from syncs.delivery.slice import Slice
from syncs.delivery.verdict import Verdict
from syncs.keys import fingerprint
from syncs.models import Decision, RemoteRecord
from syncs.states import State
from syncs.streams import lock_streams, make_due

GONE = "gone"  # stands for the version of what is not there any more
# `version_of` in SQL
VERSION = f"CASE WHEN there.gone <> '' THEN '{GONE}' ELSE coalesce(nullif(there.version, ''), there.fingerprint) END"
LIVE = (Phase.PENDING, Phase.EXECUTED)

APART = f"""
SELECT s.id, s.stream_id FROM syncs_decision d
JOIN syncs_syncrecord s ON s.id = d.sync_record_id AND s.state IN ('synced', 'held')
JOIN syncs_stream stream ON stream.id = s.stream_id
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active AND i.erp_id = %(connection)s
JOIN syncs_remoterecord there ON there.tenant_id = d.tenant_id AND there.connection_id = i.erp_id
    AND there.kind = 'payment' AND there.remote_id = d.target_id
WHERE d.tenant_id = %(tenant)s AND d.what = 'link' AND d.ended_at IS NULL
  AND {VERSION} <> s.target_version
"""
LOOK_AGAIN = """
UPDATE syncs_syncrecord SET state = 'pending', attempts = 0, next_attempt_at = %(now)s
WHERE id = ANY(%(ids)s) AND state IN ('synced', 'held')
"""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """The payment of the ERP that stands for one of the network: as it was linked, and as it is."""

    id: str
    money: str
    version: str
    stands: bool


def money_of(payment: Payment) -> str:
    """What has to stay as it was for the link to hold: the amount, and which bills it settles."""
    parts = sorted((one.target.id, str(one.gross), str(one.net)) for one in payment.applications)
    return fingerprint(f"{payment.amount} {payment.currency} {parts}")


def version_of(there: RemoteRecord) -> str:
    """The version of what a payment is linked to, which changes too when it goes."""
    return GONE if there.gone else there.version or there.fingerprint


def links_of(slice_: Slice, ids: Sequence[int]) -> Mapping[int, Linked]:
    """Of these deliveries, those that a person has linked to a payment of the ERP."""
    if slice_.kind is not Kind.PAYMENT:
        return {}
    links = Decision.objects.filter(sync_record_id__in=ids, what=Decision.What.LINK, ended_at=None)
    known = dict(links.values_list("sync_record_id", "target_id"))
    if not known:
        return {}
    there = {
        one.remote_id: one
        for one in RemoteRecord.objects.filter(
            tenant_id=slice_.tenant_id, connection=slice_.target, kind="payment", remote_id__in=known.values()
        )
    }
    return {
        link.sync_record_id: Linked(
            id=link.target_id,
            money=link.money,
            version=version_of(found) if (found := there.get(link.target_id)) else GONE,
            stands=found is not None and not found.gone and found.status != Phase.REVERSED,
        )
        for link in links
    }


def judge_linked(one: Claim, link: Linked) -> Verdict:
    """Where a linked payment stands: in step as long as both are what they were, or both are no more. Pure."""
    payment = one.record
    assert isinstance(payment, Payment)
    live = payment.phase in LIVE and not one.gone
    theirs = f"payment {link.id} of the ERP, to which it was linked and which is not ours"
    if payment.phase is Phase.UNKNOWN:
        code, reason = "payment_status_unknown", f'Its status is "{payment.status}", which we do not know.'
    elif not live and link.stands:
        code, reason = "linked_taken_back", f'Its status is "{payment.status}", and {theirs}, stands.'
    elif live and not link.stands:
        code, reason = "linked_gone", f"The {theirs}, was voided or deleted there."
    elif live and money_of(payment) != link.money:
        code, reason = "linked_changed", f"Its amount or its bills are not those of {theirs}."
    else:
        return one.verdict(
            State.SYNCED,
            settles=True,
            fingerprint=one.wanted_fingerprint,
            code="linked",
            reason=f"A person linked it to payment {link.id} of the ERP, which is not ours.",
            verb="delivery_skipped",
            target_version=link.version,
        )
    return one.verdict(State.HELD, code=code, reason=reason, needs_somebody=True, target_version=link.version)


def look_at_links(connection: Connection, *, now: datetime) -> None:
    """Make due what is linked to a payment of this ERP that has changed, in the caller's transaction."""
    concerned = {"connection": connection.pk, "tenant": connection.tenant_id}
    with database.cursor() as cursor:
        cursor.execute(APART, concerned)
        rows = cursor.fetchall()
        if rows:
            streams = {stream_id for _, stream_id in rows}
            lock_streams(streams)
            cursor.execute(LOOK_AGAIN, {"now": now, "ids": [id for id, _ in rows]})
            make_due(streams, now=now)
