"""Rows and records that are made unfit, without knowing whose they are."""

import json
import re
from dataclasses import replace
from typing import Any

import httpx
from msgspec.structs import replace as changed

from connectors.base import SHA256, Write
from connectors.records import Image


class Spoilt(httpx.BaseTransport):
    """A wire on which one object comes with something that can never be in the place of its values.

    It is known by an id of its own: under a name that ends in `id` stands a part of our id that has a digit.
    """

    def __init__(self, inner: httpx.BaseTransport, id: str) -> None:
        self._inner, self._parts = inner, {part for part in re.split("[-:+]", id) if re.search(r"\d", part)}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        try:
            body = json.loads(answer.read())
        except ValueError:
            return answer
        if row := self._row_in(body):
            row |= {name: {"spoilt": True} for name, value in row.items() if self._is_spoilt(name, value)}
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, json=body, request=request)

    def _is_spoilt(self, name: str, value: Any) -> bool:
        return not is_id(name) and not isinstance(value, dict | list)

    def _row_in(self, body: Any) -> dict[str, Any] | None:
        """The outermost object that has one of the ids."""
        level = [body]
        while level:
            objects = [one for one in level if isinstance(one, dict)]
            for one in objects:
                if self._parts & {value for name, value in one.items() if is_id(name) and isinstance(value, str)}:
                    return one
            within = [value for one in objects for value in one.values()]
            level = within + [part for one in level if isinstance(one, list) for part in one]
        return None


def is_id(name: str) -> bool:
    """Whether an id stands under this name."""
    return name.lower().endswith("id")


def refused(write: Write) -> Write:
    """A neighbour of this write that nobody can take: its sums do not tie, its name is without end, its file empty."""
    record: Any = write.record
    if hasattr(record, "amount"):
        record = changed(record, amount=record.amount + 1)
    elif not isinstance(record, Image):
        record = changed(record, name="endless " * 2000)
    other = write.record_key[::-1]
    return replace(write, record=record, record_key=other, request_key=other, content=None, context=without_hash(write))


def without_hash(write: Write) -> dict[str, str]:
    """The context of an image of which no bytes were ever sent."""
    return {name: value for name, value in write.context.items() if name != SHA256}
