"""Keeping in step, for operations: everything is seen here and changed through services only."""

from syncs.admin import deliveries, integrations, problems, reading, streams

__all__ = ["deliveries", "integrations", "problems", "reading", "streams"]
