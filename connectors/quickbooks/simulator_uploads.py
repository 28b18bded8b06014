"""Uploading files: parts in pairs, metadata and content of the same number, each answered for itself."""

from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import msgspec

from connectors.quickbooks.simulator_attachments import shown
from connectors.quickbooks.simulator_books import create, update
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body, Refusal
from connectors.quickbooks.simulator_multipart import Part, Unreadable, read_parts

LARGEST_UPLOAD = 100 * 1024 * 1024
EXTENSIONS = {
    *("ai", "csv", "doc", "docx", "eps", "gif", "jpeg", "jpg", "ods", "pdf"),
    *("png", "rtf", "tif", "tiff", "txt", "xls", "xlsx", "xml"),
}
ATTACHABLE = ENTITIES["Attachable"]

read_json = msgspec.json.Decoder(float_hook=Decimal).decode


def upload(act: Act, content_type: str, body: bytes) -> Body:
    """The answer to an upload: an attachment or a fault for each file."""
    if "multipart/form-data" not in content_type.lower():
        raise Refusal("1050", "Invalid content type", "Send multipart/form-data.", status=415)
    if len(body) > LARGEST_UPLOAD:
        raise Refusal("6030", "Upload size exceeds limit", "At most 100 MB can be uploaded at once.")
    try:
        parts = read_parts(content_type, body)
    except Unreadable as problem:
        raise _invalid(str(problem)) from None
    metadata = {_number(part): part for part in parts if part.name.startswith("file_metadata")}
    contents = [part for part in parts if part.name.startswith("file_content")]
    if not contents:
        raise Refusal("6020", "Content length missing", "Send the content of at least one file.")
    return {"AttachableResponse": [_answered(act, metadata.get(_number(part)), part) for part in contents]}


def _number(part: Part) -> str:
    return part.name.rpartition("_")[2]


def _invalid(reason: str) -> Refusal:
    return Refusal("6041", "Invalid uploaded file", f"Invalid uploaded file : {reason}")


def _answered(act: Act, described: Part | None, content: Part) -> Body:
    try:
        return {"Attachable": attach_file(act, _metadata(described), content.content, content)}
    except Refusal as refusal:
        return {"Fault": refusal.body()}


def _metadata(described: Part | None) -> Body:
    try:
        read: Any = read_json(described.content) if described else {}
    except (ValueError, msgspec.DecodeError):
        read = None
    if not isinstance(read, dict):
        raise Refusal("6040", "File metadata must be Attachable", "File metadata must be Attachable")
    return read


def attach_file(act: Act, metadata: Body, content: bytes, part: Part | None = None) -> Body:
    """A new attachment with a file, or a new file for an old one where the metadata has an id."""
    name = metadata.get("FileName") or (part.file_name if part else "")
    kind = metadata.get("ContentType") or (part.content_type if part else "")
    extension = PurePosixPath(name).suffix.lstrip(".").lower() or kind.rpartition("/")[2].lower()
    if extension not in EXTENSIONS:
        raise _invalid(f"{name or kind} is of a type that is not supported")
    if not content:
        raise _invalid("it is empty")
    described = {**metadata, "FileName": name or f"attachment.{extension}", "ContentType": kind}
    row = (update if metadata.get("Id") else create)(act, ATTACHABLE, described)
    act.company.files[row["Id"]] = content
    place = f"/v3/company/{act.company.realm_id}/download/{row['Id']}"
    row = {**row, "FileAccessUri": place, "Size": len(content)}
    act.company.tables[ATTACHABLE.name].put({key: value for key, value in row.items() if key != "TempDownloadUri"})
    return shown(act, ATTACHABLE, row)
