"""The pace of requests that nobody waits for, so that a server's limit leaves room for others."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from vieneu_core.clock import Clock

REMOTE_REQUESTS_PER_MINUTE = 40
"""Requests to the remote backend that nobody waits for: a server takes 60 a minute by default, and
without a rest for announcements these would be spoken by a fallback."""


@dataclass(slots=True)
class RequestPace:
    """Spaces requests evenly, those of all who share it together.

    Args:
        clock: Time.
        per_minute: Most requests a minute.
    """

    clock: Clock
    per_minute: float = REMOTE_REQUESTS_PER_MINUTE
    _not_before_s: float = field(default=-math.inf, init=False)

    async def wait(self) -> None:
        """Wait until the next request may be sent."""
        while (wait_s := self._not_before_s - self.clock.monotonic()) > 0:
            await self.clock.sleep(wait_s)  # another's requests may have been sent meanwhile

    def sent(self, begun_s: float, n_requests: int = 1) -> None:
        """Record requests of which the first was sent at this time of the clock."""
        self._not_before_s = max(self._not_before_s, begun_s) + n_requests * 60 / self.per_minute
