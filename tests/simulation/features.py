"""What a history is about besides bills and payments: by the seed each feature is there or not, so none has all."""

import random
from dataclasses import dataclass
from datetime import timedelta

from connectors.quickbooks.simulator_switches import Switches


@dataclass(frozen=True, kw_only=True)
class Features:
    """Which features a history has."""

    discounts: bool = False
    ap_accounts: bool = False
    closed_books: bool = False
    webhooks: str = ""  # their format
    tokens: bool = False  # Company and User Token instead of the partner's application
    older: bool = False  # the network's older interface, which takes no bills: its company has them already
    ways_back: bool = False  # stops, returns, refunds, expired cards, conversions, reissues, and invoices that stop
    operators: bool = False  # people who pause, schedule, link, ignore, post anyway and send again
    lists: bool = False  # merges, inactivations, deletions


def chosen(seed: int) -> Features:
    """The features of this seed; each draws from a source of its own, so that a new one changes no other."""

    def drawn(name: str) -> random.Random:
        return random.Random(f"{seed} {name}")

    older = drawn("older interface").random() < 0.15
    return Features(
        discounts=drawn("discounts").random() < 0.4,
        ap_accounts=drawn("AP accounts").random() < 0.4,
        closed_books=drawn("closed books").random() < 0.3,
        webhooks=drawn("webhooks").choice(["", "cloudevents", "legacy"]),
        tokens=older or drawn("tokens").random() < 0.3,
        older=older,
        ways_back=drawn("ways back").random() < 0.6,
        operators=drawn("operators").random() < 0.5,
        lists=drawn("lists").random() < 0.5,
    )


def profile(seed: int) -> str:
    """The contract of the network."""
    profiles = ["assumed-v1", "assumed-v1", "renamed-v1"]
    return "assumed-v1" if chosen(seed).older else random.Random(seed + 2).choice(profiles)


def assumed(seed: int) -> Switches:
    """What nobody knows for sure of QuickBooks, either way."""
    drawn = random.Random(seed + 2)
    return Switches(
        refresh_grace=drawn.choice([timedelta(0), timedelta(days=1)]),
        rotate_each_refresh=drawn.random() < 0.3,
        newest_first=drawn.random() < 0.5,
        replay_faults=drawn.random() < 0.3,
        revoke_on_reuse=drawn.random() < 0.2,
        closed_period_code=drawn.choice(["6210", "6200"]),
        numbers_per_company=drawn.random() < 0.7,
        merged_vendor_disappears=drawn.random() < 0.5,
        merge_touches_transactions=drawn.random() < 0.5,
        in_flight_seconds=drawn.choice([0, 0, 5, 60]),
        webhook_echo=drawn.random() < 0.5,
        webhook_gives_up=drawn.random() < 0.2,
        webhook_retries=drawn.choice([Switches.webhook_retries, (1200, 1800, 3000)]),
        deactivation_event=drawn.choice(["Update", "Delete"]),
        item_accounts_on_lines=drawn.random() < 0.5,
        full_object_to_delete_attachment=drawn.random() < 0.5,
    )
