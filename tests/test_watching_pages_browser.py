"""The pages of what is watched, in a real browser: webhooks, hints, ends of sign-ins, metered reads."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from connectors.conversation import finish
from connectors.models import App, Token
from connectors.quickbooks.connector import QuickBooksConnector
from connectors.upkeep import look_after
from tests.populated import populate, share_time
from tests.simulation.world import REALM
from tests.test_pages_browser import Seen, browser, seen
from tests.webhooks import let_announce, post

__all__ = ["browser", "seen"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_what_is_watched_is_shown_in_plain_words(
    seen: Seen, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_announce(monkeypatch)
    world = populate()
    share_time(world, settings, tmp_path)
    app = App.objects.get(provider="quickbooks")
    App.objects.filter(pk=app.pk).update(monthly_reads=500_000)
    said = [[REALM, "bill", "1", "e1"], ["9130350000000099", "vendor", "4", "e2"]]
    assert post(json.dumps(said).encode()).status_code == 200
    assert post(b"[]", signature="forged").status_code == 401
    world.clock.advance(timedelta(seconds=30))
    world.work()
    settings.EMAIL_HOST, settings.OPERATIONS_EMAIL = "smtp.example.com", ["operations@example.com"]
    erp = world.integration.erp
    Token.objects.filter(owner=f"connection:{erp.pk}").update(hard_expires_at=world.clock.now() + timedelta(days=6.5))
    finish(look_after(erp.pk, world.effects()))
    page = seen.page
    seen.log_in()
    seen.shot("watch-today")
    expected = {
        f"/admin/connectors/connection/{erp.pk}/change/": (
            "ends for good on",
            "Metered reads this month",
            "Last webhook",
        ),
        "/admin/connectors/connection/": ("Sign-in ends",),
        f"/admin/connectors/app/{app.pk}/change/": (
            f"/webhooks/{app.public_id}/",
            "500,000 allowed",
        ),
        f"/admin/connectors/app/{app.pk}/allowance/": ("Metered reads a month",),
        "/admin/connectors/webhookdelivery/": ("refused: not signed by the provider", "accepted"),
        "/admin/connectors/hint/?company=unknown": ("9130350000000099: unknown, kept aside",),
        "/admin/connectors/expirynotice/": ("sent", "operations@example.com"),
        "/admin/connectors/meteredreads/": ("March 2026",),
        f"/admin/syncs/feed/{erp.feed.pk}/change/": ("webhooks healthy, polled every 12 hours",),
        "/admin/syncs/feed/": ("webhooks healthy, polled every 12 hours",),
    }
    for number, (path, words) in enumerate(expected.items()):
        seen.go(path)
        for word in words:
            expect(page.locator("#content")).to_contain_text(word)
        seen.shot(f"watch-{number}")
    assert QuickBooksConnector.limits.metered_reads
    assert seen.complaints == []
