"""Images: the newest that the AP network takes goes with its bill; its bytes come from the ERP just before that."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
from django.db import transaction

from connectors.base import SHA256, Connector
from connectors.conversation import Job, Steps
from connectors.errors import RecordRejected
from connectors.records import AnyRecord, Image, Kind, restore
from syncs.delivery.planned import Planned
from syncs.delivery.preflight import Checked
from syncs.delivery.slice import Slice
from syncs.delivery.source import ask_source
from syncs.models import Attempt, RemoteRecord
from syncs.states import State

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def not_to_send(slice_: Slice, records: Sequence[AnyRecord]) -> dict[str, str]:
    """Why each of these images is not sent, by id: the network does not take it, or it takes a newer one."""
    images = [record for record in records if isinstance(record, Image)]
    if not images:
        return {}
    network = slice_.talk.connector("")
    beside = RemoteRecord.objects.filter(
        tenant_id=slice_.tenant_id,
        connection=slice_.source,
        kind=Kind.IMAGE,
        party_id__in={image.of.id for image in images},
        gone="",
    )
    newest: dict[str, Image] = {}
    for image in (restore(Kind.IMAGE, row.body) for row in beside):
        assert isinstance(image, Image)
        if not network.image_refusal(image) and (image.of.id not in newest or _age(newest[image.of.id]) < _age(image)):
            newest[image.of.id] = image
    reasons = {}
    for image in images:
        if refusal := network.image_refusal(image):
            reasons[image.id] = refusal
        elif (newer := newest.get(image.of.id, image)).id != image.id:
            reasons[image.id] = f"{newer.file_name} is newer: the AP network keeps one for each bill."
    return reasons


def open_images(slice_: Slice, planned: Sequence[Planned]) -> Steps[Checked]:
    """The steps that bring the bytes of these from the ERP; one that it does not give is held and harms no other."""
    checked = Checked()
    for one in planned:
        try:
            content = yield from ask_source(slice_, _reading(one.claim.record))
        except RecordRejected as error:
            verdict = one.verdict(
                State.HELD, outcome="not sent", code=error.code, reason=str(error), needs_somebody=True
            )
            checked.verdicts.append(verdict)
        else:
            context = {**one.write.context, SHA256: sha256(content).hexdigest()}
            checked.cleared.append(replace(one, write=replace(one.write, content=content, context=context)))
        yield "image read"
    _write_down(slice_, checked.cleared)
    yield "images written down"
    return checked


def _write_down(slice_: Slice, opened: Sequence[Planned]) -> None:
    """By its hash an image is found again if the answer is lost: it stands in the attempt before anything is sent."""
    with transaction.atomic():
        slice_.lease.check(slice_.now())
        for one in opened:
            rows = Attempt.objects.filter(tenant_id=slice_.tenant_id, pk=one.attempt_id)
            rows.update(context=msgspec.json.encode(one.write.context).decode())


def _reading(image: AnyRecord) -> Job[bytes]:
    def read(connector: Connector) -> bytes:
        assert isinstance(image, Image)
        return b"".join(connector.open(image))

    return read


def _age(image: Image) -> tuple[datetime, int, str]:
    return image.modified_at or LONG_AGO, len(image.id), image.id
