"""Makes a running server reachable from outside, once it has proved that it speaks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from vieneu_colab_server.address_callback import AddressCallback, AddressCallbackError
from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.keeper import TunnelKeeper
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.synthesis import SynthesisRequest, collect

_LOGGER = logging.getLogger(__name__)
TEST_SENTENCE = "Xin chào, máy chủ đã sẵn sàng."
HEALTH_CHECK_EVERY_S = 0.2


class PublicAddress:
    """Keeps a server reachable.

    Args:
        tunnel: The way.
        backend: Has to speak first.
        lifecycle: Of the server; says whether the backend is loaded, and when the session ends.
        clock: Time.
        house: Is told each new address; None is nobody.
        say: Told in one line what an admin has to know.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        *,
        tunnel: Tunnel,
        backend: Backend,
        lifecycle: Lifecycle,
        clock: Clock,
        house: AddressCallback | None,
        say: Callable[[str], None],
    ) -> None:
        self._tunnel, self._backend = tunnel, backend
        self._lifecycle, self._clock = lifecycle, clock
        self._house, self._say = house, say

    async def keep(self, port: int) -> None:
        """Keep the port reachable until this is cancelled.

        Raises:
            TunnelOpenError: it cannot be reached, and that will not pass by itself.
            BackendError: the backend is loaded, but does not speak.
        """
        if not await self._loaded():
            return
        speech = await collect(self._backend.stream(SynthesisRequest(text=TEST_SENTENCE)))
        _LOGGER.info("The test sentence was spoken: %.1f s.", speech.seconds)
        keeper = TunnelKeeper(
            self._tunnel, port, on_url=self._tell, on_lost=self._lost, clock=self._clock
        )
        await keeper.run()

    async def _loaded(self) -> bool:
        while self._lifecycle.loading:
            await self._clock.sleep(HEALTH_CHECK_EVERY_S)
        return self._lifecycle.load_failure is None

    async def _tell(self, url: str) -> None:
        self._say(f"Public URL: {url}")
        if self._house is None:
            return
        limit_s = self._lifecycle.session_limit_s
        ends = self._lifecycle.started_at + timedelta(seconds=limit_s) if limit_s else None
        try:
            await self._house.announce(url, ends)
        except AddressCallbackError as error:
            self._say(f"warning: {error}")
        else:
            self._say("The house was told.")

    def _lost(self, reason: str) -> None:
        self._say(f"warning: The tunnel {self._tunnel.name} is lost: {reason}")
