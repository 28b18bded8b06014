"""The measurement runs through: whatever it measures by name is still there, and everything arrives."""

import pytest

from tests.installation import Installation


@pytest.mark.slow
def test_the_benchmark_measures_both_paths_against_plain_loops() -> None:
    installation = Installation()
    try:
        told = installation.run("bench", "--bills", "300", "--delivered", "120", "--payments", "20", "--latency", "0")
    finally:
        installation.remove()
    assert "| First full reading: bills" in told
    assert "| Payments posted to QuickBooks, one by one" in told
    parts = [line.split("|")[1].strip() for line in told.splitlines() if line.startswith("| ")]
    assert {"JSON to records", "columns, canonical bytes, hashes", "COPY and statements", "commit"} <= set(parts)
