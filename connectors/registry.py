"""Which connectors there are: a subfolder of this package with a `connector.py` is one. Nothing else lists them."""

from functools import cache
from importlib import import_module
from pathlib import Path

from connectors.base import Connector


@cache
def connectors() -> dict[str, type[Connector]]:
    """Every connector class by its key; an error while importing one is an error here."""
    found: dict[str, type[Connector]] = {}
    for path in sorted(Path(__file__).parent.glob("*/connector.py")):
        module = import_module(f"connectors.{path.parent.name}.connector")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Connector) and value.__module__ == module.__name__:
                found[value.key] = value
    return found


def connector_class(key: str) -> type[Connector]:
    """The connector of this provider; a LookupError that names the known ones otherwise."""
    known = connectors()
    if key not in known:
        raise LookupError(f"There is no connector {key!r}; there are: {', '.join(sorted(known)) or 'none'}.")
    return known[key]
