"""What a provider's dataclass asks of a person: a question for each field, for forms and for checks. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec
from msgspec import inspect


@dataclass(frozen=True, kw_only=True)
class Question:
    """One field: how it is asked, which type its answer has, and whether the answer is never shown again."""

    name: str
    title: str
    help: str
    type: Any
    secret: bool
    required: bool
    default: Any
    choices: Sequence[str] = ()
    is_flag: bool = False
    is_number: bool = False


def questions(shape: type[msgspec.Struct]) -> list[Question]:
    """The questions of a dataclass, in its order."""
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    by_name = {field.name: field for field in described.fields}
    return [_question(field, by_name[field.name]) for field in msgspec.structs.fields(shape)]


def _question(field: msgspec.structs.FieldInfo, described: inspect.Field) -> Question:
    kind, schema, extra = described.type, {}, {}
    if isinstance(kind, inspect.Metadata):
        schema, extra, kind = kind.extra_json_schema or {}, kind.extra or {}, kind.type
    default = None if field.default is msgspec.NODEFAULT else field.default
    return Question(
        name=field.name,
        title=schema.get("title") or field.name.replace("_", " ").capitalize(),
        help=schema.get("description", ""),
        type=field.type,
        secret=bool(extra.get("secret")),
        required=described.required,
        default=default.value if isinstance(default, Enum) else default,
        choices=_choices(kind),
        is_flag=isinstance(kind, inspect.BoolType),
        is_number=isinstance(kind, inspect.IntType),
    )


def _choices(kind: inspect.Type) -> Sequence[str]:
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    if isinstance(kind, inspect.EnumType):
        return [str(member.value) for member in kind.cls]
    return ()
