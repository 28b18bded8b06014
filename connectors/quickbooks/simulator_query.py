"""The query language: what a statement says. Running it is another module's matter.

The grammar is Intuit's (Query operations and syntax); that ORDER BY may be two words, that a property may be projected
and how the two kinds of errors read was seen live.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.quickbooks.simulator_faults import Refusal

TOKEN = re.compile(
    r"""
    \s* (?:
        (?P<STRING> '(?:[^'\\]|\\.)*' )
      | (?P<NUMBER> -?\d+(?:\.\d+)? (?![\w.]) )
      | (?P<IDENTIFIER> [A-Za-z_][\w.]* )
      | (?P<OPERATOR> <= | >= | = | < | > )
      | (?P<PUNCTUATION> [(),*] )
      | (?P<END> $ )
      | (?P<UNKNOWN> . )
    )""",
    re.VERBOSE | re.DOTALL,
)
OPERATORS = ("=", "<", ">", "<=", ">=")
LARGEST_PAGE = 1000
DEFAULT_PAGE = 100


@dataclass(frozen=True)
class Token:
    """A piece of the statement, and where it begins."""

    kind: str
    text: str
    column: int


@dataclass(frozen=True)
class Condition:
    """One comparison; IN has several values, every other operator one."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A statement that could be parsed; names are as written."""

    entity: str
    projection: tuple[str, ...] = ()
    counts: bool = False
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    start: int = 1
    size: int = DEFAULT_PAGE


def parse_query(statement: str) -> Query:
    """The statement's meaning, or a refusal with code 4000 that says where it went wrong."""
    return _Parser(statement).query()


def invalid(text: str) -> Refusal:
    """The statement can be parsed and means nothing."""
    return Refusal("4001", "Invalid query", f"QueryValidationError: {text}")


def _tokens(statement: str) -> Iterator[Token]:
    for match in TOKEN.finditer(statement):
        kind = match.lastgroup or "UNKNOWN"
        yield Token(kind, match[kind], match.start(kind) + 1)
        if kind == "END":
            return


class _Parser:
    def __init__(self, statement: str) -> None:
        self._tokens = list(_tokens(statement))
        self._at = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def query(self) -> Query:
        self._word("SELECT")
        projection, counts = self._projection()
        self._word("FROM")
        entity = self._take("IDENTIFIER")
        conditions = tuple(self._conditions()) if self._skip("WHERE") else ()
        order = tuple(self._order()) if self._starts_order() else ()
        start = self._bounded(2**31) if self._skip("STARTPOSITION") else 1
        size = self._bounded(LARGEST_PAGE) if self._skip("MAXRESULTS") else DEFAULT_PAGE
        self._take("END")
        return Query(entity, projection, counts, conditions, order, start, size)

    def _projection(self) -> tuple[tuple[str, ...], bool]:
        if self._is("COUNT"):
            self._word("COUNT")
            for mark in "(*)":
                self._mark(mark)
            return (), True
        names, has_star = [], False
        while True:
            if self._next.text == "*":
                self._mark("*")
                has_star = True
            else:
                names.append(self._take("IDENTIFIER"))
            if self._next.text != ",":
                return (() if has_star else tuple(names)), False
            self._mark(",")

    def _conditions(self) -> Iterator[Condition]:
        while True:
            name = self._take("IDENTIFIER")
            if self._skip("IN"):
                yield Condition(name, "IN", tuple(self._values()))
            elif self._skip("LIKE"):
                yield Condition(name, "LIKE", (self._value(),))
            elif self._next.kind == "OPERATOR":
                yield Condition(name, self._take("OPERATOR"), (self._value(),))
            else:
                raise self._error("<OPERATOR>", "IN", "LIKE")
            if not self._skip("AND"):
                return

    def _values(self) -> Iterator[str]:
        self._mark("(")
        yield self._value()
        while self._next.text == ",":
            self._mark(",")
            yield self._value()
        self._mark(")")

    def _value(self) -> str:
        token = self._next
        if token.kind == "STRING":
            self._at += 1
            return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
        if token.kind == "NUMBER" or token.text.upper() in ("TRUE", "FALSE", "CURRENT_DATE"):
            self._at += 1
            return token.text
        raise self._error("<STRING>", "<NUMBER>", "TRUE", "FALSE", "CURRENT_DATE")

    def _starts_order(self) -> bool:
        if self._skip("ORDER"):
            self._word("BY")
            return True
        return self._skip("ORDERBY")

    def _order(self) -> Iterator[tuple[str, bool]]:
        while True:
            name = self._take("IDENTIFIER")
            descending = self._skip("DESC")
            if not descending:
                self._skip("ASC")
            yield name, descending
            if self._next.text != ",":
                return
            self._mark(",")

    def _bounded(self, largest: int) -> int:
        written = self._take("NUMBER")
        number = int(written.partition(".")[0])
        if number < 1:
            raise invalid(f"value {number} is too small. Min allowed value is 1")
        if number > largest:
            raise invalid(f"value {number} is too large. Max allowed value is {largest}")
        return number

    def _is(self, word: str) -> bool:
        return self._next.kind == "IDENTIFIER" and self._next.text.upper() == word

    def _skip(self, word: str) -> bool:
        found = self._is(word)
        self._at += found
        return found

    def _word(self, word: str) -> None:
        if not self._skip(word):
            raise self._error(word)

    def _mark(self, mark: str) -> None:
        if self._next.text != mark:
            raise self._error(f'"{mark}"')
        self._at += 1

    def _take(self, kind: str) -> str:
        token = self._next
        if token.kind != kind:
            raise self._error(f"<{kind}>")
        self._at += kind != "END"
        return token.text

    def _error(self, *expected: str) -> Refusal:
        token = self._next
        found = "<EOF>" if token.kind == "END" else f'" <{token.kind}> "{token.text} ""'
        return Refusal(
            "4000",
            "Error parsing query",
            f"QueryParserError: Encountered {found} at line 1, column {token.column}. "
            f"Was expecting one of: {' ... '.join(expected)} ...",
        )
