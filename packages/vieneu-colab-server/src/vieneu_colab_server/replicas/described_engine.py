"""`DescribedEngine`: what the replicas say of their engine, asked again now and then.

A voice may be added to their folder, and an application deployed again with another engine, while
an ingress runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vieneu_colab_server.replicas.engine_replica import Description
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError

KEEP_S = 5.0
"""How long an answer is given again."""
ANSWER_S = 1.0
"""How long the next answer is waited for: replicas that are all taken give none for long."""
_LOGGER = logging.getLogger(__name__)


class DescribedEngine:
    """The last description of an engine. No question is asked while another one has no answer.

    Args:
        ask: Asks a replica; it may take for ever.
        clock: Time.
    """

    def __init__(self, ask: Callable[[], Awaitable[Description]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._asked_at_s = 0.0
        self._asking: asyncio.Task[None] | None = None
        self.known: Description | None = None
        """The last one; None before the first one, and after `forget`."""

    async def learn(self) -> None:
        """Ask for the first one.

        Raises:
            BackendError: it could not be asked.
        """
        self.known = await self._ask()
        self._asked_at_s = self._clock.monotonic()

    def renew(self) -> None:
        """Begin to ask for a newer one, if the last question was asked a while ago."""
        due = self._clock.monotonic() - self._asked_at_s >= KEEP_S
        if self._asking is None and due and self.known is not None:
            self._asked_at_s = self._clock.monotonic()
            self._asking = asyncio.create_task(self._learn_again(), name="describe-engine")

    async def renewed(self) -> None:
        """Renew it, and wait a moment for the answer; without one, the last one stays."""
        self.renew()
        if self._asking is None:
            return
        timer = asyncio.create_task(self._clock.sleep(ANSWER_S))
        try:
            await asyncio.wait((self._asking, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

    async def forget(self) -> None:
        """Forget it, and ask no longer."""
        self.known = None
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))
            self._asking = None  # also where it had not begun

    async def _learn_again(self) -> None:
        try:
            self.known = await self._ask()
        except BackendError as error:
            _LOGGER.info("The engine could not be described again: %s.", error.code)
        finally:
            self._asking = None
