"""The figures as a page: ratios first, since the machine may be shared, then where the time goes."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from importlib.metadata import version
from textwrap import wrap

from tests.bench.measure import Figures, Measured, Row
from tests.bench.meter import HTTP
from tests.bench.race import Run

GOAL = 12_000  # bills a second read, decoded, hashed and committed on two cores
PACKAGES = ("Django", "psycopg", "msgspec", "httpx")

HOW = """
## How it is measured

`make bench` (`manage.py bench`) runs everything in a minute or two; `--write` writes this page.

- The providers are the simulators, in a process of their own on a loopback port, with {latency:.0f} ms before each
  answer. Their answers are made beforehand as far as possible; what they cost is counted apart. Throttles and budgets
  are off: QuickBooks itself takes 500 requests a minute of a company, and AvidXchange 60 of all customers together, so
  in reality it is the providers that limit delivery.
- The engine is the real one, `read_feed` and `deliver_stream` slice by slice, in worker processes as `manage.py work`
  keeps them, but called directly: the queue's part, some milliseconds for each slice of up to 5 s, is left out.
- A worker has a company of its own: a feed or a stream is worked on by one worker at a time, so that is what more
  workers can do. The plain loops use the same tables and providers, one worker, fewer records, and promise nothing:
  reading writes one row a bill and no history; delivery claims by the ORM, sends one, and saves.
- The database is a new one with real commits (`synchronous_commit` on). Each full reading ends with one question for
  changes. Everything that was read or delivered is counted afterwards; anything missing fails the run.
- Seconds by the clock depend on what else the machine does; processor seconds hardly do. PostgreSQL's are those of the
  workers' own server processes.
"""


def page(figures: Figures, *, today: date, load: float) -> str:
    """The whole page."""
    return "\n".join(
        [
            "# Benchmark",
            "",
            *_where(figures.server, today, load),
            "",
            *_ratios(figures),
            "",
            *_goal(figures),
            "",
            "## Reading: where the time goes, one worker",
            "",
            *_parts((figures.first, "first reading"), (figures.again, "comparison")),
            "",
            "## Delivery: where the time goes, one worker",
            "",
            *_parts((figures.bills, "bills"), (figures.payments, "payments")),
            HOW.format(latency=figures.sizes.latency * 1000).rstrip(),
            "",
        ]
    )


def _where(server: str, today: date, load: float) -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield from _paragraph(
        f"{today:%-d %B %Y}. Python {platform.python_version()}, PostgreSQL {server}, {packages}. {os.cpu_count()} "
        f"cores of {platform.machine()}, shared with others: load average {load:.1f} at the start."
    )


def _ratios(figures: Figures) -> Iterator[str]:
    rows = (figures.first, figures.again, figures.bills, figures.payments)
    workers = sorted({count for row in rows for count in row.engine})
    head = ["Records a second", "plain loop", *(f"{count} worker{'s' if count > 1 else ''}" for count in workers)]
    yield from _table([*head, "processor, µs a record"], [_ratio(row, workers) for row in rows])
    sizes, run = figures.sizes, figures.first.engine[1].run
    yield ""
    yield from _paragraph(
        f"In brackets: how many times the plain loop. The last column is what a record costs of a worker's and of "
        f"PostgreSQL's processor, which other programs on the machine hardly change. Companies of {sizes.bills:,} "
        f"bills and {sizes.vendors} vendors are read, {sizes.delivered:,} bills and {sizes.payments} payments of each "
        f"are delivered, with {sizes.latency * 1000:.0f} ms to each answer."
    )
    yield ""
    yield from _paragraph(
        f"A poll that finds nothing takes {figures.poll_seconds * 1000:.0f} ms. A worker that reads grows from "
        f"{run.megabytes_before:.0f} MB to {run.megabytes:.0f} MB, however large the company."
    )


def _ratio(row: Row, workers: Sequence[int]) -> list[str]:
    plain, alone = row.plain, row.engine[1]
    spent = plain.each(plain.run.spent), alone.each(alone.run.spent)
    faster = [
        f"{row.engine[count].a_second:,.0f} (**{row.engine[count].a_second / plain.a_second:.0f}×**)"
        if count in row.engine
        else ""
        for count in workers
    ]
    cost = f"{spent[0]:,.0f} → {spent[1]:,.0f} (**{spent[0] / spent[1]:.0f}×**)"
    return [f"{row.name}: {row.unit}s", f"{plain.a_second:,.0f}", *faster, cost]


def _goal(figures: Figures) -> Iterator[str]:
    """Where the goal stands, and what costs most."""
    engine = figures.first.engine
    workers = max(engine, key=lambda count: engine[count].a_second)
    best, alone = engine[workers], engine[1]
    worker, server = best.each(sum(best.run.processor.values())), best.each(best.run.server)
    yield f"## {GOAL:,} bills a second"
    yield ""
    yield from _paragraph(
        f"Read, decoded, hashed and committed on two cores: {best.a_second:,.0f} a second with {workers} workers, "
        f"{best.a_second / GOAL:.0%} of where this has to arrive. One company alone, by one worker, comes to "
        f"{alone.a_second:,.0f}: its pages follow each other, and {alone.each(alone.run.parts[HTTP]):.0f} of "
        f"{alone.each(alone.run.seconds):.0f} µs a bill are spent waiting for QuickBooks, which gives 1,000 a page."
    )
    yield ""
    if server:
        yield from _paragraph(
            f"A bill costs {worker:.0f} µs of a worker's processor and {server:.0f} µs of PostgreSQL's, so two cores "
            f"cannot do more than {2e6 / (worker + server):,.0f} a second with this code."
        )
        yield ""
    first, second, third = _most(alone.run)
    yield from _paragraph(f"Most of the time of one company goes into {first}, then {second} and {third}.")


def _most(run: Run) -> list[str]:
    largest = sorted(run.parts.items(), key=lambda part: -part[1])[:3]
    return [f"{name} ({seconds / run.seconds:.0%})" for name, seconds in largest]


def _parts(*rows: tuple[Row, str]) -> Iterator[str]:
    alone = [(row.engine[1], name, row.unit) for row, name in rows]
    largest = alone[0][0].run.parts
    names = sorted({part for one, _, _ in alone for part in one.run.parts}, key=lambda part: -largest.get(part, 0))
    head = [""]
    for _, name, unit in alone:
        head += [f"{name}: share", f"µs a {unit}", "of it processor"]
    lines = [[part, *(cell for one, _, _ in alone for cell in _cells(one, part))] for part in names]
    servers = [f"{one.each(one.run.server):,.0f}" for one, _, _ in alone]
    others = [f"{one.each(one.run.simulators):,.0f}" for one, _, _ in alone]
    for name, spent in (("PostgreSQL", servers), ("the simulators", others)):
        lines.append([name, *(cell for figure in spent for cell in ("", "", figure))])
    yield from _table(head, lines)


def _cells(one: Measured, part: str) -> Sequence[str]:
    seconds = one.run.parts.get(part, 0.0)
    used = one.run.processor.get(part, 0.0)
    return f"{seconds / one.run.seconds:.0%}", f"{one.each(seconds):,.0f}", f"{one.each(used):,.0f}"


def _paragraph(text: str) -> list[str]:
    return wrap(text, 120, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table that reads well as text too."""
    rows = [head, *lines]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return f"| {' | '.join(padded)} |"

    yield line(head)
    yield f"|{'-' * (widths[0] + 2)}|{'|'.join('-' * (width + 1) + ':' for width in widths[1:])}|"
    yield from (line(row) for row in rows[1:])
