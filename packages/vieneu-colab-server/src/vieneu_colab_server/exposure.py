"""Exposure of a server: model load, test sentence, tunnel, and address update."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import SecretStr

from vieneu_colab_server.address_callback import AddressCallback
from vieneu_colab_server.tunnels.address_check import AddressCheck
from vieneu_colab_server.tunnels.base import NoTunnel, Tunnel
from vieneu_colab_server.tunnels.supervisor import Check, TunnelSupervisor
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import VieneuError
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.translatable import joined

_LOGGER = logging.getLogger(__name__)
TEST_SENTENCE = "Xin chào, máy chủ đã sẵn sàng."
PREPARED_TEXT = "Xin chào."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvent:
    """Event for the admin of a public server."""

    kind: Literal[
        "loading",
        "spoken",
        "voice_prepared",
        "voice_missing",
        "address",
        "address_sent",
        "address_not_sent",
        "tunnel_lost",
        "server_ended",
        "server_restarted",
    ]
    detail: str = ""
    """The address, the voice or the reason, which can be translated; empty if the kind says
    everything."""


class ExposedServer(Protocol):
    """A server on a port of this machine."""

    @property
    def port(self) -> int:
        """Port of 127.0.0.1."""
        ...

    @property
    def ends_at(self) -> datetime | None:
        """End of the session; None if it has no end."""
        ...

    @property
    def token(self) -> SecretStr:
        """The current token."""
        ...

    async def start(self) -> None:
        """Start the server and wait until the model is loaded.

        Raises:
            VieneuError: the model cannot be loaded.
        """
        ...

    async def speak(self, request: SynthesisRequest) -> Speech:
        """Synthesize a request.

        Raises:
            VieneuError: synthesis failed.
        """
        ...


class Exposure:
    """Makes a server public after a test sentence, and keeps it public.

    Args:
        server: The server.
        tunnel: The tunnel, closed at the end.
        callback: Sends each new address to Home Assistant; None means none.
        voices: Ids of voices to warm up, so that their first request is fast.
        notify: Called with each event.
        clock: Clock of the tunnel.
        check: Checks that the server answers at a public URL; None requests its health there. The
            URL of `NoTunnel` is not public and needs none.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        server: ExposedServer,
        tunnel: Tunnel,
        *,
        callback: AddressCallback | None = None,
        voices: Sequence[str] = (),
        notify: Callable[[PublicEvent], None] = lambda _: None,
        clock: Clock | None = None,
        check: Check | None = None,
    ) -> None:
        self._server, self._tunnel = server, tunnel
        self._callback, self._voices = callback, tuple(voices)
        self._notify, self._clock = notify, clock or SystemClock()
        self._check = check
        self._supervisor: TunnelSupervisor | None = None
        self._is_open = asyncio.Event()
        self._first_url = ""
        self.address_updated = False
        """Whether Home Assistant has the current address."""

    @property
    def url(self) -> str | None:
        """Public URL; None if the tunnel is not open."""
        return None if self._supervisor is None else self._supervisor.url

    @property
    def down_reason(self) -> str:
        """Why a tunnel that was open is not; empty if it is open, or was not yet."""
        return "" if self._supervisor is None else self._supervisor.down_reason

    async def prepare(self) -> None:
        """Start the server, and let it speak a test sentence, also with each voice.

        Raises:
            VieneuError: the server does not start, or cannot speak. A voice that fails is an
                event only.
        """
        self.emit(PublicEvent(kind="loading"))
        await self._server.start()
        speech = await self._server.speak(SynthesisRequest(text=TEST_SENTENCE))
        _LOGGER.info("The test sentence was synthesized: %.1f s of audio.", speech.seconds)
        self.emit(PublicEvent(kind="spoken"))
        for voice in self._voices:
            try:
                await self._server.speak(SynthesisRequest(text=PREPARED_TEXT, voice=voice))
            except VieneuError as error:
                detail = joined(": ", (voice, error.detail))
                self.emit(PublicEvent(kind="voice_missing", detail=detail))
            else:
                self.emit(PublicEvent(kind="voice_prepared", detail=voice))

    async def keep(self) -> None:
        """Keep the tunnel open and send each new address, until cancelled.

        Raises:
            TunnelOpenError: the tunnel cannot be opened the first time, or the server does not
                answer at its public URL. A tunnel that was open is retried without end.
        """
        check = self._check or AddressCheck(lambda: self._server.token, clock=self._clock)
        self._supervisor = TunnelSupervisor(
            self._tunnel,
            self._server.port,
            check=None if isinstance(self._tunnel, NoTunnel) else check,
            on_url=self._on_url,
            on_lost=lambda reason: self.emit(PublicEvent(kind="tunnel_lost", detail=reason)),
            clock=self._clock,
        )
        await self._supervisor.run()

    async def opened(self) -> str:
        """Return the public URL, after the first one was sent to Home Assistant."""
        await self._is_open.wait()
        return self._first_url

    def emit(self, event: PublicEvent) -> None:
        """Log an event and pass it to ``notify``."""
        _LOGGER.info("%s %s", event.kind, event.detail)
        self._notify(event)

    async def _on_url(self, url: str) -> None:
        self.emit(PublicEvent(kind="address", detail=url))
        self.address_updated = False
        if self._callback is not None:
            try:
                await self._callback.send(url, self._server.ends_at)
            except VieneuError as error:
                detail = joined(" ", (error.detail, error.remedy))
                self.emit(PublicEvent(kind="address_not_sent", detail=detail))
            else:
                self.address_updated = True
                self.emit(PublicEvent(kind="address_sent"))
        if not self._is_open.is_set():
            self._first_url = url
            self._is_open.set()
