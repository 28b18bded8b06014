"""What of a set is news: a reading that shows only what is known already writes nothing, however much it shows.

Nothing is locked for it: whoever writes the same record at this moment does so as if after us.
"""

from collections.abc import Mapping, Sequence

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Kind
from syncs.delivery.flows import FLOWS
from syncs.mirror.staging import Staged

KNOWN = """
SELECT kind, remote_id, fingerprint FROM syncs_remoterecord
WHERE tenant_id = %s AND connection_id = %s AND kind = ANY(%s) AND remote_id = ANY(%s)
"""

WANTED = """
SELECT record_key, wanted_fingerprint FROM syncs_syncrecord
WHERE tenant_id = %s AND stream_id = ANY(%s) AND record_key = ANY(%s)
"""

STREAMS = """
SELECT stream.kind, stream.id, CASE i.erp_id WHEN %s THEN 'erp' ELSE 'ap_network' END FROM syncs_stream stream
JOIN syncs_integration i ON i.id = stream.integration_id AND i.active AND %s IN (i.erp_id, i.ap_network_id)
WHERE stream.tenant_id = %s
"""


def streams_of(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
    """By kind, the active streams that deliver what this connection shows, and those that deliver into it.

    A company has one integration, so there is one of each at most.
    """
    with database.cursor() as cursor:
        cursor.execute(STREAMS, [connection.pk, connection.pk, connection.tenant_id])
        rows = cursor.fetchall()
    out = {kind: id for kind, id, role in rows if FLOWS[Kind(kind)].source == role}
    return out, {kind: id for kind, id, _ in rows if kind not in out}


def tell_news(
    connection: Connection, staged: Sequence[Staged], streams: Mapping[str, int]
) -> tuple[list[Staged], list[Staged]]:
    """What is known just so; and what is news: new, changed, or to be delivered otherwise than was wanted so far."""
    tenant, kinds = connection.tenant_id, sorted({one.kind for one in staged})
    delivered = [one.record_key for one in staged if one.delivery_fingerprint and one.kind in streams]
    with database.cursor() as cursor:
        cursor.execute(KNOWN, [tenant, connection.pk, kinds, [one.remote_id for one in staged]])
        seen = set(cursor.fetchall())
        if delivered:
            cursor.execute(WANTED, [tenant, list(streams.values()), delivered])
        wanted = set(cursor.fetchall()) if delivered else set()
    known = [one for one in staged if (one.kind, one.remote_id, one.fingerprint) in seen]
    settled = {
        one.record_key
        for one in known
        if not one.delivery_fingerprint
        or one.kind not in streams
        or (one.record_key, one.delivery_fingerprint) in wanted
    }
    return known, [one for one in staged if one.record_key not in settled]
