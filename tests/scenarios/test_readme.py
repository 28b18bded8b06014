"""This list itself."""

import re

from tests.scenarios.readme import README, listing

SCENARIOS = range(1, 21)  # what a stand-in for the network has to be able to play


def test_the_readme_lists_every_story() -> None:
    assert README.read_text() == listing()


def test_every_scenario_of_the_network_has_its_story() -> None:
    told = {
        int(number) for numbers in re.findall(r"^- ((?:\d\d )+)", listing(), re.MULTILINE) for number in numbers.split()
    }
    assert sorted(told) == list(SCENARIOS)
