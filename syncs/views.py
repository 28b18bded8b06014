"""Bills as pages: the list with its search, and each bill's story. Staff only, for now."""

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
from syncs.models import RemoteRecord, SyncRecord
from syncs.states import LABELS
from syncs.story import facts_of, tell
from syncs.story.search import Wanted, find_bills


@staff_member_required
@require_GET
def bills(request: HttpRequest) -> HttpResponse:
    """The newest bills, or those that are looked for."""
    asked = {name: request.GET.get(name, "").replace("\0", "")[:200] for name in ("q", "state", "tenant", "before")}
    wanted = Wanted(
        text=asked["q"].strip(),
        state=asked["state"] if asked["state"] in LABELS else "",
        tenant_id=_number(asked["tenant"]),
        before=_number(asked["before"]),
    )
    found = find_bills(wanted)
    older = urlencode({name: value for name, value in {**asked, "before": found.more}.items() if value})
    context = {
        "section": "bills",
        "found": found,
        "wanted": wanted,
        "older": f"?{older}" if found.more else "",
        "states": LABELS.items(),
        "tenants": Tenant.objects.all(),
    }
    return render(request, "syncs/bills.html", context)


@staff_member_required
@require_GET
def bill(request: HttpRequest, record_id: int) -> HttpResponse:
    """One bill's story, in the tenant's time."""
    record = get_object_or_404(
        RemoteRecord.objects.select_related("tenant", "connection__app"), pk=record_id, kind="bill"
    )
    if connectors()[record.connection.provider].role != "erp":
        return redirect("syncs:bill", _bill_of(record))
    effects, facts = reality.effects(), facts_of(record)
    address = pages_of([one for one in (facts.erp, facts.network) if one is not None], effects)
    story = tell(facts, now=effects.clock.now(), address=address)
    with timezone.override(ZoneInfo(record.tenant.time_zone)):
        return render(request, "syncs/bill.html", {"section": "bills", "story": story, "bill": record})


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
