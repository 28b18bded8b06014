"""Runs and progress in words, for the pages of operations."""

from datetime import datetime, timedelta

from syncs.mirror.hinted import webhooks_are_healthy
from syncs.models import Feed, SyncRun
from syncs.runs import DONE, Progress
from syncs.timing import interval_of, least_interval_of

READING = {
    "read": "read",
    "changed": "new or changed",
    "gone": "gone",
    "unreadable": "unreadable",
    "wanted": "to deliver",
}
DELIVERING = {
    DONE: "dealt with",
    "sent": "sent",
    "synced": "in step",
    "pending": "put back to be sent later",
    "held": "held",
    "waiting": "waiting",
    "in_doubt": "in doubt",
    "out_of_scope": "out of scope",
}


def counts_in_words(run: SyncRun) -> str:
    """What it did, without what it did not."""
    names = READING if run.feed_id is not None else DELIVERING
    said = [f"{run.counts[key]:,} {words}" for key, words in names.items() if run.counts.get(key)]
    return ", ".join(said) or ("nothing read" if run.feed_id is not None else "nothing")


def length_in_words(length: timedelta) -> str:
    """A length of time as people say it."""
    seconds = int(length.total_seconds())
    if seconds < 1:
        return "less than a second"
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * unit:
            return f"{round(seconds / unit)} {name}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def polled_in_words(feed: Feed, now: datetime) -> str:
    """How often a feed without a schedule is asked for changes, and why."""
    interval = interval_of(feed, now)
    words = f"polled every {length_in_words(interval)}"
    if interval == least_interval_of(feed.connection, now):
        words += ", stretched because many companies share this app's quota"
    if webhooks_are_healthy(feed.connection, now):
        return f"webhooks healthy, {words}"
    return f"webhooks doubted, {words}" if feed.connection.webhook_at else words


def speed_in_words(per_second: float | None) -> str:
    """Records a second; nothing where it took too little time to tell."""
    if per_second is None:
        return ""
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"


def progress_in_words(progress: Progress | None) -> str:
    """How far it has come, how much is left, and how long that takes."""
    if progress is None:
        return ""
    so_far = f"{progress.done:,} so far" if progress.done else ""
    kind = f" of every {progress.of_kind.replace('_', ' ')}" if progress.of_kind else ""
    if progress.left is None:
        left = "this provider does not say how many there are" if progress.uncounted else "the total is not known yet"
    elif progress.time_left is None:
        left = f"{progress.left:,} left{kind}"
    else:
        left = f"about {progress.left:,} left{kind}, {length_in_words(progress.time_left)} at this speed"
    speed = f"{speed_in_words(progress.per_second)} a second" if progress.per_second else ""
    return f"{', '.join(filter(None, (so_far, speed, left)))}."


def described(run: SyncRun) -> dict[str, object]:
    """One line of a table of runs."""
    return {
        "run": run,
        "lasted": length_in_words(run.lasted),
        "numbers": counts_in_words(run),
        "speed": speed_in_words(run.per_second),
    }
