"""What keeps two connections in step: one module per concept."""

from syncs.models.application import Application
from syncs.models.attempt import Attempt
from syncs.models.decision import Decision
from syncs.models.feed import Feed
from syncs.models.holiday import Holiday
from syncs.models.integration import Integration
from syncs.models.mapping import Mapping
from syncs.models.policy import Policy
from syncs.models.problem import Problem
from syncs.models.remote_record import RemoteRecord
from syncs.models.remote_revision import RemoteRevision
from syncs.models.replay import Replay
from syncs.models.reread import Reread
from syncs.models.schedule import ScheduleRow
from syncs.models.stopped_invoice import StoppedInvoice
from syncs.models.stream import Stream
from syncs.models.sync_record import SyncRecord
from syncs.models.sync_run import SyncRun
from syncs.models.unreadable import UnreadableRow

__all__ = [
    "Application",
    "Attempt",
    "Decision",
    "Feed",
    "Holiday",
    "Integration",
    "Mapping",
    "Policy",
    "Problem",
    "RemoteRecord",
    "RemoteRevision",
    "Reread",
    "StoppedInvoice",
    "Replay",
    "ScheduleRow",
    "Stream",
    "SyncRecord",
    "SyncRun",
    "UnreadableRow",
]
