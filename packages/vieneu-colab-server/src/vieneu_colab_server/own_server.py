"""`OwnServer`: the server of this process, to be made public."""

from __future__ import annotations

from datetime import datetime

from pydantic import SecretStr

from vieneu_colab_server.app import Service
from vieneu_core.backends.base import Backend
from vieneu_core.synthesis import Speech, SynthesisRequest, collect


class OwnServer:
    """The server of this process as an `ExposedServer`."""

    def __init__(self, backend: Backend, service: Service, port: int) -> None:
        self._backend, self._lifecycle = backend, service.lifecycle
        self._tokens = service.tokens
        self.port = port

    @property
    def ends_at(self) -> datetime | None:
        """End of the session; None if it has no end."""
        return self._lifecycle.ends_at

    @property
    def token(self) -> SecretStr:
        """The current token."""
        return self._tokens.current

    async def start(self) -> None:
        """Wait until the model is loaded; see `ExposedServer.start`."""
        await self._lifecycle.loaded()
        if self._lifecycle.load_failure is not None:
            raise self._lifecycle.load_failure

    async def speak(self, request: SynthesisRequest) -> Speech:
        """Synthesize a request."""
        return await collect(self._backend.stream(request))
