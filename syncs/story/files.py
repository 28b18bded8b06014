"""A bill's files: where each stands on its way to the network, why, and which one the network has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.records import Bill, Image, KeptImage, Kind, restore
from syncs.models import Problem, RemoteRecord, SyncRecord
from syncs.states import State

WORDS: Mapping[State, tuple[str, str]] = {
    State.PENDING: ("Waiting to be sent", "info"),
    State.SENDING: ("Being sent", "info"),
    State.IN_DOUBT: ("Sent, answer lost: being looked up", "warn"),
    State.WAITING: ("Waiting", "info"),
    State.HELD: ("Refused", "bad"),
    State.OUT_OF_SCOPE: ("Not sent", "none"),
    State.IGNORED: ("Not sent: ignored by a person", "none"),
}
TYPES = {
    "application/pdf": "PDF",
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/tif": "TIFF",
}
CHECKS = {
    "pending": ("Sent; its check is not over", "info"),
    "rejected": ("Refused after its check", "bad"),
}


@dataclass(frozen=True, kw_only=True)
class File:
    """One file as the page shows it; `there` says that it is the one that the network has."""

    name: str
    type: str
    size: str
    words: str
    tone: str
    reason: str = ""
    at: datetime | None = None
    there: bool = False
    problem: Problem | None = None


def files_of(bill: RemoteRecord, delivery: SyncRecord | None, invoice: RemoteRecord | None) -> list[File]:
    """The files of a bill that are there or are at the network, the newest first."""
    images = list(
        RemoteRecord.objects.filter(
            tenant_id=bill.tenant_id, connection_id=bill.connection_id, kind=Kind.IMAGE, party_id=bill.remote_id
        )
    )
    sent = SyncRecord.objects.filter(
        tenant_id=bill.tenant_id, remote_record_id__in=[one.pk for one in images], stream__kind=Kind.IMAGE
    ).select_related("problem")
    if delivery is not None:
        sent = sent.filter(stream__integration_id=delivery.stream.integration_id)
    deliveries = {one.remote_record_id: one for one in sent}
    kept = _kept(invoice)
    there = _there([one for one in deliveries.values() if one.target_id], kept)
    files = [
        (one.modified_at or one.seen_at, _file(one, deliveries.get(one.pk), kept, there == one.pk))
        for one in images
        if not one.gone or there == one.pk
    ]
    return [file for _, file in sorted(files, key=lambda dated: dated[0], reverse=True)]


def _kept(invoice: RemoteRecord | None) -> KeptImage | None:
    """What the network says that it has, where its contract says so."""
    record = restore(Kind.BILL, invoice.body) if invoice is not None else None
    return record.image if isinstance(record, Bill) and isinstance(record.image, KeptImage) else None


def _there(sent: Sequence[SyncRecord], kept: KeptImage | None) -> int | None:
    """The file that the network has: the one with the hash that it shows, else the last that it took."""
    if kept is not None and kept.sha256:
        sent = [one for one in sent if one.target_version == kept.sha256]
    taken = [(one.synced_at, one.remote_record_id) for one in sent if one.synced_at]
    return max(taken)[1] if taken else None


def _file(image: RemoteRecord, delivery: SyncRecord | None, kept: KeptImage | None, there: bool) -> File:
    record = restore(Kind.IMAGE, image.body)
    assert isinstance(record, Image)
    words, tone, reason = ("Not sent: no integration takes files of this company", "none", "")
    if delivery is not None:
        words, tone = WORDS.get(State(delivery.state), ("Sent", "good"))
        reason = delivery.reason
    if there and kept is not None and kept.status in CHECKS:
        words, tone = CHECKS[kept.status]
    ending = record.file_name.rpartition(".")[2].upper() if "." in record.file_name else ""
    return File(
        name=record.file_name or "without a name",
        type=TYPES.get(record.content_type.partition(";")[0].strip().lower(), "") or ending or "type not given",
        size=_size(record.size),
        words=f"Removed from the ERP; {words[:1].lower()}{words[1:]}" if image.gone else words,
        tone=tone,
        reason=reason,
        at=delivery.synced_at if delivery and delivery.target_id else None,
        there=there,
        problem=delivery.problem if delivery else None,
    )


def _size(size: int) -> str:
    """Bytes as people read them."""
    if not size:
        return "size not given"
    if size < 1 << 10:
        return f"{size} bytes"
    return f"{size / (1 << 20):.1f} MB" if size >= 1 << 20 else f"{size / (1 << 10):.0f} kB"
