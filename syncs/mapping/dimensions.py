"""Dimensions that every line has to carry, by policy. Pure."""

from collections.abc import Mapping

from connectors.records import Ref

DIMENSIONS = ("department", "class", "location")
REQUIRED = "required_dimensions"


def required_dimensions(policies: Mapping[str, object]) -> list[str]:
    """The names of the dimensions without which a line is not sent."""
    names = policies[REQUIRED]
    assert isinstance(names, list)
    return names


def dimension_of(ref: Ref) -> str:
    """The dimension that a value's id names: ids of lists that count apart begin with the list, as in Class-34."""
    return ref.id.partition("-")[0].lower()
