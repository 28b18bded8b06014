"""This list itself."""

from tests.scenarios.readme import README, listing


def test_the_readme_lists_every_story() -> None:
    assert README.read_text() == listing()
