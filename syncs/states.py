"""Where a delivery can stand. Pure."""

from enum import StrEnum


class State(StrEnum):
    """The states of a sync record; `LABELS` says them in words."""

    PENDING = "pending"
    SENDING = "sending"
    SYNCED = "synced"
    IN_DOUBT = "in_doubt"
    WAITING = "waiting"
    HELD = "held"
    OUT_OF_SCOPE = "out_of_scope"
    IGNORED = "ignored"


LABELS = {
    State.PENDING: "to be sent",
    State.SENDING: "being sent",
    State.SYNCED: "in step",
    State.IN_DOUBT: "sent, answer lost: being looked up",
    State.WAITING: "waiting for another record",
    State.HELD: "held: needs a person",
    State.OUT_OF_SCOPE: "out of scope by a rule",
    State.IGNORED: "ignored by a person",
}


def stays_held(row: str) -> str:
    """In SQL: whether what this row is held for stays with its person although more is wanted: the ERP holds a payment
    otherwise than we left it. One that the network has taken back goes on."""
    lives = (
        "EXISTS (SELECT FROM syncs_remoterecord paid WHERE paid.id = s.remote_record_id AND paid.status <> 'reversed')"
    )
    theirs = f"{row}.code IN ('posting_gone', 'not_as_sent')"
    return f"({row}.state = 'held' AND ({row}.code = 'posted_twice' OR {theirs} AND {lives}))"
