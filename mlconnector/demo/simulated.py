"""The way to the simulated providers that only the demo has: people's acts and a look at the books, over HTTP."""

from decimal import Decimal
from typing import Any

import httpx
import msgspec

READ = msgspec.json.Decoder(float_hook=Decimal).decode
WRITE = msgspec.json.Encoder(decimal_format="number").encode
ERP, NETWORK = "quickbooks", "avidxchange"


class ActRefused(Exception):
    """The provider does not let a person do this."""


class Simulated:
    """Both providers at one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Nothing is kept alive: what is acted on a connection that the other end has just closed would be lost.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False, limits=alone)
        self._seen: dict[str, dict[str, Any]] = {}

    def is_up(self) -> bool:
        """Whether they answer."""
        try:
            return self._http.get(f"/__sim/{ERP}/books").status_code == 200
        except httpx.TransportError:
            return False

    def books(self, provider: str) -> dict[str, Any]:
        """All books of one provider, by company, as they were when last looked at."""
        if provider not in self._seen:
            answer = self._http.get(f"/__sim/{provider}/books")
            answer.raise_for_status()
            self._seen[provider] = READ(answer.content)
        return self._seen[provider]

    def look_anew(self) -> None:
        """Somebody else may have changed the books."""
        self._seen.clear()

    def act(self, provider: str, act: str, **arguments: Any) -> Any:
        """A person acts; ActRefused says why they may not. What they see of the books stays as it was."""
        answer = self._http.post(f"/__sim/{provider}/person/{act}", content=WRITE(arguments))
        said = READ(answer.content) if answer.content else None
        if answer.status_code != 200:
            why = said["error"] if isinstance(said, dict) and "error" in said else f"status {answer.status_code}"
            raise ActRefused(f"{act}: {why}")
        return said

    def consent(self, url: str) -> dict[str, str]:
        """A person follows the address of a sign-in to the provider, agrees, and is sent back with this answer."""
        sent_back = self._http.get(url)
        if sent_back.status_code != 302:
            raise ActRefused(f"the sign-in was not answered with a way back but with status {sent_back.status_code}")
        return dict(httpx.URL(sent_back.headers["location"]).params)
