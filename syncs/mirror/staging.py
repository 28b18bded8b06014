"""The staging table: a set of observed records brought into the database by one COPY, for statements to work on."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from connectors.records import Day

STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS observed (
    kind text, remote_id text, version text, version_number bigint, modified_at timestamptz, fingerprint text,
    gone text, merged_into text, number text, name text, party_id text, date date, due_date date, currency text,
    amount_minor bigint, balance_minor bigint, status text, key text, body text,
    record_key text, delivery_fingerprint text, trace_id text,
    PRIMARY KEY (remote_id, kind)
) ON COMMIT DELETE ROWS;
DELETE FROM observed;
"""


class Staged(NamedTuple):
    """One row of the table, in the order of its columns; from `number` to `key` that of `Columns`."""

    kind: str
    remote_id: str
    version: str
    version_number: int | None
    modified_at: datetime | None
    fingerprint: str
    gone: str
    merged_into: str
    number: str
    name: str
    party_id: str
    date: Day | None
    due_date: Day | None
    currency: str
    amount_minor: int | None
    balance_minor: int | None
    status: str
    key: str
    body: str
    record_key: str
    delivery_fingerprint: str
    trace_id: str


_kept = Staged._fields[: Staged._fields.index("body")]
KEPT = ", ".join(_kept)  # the columns that a remote record has under the same names
# What a webhook said of a merge stays, though no reading says it, unless its record is in use again.
_MERGED_INTO = """CASE WHEN excluded.merged_into <> '' OR excluded.gone = '' AND excluded.status = 'active'
    THEN excluded.merged_into ELSE r.merged_into END"""
KEPT_ANEW = ", ".join(_MERGED_INTO if name == "merged_into" else f"excluded.{name}" for name in _kept)


def bring(cursor: Any, rows: Iterable[Staged]) -> None:
    """Fill the table with these rows and no others, in the caller's transaction."""
    cursor.execute(STAGING)
    with cursor.copy("COPY observed FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
