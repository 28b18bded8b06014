"""What looks like chance in the story: always the same for the same words. Pure."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

Choice = TypeVar("Choice")


def draw(words: str, of: int) -> int:
    """A number from 0 up to, not including, `of`."""
    return int(sha256(words.encode()).hexdigest()[:12], 16) % of


def between(words: str, low: int, high: int) -> int:
    """A number from low to high, both included."""
    return low + draw(words, high - low + 1)


def choose(words: str, choices: Sequence[Choice]) -> Choice:
    """One of these."""
    return choices[draw(words, len(choices))]
