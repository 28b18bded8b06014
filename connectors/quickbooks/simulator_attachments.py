"""Attachments: notes and files, what they hang on, and where a file can be fetched for a quarter of an hour.

A file's address is signed in itself; who sends a bearer token along is refused, as object stores do (assumed).
"""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body, Refusal, business, inactive
from connectors.simulators import Request, Response

ADDRESS_LIFE = timedelta(minutes=15)
FILE = re.compile(r"/files/(?P<realm>[^/]+)/(?P<identity>\d+)/[^/]*")
SECRET = b"the simulator's own key for addresses of files"
ATTACHED_TO = {"Vendor", "Customer", "Employee", "Item", *(entity.name for entity in ENTITIES.values() if entity.dated)}


def prepare_attachment(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    """Check an attachment, in place."""
    if not draft.get("Note") and not draft.get("FileName"):
        raise business("You must have at least a note string or file attachment")
    for attached in draft.get("AttachableRef", []):
        kind = attached.get("EntityRef", {}).get("type")
        if kind is not None and kind not in ATTACHED_TO:
            raise Refusal("6050", "Entity type not attachable", f"Entity type not attachable : {kind}", "EntityRef")


def hangs_on(row: Body, entity: str, identity: str) -> bool:
    """Whether an attachment is attached to this object."""
    return any(_points_to(attached, entity, identity) for attached in row.get("AttachableRef", []))


def _points_to(attached: Body, entity: str, identity: str) -> bool:
    pointer = attached.get("EntityRef", {})
    return (pointer.get("type"), pointer.get("value")) == (entity, identity)


def detach(act: Act, entity: Entity, identity: str) -> None:
    """Nothing hangs on an object that is gone any more, and a file goes with its attachment."""
    if entity.name == "Attachable":
        act.company.files.pop(identity, None)
    for row in list(act.company.tables["Attachable"].rows.values()):
        if hangs_on(row, entity.name, identity):
            left = [attached for attached in row["AttachableRef"] if not _points_to(attached, entity.name, identity)]
            act.company.replace(ENTITIES["Attachable"], {**row, "AttachableRef": left}, act.now)


def has_all(act: Act, body: Body) -> bool:
    """Whether a request to delete an attachment has the full object, as far as one can tell."""
    old = act.company.tables["Attachable"].rows[str(body["Id"])]
    needed = [name for name in ("FileName", "Note", "AttachableRef") if old.get(name)]
    return not act.switches.full_object_to_delete_attachment or all(name in body for name in needed)


def shown(act: Act, entity: Entity, row: Body) -> Body:
    """An object as an answer has it: an attached file with an address for the next quarter of an hour."""
    if entity.name != "Attachable" or row["Id"] not in act.company.files:
        return row
    return {**row, "TempDownloadUri": address(act, row["Id"])}


def address(act: Act, identity: str) -> str:
    """Where the file of an attachment can be fetched, without a token."""
    row = act.company.row("Attachable", identity)
    if identity not in act.company.files:
        raise inactive()
    place = f"{act.company.realm_id}/{identity}"
    expires = int((act.now + ADDRESS_LIFE).timestamp())
    signed = urlencode({"expires": expires, "signature": _signature(place, str(expires))})
    return f"{act.base_url}/files/{place}/{quote(row.get('FileName', 'file'), safe='')}?{signed}"


def _signature(place: str, expires: str) -> str:
    return hmac.new(SECRET, f"{place}\n{expires}".encode(), "sha256").hexdigest()


def serve_file(companies: Mapping[str, Company], request: Request, now: datetime) -> Response | None:
    """The bytes behind an address, or nothing where the path is not one of a file."""
    asked = FILE.fullmatch(request.path)
    if asked is None or request.method != "GET":
        return None
    expires = request.argument("expires") or ""
    signature = _signature(f"{asked['realm']}/{asked['identity']}", expires)
    if "authorization" in request.headers:
        return _refused(400, "InvalidArgument", "Only one auth mechanism allowed")
    if not hmac.compare_digest(signature, request.argument("signature") or ""):
        return _refused(403, "SignatureDoesNotMatch", "The signature does not match")
    if now.timestamp() >= int(expires):
        return _refused(403, "AccessDenied", "Request has expired")
    company = companies.get(asked["realm"])
    content = company.files.get(asked["identity"]) if company else None
    if company is None or content is None:
        return _refused(404, "NoSuchKey", "The file does not exist")
    row: Mapping[str, Any] = company.tables["Attachable"].rows[asked["identity"]]
    return Response(headers={"content-type": row.get("ContentType", "application/octet-stream")}, body=content)


def _refused(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status=status, headers={"content-type": "application/xml"}, body=body.encode())
