"""What people decide about keeping two connections in step; admin, views and later the API call these.

Everything takes keyword arguments, writes an audit event with who and why, and refuses by a ValidationError in plain
words. Pairing and activating are in `syncs.integrations`.
"""

from syncs.services.deliveries import ignore, replay, stop_ignoring
from syncs.services.leaving import leave
from syncs.services.linking import link, link_invoice, link_vendor
from syncs.services.posting import ask_to_post, confirm_post
from syncs.services.rules import Decided, set_mapping, set_policy
from syncs.services.running import deactivate, pause_stream, read_in_full, read_now, resume_stream

__all__ = [
    "Decided",
    "ask_to_post",
    "confirm_post",
    "deactivate",
    "ignore",
    "leave",
    "link",
    "link_invoice",
    "link_vendor",
    "pause_stream",
    "read_in_full",
    "read_now",
    "replay",
    "resume_stream",
    "set_mapping",
    "set_policy",
    "stop_ignoring",
]
