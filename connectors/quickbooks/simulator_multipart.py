"""Reading a multipart body as leniently as Intuit does: lines may end with a line feed alone, a base64 part is decoded,
a stray semicolon or a missing file name is no error (all of it is sent by client libraries in use)."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
PARAMETER = re.compile(r'(\w+)="([^"]*)"')
BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class Unreadable(ValueError):
    """The body is not what its headers say."""


@dataclass(frozen=True)
class Part:
    """One part of the body."""

    name: str
    file_name: str
    content_type: str
    content: bytes


def read_parts(content_type: str, body: bytes) -> list[Part]:
    """The parts in their order."""
    found = BOUNDARY.search(content_type)
    if found is None:
        raise Unreadable("no boundary")
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(found[1].strip().encode()) + rb"(?=--|[ \t]*\r?\n)")
    pieces = delimiter.split(body)[1:]
    return [_read_part(piece) for piece in pieces if not piece.startswith(b"--")]


def _read_part(piece: bytes) -> Part:
    lines = BLANK_LINE.split(piece, maxsplit=1)
    if len(lines) != 2:
        raise Unreadable("a part has no content")
    headers = {}
    for line in lines[0].decode(errors="replace").splitlines():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    named = dict(PARAMETER.findall(headers.get("content-disposition", "")))
    content = lines[1]
    if headers.get("content-transfer-encoding", "").lower() == "base64":
        try:
            content = b64decode(b"".join(content.split()), validate=True)
        except NotBase64:
            raise Unreadable("a part is not base64") from None
    return Part(named.get("name", ""), named.get("filename", ""), headers.get("content-type", ""), content)
