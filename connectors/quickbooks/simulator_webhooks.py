"""Webhooks: what happened waits for its endpoint, goes out in posts, and is tried again until it was taken.

One endpoint per app; a post mixes companies. A post that is not answered with 200 is sent again, the same bytes, and
everything behind it waits (Intuit: webhooks, the newer text). What waits is not kept over a restart: a receiver that
asks for changes by itself, as Intuit recommends, misses nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.quickbooks.simulator_company import Event
from connectors.quickbooks.simulator_notices import Notice, as_cloud_events, as_legacy, headers_of, is_told
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_tokens import Tokens

TAKEN = 200


@dataclass
class Post:
    """One delivery: the same bytes however often it is tried."""

    body: bytes
    due: datetime
    tries: int = 0


@dataclass
class Endpoint:
    """Where an app wants to be told, and how well that works.

    Events wait `delay_seconds` for others, at most `together` make a post, each post comes once and `duplicates` times
    more, and with `newest_first` the order is turned around.
    """

    client_id: str
    url: str
    verifier: str
    format: str = "cloudevents"
    void_word: str = "void"
    delay_seconds: float = 0
    duplicates: int = 0
    newest_first: bool = False
    together: int = 100
    waiting: list[Notice] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    given_up: bool = False

    def pack(self, now: datetime) -> None:
        """Make posts of what has waited long enough."""
        if not self.waiting or now < self.waiting[0].event.at + timedelta(seconds=self.delay_seconds):
            return
        notices = self.waiting[::-1] if self.newest_first else self.waiting
        self.waiting = []
        for start in range(0, len(notices), self.together):
            part = notices[start : start + self.together]
            body = as_legacy(part) if self.format == "legacy" else as_cloud_events(part, self.void_word)
            self.posts += [Post(body, now) for _ in range(1 + self.duplicates)]

    def headers(self, post: Post, now: datetime) -> Mapping[str, str]:
        """The headers of a try."""
        return headers_of(post.body, self.verifier, now)


class Webhooks:
    """All endpoints and what waits for them."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self._told = 0

    def register(self, endpoint: Endpoint) -> None:
        """A new endpoint of an app, or other settings of the one it has; what waits goes on waiting."""
        if endpoint.format not in ("cloudevents", "legacy"):
            raise ValueError(f"{endpoint.format} is no format of webhooks: cloudevents or legacy.")
        if old := self.endpoints.get(endpoint.client_id):
            endpoint.waiting, endpoint.posts = old.waiting, old.posts
        self.endpoints[endpoint.client_id] = endpoint

    def tell(self, realm_id: str, events: Iterable[Event], writer: str, tokens: Tokens, switches: Switches) -> None:
        """Something happened in a company, written by this app or, without one, by a person."""
        connected = {grant.client_id for grant in tokens.grants if grant.alive and grant.realm_id == realm_id}
        for event in filter(is_told, events):
            self._told += 1
            for endpoint in self.endpoints.values():
                is_echo = endpoint.client_id == writer and not switches.webhook_echo
                if endpoint.client_id in connected and not is_echo and not endpoint.given_up:
                    endpoint.waiting.append(Notice(realm_id, event, self._told))

    def due(self, now: datetime) -> tuple[Endpoint, Post] | None:
        """The next post to be tried now; only the first of an endpoint can be."""
        for endpoint in self.endpoints.values():
            endpoint.pack(now)
            if endpoint.posts and endpoint.posts[0].due <= now:
                return endpoint, endpoint.posts[0]
        return None

    def settle(self, endpoint: Endpoint, post: Post, status: int, switches: Switches, now: datetime) -> None:
        """A try was answered: the post is done, or tried again later, or given up with all that waits."""
        if status == TAKEN:
            endpoint.posts = [waiting for waiting in endpoint.posts if waiting is not post]
            return
        schedule = switches.webhook_retries
        if switches.webhook_gives_up and post.tries >= len(schedule):
            endpoint.given_up = True
            endpoint.posts, endpoint.waiting = [], []
            return
        post.due = now + timedelta(seconds=schedule[min(post.tries, len(schedule) - 1)])
        post.tries += 1
