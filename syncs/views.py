"""Bills as pages: the list with its search, and each bill's story. For staff only."""

from collections.abc import Collection, Mapping
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connectors import reality
from connectors.models import Tenant
from connectors.registry import connectors
from connectors.selectors import pages_of
from syncs.models import Application, RemoteRecord, SyncRecord
from syncs.selectors import paused_work
from syncs.states import LABELS
from syncs.story import facts_of, tell
from syncs.story.search import Wanted, find_bills

MOST_CHARACTERS = 200


@staff_member_required
@require_GET
def bills(request: HttpRequest) -> HttpResponse:
    """The newest bills, or those that are looked for; what cannot be looked for is named, and nothing listed."""
    asked = {name: request.GET.get(name, "") for name in ("q", "state", "tenant", "before")}
    tenants = list(Tenant.objects.all())
    wanted, wrong = _wanted(asked, {str(tenant.pk) for tenant in tenants})
    found = find_bills(wanted) if not wrong else None
    more = found.more if found else None
    context = {
        "section": "bills",
        "found": found,
        "wanted": wanted,
        "wrong": wrong,
        "older": _address({**asked, "before": more}) if more else "",
        "states": LABELS.items(),
        "tenants": tenants,
        "paused": paused_work(wanted.tenant_id),
    }
    return render(request, "syncs/bills.html", context, status=400 if wrong else 200)


def _address(asked: Mapping[str, object]) -> str:
    return f"?{urlencode({name: value for name, value in asked.items() if value})}"


def _wanted(asked: Mapping[str, str], tenants: Collection[str]) -> tuple[Wanted, list[str]]:
    """What is looked for, and a sentence for each thing that cannot be."""
    text, state, tenant, before = (asked[name].strip() for name in ("q", "state", "tenant", "before"))
    wrong = []
    if len(text) > MOST_CHARACTERS:
        wrong.append(f"The search is longer than {MOST_CHARACTERS} characters.")
    if "\0" in text:
        wrong.append("The search has a character that no text may have.")
    if state and state not in LABELS:
        wrong.append(f"There is no state “{state[:50]}”.")
    if tenant and tenant not in tenants:
        wrong.append(f"There is no tenant “{tenant[:50]}”.")
    if before and _number(before) is None:
        wrong.append(f"“{before[:50]}” is no place in this list.")
    wanted = Wanted(
        text=text.replace("\0", "")[:MOST_CHARACTERS],
        state=state if state in LABELS else "",
        tenant_id=_number(tenant) if tenant in tenants else None,
        before=_number(before),
    )
    return wanted, wrong


@staff_member_required
@require_GET
def bill(request: HttpRequest, record_id: int) -> HttpResponse:
    """One bill's story, in the tenant's time."""
    record = get_object_or_404(
        RemoteRecord.objects.select_related("tenant", "connection__app"), pk=record_id, kind__in=("bill", "payment")
    )
    if record.kind == "payment":
        return redirect("syncs:bill", _invoice_of(record))
    if connectors()[record.connection.provider].role != "erp":
        return redirect("syncs:bill", _bill_of(record))
    effects, facts = reality.effects(), facts_of(record)
    address = pages_of([one for one in (facts.erp, facts.network) if one is not None], effects)
    story = tell(facts, now=effects.clock.now(), address=address)
    with timezone.override(ZoneInfo(record.tenant.time_zone)):
        return render(request, "syncs/bill.html", {"section": "bills", "story": story, "bill": record})


def _invoice_of(payment: RemoteRecord) -> int:
    """The first bill or invoice that a payment pays."""
    paid = Application.objects.filter(payment=payment, target_kind="bill").order_by("place").values("target_id")
    found = RemoteRecord.objects.filter(connection_id=payment.connection_id, kind="bill", remote_id__in=paid[:1])
    return get_object_or_404(found).pk


def _bill_of(invoice: RemoteRecord) -> int:
    """The bill that an invoice of the network stands for, since the bill has the story."""
    sent = SyncRecord.objects.filter(
        stream__integration__ap_network_id=invoice.connection_id, stream__kind="bill", target_id=invoice.remote_id
    ).first()
    if sent is None:
        raise Http404("No bill of an ERP belongs to this invoice.")
    return sent.remote_record_id


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
