"""`manage.py demo --once` on a machine that has nothing, and once more on what it left."""

import json
import sys
from collections.abc import Iterator

import pytest

from mlconnector.demo.pace import LAST_DAY
from mlconnector.demo.plan import acts_of
from mlconnector.demo.trouble import BILLS
from tests.demo_figures_expected import FIGURES
from tests.installation import Installation

slow = pytest.mark.slow
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@pytest.fixture
def installation() -> Iterator[Installation]:
    made = Installation()
    try:
        yield made
    finally:
        made.remove()


@slow
@linux
def test_a_month_comes_to_its_figures_and_a_second_start_to_the_same(installation: Installation) -> None:
    printed = installation.run("demo", "--once", timeout=420).splitlines()
    assert json.loads(printed[-1]) == FIGURES
    assert installation.processes() == []
    assert "the audit is whole" in installation.run("verify_audit")
    again = installation.run("demo", "--once", timeout=60).splitlines()
    assert again[-1] == printed[-1]
    assert not any(line.startswith("Day") for line in again)


def test_no_two_acts_of_the_plan_have_the_same_name() -> None:
    names = [act.key for day in range(LAST_DAY + 1) for act in acts_of(day)]
    assert len(names) == len(set(names))


def test_every_bill_of_the_story_is_entered_once_and_has_a_name_of_its_own() -> None:
    entered = [act.entries[0].key for day in range(LAST_DAY + 1) for act in acts_of(day) if act.verb == "enter_bill"]
    assert sorted(entered) == sorted({bill.key for bill in BILLS})
