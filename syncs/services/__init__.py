"""What people decide about keeping two connections in step; admin, views and later the API call these.

Everything takes keyword arguments, writes an audit event with who and why, and refuses by a ValidationError in plain
words. Pairing and activating are in `syncs.integrations`.
"""

from syncs.services.codes import map_code
from syncs.services.deliveries import ignore, replay, stop_ignoring
from syncs.services.leaving import leave
from syncs.services.linking import link, link_invoice, link_vendor
from syncs.services.posting import OVERRULED, ask_to_post, asked_to_post, confirm_post, what_holds
from syncs.services.replays import go_on, preview, replay_all, stop_replay
from syncs.services.rules import Decided, set_mapping, set_policy
from syncs.services.running import deactivate, deliver_now, pause, read_in_full, read_now, resume
from syncs.services.scheduling import set_holidays, set_schedule

__all__ = [
    "OVERRULED",
    "Decided",
    "ask_to_post",
    "asked_to_post",
    "confirm_post",
    "deactivate",
    "deliver_now",
    "go_on",
    "ignore",
    "leave",
    "link",
    "link_invoice",
    "link_vendor",
    "map_code",
    "pause",
    "preview",
    "read_in_full",
    "read_now",
    "replay",
    "replay_all",
    "resume",
    "set_holidays",
    "set_mapping",
    "set_policy",
    "set_schedule",
    "stop_ignoring",
    "stop_replay",
    "what_holds",
]
