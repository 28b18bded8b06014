"""What people merged in the ERP: one of a list took over all that another had, which is inactive or gone since.

A webhook says so; where none came, it is concluded only from what the ERP shows at this moment. Only people merge, and
nothing is posted to, or left with, anybody whom the ERP's own documents do not name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from connectors.conversation import Job, Steps, fetching
from connectors.models import Connection
from connectors.records import AnyRecord, Bill, Credit, Kind, Ref, kind_of, restore
from syncs.delivery.flows import delivery_fingerprint, what_we_send
from syncs.models import RemoteRecord, RemoteRevision

REMEMBERED = 50  # states of a document that are looked through for the one that was sent
AT_ONCE = timedelta(seconds=10)  # between what one merge changes of a document and of who was merged away

Document = Bill | Credit
Fetched = dict[str, AnyRecord]


@dataclass(frozen=True, kw_only=True)
class Former:
    """Who or what documents named before: as the ERP shows it now, unless it is gone, and which webhooks say took over
    what; `names` are what people call them all."""

    asked: frozenset[Ref] = frozenset()
    now: Mapping[Ref, AnyRecord]
    told: Mapping[Ref, Ref]
    names: Mapping[Ref, str]

    def may_be_merged(self, old: Ref, new: Ref) -> bool:
        """Whether all that is known agrees with the old one having been merged into the new one: it was asked for, is
        gone or inactive, and nobody said that another took it over."""
        last = old
        for _ in self.told:  # who took over may have been taken over since
            last = self.told.get(last, last)
        is_left = old in self.asked and not getattr(self.now.get(old), "active", False)
        return is_left and last in (old, new)

    def is_merged(self, old: Ref, new: Ref, before: Document | None, after: Document) -> bool:
        """Whether it was merged for sure, and not by hand: it is said so; it is gone, which nothing but a merge does;
        the document names the new one and yet has the version that it had, or has changed just when the old one did."""
        was = self.now.get(old)
        if not self.may_be_merged(old, new):
            return False
        if was is None or old in self.told:
            return True
        if before is None or before.version == after.version:
            return before is not None
        moments = (was.modified_at, after.modified_at)
        return all(moments) and abs(moments[0] - moments[1]) <= AT_ONCE  # type: ignore[operator]

    def name(self, ref: Ref) -> str:
        """What people call it, with its id."""
        return f"{self.names.get(ref, 'unknown')} ({ref.id})"


NOBODY = Former(now={}, told={}, names={})


def fetch_former(
    erp: Connection, refs: Iterable[Ref], among: Iterable[Ref], ask: Callable[[Job[Fetched]], Steps[Fetched]]
) -> Steps[Former]:
    """The steps to what the ERP shows now of these, which documents named before; `among` are those named since."""
    former = sorted(set(refs), key=lambda ref: (ref.kind, ref.id))
    now: dict[Ref, AnyRecord] = {}
    for kind in dict.fromkeys(ref.kind for ref in former):
        found = yield from ask(fetching(kind, [ref.id for ref in former if ref.kind is kind]))
        now |= {Ref(kind, id): one for id, one in found.items()}
    yield "those merged away fetched"
    known = RemoteRecord.objects.filter(tenant_id=erp.tenant_id, connection=erp, kind__in={ref.kind for ref in former})
    told = known.exclude(merged_into="").values_list("kind", "remote_id", "merged_into")
    ids = {ref.id for ref in (*former, *among)}
    named = known.filter(remote_id__in=ids).values_list("kind", "remote_id", "name")
    return Former(
        asked=frozenset(former),
        now=now,
        told={Ref(Kind(kind), id): Ref(Kind(kind), into) for kind, id, into in told},
        names={Ref(Kind(kind), id): name for kind, id, name in named},
    )


def last_sent(source: Connection, bill: Document, settled_fingerprint: str) -> Document | None:
    """The document as it was when the other side took it last; None where nobody knows any more."""
    kept = RemoteRecord.objects.filter(
        tenant_id=source.tenant_id, connection=source, kind=kind_of(bill), remote_id=bill.id
    )
    revisions = RemoteRevision.objects.filter(tenant_id=source.tenant_id, remote_record_id__in=kept.values("id"))
    earlier = revisions.order_by("-revision").values_list("body", flat=True)[:REMEMBERED]
    for body in (*kept.values_list("body", flat=True), *earlier):
        before = restore(kind_of(bill), body)
        if isinstance(before, Document) and delivery_fingerprint(before) == settled_fingerprint:
            return before
    return None


def exchanged(before: Document, after: Document) -> dict[Ref, Ref]:
    """What the later one names in the place of what, where nothing else of what is sent differs; else nothing."""
    pairs = zip(_named(before), _named(after), strict=False)
    changed = {old: new for old, new in pairs if old != new and old is not None and new is not None}
    return changed if what_we_send(_naming(before, changed)) == what_we_send(after) else {}


def _named(bill: Document) -> Sequence[Ref | None]:
    return [
        bill.vendor,
        bill.ap_account,
        *(ref for line in bill.lines for ref in (line.account, line.item, *line.dimensions)),
    ]


def _naming(bill: Document, instead: Mapping[Ref, Ref]) -> Document:
    def instead_of(ref: Ref | None) -> Ref | None:
        return instead.get(ref, ref) if ref else None

    lines = tuple(
        replace(
            line,
            account=instead_of(line.account),
            item=instead_of(line.item),
            dimensions=tuple(instead.get(ref, ref) for ref in line.dimensions),
        )
        for line in bill.lines
    )
    return replace(
        bill, vendor=instead.get(bill.vendor, bill.vendor), ap_account=instead_of(bill.ap_account), lines=lines
    )
