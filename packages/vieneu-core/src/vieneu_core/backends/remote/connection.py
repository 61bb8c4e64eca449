"""One HTTP exchange with the server: headers, limits, and traffic count.

The only module that translates errors of the HTTP library. Retries are decided elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import SecretStr
from yarl import URL

from vieneu_core import __version__
from vieneu_core.backends.remote.connection_reasons import system_reason, tls_reason
from vieneu_core.backends.remote.error_mapping import explain
from vieneu_core.backends.remote.request_url import Endpoint
from vieneu_core.backends.remote.response import Response
from vieneu_core.backends.remote.response_head import HEAD_BYTES
from vieneu_core.backends.remote.timeouts import Deadlines, RemoteTimeouts, Wait, WaitingFor
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendConnectionError,
    BackendError,
    BackendNotLoadedError,
    BadResponseError,
    ConfigurationError,
    ConnectTimeoutError,
    HostNotFoundError,
    TlsError,
    VieneuError,
)
from vieneu_core.proxies import CHECK_PROXY, ProxyArguments, proxy_arguments, proxy_unusable
from vieneu_core.translatable import Translatable
from vieneu_core.wire.routes import NGROK_SKIP_WARNING_HEADER, WIRE_VERSION_HEADER
from vieneu_core.wire.version import WIRE_VERSION

USER_AGENT = f"vieneu-core/{__version__}"
KEEP_WARM_S = 60.0
"""Seconds for which an idle connection is kept; tunnels close theirs after 60 s to 400 s."""
_TYPICAL_HEADER_BYTES = 500
"""Approximate headers of a request; what tunnels count is not documented."""

OnTraffic = Callable[[int, int], None]
"""Called for every request that was sent, with the number of requests and the bytes both ways."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    method: str
    path: str
    accept: str
    body: bytes = b""


class Connection:
    """Sends HTTP requests to one endpoint, over an own session or one that was passed in."""

    def __init__(  # noqa: PLR0913 - what the whole backend was given, each once
        self,
        endpoint: Endpoint,
        *,
        session: aiohttp.ClientSession | None,
        timeouts: RemoteTimeouts,
        clock: Clock,
        backend: str,
        on_traffic: OnTraffic | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._session = session
        self._owns_session = session is None
        self._timeouts = timeouts
        self._clock = clock
        self._backend = backend
        self._on_traffic = on_traffic
        self._warm = False

    @property
    def host(self) -> str:
        """Host name of the server, for messages."""
        return self._endpoint.host

    def use_token(self, token: SecretStr) -> None:
        """Use another token from now on."""
        self._endpoint = replace(self._endpoint, token=token)

    def deadlines(self, limits: RemoteTimeouts) -> Deadlines:
        """Return new limits for one request."""
        return Deadlines(limits, self._clock, host=self.host)

    async def aclose(self) -> None:
        """Close the session if it is an own one. A later call opens a new one."""
        self._warm = False
        if self._owns_session and self._session is not None:
            session, self._session = self._session, None
            await session.close()

    @asynccontextmanager
    async def exchange(
        self, call: Call, deadlines: Deadlines, *, expect: str
    ) -> AsyncGenerator[Response, None]:
        """Send a request; yield the response if it has status 200 and type ``expect``.

        If the response is not read to its end, the connection is closed, so that the server stops.

        Raises:
            VieneuError: the class for the failure, or for any other response.
        """
        async with self._naming_backend(), self._answer(call, deadlines) as answer:
            # A compressed body was not requested (Accept-Encoding), so no VieNeu server sent it.
            if answer.status != 200 or answer.content_type != expect or answer.encoding:  # noqa: PLR2004 - OK
                raise await self._refusal(answer)
            answer.check_version()
            yield answer

    @asynccontextmanager
    async def _naming_backend(self) -> AsyncGenerator[None, None]:
        try:
            yield
        except BackendError as err:
            err.backend = err.backend or self._backend
            raise

    @asynccontextmanager
    async def _answer(self, call: Call, deadlines: Deadlines) -> AsyncGenerator[Response, None]:
        response = await self._send_warm(call, deadlines)
        answer = Response(response, deadlines, self.host)
        try:
            yield answer
        finally:
            # No effect after a complete response: its connection is back in the pool.
            response.close()
            self._warm = self._warm or answer.whole
            self._count(call, answer.n_bytes)

    async def _refusal(self, answer: Response) -> VieneuError:
        try:
            head = await answer.read_up_to(HEAD_BYTES)
        except BackendConnectionError:
            head = b""  # status and headers are known: they explain more than the lost body
        return explain(answer.head(head, self._clock, self._backend))

    async def _send_warm(self, call: Call, deadlines: Deadlines) -> aiohttp.ClientResponse:
        """Send a request; retry once if the server had closed the idle connection.

        HTTP allows this race (RFC 9112, 9.3.1): an idle connection can close while a request
        is in transit. The server has not seen the request, or recognizes it by its id.
        """
        try:
            return await self._send(call, deadlines)
        except BackendConnectionError as err:
            if not (self._warm and _was_lost(err.__cause__)):
                raise
            self._warm = False
            return await self._send(call, deadlines)

    async def _send(self, call: Call, deadlines: Deadlines) -> aiohttp.ClientResponse:
        url = self._endpoint.url(call.path)
        through = self._proxy(url)
        try:
            async with deadlines.waiting(WaitingFor.ANSWER) as wait:
                return await self._open_session().request(
                    call.method,
                    url,
                    **through,
                    data=_WatchedPayload(call.body, wait) if call.body else None,
                    headers=self._headers(call),
                    allow_redirects=False,
                    raise_for_status=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=self._timeouts.connect_s),
                )
        except (aiohttp.ClientError, HttpProcessingError, OSError) as err:
            error = _proxy_failure(err, self.host) or self._translate(err)
            if not isinstance(err, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError):
                self._count(call, 0)
            raise error from err
        except VieneuError:
            self._count(call, 0)
            raise

    def _proxy(self, url: URL) -> ProxyArguments:
        try:
            return proxy_arguments(url)
        except ConfigurationError as err:
            raise BackendConnectionError(err.detail, remedy=err.remedy) from err

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_WARM_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        if self._session.closed:
            raise BackendNotLoadedError(
                Translatable("The HTTP session to {host} is closed.", host=self.host),
                remedy="Make a new backend with an open session.",
            )
        return self._session

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {
            "Accept": call.accept,
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {self._endpoint.token.get_secret_value()}",
            "User-Agent": USER_AGENT,
            NGROK_SKIP_WARNING_HEADER: "1",
            WIRE_VERSION_HEADER: WIRE_VERSION,
        }
        return headers | {"Content-Type": "application/json"} if call.body else headers

    def _translate(self, err: Exception) -> BackendError:
        """Translate a failure to get a response; the library's text may contain the URL."""
        if isinstance(err, aiohttp.ClientConnectorDNSError):
            return HostNotFoundError(Translatable("The name {host} is not known.", host=self.host))
        if isinstance(err, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
            return TlsError(
                Translatable(
                    "The certificate of {host} was not accepted: {tls_reason}.",
                    host=self.host,
                    tls_reason=tls_reason(err),
                )
            )
        if isinstance(err, aiohttp.ServerTimeoutError):
            limit_s = self._timeouts.connect_s
            return ConnectTimeoutError(
                Translatable(
                    "{host} accepted no connection within {limit_s:g} s.",
                    host=self.host,
                    limit_s=limit_s,
                )
            )
        if isinstance(err, aiohttp.ClientResponseError | HttpProcessingError):
            return BadResponseError(
                Translatable("{host} answers in something that is not HTTP.", host=self.host)
            )
        if isinstance(err, aiohttp.ClientConnectorError):
            return BackendConnectionError(
                Translatable(
                    "No connection to {host}: {strerror}.",
                    host=self.host,
                    strerror=system_reason(err),
                )
            )
        return BackendConnectionError(
            Translatable("{host} closed the connection without an answer.", host=self.host)
        )

    def _count(self, call: Call, n_received: int) -> None:
        if self._on_traffic is not None:
            self._on_traffic(1, _TYPICAL_HEADER_BYTES + len(call.body) + n_received)


def _proxy_failure(err: Exception, host: str) -> BackendError | None:
    if not isinstance(err, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return None
    return BackendConnectionError(proxy_unusable(host), remedy=CHECK_PROXY)


class _WatchedPayload(aiohttp.BytesPayload):
    """A body that reports when it is written: the connection is established by then."""

    def __init__(self, body: bytes, wait: Wait) -> None:
        super().__init__(body)
        self._wait = wait

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body (aiohttp before 3.12)."""
        self._wait.sent()
        await super().write(writer)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the body (aiohttp from 3.12)."""
        self._wait.sent()
        await super().write_with_length(writer, content_length)


def _was_lost(cause: BaseException | None) -> bool:
    """Return whether an established connection was closed before a response arrived."""
    closed = isinstance(cause, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError)
    return closed and not isinstance(cause, aiohttp.ClientConnectorError)
