"""Where providers post their webhooks: no login, no provider is asked, answered within milliseconds."""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connectors import reality, services
from connectors.base import Delivered
from connectors.models import App, WebhookDelivery
from connectors.registry import connectors

LARGEST = 1_000_000  # bytes
STATUS = {WebhookDelivery.Outcome.REFUSED: 401}  # what is signed is never sent back: sending it again would not help


@csrf_exempt
@never_cache
@require_POST
def webhook(request: HttpRequest, public_id: str) -> HttpResponse:
    """Keep what was posted for this app, and say whether it was signed by its provider."""
    announcing = [key for key, provider in connectors().items() if provider.announces]
    app = get_object_or_404(App, public_id=public_id, provider__in=announcing)
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        return HttpResponse("More than one megabyte.", status=413, content_type="text/plain")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        delivery = services.receive_webhook(
            app=app, delivered=Delivered(headers=headers, body=body), now=reality.present().now()
        )
    except msgspec.ValidationError:
        return HttpResponse("Try again later.", status=503, content_type="text/plain")
    return HttpResponse(status=STATUS.get(WebhookDelivery.Outcome(delivery.outcome), 200), content_type="text/plain")
