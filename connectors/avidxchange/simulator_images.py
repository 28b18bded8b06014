"""Images of the simulated network: what is accepted, by whichever strategy, and the check that follows a minute later.

Public: PDF, 10 MB at most, one document per invoice. Assumed: the other types, that the digest has to be sent, that a
first image is taken until an invoice is cancelled and another one in its place until it is approved, that a check which
finds a virus (here the EICAR test text) rejects an image, that a rejected one may be sent anew, and that an invoice
which carries its image inside and is changed without it loses it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.message import Message
from typing import Final

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.simulator_books import Company, Image, Record, RequestRefused
from connectors.simulators import Request

CHECK: Final = timedelta(minutes=1)
VIRUS: Final = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
BEGINNINGS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "application/pdf": (b"%PDF-",),
    "image/tiff": (b"II*\0", b"MM\0*"),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
}


def read_upload(request: Request, profile: Profile) -> tuple[Image, str | None]:
    """The image in a request of its own, and the digest that it came with."""
    header = profile.header("content_sha256")
    digest = request.headers.get(header.lower()) if header else None
    if header and digest is None:
        raise RequestRefused(400, "malformed_request", "The digest of the image is missing.", header)
    content_type = request.headers.get("content-type", "")
    if profile.strategies.image == "multipart":
        return _read_part(request.body, content_type, profile.name("image_part", "file")), digest
    name_header = profile.header("file_name")
    file_name = request.headers.get(name_header.lower()) if name_header else None
    return Image(content=request.body, content_type=content_type.partition(";")[0], file_name=file_name), digest


def _read_part(body: bytes, content_type: str, name: str) -> Image:
    """The part of a form that is called so."""
    boundary = _headers(f"content-type: {content_type}".encode()).get_param("boundary")
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = _headers(head)
        if headers.get_param("name", header="content-disposition") == name:
            content = content.removesuffix(b"\r\n")
            return Image(content=content, content_type=headers.get_content_type(), file_name=headers.get_filename())
    raise RequestRefused(400, "malformed_request", f"A form with a part {name} is expected.")


def _headers(lines: bytes) -> Message:
    message = Message()
    for line in lines.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        message[name] = value.strip()
    return message


def check_image(image: Image, digest: str | None, profile: Profile) -> None:
    """Refuse what is too large, of another type or not what it says it is."""
    if len(image.content) > profile.limits.image_bytes:
        raise RequestRefused(413, "image_too_large", f"At most {profile.limits.image_bytes} bytes.")
    if image.content_type not in profile.limits.image_types:
        raise RequestRefused(415, "image_type_unsupported", f"{image.content_type} is not a type of image.")
    if not image.content.startswith(BEGINNINGS.get(image.content_type, (b"",))) or not image.content:
        raise RequestRefused(422, "image_unreadable", "The document cannot be opened.")
    if digest is not None and digest.lower() != hashlib.sha256(image.content).hexdigest():
        raise RequestRefused(422, "image_unreadable", "The document is not the one that the digest is of.")


def put_image(company: Company, invoice: Record, image: Image, now: datetime) -> int:
    """Keep an image with its invoice: 201 for a first one, 200 for the same one again or another in its place."""
    digest = hashlib.sha256(image.content).hexdigest()
    first = invoice["image_status"] in ("none", "rejected")
    if not first and invoice["image_sha256"] == digest:
        return 200
    if invoice["workflow_status"] == "cancelled" or (not first and invoice["approved_at"] is not None):
        raise RequestRefused(409, "invoice_locked", "The image cannot be changed any more.")
    shown = {"image_status": "pending", "image_sha256": digest, "image_content_type": image.content_type}
    company.invoices.change(invoice, {**shown, "image_size": len(image.content)}, now)
    company.images[invoice["id"]] = image
    company.images_in_check[invoice["id"]] = now + CHECK
    return 201 if first else 200


def drop_image(company: Company, invoice: Record, now: datetime) -> None:
    """An invoice that is sent anew without the document that it carried has none."""
    if company.images.pop(invoice["id"], None) is not None:
        company.images_in_check.pop(invoice["id"], None)
        company.invoices.change(invoice, {"image_status": "none", "image_sha256": None}, now)


def finish_checks(company: Company, now: datetime) -> None:
    """The checks that are over by now have their result, as of when they were over."""
    for invoice_id, over in list(company.images_in_check.items()):
        if over <= now:
            del company.images_in_check[invoice_id]
            status = "rejected" if VIRUS in company.images[invoice_id].content else "stored"
            company.invoices.change(company.invoices[invoice_id], {"image_status": status}, over)


def stored_image(company: Company, invoice: Record) -> Image:
    """The image of an invoice, once it has passed its check."""
    if invoice["image_status"] != "stored":
        raise RequestRefused(404, "not_found", "The invoice has no image.")
    return company.images[invoice["id"]]
