"""What describes one kind of object: what may be written, filtered and sorted, what is required, how it is named."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.quickbooks.simulator_fields import Decode, ignored

READ_ONLY = dict.fromkeys(
    ("Id", "SyncToken", "MetaData", "domain", "sparse", "status", "CustomField", "AttachableRef", "RecurDataRef"),
    ignored,
)
EVERYWHERE = {"Id": "id", "MetaData.CreateTime": "time", "MetaData.LastUpdatedTime": "time"}


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One kind of object: `listed` ones are deactivated and never deleted, `dated` ones are transactions of a day."""

    name: str
    noun: str
    listed: bool
    dated: bool
    fields: Mapping[str, Decode]
    filters: Mapping[str, str]
    unsorted: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset({"Active", "CurrencyRef", "AccountType", "AccountSubType"})
    unique: str = ""
    sequence: str = ""

    @property
    def path(self) -> str:
        """The folder of this entity in a URL."""
        return self.name.lower()


def words(kind: str, *names: str) -> dict[str, str]:
    """Several properties that are compared in the same way."""
    return dict.fromkeys(names, kind)


def entity(
    name: str,
    noun: str,
    fields: Mapping[str, Decode],
    filters: Mapping[str, str],
    *,
    listed: bool,
    unsorted: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    repeated: tuple[str, ...] = (),
    unique: str = "",
    sequence: str = "",
    dated: bool | None = None,
) -> Entity:
    """An entity with what all have: a transaction is unique by its number, an object of a list by its name."""
    return Entity(
        name=name,
        noun=noun,
        listed=listed,
        dated=not listed if dated is None else dated,
        fields={**READ_ONLY, **fields},
        filters={**EVERYWHERE, **filters},
        unsorted=frozenset(unsorted),
        required=required,
        repeated=repeated,
        unique=unique or ("Name" if listed else "DocNumber"),
        sequence=sequence or (name if listed else "transaction"),
    )
