"""Reissues: the payment that replaces another waits until that one's posting is voided in the ERP."""

from collections.abc import Iterable

from django.db import connection as database

from connectors.records import AnyRecord, Payment
from syncs.delivery.slice import Slice

STANDS = """
SELECT old.remote_id FROM syncs_remoterecord old
JOIN syncs_syncrecord s ON s.tenant_id = old.tenant_id AND s.stream_id = %s AND s.remote_record_id = old.id
WHERE old.tenant_id = %s AND old.connection_id = %s AND old.kind = 'payment' AND old.remote_id = ANY(%s)
  AND (s.state IN ('sending', 'in_doubt')
       OR s.target_id <> '' AND s.state <> 'ignored' AND NOT (s.state = 'synced' AND old.status = 'reversed'))
"""


def not_yet_reversed(slice_: Slice, records: Iterable[AnyRecord]) -> set[str]:
    """Of the payments that these replace, those whose posting still stands or may stand."""
    replaced = sorted({one.reissue_of for one in records if isinstance(one, Payment) and one.reissue_of})
    if not replaced:
        return set()
    with database.cursor() as cursor:
        cursor.execute(STANDS, [slice_.stream.pk, slice_.tenant_id, slice_.source.pk, replaced])
        return {remote_id for (remote_id,) in cursor.fetchall()}
