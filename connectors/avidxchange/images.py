"""Images of invoices: one document per invoice, sent after it, found again by its hash.

How it is sent is the profile's choice: as the body of a request, as a part of a form, or inside of the invoice, which
then goes in once more as it stands there.
"""

import mimetypes
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from connectors.avidxchange.client import Client, batch_body
from connectors.avidxchange.contract import Profile
from connectors.avidxchange.faults import fault
from connectors.avidxchange.mapping import STOPPING
from connectors.avidxchange.results import decode_results
from connectors.avidxchange.wire import Row
from connectors.base import SHA256, Receipt, Write
from connectors.errors import ConnectorError, MappingError, RecordRejected
from connectors.http import digest
from connectors.records import Image, Ref

TIMEOUT = 120.0
READABLE = " !#$&'()+,;=@[]^`{}~"  # in the header that carries a file's name, beside letters, digits and _.-
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/tif": "image/tiff",
    "image/x-png": "image/png",
}
# What an invoice is sent with, so that it can be sent again as it stands there.
SENT = (
    "external_id", "document_type", "invoice_number", "vendor_external_id", "invoice_date", "due_date", "currency",
    "amount", "discount_amount", "discount_date", "po_number", "po_external_id", "customer_account_number",
    "description", "entity_external_id", "lines",
)  # fmt: skip


def refuse_unfit(profile: Profile, write: Write) -> None:
    """MappingError where this contract takes no image, or not this one."""
    image, content = _of(write)
    title = f"Image {image.file_name or image.id}"
    if not profile.takes_images:
        raise MappingError("AvidXchange's contract has no way to send images.", code="not_offered")
    if write.action in STOPPING:
        raise MappingError("AvidXchange's contract has no way to take an image back.", code="not_offered")
    if not image.of.id:
        raise MappingError(f"{title} has no invoice at AvidXchange.", code="reference_missing", missing="of")
    if not content:
        raise MappingError(f"{title} is empty in the ERP.", code="image_empty")
    if len(content) > profile.limits.image_bytes:
        most = profile.limits.image_bytes >> 20
        raise MappingError(
            f"{title} has {len(content) / (1 << 20):.1f} MiB; AvidXchange takes {most} at most.", code="image_too_large"
        )
    if content_type(image) not in profile.limits.image_types:
        raise MappingError(
            f"{title} is of type {content_type(image) or 'unknown'}; "
            f"AvidXchange takes {', '.join(profile.limits.image_types)}.",
            code="image_type_unsupported",
        )


def content_type(image: Image) -> str:
    """The image's type: as the ERP says, or as its name ends."""
    said = image.content_type.partition(";")[0].strip().lower()
    said = ALIASES.get(said, said)
    return (
        said if said.startswith("image/") or said.endswith("/pdf") else mimetypes.guess_type(image.file_name)[0] or ""
    )


def put_image(client: Client, write: Write, key: str) -> Receipt:
    """Send one image; sent again with the same bytes it changes nothing."""
    image, content = _of(write)
    sha = digest(content)
    try:
        if client.profile.strategies.image == "base64InInvoice":
            _submit_again(client, image, content, key)
            reply = None
        else:
            headers, body = encode_image(client.profile, image, content)
            reply = client.write("put_invoice_image", body, key, {"id": image.of.id}, headers, TIMEOUT)
    except RecordRejected as error:
        if error.code == "bill_locked":
            raise fault("image_locked", error.detail) from error
        raise
    held = client.profile.get("invoice", reply, "image_sha256")
    if held and str(held).lower() != sha:
        raise fault("image_damaged", f"{held} instead of {sha}")
    return Receipt(id=image.of.id, version=sha)


def encode_image(profile: Profile, image: Image, content: bytes) -> tuple[dict[str, str], bytes]:
    """The headers and the body of the request that an image is, where it is one of its own; pure."""
    type_name, name, sha = content_type(image), quote(image.file_name, safe=READABLE), digest(content)
    headers = {"Content-Type": type_name}
    for header, value in (("content_sha256", sha), ("file_name", name)):
        if called := profile.header(header):
            headers[called] = value
    if profile.strategies.image == "multipart":
        boundary, part = f"image-{sha[:32]}", profile.name("image_part", "file")
        name = re.sub(r'["\x00-\x1f]', "_", image.file_name)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        content = f"{head}Content-Type: {type_name}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    return headers, content


def _submit_again(client: Client, image: Image, content: bytes, key: str) -> None:
    profile = client.profile
    held = _invoices(client, [image.of]).get(image.of.id)
    if held is None:
        raise fault("not_there", image.of.id)
    item: dict[str, Any] = {}
    for name in SENT:
        if held.value(name) is not None:
            profile.put("invoice", item, name, held.value(name))
    profile.put("invoice", item, "image_content", b64encode(content).decode())
    profile.put("invoice", item, "image_content_type", content_type(image))
    profile.put("invoice", item, "image_file_name", image.file_name)
    body = batch_body(profile, "submit_invoices", [item], key)
    reply = client.write("submit_invoices", body, key, timeout=TIMEOUT)
    external_id = str(held.value("external_id"))
    outcome = decode_results(profile, "invoice", [external_id], reply)[external_id]
    if isinstance(outcome, ConnectorError):
        raise outcome


def look_up_images(client: Client, writes: Mapping[str, Write]) -> dict[str, Receipt | None]:
    """What became of these images, by record key; one whose hash was not written down was never sent."""
    held = _invoices(client, [_of(write)[0].of for write in writes.values()])
    found: dict[str, Receipt | None] = {}
    for key, write in writes.items():
        sha, invoice = write.context.get(SHA256, "").lower(), held.get(_of(write)[0].of.id)
        there = bool(sha) and invoice is not None and str(invoice.value("image_sha256") or "").lower() == sha
        found[key] = Receipt(id=_of(write)[0].of.id, version=sha) if there else None
    return found


def _invoices(client: Client, refs: list[Ref]) -> dict[str, Row]:
    rows = client.rows("list_invoices", "ids", sorted({ref.id for ref in refs if ref.id}))
    return {str(client.profile.get("invoice", raw, "id")): Row(client.profile, "invoice", raw) for raw in rows}


def _of(write: Write) -> tuple[Image, bytes]:
    assert isinstance(write.record, Image)
    return write.record, write.content or b""
