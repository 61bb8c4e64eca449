"""A kind of fault: what it does, to which backend, at which moments, and how long it may be silent.

Before, during and after are about the first audio of an announcement: before any, within the first
sentence, and when the first sentence was heard whole.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chaos.system import System
from fault_line import Moment

Strike = Callable[[System, Moment, random.Random], Awaitable[None]]
SAME_TOKEN, NEW_TOKEN = "same token", "new token"
ALL = (Moment.BEFORE, Moment.DURING, Moment.AFTER)
BEFORE = (Moment.BEFORE,)
GOAL_S, GOAL_OF_HANG_S = 2.0, 3.0
"""Longest silence after a single fault: one that is noticed, and one that has to be waited for."""
GOAL_UNDISTURBED_S = 1.5
"""Longest silence where nothing fails, whatever else is spoken."""
GOAL_AFTER_END_MARK_S = 0.3
"""Longest silence from the end mark of a sentence that is being written to its sound."""
GOAL_OF_RESTART_S, GOAL_OF_HUNG_S = 3.0, 6.0
"""Longest silence where nothing but the restarted engine can go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A kind of fault, for one backend, which is the admin's choice while it happens."""

    name: str
    backend: str
    strike: Strike = field(repr=False, compare=False)
    moments: tuple[Moment, ...] = ALL
    armed: bool = False
    """Whether it waits for its moment by itself, and is given it before the announcement."""
    goal_s: float | None = GOAL_S
    """Longest silence that is allowed; None for what is more than a single fault."""
    n_announcements: int = 1
    """Announcements in a row under the same fault."""
    needs_server: str = ""
    """`SAME_TOKEN` or `NEW_TOKEN`: whether another server stands ready to take over."""
    style: str = ""
    """How the text is given; empty leaves it to the seed."""
    plain_client: bool = False
    """Whether a plain HTTP client of the server asks, and not the router."""
    by_name: bool = False
    """Whether the router finds the server by its name, and speaks to it over TLS."""
    same_voice: bool = False
    """Whether nothing is wrong with the chosen backend, so that no other one should speak."""

    @property
    def key(self) -> str:
        """Identifies the kind."""
        return f"{self.backend}: {self.name}{', plain client' * self.plain_client}"
