"""Discovery: Supervisor hands the relay's address and token over to Home Assistant.

Supervisor's API: ``POST /discovery`` (supervisor/api/discovery.py). It keeps the last message, and
passes one on that differs from it.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr

from vieneu_colab_server.app import Service
from vieneu_colab_server.companion_task import running_beside
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock
from vieneu_core.errors import VieneuError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
SERVICE = "vieneu"
"""Name of the service, as in ``discovery:`` of the app, and domain of the integration."""
SUPERVISOR_URL = "http://supervisor"
CHECK_S = 5.0
"""Between two checks whether the token was replaced."""
BACKOFF = Backoff(first_s=2.0, longest_s=60.0)
"""Pauses while Supervisor is not ready."""
_TIMEOUT_S = 15.0


class NotDiscoveredError(VieneuError):
    """Supervisor does not hand the relay's address over."""

    code = "not_discovered"
    title = "Home Assistant does not have the address of the app"
    default_remedy = "Restart the app; its log says why it failed."


class SupervisorSilentError(NotDiscoveredError):
    """Supervisor cannot be reached, fails, or is not ready: it is tried again."""

    code = "supervisor_silent"
    title = "Supervisor is not ready"
    default_remedy = "It is tried again."


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorAccess:
    """How an app reaches Supervisor."""

    token: SecretStr
    """Of this app: SUPERVISOR_TOKEN."""
    url: str = SUPERVISOR_URL


class SupervisorDiscovery:
    """Hands address and token to Home Assistant, once the relay can speak, and each new token.

    Args:
        supervisor: Passes it on.
        port: Port of the relay inside the app's container.
        clock: Time.
    """

    def __init__(self, supervisor: SupervisorAccess, *, port: int, clock: Clock) -> None:
        self._supervisor = supervisor
        self._port = port
        self._clock = clock

    @asynccontextmanager
    async def running(self, service: Service) -> AsyncIterator[None]:
        """Hand them over meanwhile; a `Companion` of the relay."""
        async with running_beside(self._follow(service), name="supervisor-discovery"):
            yield

    async def _follow(self, service: Service) -> None:
        await service.lifecycle.loaded()
        if service.lifecycle.load_failure is not None:
            return  # the relay ends, and says why
        published: SecretStr | None = None
        while True:
            if (token := service.tokens.current) is not published:
                await self._publish_until_it_is_known(token)
                published = token
            await self._clock.sleep(CHECK_S)

    async def _publish_until_it_is_known(self, token: SecretStr) -> None:
        """Try again while Supervisor is silent; what is refused is logged, and given up."""
        n_failures = 0
        while True:
            try:
                await self.publish(token)
            except SupervisorSilentError as error:
                n_failures += 1
                _LOGGER.log(logging.WARNING if n_failures == 1 else logging.DEBUG, "%s", error)
                await self._clock.sleep(BACKOFF.pause_s(n_failures))
            except NotDiscoveredError as error:
                _LOGGER.error("%s", error)  # noqa: TRY400 - it says all
                return
            else:
                _LOGGER.info("Home Assistant has the address of this app.")
                return

    async def publish(self, token: SecretStr) -> None:
        """Hand address and token over, once.

        Raises:
            SupervisorSilentError: Supervisor cannot be reached, fails, or is not ready.
            NotDiscoveredError: it refuses; its message is left out, as it may quote the token.
        """
        config = {
            "host": socket.gethostname(),  # Supervisor makes it, and resolves it
            "port": self._port,
            "token": token.get_secret_value(),
        }
        try:
            status = await self._post("/discovery", {"service": SERVICE, "config": config})
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SupervisorSilentError(
                Translatable(
                    "Supervisor at {url} cannot be reached ({kind}).",
                    url=self._supervisor.url,
                    kind=type(error).__name__,
                )
            ) from error
        if status == HTTPStatus.OK:
            return
        # While it starts, it answers 400. What it refuses for good is the app, or its token.
        refused = status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        raise (NotDiscoveredError if refused else SupervisorSilentError)(
            Translatable("Supervisor answers the discovery with status {status}.", status=status)
        )

    async def _post(self, path: str, body: dict[str, object]) -> int:
        """Return the status of an answer; no proxy of the environment is on the way."""
        headers = {"Authorization": f"Bearer {self._supervisor.token.get_secret_value()}"}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)) as session,
            session.post(
                f"{self._supervisor.url}{path}", json=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            return answer.status
