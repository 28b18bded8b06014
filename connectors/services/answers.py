"""Answers of a person to a provider's questions: checked one by one, so that every mistake is named at once."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import ValidationError

from connectors.questions import Question, questions


def checked(
    shape: type[msgspec.Struct], given: Mapping[str, object], kept: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values to keep; ValidationError with a sentence for each field that cannot be kept.

    A secret that is left empty stays what it was, since its value is never shown to be sent back.
    """
    asked = {question.name: question for question in questions(shape)}
    errors = {name: "This is not asked for here." for name in given if name not in asked}
    values: dict[str, Any] = {}
    for name, question in asked.items():
        answer = _answer(question, given, kept or {})
        if answer in ("", None) and question.required:
            errors[name] = "Fill this in."
        elif answer in ("", None):
            values[name] = question.default
        else:
            try:
                values[name] = msgspec.to_builtins(msgspec.convert(answer, question.type, strict=False))
            except msgspec.ValidationError:
                errors[name] = _advice(question)
    if errors:
        raise ValidationError(errors)
    return values


def _answer(question: Question, given: Mapping[str, object], kept: Mapping[str, Any]) -> object:
    answer = given.get(question.name, kept.get(question.name))
    if isinstance(answer, str):
        answer = answer.strip()
    return kept.get(question.name) if question.secret and not answer else answer


def _advice(question: Question) -> str:
    """What to change; never the value, which may be a secret."""
    if question.choices:
        return f"Choose one of: {', '.join(question.choices)}."
    if question.is_number:
        return "Enter a whole number within the limits."
    return f"This cannot be right. {question.help}".strip()
