"""One bill's story: what was seen, sent, accepted, approved, paid and posted, in order, and what comes next."""

from syncs.story.facts import Facts, facts_of
from syncs.story.tell import Story, tell

__all__ = ["Facts", "Story", "facts_of", "tell"]
