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
