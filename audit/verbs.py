"""The closed list of what can have happened, and how each is said to people.

A new verb is one line here. A verb is never renamed or removed: events keep the word they were written with for ever.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """What happened as a sentence about `{subject}`; with `reason`, a person who does it must say why."""

    sentence: str
    reason: bool = False


VERBS = {
    # reading
    "page_read": Verb("A page was read through {subject}"),
    # delivering
    "attempt_started": Verb("An attempt to deliver {subject} was started"),
    "delivered": Verb("{subject} was delivered and accepted"),
    "delivery_found": Verb("{subject} was found on the other side, where a lost answer had left it"),
    "delivery_absent": Verb("{subject} was proved absent on the other side and is due again"),
    "delivery_taken_back": Verb("What was posted of {subject} was taken back, so that it is posted anew"),
    "delivery_retried": Verb("{subject} was put back to be tried again"),
    "delivery_held": Verb("{subject} was held for a person"),
    "delivery_in_doubt": Verb("{subject} was sent and the answer was lost"),
    "delivery_waiting": Verb("{subject} waits for something that is not there yet"),
    "delivery_scheduled": Verb("{subject} waits for its schedule"),
    "delivery_skipped": Verb("{subject} needed no delivery"),
    "delivery_left": Verb("{subject} was left as it stands, since the books are closed for its day"),
    "out_of_scope": Verb("{subject} was left out of scope by a stated rule"),
    "record_replayed": Verb("{subject} was sent back to be delivered", reason=True),
    "record_ignored": Verb("{subject} was ignored for good", reason=True),
    "record_unignored": Verb("{subject} was ignored no longer", reason=True),
    "record_released": Verb("{subject} was released, since what it waited for was decided"),
    "record_linked": Verb("{subject} was linked to what stands on the other side", reason=True),
    "post_asked": Verb("It was asked to post {subject} anyway", reason=True),
    "post_confirmed": Verb("It was confirmed that {subject} is posted anyway", reason=True),
    "replay_asked": Verb("Everything that {subject} holds was asked to be sent again", reason=True),
    "replay_stopped": Verb("Sending again what {subject} holds was stopped", reason=True),
    # problems
    "problem_opened": Verb("{subject} was opened"),
    "problem_resolved": Verb("{subject} was resolved"),
    "problem_left": Verb("{subject} was left as it is", reason=True),
    "problem_returned": Verb("{subject} is back: what it rests on has changed"),
    # feeds, streams and their schedules
    "feed_paused": Verb("{subject} was paused", reason=True),
    "feed_resumed": Verb("{subject} was resumed", reason=True),
    "stream_run_asked": Verb("{subject} was asked to deliver at once", reason=True),
    "schedule_changed": Verb("The schedule of {subject} was changed", reason=True),
    "holidays_changed": Verb("The holidays of {subject} were changed", reason=True),
    "stream_paused": Verb("{subject} was paused", reason=True),
    "stream_resumed": Verb("{subject} was resumed", reason=True),
    "feed_read_asked": Verb("{subject} was asked to be read at once"),
    # connections and what they sign in with
    "connection_created": Verb("{subject} was created"),
    "connection_connected": Verb("{subject} was connected"),
    "connection_reconnected": Verb("{subject} was connected again"),
    "connection_paused": Verb("{subject} was paused", reason=True),
    "connection_resumed": Verb("{subject} was resumed"),
    "sign_in_begun": Verb("A sign-in of {subject} was begun"),
    "sign_in_refused": Verb("A sign-in of {subject} was refused"),
    "settings_changed": Verb("The settings of {subject} were changed"),
    "connection_checked": Verb("{subject} was checked"),
    "credentials_changed": Verb("The credentials of {subject} were changed"),
    "credentials_rotated": Verb("The credentials of {subject} were encrypted under a new key"),
    "token_refreshed": Verb("The access token of {subject} was refreshed"),
    # integrations, tenants, apps and their rules
    "integration_created": Verb("{subject} was created"),
    "integration_activated": Verb("{subject} was activated"),
    "integration_paused": Verb("{subject} was paused", reason=True),
    "tenant_created": Verb("{subject} was created"),
    "tenant_changed": Verb("{subject} was changed"),
    "app_created": Verb("{subject} was created"),
    "mapping_changed": Verb("{subject} was changed", reason=True),
    "policy_changed": Verb("{subject} was changed", reason=True),
    # the audit itself
    "seal_verified": Verb("The seals of {subject} were verified"),
}


def say(verb: str, subject_kind: str, subject_id: str) -> str:
    """The sentence of an event, also of one whose verb this version does not know."""
    subject = f"{subject_kind.replace('_', ' ')} {subject_id}".strip()
    known = VERBS.get(verb)
    sentence = known.sentence.format(subject=subject) if known else f"{verb}: {subject}"
    return sentence[:1].upper() + sentence[1:]
