"""Migrations on a database that is in use: what stood before is whole after, and the way back works."""

from typing import Any

import pytest
from django.core.management import call_command

from syncs.models import Stream
from tests.simulation.world import begin

pytestmark = pytest.mark.django_db(transaction=True)
LATER = {"dimension", "purchase_order", "credit", "image"}


def test_an_integration_of_before_gets_a_stream_for_every_kind_and_the_way_back_takes_the_unused_ones() -> None:
    begin()
    options: dict[str, Any] = {"verbosity": 0, "interactive": False}
    before = set(Stream.objects.values_list("kind", flat=True))
    assert before > LATER

    call_command("migrate", "syncs", "0002", **options)
    assert set(Stream.objects.values_list("kind", flat=True)) == before - LATER

    call_command("migrate", "syncs", **options)
    assert set(Stream.objects.values_list("kind", flat=True)) == before
