"""One record on its way to AvidXchange: values are checked against the profile's limits as they are put in. Pure.

Cut: descriptions, at the profile's limit. Rounded: quantities. Never cut: names and numbers; one that is too long is a
`MappingError` that names the field and the limit.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.avidxchange.contract import Profile
from connectors.avidxchange.wire import write_money
from connectors.errors import MappingError
from connectors.records import Ref

UNLIMITED = 4000


@dataclass
class Item:
    """One record on its way to them, by our names for its fields."""

    profile: Profile
    kind: str
    title: str
    body: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, value: Any) -> None:
        """Set a value; what is empty is left out, which means null to them."""
        if value not in ("", None):
            self.profile.put(self.kind, self.body, name, value)

    def text(self, name: str, value: str, *, required: bool = False) -> None:
        """Set a text that is never cut."""
        shortest, longest = self._limits(name)
        words = name.removeprefix("remit_").replace("_", " ")
        value = value.strip()
        if required and not value:
            raise MappingError(f"{self.title} has no {words}.", code="field_missing", missing=name)
        if len(value) > longest:
            raise MappingError(
                f"{self.title}: {words} has {len(value)} characters; AvidXchange takes {longest} at most.",
                code="field_too_long",
                missing=name,
            )
        if value and len(value) < shortest:
            raise MappingError(
                f"{self.title}: {words} is shorter than the {shortest} characters that AvidXchange asks for.",
                code="field_too_short",
                missing=name,
            )
        self.put(name, value)

    def description(self, name: str, value: str) -> None:
        """Set a text of which the start is enough; the same text is always cut the same way."""
        longest = self._limits(name)[1]
        self.put(name, value if len(value) <= longest else value[: longest - 1] + "…")

    def money(self, name: str, amount: Decimal, currency: str) -> None:
        """Set an amount, exactly."""
        try:
            self.put(name, write_money(self.profile, amount, currency))
        except ValueError as error:
            raise MappingError(f"{self.title}: {error}.", code="amount_too_fine", missing=name) from error

    def number(self, name: str, value: Decimal | None) -> None:
        """Set a quantity, rounded to as many decimals as they take; it says how much, never how much money."""
        if value is not None:
            rounded = round(value, self.profile.limits.quantity_decimals)
            self.put(name, Decimal(f"{value if rounded == value else rounded:f}"))

    def reference(self, name: str, ref: Ref | None, what: str) -> None:
        """Set the external id under which we wrote another record."""
        if ref is None or not ref.key:
            raise MappingError(f"{self.title} has no {what}.", code="reference_missing", missing=name)
        self.put(name, ref.key)

    def _limits(self, name: str) -> tuple[int, int]:
        return self.profile.limits.lengths.get(self.kind, {}).get(name, (0, UNLIMITED))
