"""What a batch's reply says of each record that was sent: matched by external id, then by place.

A record that it does not speak of clearly is in doubt, never refused.
"""

from collections.abc import Sequence
from typing import Any

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.faults import fault, record_error
from connectors.avidxchange.wire import BadRow, Row
from connectors.base import Outcome, Receipt


def decode_results(profile: Profile, kind: str, keys: Sequence[str], reply: Any) -> dict[str, Outcome]:
    """The outcome of every record that was sent, by record key, out of a batch's reply."""
    told: dict[str, Row] = {}
    for place, result in enumerate(Row(profile, "batch_reply", reply).rows("results", "batch_result")):
        key = result.value("external_id")
        if key is None:
            index = result.value("index")
            at = index if isinstance(index, int) else place
            key = keys[at] if 0 <= at < len(keys) else None
        if isinstance(key, str):
            told.setdefault(key, result)
    return {key: _outcome(kind, told.get(key)) for key in keys}


def _outcome(kind: str, result: Row | None) -> Outcome:
    if result is None:
        return fault("answer_lost", "The reply does not speak of this record.", write=True)
    try:
        successful, id, version = result.truth("successful"), result.text("id"), result.text("version")
    except BadRow as error:
        return fault("answer_lost", str(error), write=True)
    if successful and id:
        return Receipt(id=id, version=version)
    if successful is False:
        return record_error(result.profile, kind, result.rows("errors", "record_error"))
    return fault("answer_lost", "The reply does not say whether this record was taken.", write=True)
