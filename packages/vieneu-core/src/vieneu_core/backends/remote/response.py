"""A response to an HTTP request, read in pieces under its deadlines."""

from __future__ import annotations

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from vieneu_core.backends.remote.response_head import HEAD_BYTES, ResponseHead
from vieneu_core.backends.remote.timeouts import Deadlines, WaitingFor
from vieneu_core.clock import Clock
from vieneu_core.errors import StreamInterruptedError
from vieneu_core.translatable import Translatable
from vieneu_core.wire.routes import WIRE_VERSION_HEADER
from vieneu_core.wire.version import check_server


class Response:
    """A response, read in pieces."""

    def __init__(self, response: aiohttp.ClientResponse, deadlines: Deadlines, host: str) -> None:
        self._response = response
        self._deadlines = deadlines
        self._host = host
        self.n_bytes = sum(len(name) + len(value) for name, value in response.raw_headers)
        """Approximate number of bytes received so far."""
        self.whole = False
        """True once the end of the body was reached."""

    @property
    def status(self) -> int:
        """HTTP status."""
        return self._response.status

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters."""
        return self._response.headers.get("Content-Type", "").split(";", 1)[0].strip().lower()

    @property
    def encoding(self) -> str:
        """Declared compression; empty if there is none."""
        encoding = self._response.headers.get("Content-Encoding", "").strip().lower()
        return "" if encoding == "identity" else encoding

    async def read(self) -> bytes:
        """Return the next bytes as they arrive; empty at the end.

        Raises:
            BackendConnectionError: the connection failed, or a deadline passed.
        """
        try:
            async with self._deadlines.waiting(WaitingFor.BYTES):
                data = await self._response.content.readany()
        except (aiohttp.ClientError, HttpProcessingError, OSError, RuntimeError) as err:
            # RuntimeError: `unload` closed the connection meanwhile.
            raise StreamInterruptedError(
                Translatable("The answer of {host} broke off.", host=self._host)
            ) from err
        self.n_bytes += len(data)
        self.whole = not data
        return data

    async def read_up_to(self, most: int) -> bytes:
        """Return the body, or its first bytes: about ``most`` of them."""
        gathered = bytearray()
        while len(gathered) <= most and (data := await self.read()):
            gathered += data
        return bytes(gathered)

    def head(self, head: bytes, clock: Clock, backend: str) -> ResponseHead:
        """Return the parts that `error_mapping` needs."""
        return ResponseHead(
            status=self.status,
            headers=self._response.headers,
            head=head[:HEAD_BYTES],
            host=self._host,
            backend=backend,
            now=clock.now(),
        )

    def check_version(self) -> None:
        """Compare the server's wire version with ours.

        Raises:
            NotVieneuServerError, WireVersionError: see `vieneu_core.wire.version`.
        """
        check_server(self._response.headers.get(WIRE_VERSION_HEADER))
