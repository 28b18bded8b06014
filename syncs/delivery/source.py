"""Asking the source of a delivery while it is on its way: what it shows at this moment."""

from django.db import transaction

from connectors.conversation import Conversation, Job, Steps, T
from connectors.errors import AuthError, TransientError
from syncs.delivery.slice import Slice
from syncs.problems.connections import stop_for_sign_in


def ask_source(slice_: Slice, job: Job[T]) -> Steps[T]:
    """The steps to the source's answer; when it refuses our sign-in, that is its connection's matter, not the target's.

    Raises what the job raises, and TransientError for AuthError.
    """
    talk = Conversation(connection=slice_.source, effects=slice_.effects, trace_id=slice_.talk.trace_id)
    try:
        answer = yield from talk.call(job)
    except AuthError as error:
        stop_for_sign_in(slice_.source, error, now=slice_.now())
        raise TransientError("The source has to be signed in to again first.", detail=error.message) from error
    finally:
        with transaction.atomic():
            talk.kept_exchanges()
    return answer
