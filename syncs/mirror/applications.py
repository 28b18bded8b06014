"""The applications of payments as rows: one payment × one bill, on each side in that side's own ids."""

from collections.abc import Mapping

from django.db import connection as database

from connectors.models import Connection
from connectors.records import Payment, minor_units

KEEP = """
WITH given AS (
    SELECT * FROM unnest(%(remote_ids)s::text[], %(places)s::int[], %(kinds)s::text[], %(targets)s::text[],
        %(currencies)s::text[], %(gross)s::bigint[], %(discount)s::bigint[], %(net)s::bigint[])
        AS given (remote_id, place, target_kind, target_id, currency, gross, discount, net)
), payment AS (
    SELECT id, remote_id FROM syncs_remoterecord
    WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s AND kind = 'payment'
      AND remote_id = ANY(%(payments)s) AND fingerprint = ANY(%(fingerprints)s)
), removed AS (
    DELETE FROM syncs_application a USING payment
    WHERE a.tenant_id = %(tenant)s AND a.payment_id = payment.id AND NOT EXISTS (
        SELECT FROM given WHERE given.remote_id = payment.remote_id AND given.place = a.place
    )
)
INSERT INTO syncs_application
    (tenant_id, connection_id, payment_id, place, target_kind, target_id,
     currency, gross_minor, discount_minor, net_minor)
SELECT %(tenant)s, %(connection)s, payment.id, place, target_kind, target_id, currency, gross, discount, net
FROM given JOIN payment USING (remote_id)
ON CONFLICT (tenant_id, payment_id, place) DO UPDATE SET
    target_kind = excluded.target_kind, target_id = excluded.target_id, currency = excluded.currency,
    gross_minor = excluded.gross_minor, discount_minor = excluded.discount_minor, net_minor = excluded.net_minor
"""


def keep_applications(connection: Connection, payments: Mapping[str, Payment]) -> None:
    """Bring the rows in line with what these payments say, given by their fingerprints, in the caller's transaction.

    One that was not kept, since a newer answer is known already, changes nothing here either.
    """
    if not payments:
        return
    given = [
        (payment.id, place, application, payment.currency)
        for payment in payments.values()
        for place, application in enumerate(payment.applications)
    ]
    with database.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": connection.tenant_id,
                "connection": connection.pk,
                "payments": [payment.id for payment in payments.values()],
                "fingerprints": list(payments),
                "remote_ids": [payment_id for payment_id, _, _, _ in given],
                "places": [place for _, place, _, _ in given],
                "kinds": [str(application.target.kind) for _, _, application, _ in given],
                "targets": [application.target.id for _, _, application, _ in given],
                "currencies": [currency for _, _, _, currency in given],
                "gross": [minor_units(application.gross, currency) for _, _, application, currency in given],
                "discount": [minor_units(application.discount, currency) for _, _, application, currency in given],
                "net": [minor_units(application.net, currency) for _, _, application, currency in given],
            },
        )
