"""What browsers are told: strict everywhere, and as much more as the admin's theme needs below the admin's path."""

import pytest
from django.test import Client

POLICY = "Content-Security-Policy"


@pytest.mark.django_db
def test_the_admin_alone_may_run_inline_code(client: Client) -> None:
    admin = client.get("/admin/login/").headers[POLICY]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in admin
    other = client.get("/no-such-page/").headers[POLICY]
    assert "unsafe" not in other
    for policy in (admin, other):
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
def test_pages_are_not_framed_and_tell_other_sites_nothing(client: Client) -> None:
    headers = client.get("/admin/login/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
