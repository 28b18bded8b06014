"""What a person decides about one held record: pages that show both sides, ask why, and then act through a service."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from connectors.models import Connection
from connectors.operations import Asked, ReasonForm, StaffAdmin, ask, by
from connectors.reality import present
from connectors.records import Kind, Payment, Vendor, restore
from connectors.registry import connector_class
from syncs import services
from syncs.candidates import payments_to_link, unknown_invoices, unsent_bills, vendors_to_link
from syncs.models import Problem, RemoteRecord, SyncRecord
from syncs.paid_bills import bills_paid
from syncs.states import State
from syncs.story.tell import money

Page = Callable[[StaffAdmin, HttpRequest, int], HttpResponse]
MOST_SHOWN = 20
PAYMENT_HEADS = ("Where", "Amount", "Date", "Reference", "Id", "Memo")
VENDOR_HEADS = ("Where", "Name", "Number", "City", "E-mail", "Id")


@dataclass(frozen=True, kw_only=True)
class Act:
    """A button: where it leads to is a page that asks before anything is done."""

    words: str
    address: str


class ChoiceForm(ReasonForm):
    """Asks for one of some records, and why."""

    target_id = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    field_order = ("target_id", "why")

    def __init__(self, label: str, choices: Sequence[tuple[str, str]], data: Any = None, none: str = "") -> None:
        super().__init__(data)
        target = self.fields["target_id"]
        assert isinstance(target, forms.ChoiceField)
        target.label, target.choices = label, choices
        target.help_text = "" if choices else none


class SeenForm(ReasonForm):
    """Asks why, and remembers what was seen when it was shown."""

    seen = forms.CharField(widget=forms.HiddenInput)
    confirms = forms.BooleanField(widget=forms.HiddenInput, required=False)


def offers(record: SyncRecord) -> Iterator[Act]:
    """What can be decided about this record now, beside sending it again and ignoring it."""
    if record.state != State.HELD:
        return
    if record.stream.kind == Kind.VENDOR and not record.target_id and vendors_to_link(record):
        yield _act(record, "link_vendor", "It is a vendor that is there already …")
    if record.stream.kind != Kind.PAYMENT:
        return
    if unknown_invoices(record):
        yield _act(record, "link_invoice", "Link its invoice to a bill …")
    if payments_to_link(record):
        yield _act(record, "link", "Link to a payment that stands in the ERP …")
    if record.code in services.OVERRULED:
        asked = services.asked_to_post(record)
        yield _act(record, "post_anyway", "Confirm that it is posted anyway …" if asked else "Post it anyway …")


def link(admin: StaffAdmin, request: HttpRequest, id: int) -> HttpResponse:
    """Which payment of the ERP this one is."""
    record = _record(id)
    found = payments_to_link(record) if record.stream.kind == Kind.PAYMENT else []
    named = [
        (one.remote_id, f"{one.remote_id}: {_amount(one)}, {one.date}, {one.number}".rstrip(", ")) for one in found
    ]
    none = "Nobody has entered a payment in the ERP that settles all bills of this one."
    form = ChoiceForm("Payment in the ERP", named, request.POST or None, none)

    def act(entered: dict[str, Any]) -> str:
        services.link(sync_record=record, by=by(request), now=present().now(), **entered)
        return "Linked. Nothing is posted, and the payment in the ERP is never touched."

    words = (
        "Both are one payment: the one in the ERP stands for it, explains what is settled of the bills, and stays "
        "as it is whatever becomes of this one."
    )
    rows = _rows(record, found)
    return ask(request, admin, form, _asked(admin, record, "Link", act, words, PAYMENT_HEADS, rows))


def link_invoice(admin: StaffAdmin, request: HttpRequest, id: int) -> HttpResponse:
    """Which bill the first unknown invoice of this payment is."""
    record = _record(id)
    unknown = unknown_invoices(record)[:1] if record.stream.kind == Kind.PAYMENT else []
    invoice_id = unknown[0].target.id if unknown else ""
    found = unsent_bills(record, invoice_id) if unknown else []
    named = [(one.remote_id, f"{one.number}: {_amount(one)}, {one.date}") for one in found]
    form = ChoiceForm("Bill in the ERP", named, request.POST or None, "There is no open bill that it can be.")

    def act(entered: dict[str, Any]) -> str:
        now = present().now()
        services.link_invoice(sync_record=record, invoice_id=invoice_id, by=by(request), now=now, **entered)
        return "Linked. The payment is checked and posted next; the bill itself is not sent."

    gross = f"invoice {unknown[0].number or invoice_id}, of which {unknown[0].gross:,} is paid" if unknown else "none"
    words = (
        f"Unknown to us: {gross}. Bills that are at the AP network under an invoice of their own cannot be chosen: "
        "they could be paid a second time by that one."
    )
    rows = _rows(record, found[:MOST_SHOWN])
    return ask(request, admin, form, _asked(admin, record, "Link its invoice", act, words, PAYMENT_HEADS, rows))


def link_vendor(admin: StaffAdmin, request: HttpRequest, id: int) -> HttpResponse:
    """Which vendor of the network this one is."""
    record = _record(id)
    found = vendors_to_link(record) if record.stream.kind == Kind.VENDOR else []
    named = [(one.remote_id, f"{one.name} ({one.number or one.remote_id})") for one in found]
    none = "We have seen no vendor there that is nobody's. Read the AP network in full, then look again."
    form = ChoiceForm("Vendor at the AP network", named, request.POST or None, none)

    def act(entered: dict[str, Any]) -> str:
        services.link_vendor(sync_record=record, by=by(request), now=present().now(), **entered)
        return "Linked. It is sent next, as a change of the vendor that is there."

    words = "Both are one vendor. The one at the AP network gets what the ERP says of it; none is made anew."
    rows = _rows(record, found[:MOST_SHOWN])
    return ask(request, admin, form, _asked(admin, record, "Link", act, words, VENDOR_HEADS, rows))


def post_anyway(admin: StaffAdmin, request: HttpRequest, id: int) -> HttpResponse:
    """Asks for it, or confirms what somebody else has asked for."""
    record = _record(id)
    asked = services.asked_to_post(record)
    form = SeenForm(request.POST or None, initial={"seen": services.what_holds(record), "confirms": bool(asked)})

    def act(entered: dict[str, Any]) -> str:
        confirms = entered.pop("confirms")
        decide = services.confirm_post if confirms else services.ask_to_post
        decide(sync_record=record, by=by(request), now=present().now(), **entered)
        return "Confirmed. It is posted next." if confirms else "Asked for. Nothing is posted until another confirms."

    if asked is None:
        words = f"It is held: {record.reason} If you ask, another person has to confirm; nothing is posted before that."
    elif asked.decided_by == by(request):
        words = f"You have asked for it: {asked.why} Another person has to confirm it. It is held: {record.reason}"
    else:
        words = (
            f"{asked.decided_by} has asked for it: {asked.why} It is held, and only this is overruled: {record.reason}"
        )
    rows = _rows(record, payments_to_link(record)) if record.stream.kind == Kind.PAYMENT else []
    title = "Confirm that it is posted anyway" if asked else "Post anyway"
    page = _asked(admin, record, title, act, words, PAYMENT_HEADS, rows)
    return ask(request, admin, form, replace(page, button="Confirm" if asked else "Ask for it"))


def leave(admin: StaffAdmin, request: HttpRequest, id: int) -> HttpResponse:
    """Why a problem is left as it is."""
    problem = get_object_or_404(Problem, pk=id)

    def act(entered: dict[str, Any]) -> str:
        services.leave(problem=problem, by=by(request), now=present().now(), **entered)
        return "Left as it is. Nothing is sent, and it is back when what it rests on changes."

    asked = Asked(
        title=f"Leave as it is: {problem.headline}",
        button="Leave as it is",
        back=admin.address(problem),
        act=act,
        explanation="It stays visible as left and nothing is sent. When a record, its bills or their payments change, "
        "it is open again.",
    )
    return ask(request, admin, ReasonForm(request.POST or None), asked)


PAGES: Mapping[str, Page] = {
    "link": link,
    "link_invoice": link_invoice,
    "link_vendor": link_vendor,
    "post_anyway": post_anyway,
}


def _act(record: SyncRecord, act: str, words: str) -> Act:
    return Act(words=words, address=reverse(f"admin:syncs_syncrecord_{act}", args=[record.pk]))


def _asked(
    admin: StaffAdmin,
    record: SyncRecord,
    title: str,
    act: Callable[[dict[str, Any]], str],
    words: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> Asked:
    bills = ", ".join(bill.number for bill in bills_paid(record).values()) if record.stream.kind == Kind.PAYMENT else ""
    named = f"the payment of {bills}" if bills else str(record.remote_record)
    back = admin.address(record)
    return Asked(title=f"{title}: {named}", button=title, back=back, act=act, explanation=words, heads=heads, rows=rows)


def _record(id: int) -> SyncRecord:
    return get_object_or_404(SyncRecord.objects.select_related("remote_record", "stream__integration"), pk=id)


def _amount(one: RemoteRecord) -> str:
    return money(one.amount_minor, one.currency)


def _rows(record: SyncRecord, found: Sequence[RemoteRecord]) -> list[tuple[str, ...]]:
    """What is decided about and what there is to choose from, one below the other."""
    every = [record.remote_record, *found]
    providers = Connection.objects.filter(pk__in={one.connection_id for one in every}).values_list("pk", "provider")
    names = {pk: connector_class(provider).name for pk, provider in providers}
    row = _vendor_row if record.stream.kind == Kind.VENDOR else _payment_row
    return [(f"{names[one.connection_id]}: {one.kind.replace('_', ' ')}", *row(one)) for one in every]


def _payment_row(one: RemoteRecord) -> tuple[str, ...]:
    record = restore(Kind(one.kind), one.body)
    memo = getattr(record, "memo", "")
    way = f"{record.method} " if isinstance(record, Payment) else ""
    day = f"{one.date:%-d %b %Y}" if one.date else "no date"
    return _amount(one), day, f"{way}{one.number}".strip() or "none", one.remote_id, memo


def _vendor_row(one: RemoteRecord) -> tuple[str, ...]:
    vendor = restore(Kind.VENDOR, one.body)
    assert isinstance(vendor, Vendor)
    city = vendor.remit_to.city if vendor.remit_to else ""
    return vendor.name, vendor.number, city, vendor.email, vendor.id
