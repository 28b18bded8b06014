"""Looking after a connection's sign-in over years: renewed daily, watched, and its end told in time.

When a connection is looked at next stands in its row. Who takes it moves that on a little first, so that it is looked
at again if nobody comes to the end of it; looking twice does nothing twice.
"""

from datetime import datetime, timedelta

from django.db import connection as database

from connectors.attention import needs_attention
from connectors.conversation import Conversation, Effects, Steps
from connectors.errors import AuthError, ConnectorError
from connectors.expiries import warn
from connectors.expiry_mail import send_notices
from connectors.models import Connection, ExpiryNotice
from connectors.tokens import StoredTokens, token_of

EVERY = timedelta(hours=6)
RENEW_AFTER = timedelta(hours=16)  # with the time between two looks less than a day
AFTER_FAILURE = timedelta(hours=1)
TAKEN_FOR = timedelta(minutes=15)
AT_ONCE = 50

TAKE = """
UPDATE connectors_connection SET upkeep_at = %(until)s WHERE id IN (
    SELECT c.id FROM connectors_connection c JOIN connectors_tenant t ON t.id = c.tenant_id AND t.active
    WHERE c.status <> 'new' AND (c.upkeep_at IS NULL OR c.upkeep_at <= %(now)s)
    ORDER BY c.upkeep_at NULLS FIRST LIMIT %(at_once)s FOR NO KEY UPDATE OF c SKIP LOCKED
) RETURNING id
"""


def take_due(now: datetime) -> list[int]:
    """Take the connections whose sign-in is to be looked at now."""
    with database.cursor() as cursor:
        cursor.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "at_once": AT_ONCE})
        return sorted(id for (id,) in cursor.fetchall())


def look_after(connection_id: int, effects: Effects) -> Steps[None]:
    """Renew the sign-in if nobody has for most of a day, and warn of its end."""
    connection = Connection.objects.select_related("app", "tenant").get(pk=connection_id)
    taken, every = connection.upkeep_at, EVERY
    if not (yield from _renewed(connection, effects)):
        every = AFTER_FAILURE
    connection.refresh_from_db(fields=["status"])
    warn(connection, effects.clock.now())
    yield "warned"
    yield from send_notices(connection, effects.clock)
    now = effects.clock.now()
    waiting = ExpiryNotice.objects.filter(connection=connection, sent_at=None, closed_at=None)
    sooner = waiting.order_by("claimed_until").values_list("claimed_until", flat=True).first()
    # Whoever wants it looked at sooner has changed it meanwhile: that stands.
    row = Connection.objects.filter(pk=connection_id, upkeep_at=taken)
    row.update(upkeep_at=min(now + every, max(sooner or now + every, now)))


def _renewed(connection: Connection, effects: Effects) -> Steps[bool]:
    """Refresh what nobody has used; False where that has to be tried again soon.

    Also while a person has paused the connection: it must be there when it is resumed.
    """
    token, now = token_of(connection), effects.clock.now()
    usable = connection.status in (Connection.Status.CONNECTED, Connection.Status.PAUSED) and not connection.attention
    if not usable or token is None or token.obtained_at is None or now - token.obtained_at < RENEW_AFTER:
        return True
    conversation = Conversation(connection=connection, effects=effects, trace_id=f"upkeep-{connection.pk}")
    try:
        held = StoredTokens.of(connection).load()
        if held.refresh_token:
            yield from conversation.token(rejected=held.access_token)
    except AuthError as error:
        needs_attention(connection, error, now=effects.clock.now())
    except ConnectorError:
        return False
    finally:
        conversation.kept_exchanges()
    return True
