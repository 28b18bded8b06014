"""Where Intuit's behaviour is not established, what the simulator does; each is a switch with the assumed default."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Switches:
    """The assumptions of one simulator; tests turn them to see that nothing depends on them."""

    refresh_grace: timedelta = timedelta(0)
    """How long a refresh token that was rotated out still works: reports point both ways."""

    rotate_each_refresh: bool = False
    """Whether every refresh gives a new refresh token, instead of one in 24 hours."""

    revoke_on_reuse: bool = False
    """Whether using a rotated refresh token ends the connection."""

    newest_first: bool = True
    """Whether transactions come newest first when no order is asked for, as seen live; the documentation says by id."""

    replay_faults: bool = False
    """Whether a repeated requestid gets a stored refusal too, not only a stored success."""

    closed_period_code: str = "6210"
    """6210 was captured; the published table would say 6200."""

    numbers_per_company: bool = True
    """Whether document numbers are unique in the company, as the fault says, or per vendor or bank account."""

    merged_vendor_disappears: bool = False
    """Whether a vendor who was merged away is gone, instead of inactive."""

    merge_touches_transactions: bool = True
    """Whether what a merge moves gets new versions, and so shows up among the changes."""

    in_flight_seconds: int = 0
    """How long a repeated requestid is refused with 600, as if the first request were still under way."""

    reads_need_features: bool = False
    """Whether classes, departments and orders cannot be read either while their feature is off."""

    webhook_echo: bool = True
    """Whether an app is told of what it wrote itself, as is generally reported."""

    webhook_retries: tuple[int, ...] = (10, 20, 30, 300, 1200, 7200, 14400, 21600)
    """Seconds from one try of a webhook to the next, the last again and again; an older text: 20, 30, 50 minutes."""

    webhook_gives_up: bool = False
    """Whether an endpoint that failed as often as there are retries is told nothing more, as the older text says."""

    core_plus_allowance: int | None = None
    """After how many metered reads in a month a company is blocked; the form of the block (429) is assumed."""

    deactivation_event: str = "Update"
    """What webhooks call the deactivation of an object of a list: Update or Delete, both are reported."""

    rate_follows_date: bool = False
    """Whether a change of a transaction's date that names no exchange rate takes the new day's, instead of keeping the
    one that stands, as a sparse update keeps whatever it does not name."""

    item_accounts_on_lines: bool = True
    """Whether a line on an item shows the item's account, as documented; live captures lack it."""

    full_object_to_delete_attachment: bool = True
    """Whether an attachment is deleted only by its full object, as documented; client libraries send less."""
