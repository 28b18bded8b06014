"""Webhooks: kept as they came, verified, and split by company; what they name is fetched later, by who reads.

Nothing here asks a provider. The body is committed before anybody looks at it; what it says stands in rows when the
provider is told that all is well, so that nothing is lost with a process.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from connectors.base import Delivered, Hint
from connectors.errors import AuthError, UnexpectedResponse
from connectors.models import App, Connection, WebhookDelivery
from connectors.models import Hint as KeptHint
from connectors.registry import connector_class

Outcome = WebhookDelivery.Outcome
SETTLED_KEPT = timedelta(days=8)  # beyond the days for which a provider delivers the same again
KEPT = timedelta(days=40)


def receive_webhook(*, app: App, delivered: Delivered, now: datetime) -> WebhookDelivery:
    """Keep a webhook and what it says has changed; its outcome says whether it was the provider's.

    Raises msgspec.ValidationError where the app's credentials cannot be read: then it has to come again.
    """
    digest = hashlib.sha256(delivered.body).hexdigest()
    delivery = WebhookDelivery.objects.create(
        tenant_id=app.tenant_id, app=app, at=now, outcome=Outcome.RECEIVED, digest=digest, body=delivered.body,
        hints=0, unknown=0, why="",
    )  # fmt: skip
    provider = connector_class(app.provider)
    try:
        said = provider.hints(delivered, msgspec.convert(app.credentials, provider.App))
    except AuthError as error:
        return _settled(delivery, Outcome.REFUSED, body=b"", why=str(error))
    except UnexpectedResponse as error:
        return _settled(delivery, Outcome.UNREADABLE, why=str(error))
    with transaction.atomic():
        unknown = _keep(app, delivery, [hint for hint in said if hint.kind in provider.reads], now)
        return _settled(delivery, Outcome.ACCEPTED, hints=len(said), unknown=unknown)


def _keep(app: App, delivery: WebhookDelivery, hints: Sequence[Hint], now: datetime) -> int:
    """Keep what is new of these, and have it fetched at once; how many are for companies that we do not know.

    An app speaks for the companies that signed in through it, and for no others.
    """
    known = Connection.objects.filter(app=app, account_id__in={hint.account_id for hint in hints})
    tenants = {
        account_id: (id, tenant_id)
        for account_id, id, tenant_id in known.exclude(status=Connection.Status.NEW).values_list(
            "account_id", "pk", "tenant_id"
        )
    }
    rows = []
    for hint in hints:
        connection_id, tenant_id = tenants.get(hint.account_id, (None, None))
        rows.append(
            KeptHint(
                tenant_id=tenant_id,
                connection_id=connection_id,
                app=app,
                account_id=hint.account_id,
                kind=hint.kind,
                remote_id=hint.id,
                merged_into=hint.merged_into,
                event=hint.event or delivery.digest,
                delivery_id=delivery.pk,
                received_at=now,
            )
        )
    KeptHint.objects.bulk_create(rows, ignore_conflicts=True)
    news = KeptHint.objects.filter(app=app, delivery_id=delivery.pk, connection__in=[id for id, _ in tenants.values()])
    _hasten({id for (id,) in news.values_list("connection_id") if id is not None}, now)
    return sum(row.connection_id is None for row in rows)


def _hasten(connection_ids: Collection[int], now: datetime) -> None:
    """Have these read at once; locked in the order of their ids, since others do the same."""
    rows = Connection.objects.filter(pk__in=connection_ids)
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    rows.update(webhook_at=now, hinted_at=Coalesce(F("hinted_at"), now))


def _settled(delivery: WebhookDelivery, outcome: Outcome, **facts: object) -> WebhookDelivery:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(outcome=outcome, **facts)
    delivery.outcome = outcome
    return delivery


def forget_old_hints(now: datetime) -> None:
    """Delete what was settled, and what nobody fetched for longer than any change stays unread."""
    settled = Q(settled_at__lt=now - SETTLED_KEPT)
    KeptHint.objects.filter(settled | Q(received_at__lt=now - KEPT)).delete()
