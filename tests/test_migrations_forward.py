"""Migrations on a database that is in use: what stood before is whole after, and the way back works."""

from typing import Any

import pytest
from django.core.management import call_command

from syncs.models import RemoteRecord, Stream
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


def test_entries_of_ours_that_were_read_before_say_what_they_make_of_their_payment_and_the_way_back_works() -> None:
    world = begin()
    options: dict[str, Any] = {"verbosity": 0, "interactive": False}
    kept = {"tenant": world.integration.tenant, "connection": world.integration.erp, "kind": "ledger_entry"}
    for piece in ("execution", "reversal"):
        RemoteRecord.objects.create(
            **kept, remote_id=piece, key=f"{'k' * 32}/{piece}", seen_at=world.clock.now(), version="0", body="{}"
        )
    RemoteRecord.objects.create(**kept, remote_id="theirs", seen_at=world.clock.now(), version="0", body="{}")
    for _ in range(2):
        call_command("migrate", "syncs", "0009", **options)
        assert set(RemoteRecord.objects.values_list("status", flat=True)) == {""}
        call_command("migrate", "syncs", **options)
        told = dict(RemoteRecord.objects.values_list("remote_id", "status"))
        assert told == {"execution": "executed", "reversal": "reversed", "theirs": ""}
