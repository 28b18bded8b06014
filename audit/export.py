"""A tenant's chain as JSON lines, and its verification by somebody who has only that file and Python.

The first line names the tenant, then come the events in their order with each seal after its events, then a line that
says how much there was. `python -m audit.export FILE` verifies one without Django, database or anything installed.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any, TextIO

from audit.chain import EventFacts, Numbered, SealFacts
from audit.examine import Examination, Finding, examine_chain

FORMAT = "ml-connector audit, 1"


def write_export(tenant_id: int, chain: Iterable[Numbered | SealFacts], stream: TextIO) -> None:
    """Write a tenant's chain, line by line."""
    counted = {Numbered: 0, SealFacts: 0}
    write_line(stream, {"export": FORMAT, "tenant_id": tenant_id})
    for link in chain:
        counted[type(link)] += 1
        write_line(stream, {"event" if isinstance(link, Numbered) else "seal": asdict(link)})
    write_line(stream, {"end": {"events": counted[Numbered], "seals": counted[SealFacts]}})


def write_line(stream: TextIO, line: dict[str, object]) -> None:
    stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def verify_export(stream: Iterable[str]) -> list[Finding]:
    """Everything that is wrong with an export; nothing means that it is whole."""
    return examine_export(stream).findings


def examine_export(stream: Iterable[str]) -> Examination:
    """Read an export once and recompute every hash in it; what cannot be read is a finding."""
    lines = ExportLines(stream)
    try:
        tenant_id = lines.read_header()
    except ValueError as error:
        examination = Examination(tenant_id=0)
        examination.find(str(error))
        return examination
    examination = examine_chain(tenant_id, lines)
    counted = {"events": examination.events, "seals": examination.seals}
    if lines.problem:
        examination.find(lines.problem)
    elif lines.end is None:
        examination.find("the file has no last line: it was cut off")
    elif lines.end != counted:
        examination.find(f"the last line counts {lines.end}, the file holds {counted}")
    return examination


class ExportLines:
    """The chain in a file; stops at the first line that is none and says so in `problem`."""

    def __init__(self, stream: Iterable[str]) -> None:
        self.lines = enumerate(stream, start=1)
        self.end: object = None
        self.problem = ""

    def read_header(self) -> int:
        """The tenant of the export, or a ValueError if this is no export."""
        try:
            header = json.loads(next(self.lines, (0, ""))[1])
            if header["export"] == FORMAT:
                return int(header["tenant_id"])
        except (ValueError, KeyError, TypeError):
            pass
        raise ValueError(f"this is no export of an audit: the first line does not say {FORMAT!r}")

    def __iter__(self) -> Iterator[Numbered | SealFacts]:
        for place, text in self.lines:
            if self.end is not None:
                self.problem = f"line {place} comes after the last line"
                return
            try:
                line = json.loads(text)
                if "end" in line:
                    self.end = line["end"]
                    continue
                link = read_link(line)
            except (ValueError, KeyError, TypeError) as error:
                self.problem = f"line {place} cannot be read ({error!r}); nothing after it was examined"
                return
            yield link


def read_link(line: dict[str, Any]) -> Numbered | SealFacts:
    """One event or seal; ValueError, KeyError or TypeError if the line is neither."""
    if "seal" in line:
        return SealFacts(**checked(SealFacts, line["seal"]))
    values = checked(Numbered, line["event"])
    if values["event"] is not None:
        values["event"] = EventFacts(**checked(EventFacts, values["event"]))
    bytes.fromhex(values["digest"])
    return Numbered(**values)


def checked(kind: type[EventFacts | Numbered | SealFacts], values: dict[str, Any]) -> dict[str, Any]:
    """The values for a dataclass, if its whole numbers are numbers and its texts are texts that can be hashed."""
    for item in fields(kind):
        if item.type in (int, str) and type(values[item.name]) is not item.type:
            raise ValueError(f"{item.name} is {values[item.name]!r}")
        str(values[item.name]).encode()
    return dict(values)


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m audit.export FILE\n")
        return 2
    with open(sys.argv[1], encoding="utf-8", errors="replace") as stream:
        examination = examine_export(stream)
    for line in (*examination.findings, examination.summary()):
        sys.stdout.write(f"{line}\n")
    return 1 if examination.findings else 0


if __name__ == "__main__":
    sys.exit(main())
