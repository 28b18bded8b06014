"""Intuit's limits per company: 500 requests a minute and 10 a second by an app, 40 batches a minute, 120 by all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

LIMITS = {"minute": (500, 60.0), "second": (10, 1.0), "batches": (40, 60.0), "batches of all": (120, 60.0)}


@dataclass
class Bucket:
    """Permits that come back evenly."""

    level: float
    at: datetime


class Throttle:
    """Counts requests and says when there were too many."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def allows(self, client_id: str, realm_id: str, is_batch: bool, now: datetime) -> bool:
        """Take a permit of every limit that counts this request; nothing is taken where one is used up."""
        kinds = [("minute", client_id), ("second", client_id)]
        if is_batch:
            kinds += [("batches", client_id), ("batches of all", "")]
        buckets = [self._filled((kind, realm_id, owner), now) for kind, owner in kinds]
        if not all_have_one(buckets):
            return False
        for bucket in buckets:
            bucket.level -= 1
        return True

    def _filled(self, key: tuple[str, ...], now: datetime) -> Bucket:
        size, seconds = LIMITS[key[0]]
        bucket = self._buckets.setdefault(key, Bucket(size, now))
        passed = max(0.0, (now - bucket.at).total_seconds())
        bucket.level = min(size, bucket.level + passed * size / seconds)
        bucket.at = now
        return bucket


def all_have_one(buckets: Iterable[Bucket]) -> bool:
    """Whether each bucket still holds a permit."""
    return all(bucket.level >= 1 for bucket in buckets)
