"""Deciding whether a tenant's events are whole. Pure, nothing but the standard library: the database and an export are
examined by the same lines.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.chain import FIRST_HASH, Numbered, SealFacts, digest_of, hash_of

MOST_FINDINGS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that must not be, in plain words."""

    tenant_id: int
    sentence: str

    def __str__(self) -> str:
        return f"tenant {self.tenant_id}: {self.sentence}"


@dataclass(kw_only=True, slots=True)
class Examination:
    """What was looked at and what was found."""

    tenant_id: int
    events: int = 0
    seals: int = 0
    newest_seal: int = 0
    newest_hash: str = FIRST_HASH
    archived: int = 0
    last_archived: int = 0
    findings: list[Finding] = field(default_factory=list)

    def find(self, sentence: str) -> None:
        """Note a finding; after the hundredth only that there are more, so that memory stays flat."""
        if len(self.findings) == MOST_FINDINGS:
            sentence = f"there is more; only the first {MOST_FINDINGS} findings are listed"
        if len(self.findings) <= MOST_FINDINGS:
            self.findings.append(Finding(tenant_id=self.tenant_id, sentence=sentence))

    def summary(self) -> str:
        """What was examined, in one line for people."""
        text = f"tenant {self.tenant_id}: {self.events} events, {self.seals} seals"
        if self.newest_seal:
            text += f", the newest is {self.newest_seal} {self.newest_hash}"
        if self.archived:
            text += (
                f"; {self.archived} events, up to number {self.last_archived}, are archived:"
                " their content is not here and only the seals attest them"
            )
        return text


@dataclass(slots=True)
class Stretch:
    """The events met since the last seal."""

    first: int = 0
    count: int = 0
    root: "hashlib._Hash" = field(default_factory=hashlib.sha256)


def examine_chain(tenant_id: int, chain: Iterable[Numbered | SealFacts]) -> Examination:
    """Recompute a tenant's chain, given in the order of its numbers with each seal after its events."""
    examination = Examination(tenant_id=tenant_id)
    stretch = Stretch()
    next_number = 1
    for link in chain:
        if isinstance(link, Numbered):
            if link.number != next_number:
                examination.find(gap(next_number, link.number))
            next_number = link.number + 1
            examine_event(examination, stretch, link)
        else:
            examine_seal(examination, stretch, link)
            stretch = Stretch()
            next_number = max(next_number, link.last + 1)
    if stretch.count:
        examination.find(f"the events from number {stretch.first} on are numbered but outside every seal")
    return examination


def gap(expected: int, met: int) -> str:
    if met < expected:
        return f"number {met} is there more than once or after the seal that should hold it"
    if met == expected + 1:
        return f"event number {expected} is missing"
    return f"events number {expected} to {met - 1} are missing"


def examine_event(examination: Examination, stretch: Stretch, numbered: Numbered) -> None:
    examination.events += 1
    stretch.first = stretch.first or numbered.number
    stretch.count += 1
    stretch.root.update(bytes.fromhex(numbered.digest))
    label = f"event {numbered.event_id} (number {numbered.number})"
    if numbered.event is not None:
        if numbered.event.id != numbered.event_id or digest_of(numbered.event).hex() != numbered.digest:
            examination.find(f"{label} is not what was sealed: it was changed afterwards")
    elif numbered.archived:
        examination.archived += 1
        examination.last_archived = numbered.number
    else:
        examination.find(f"{label} is gone although its partition is still there")


def examine_seal(examination: Examination, stretch: Stretch, seal: SealFacts) -> None:
    examination.seals += 1
    label = f"seal {seal.number}"
    if seal.tenant_id != examination.tenant_id:
        examination.find(f"{label} is another tenant's ({seal.tenant_id})")
    if seal.number != examination.newest_seal + 1:
        examination.find(f"{label} comes after seal {examination.newest_seal}: a seal is missing or doubled")
    elif seal.previous_hash != examination.newest_hash:
        examination.find(f"{label} does not follow from the seal before it")
    if (stretch.first, stretch.count) != (seal.first, seal.count) or seal.last != seal.first + seal.count - 1:
        examination.find(
            f"{label} covers {seal.count} events, numbers {seal.first} to {seal.last};"
            f" {stretch.count} are there, from number {stretch.first}"
        )
    elif stretch.root.hexdigest() != seal.root_hash:
        examination.find(f"{label} does not match its events: one was exchanged, or their order was changed")
    if hash_of(seal) != seal.hash:
        examination.find(f"{label} was changed after it was written")
    examination.newest_seal, examination.newest_hash = seal.number, seal.hash
