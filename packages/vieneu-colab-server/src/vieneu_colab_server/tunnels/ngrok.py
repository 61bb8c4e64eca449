"""Tunnel by ngrok's own package `ngrok`, whose agent runs inside this process.

So it ends with this process, however that ends, and nothing is downloaded at run time: pip verifies
the wheel (3.8 MB) by its checksum. Source: https://github.com/ngrok/ngrok-python.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from pydantic import SecretStr

from vieneu_colab_server.tunnels.errors import TunnelStoppedError
from vieneu_colab_server.tunnels.ngrok_errors import HIDDEN, START_TIMEOUT_S, late, refusal
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import MissingExtraError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
CHECK_EVERY_S, AWAY_FOR_S = 1.0, 60.0
"""The package reconnects automatically; after this long without a connection the tunnel is lost:
its pauses grow from 2.5 s to 125 s and then to 104 minutes."""
STEADY_S = 5.0
"""A heartbeat this long after a reconnection shows that the connection holds."""
STAND_BACK_S = 300.0
"""Pause after a stop on ngrok's dashboard, so that another session can take the address."""
_CLOSE_S = 5.0


class NgrokTunnel:
    """A tunnel of an ngrok account, by an agent inside this process.

    Args:
        authtoken: Authtoken of the account.
        domain: A domain of the account; None means its dev domain, on a free plan the only one.
        clock: Clock of the time limits.
        start_timeout_s: Time limit to connect, in seconds.
        server: Address and CA certificate (PEM) of another ngrok service; None means ngrok's.

    Raises:
        MissingExtraError: the package ngrok is not installed.
    """

    name = "ngrok"

    def __init__(
        self,
        authtoken: SecretStr,
        *,
        domain: str | None = None,
        clock: Clock | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
        server: tuple[str, bytes] | None = None,
    ) -> None:
        self._library = _library()
        self._authtoken = authtoken
        self._domain = domain
        self._clock = clock or SystemClock()
        self._start_timeout_s = start_timeout_s
        self._server = server
        self._session: Any = None
        self._joining: asyncio.Future[Any] | None = None
        self._away_since_s: float | None = None
        self._tried_at_s = self._clock.monotonic()
        self._away_why = ""
        self._stopped_at_s: float | None = None

    async def open(self, port: int) -> str:
        """Connect and open an endpoint; see `Tunnel.open`."""
        await self.close()
        self._stand_back()
        try:
            async with asyncio.timeout(self._start_timeout_s):
                return await self._opened(port)
        except TimeoutError:
            await self.close()
            raise late(self._start_timeout_s) from None
        except ValueError as error:
            await self.close()
            raise refusal(" ".join(map(str, error.args)), self._authtoken) from None
        except BaseException:
            await self.close()
            raise

    async def lost(self) -> str:
        """Wait until the endpoint ends, or is away for long; see `Tunnel.lost`."""
        joining = self._joining
        while joining is not None and not joining.done():
            await self._clock.sleep(CHECK_EVERY_S)
            if self._stopped_at_s is not None:
                return Translatable("The tunnel was stopped on ngrok's dashboard.")
            away_since_s = self._away_since_s
            if away_since_s is None:
                continue
            if self._clock.monotonic() - away_since_s >= AWAY_FOR_S:
                return Translatable(
                    "ngrok has had no connection for {seconds:g} s: {reason}",
                    seconds=AWAY_FOR_S,
                    reason=self._away_why,
                )
        return Translatable("ngrok has ended the endpoint.")

    async def close(self) -> None:
        """Close the endpoint and the connection.

        The package's farewell to the service is lost (ngrok 1.4 to 1.7 refuse their own frame), and
        ngrok ends the session after some missing heartbeats. The endpoint is closed at once.
        """
        session, self._session = self._session, None
        joining, self._joining = self._joining, None
        self._away_since_s = None
        if session is not None:
            with suppress(ValueError, TimeoutError):  # it is closed on ngrok's side already
                async with asyncio.timeout(_CLOSE_S):
                    for listener in await session.get_listeners():
                        await listener.close()
                    await session.close()
        if joining is not None:
            joining.cancel()
            await asyncio.wait({joining})

    async def _opened(self, port: int) -> str:
        self._session = await self._builder().connect()
        endpoint = self._session.http_endpoint()
        if self._domain is not None:
            endpoint = endpoint.domain(self._domain)
        listener = await endpoint.listen_and_forward(f"http://127.0.0.1:{port}")
        self._joining = asyncio.ensure_future(_joined(listener.join))
        return str(listener.url())

    def _builder(self) -> Any:
        loop = asyncio.get_running_loop()

        def later(take: Callable[..., None]) -> Callable[..., None]:
            """Run a handler on the loop: the package calls it on a thread of its own."""

            def handler(*arguments: object) -> None:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(take, *arguments)

            return handler

        builder = self._library.SessionBuilder().authtoken(self._authtoken.get_secret_value())
        builder = builder.handle_disconnection(later(self._on_away))
        builder = builder.handle_heartbeat(later(self._on_heartbeat))
        builder = builder.handle_stop_command(later(self._on_stop))
        if self._server is not None:
            address, certificate = self._server
            builder = builder.server_addr(address).ca_cert(bytearray(certificate))
        return builder

    def _on_away(self, address: str, reason: str) -> None:
        del address
        self._away_why = " ".join(
            reason.replace(self._authtoken.get_secret_value(), HIDDEN).split()
        )
        self._away_why = self._away_why[:200]
        self._tried_at_s = self._clock.monotonic()
        if self._away_since_s is None:
            self._away_since_s = self._tried_at_s
            _LOGGER.warning("ngrok reconnects: %s", self._away_why)

    def _on_heartbeat(self, latency_ms: object) -> None:
        steady = self._clock.monotonic() - self._tried_at_s >= STEADY_S
        if latency_ms is not None and steady:
            self._away_since_s = None

    def _on_stop(self) -> None:
        self._stopped_at_s = self._clock.monotonic()

    def _stand_back(self) -> None:
        """Leave the address to another session for a while after a stop on the dashboard.

        Raises:
            TunnelStoppedError: it was stopped a short time ago.
        """
        if self._stopped_at_s is None:
            return
        left_s = self._stopped_at_s + STAND_BACK_S - self._clock.monotonic()
        if left_s > 0:
            raise TunnelStoppedError(
                Translatable(
                    "The tunnel was stopped on ngrok's dashboard. It is opened again in"
                    " {minutes:.0f} min.",
                    minutes=left_s / 60,
                ),
                retry_after_s=left_s,
            )
        self._stopped_at_s = None


async def _joined(join: Callable[[], Awaitable[object]]) -> None:
    """Wait for the end of an endpoint, also one with an error."""
    with suppress(ValueError):
        await join()


def _library() -> Any:
    try:
        return import_module("ngrok")
    except ImportError as error:
        raise MissingExtraError(
            "The tunnel ngrok", "ngrok", package="vieneu-colab-server"
        ) from error
