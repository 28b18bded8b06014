"""A few histories under faults; the many run in a step of their own."""

import pytest

from tests.simulation.history import History

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(6))
def test_a_history_with_faults_keeps_every_promise(seed: int) -> None:
    assert History(seed).run() == []
