"""How fast people work: approvers take their time, and payments are released in runs. Pure."""

from datetime import timedelta

from mlconnector.demo.draw import between
from mlconnector.demo.story import Bill, Credit

LAST_DAY = 23
RUNS = (6, 11, 16, 21)
NEVER = LAST_DAY + 100
APPROVAL = 2, 5  # days from a bill's entry to its approver's decision
CREDIT_APPROVAL = 2
BOOKS_CLOSED = 14, 8  # on this day of the story, through that one


def date_offset(day: int) -> timedelta:
    """How far this day is from the first: five working days, then two free ones."""
    return timedelta(days=max(0, day - 1) + 2 * (max(0, day - 1) // 5))


def decided_on(entry: Bill | Credit) -> int:
    """The day on which its approver decides."""
    days = CREDIT_APPROVAL if isinstance(entry, Credit) else between(f"approver of {entry.number}", *APPROVAL)
    return entry.day + days


def run_of(entry: Bill | Credit) -> int:
    """The first run after it was decided on; none any more for the last bills."""
    return next((run for run in RUNS if run > decided_on(entry)), NEVER)
