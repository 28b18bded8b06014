"""What the demo says in the terminal while it runs."""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from django.db import connection as database

from mlconnector.demo.plan import Act

WORDS = {
    "open_account": ("account opened", "accounts opened"),
    "open_branch": ("branch named", "branches named"),
    "open_class": ("class named", "classes named"),
    "enter_item": ("item entered", "items entered"),
    "enter_vendor": ("vendor entered", "vendors entered"),
    "enroll": ("vendor enrolled", "vendors enrolled"),
    "order": ("order placed", "orders placed"),
    "receive": ("order received in part", "orders received in part"),
    "enter_bill": ("bill entered", "bills entered"),
    "enter_credit": ("credit entered", "credits entered"),
    "attach_image": ("image attached", "images attached"),
    "open_lost_account": ("account opened for one bill", "accounts opened for one bill"),
    "close_lost_account": ("account made inactive", "accounts made inactive"),
    "correct_bill": ("bill corrected", "bills corrected"),
    "delete_bill": ("bill deleted", "bills deleted"),
    "deactivate_vendor": ("vendor made inactive", "vendors made inactive"),
    "pay_by_hand": ("bill paid by hand", "bills paid by hand"),
    "pay_part_by_hand": ("bill partly paid by hand", "bills partly paid by hand"),
    "close_books": ("month closed", "months closed"),
    "approve": ("approved", "approved"),
    "reject": ("rejected", "rejected"),
    "put_on_hold": ("put on hold", "put on hold"),
    "pay": ("payment ordered", "payments ordered"),
    "pay_half": ("part payment ordered", "part payments ordered"),
    "funds_received": ("payment funded", "payments funded"),
    "card_processing": ("card prepared", "cards prepared"),
    "issued": ("payment sent out", "payments sent out"),
    "cleared": ("payment cleared", "payments cleared"),
    "void_payment": ("check voided", "checks voided"),
    "stop_check": ("check stopped", "checks stopped"),
    "return_ach": ("ACH returned", "ACH returned"),
    "convert_card": ("card turned into a check", "cards turned into checks"),
    "reissue": ("payment reissued", "payments reissued"),
}
DELIVERED = """
SELECT stream.kind, a.action, count(*), max(a.id)
FROM syncs_attempt a JOIN syncs_syncrecord s ON s.id = a.sync_record_id AND s.tenant_id = a.tenant_id
JOIN syncs_stream stream ON stream.id = s.stream_id
WHERE a.id > %s AND a.outcome IN ('accepted', 'found') GROUP BY stream.kind, a.action
"""
NEWLY_HELD = "SELECT count(*) FROM syncs_syncrecord WHERE state = 'held'"
DONE = {"create": "sent", "update": "updated", "withdraw": "withdrawn", "void": "voided"}


class Telling:
    """Lines for a person: what people did on a day, and what the connector made of it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = out.isatty()
        self._last_attempt = 0
        self._held = 0

    def say(self, text: str = "") -> None:
        """A line as it is."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def heading(self, text: str) -> None:
        """A line that stands out."""
        self.say(self._in("1", text))

    def acted(self, day: int, today: datetime, acts: Iterable[Act]) -> None:
        """What people did on a day."""
        counts = Counter(act.subject if act.verb == "advance" else act.verb for act in acts)
        parts = [f"{count} {WORDS[word][count > 1]}" for word, count in counts.items()]
        title = f"Day {day:<2} {today:%a %d %b}" if day else "Day 0  setting up"
        self.say(f"{self._in('1', title)}  {', '.join(parts) or 'nobody acts'}")

    def begin(self) -> None:
        """Count what is delivered from here on."""
        self.delivered(quietly=True)

    def delivered(self, *, quietly: bool = False) -> None:
        """What the connector has delivered and held since the last time."""
        with database.cursor() as cursor:
            cursor.execute(DELIVERED, [self._last_attempt])
            rows = cursor.fetchall()
            cursor.execute(NEWLY_HELD)
            held = cursor.fetchone()[0]
        self._last_attempt = max([self._last_attempt, *(last for *_, last in rows)])
        counts: Counter[str] = Counter()
        for kind, action, count, _ in rows:
            words = "posted" if (kind, action) == ("payment", "create") else DONE[action]
            counts[f"{{}} {kind.replace('_', ' ')}s {words}"] += count
        parts = [self._in("32", _plural(words, count)) for words, count in sorted(counts.items())]
        if held > self._held:
            parts.append(self._in("33", f"{held - self._held} held for a person"))
        self._held = held
        if parts and not quietly:
            self.say(f"                   → {', '.join(parts)}")

    def _in(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colours else text


def _plural(words: str, count: int) -> str:
    said = words.format(count)
    return said.replace("s ", " ", 1) if count == 1 else said


def to_terminal() -> Telling:
    """To standard output."""
    return Telling(sys.stdout)
