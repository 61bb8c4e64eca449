"""Launch of a server process that stops gracefully."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE

from vieneu_colab_server.address_callback import AddressCallback
from vieneu_colab_server.app import Companion, Service, create_app
from vieneu_colab_server.connection_limits import bounded_protocol
from vieneu_colab_server.exposure import Exposure, PublicEvent
from vieneu_colab_server.listening_port import BACKLOG, open_port, url_of
from vieneu_colab_server.middleware.proxy import ProxiedConfig
from vieneu_colab_server.own_server import OwnServer
from vieneu_colab_server.sending import SentInParts
from vieneu_colab_server.settings import ServerSettings
from vieneu_colab_server.startup import StartupFailureRecorder
from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_core.backends.base import Backend
from vieneu_core.cli.signals import install, restore
from vieneu_core.clock import SystemClock
from vieneu_core.errors import BackendDrainingError, VieneuError

_LOGGER = logging.getLogger(__name__)
CLOSE_TIMEOUT_S = 10
"""Seconds for sending the last bytes of responses. Idle connections are closed at once."""
EXIT_UNEXPECTED = 1
"""Exit code of an app that fails with an error that has no name, as by any such error."""
_ACCEPTED_AT_ONCE = 32  # by asyncio, before `BoundedProtocol` can close the first of a flood


class ForcedStopError(Exception):
    """A second signal came before the server had finished."""


class DrainingServer(uvicorn.Server):
    """A server that finishes running responses before it stops.

    The first SIGTERM or SIGINT makes it refuse new requests for speech (503) while running ones
    continue for at most ``drain_timeout_s``; then they end with an error. A second signal stops
    it at once. A backend that cannot be loaded stops it too.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        startup: StartupFailureRecorder,
        *,
        drain_timeout_s: float,
    ) -> None:
        super().__init__(config)
        self._service = service
        self._startup = startup
        self._drain_timeout_s = drain_timeout_s
        self._stop_asked = False
        self._drain_ends_s: float | None = None
        self._signal: signal.Signals | None = None

    @property
    def failure(self) -> VieneuError | None:
        """Why the app did not start, or its backend could not be loaded; None where they did."""
        return self._startup.failure or self._service.lifecycle.load_failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve; uvicorn's one number also sets how many connections wait to be taken."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)

    def stop(self) -> None:
        """Start to drain, as after the first signal. May be called from any thread."""
        self._stop_asked = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal. It may interrupt the writing of a log line, so it logs nothing."""
        del frame
        if self._stop_asked:
            self.force_exit = self.should_exit = True
        self._stop_asked = True
        self._signal = signal.Signals(sig)

    async def on_tick(self, counter: int) -> bool:
        """Check, ten times a second, whether it is time to stop."""
        if self._stop_asked and not self.should_exit:
            self.should_exit = await self._drained()
        if self._service.lifecycle.load_failure is not None:
            self.should_exit = True
        return await super().on_tick(counter)

    async def _drained(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        if self._drain_ends_s is None:
            if self._signal is not None:
                _LOGGER.info("Stopping on %s.", self._signal.name)
            self._service.lifecycle.stop()
            self._service.guesses.release()
            self._drain_ends_s = now_s + self._drain_timeout_s
        if self._service.recorder.n_readers == 0:
            return True
        if now_s < self._drain_ends_s:
            return False
        await self._service.recorder.stop(BackendDrainingError("The server has shut down."))
        return True


def build_server(app: Starlette, settings: ServerSettings) -> DrainingServer:
    """Return a server for an app with a `Service`, whose log and headers reveal nothing."""
    startup = StartupFailureRecorder(app)
    config = ProxiedConfig(
        SentInParts(startup),
        http=bounded_protocol(settings),
        backlog=_ACCEPTED_AT_ONCE,
        loop="asyncio",  # whether or not another package brings uvloop along
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `ProxiedConfig` reads them
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=CLOSE_TIMEOUT_S,
    )
    # access_log=False alone still logs whole paths with queries, if a handler is found.
    logging.getLogger("uvicorn.access").disabled = True
    service: Service = app.state.service
    return DrainingServer(config, service, startup, drain_timeout_s=settings.drain_timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAccess:
    """How a server is made public: tunnel and callback."""

    tunnel: Tunnel
    callback_url: SecretStr | None = None
    """Webhook of Home Assistant that receives each new address; None means none. A secret."""
    notify: Callable[[PublicEvent], None]


async def _expose(exposure: Exposure) -> None:
    await exposure.prepare()
    await exposure.keep()


async def _serve_public(
    server: DrainingServer, listener: socket.socket, exposure: Exposure
) -> None:
    """Serve until the end; an exposure that fails at first ends it too, a lost tunnel never."""
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    exposing = asyncio.create_task(_expose(exposure))
    await asyncio.wait({serving, exposing}, return_when=asyncio.FIRST_COMPLETED)
    if exposing.done():
        server.stop()
    await serving
    exposing.cancel()
    await asyncio.wait({exposing})
    if not exposing.cancelled():
        exposing.result()


def _stop_after(wait: Callable[[], None], server: DrainingServer) -> None:
    wait()
    _LOGGER.info("Stopping: the program that started this server has ended.")
    server.stop()


def launch(  # noqa: PLR0913 - its parts, most with defaults
    settings: ServerSettings,
    backend: Backend,
    on_listening: Callable[[str], None],
    public: PublicAccess | None = None,
    stop_after: Callable[[], None] | None = None,
    *,
    companions: Sequence[Companion] = (),
) -> None:
    """Serve a backend until a signal arrives. Must be called on the main thread, for signals.

    Args:
        settings: Settings of the server.
        backend: The backend, loaded by the server and closed at its end.
        on_listening: Called with the URL on this machine, once the port is open.
        public: How to make the server public; None keeps it local.
        stop_after: Blocking function, run on a thread; when it returns, the server stops as on the
            first signal.
        companions: What runs beside the server.

    Raises:
        ConfigurationError: the address cannot be used.
        VieneuError: the backend could not be loaded, or the tunnel could not be opened.
        ForcedStopError: it was stopped by a second signal.
    """
    clock = SystemClock()
    app = create_app(settings, backend, clock=clock, companions=companions)
    service: Service = app.state.service
    callback = None
    if public is not None and public.callback_url is not None:
        url = public.callback_url.get_secret_value()
        callback = AddressCallback(url, lambda: service.tokens.current, clock=clock)
    server = build_server(app, settings)
    with _taking_signals(server), open_port(settings) as listener:
        if stop_after is not None:
            threading.Thread(target=_stop_after, args=(stop_after, server), daemon=True).start()
        on_listening(url_of(listener))
        if public is None:
            server.run(sockets=[listener])
        else:
            port = listener.getsockname()[1]
            exposure = Exposure(
                OwnServer(backend, service, port),
                public.tunnel,
                callback=callback,
                notify=public.notify,
                clock=clock,
            )
            asyncio.run(_serve_public(server, listener, exposure))


def serve_app(
    app: Starlette,
    settings: ServerSettings,
    on_listening: Callable[[str], None],
    *,
    more_ports: Sequence[int] = (),
) -> None:
    """Serve an app with a `Service` until a signal comes; see `launch`, for what it raises.

    Args:
        app: The app.
        settings: Its settings.
        on_listening: Called with the URL on this machine, once all ports are open.
        more_ports: Further ports on which it is served.
    """
    server = build_server(app, settings)
    ports = (settings.port, *more_ports)
    with _taking_signals(server), ExitStack() as opened:
        listeners = [
            opened.enter_context(open_port(settings.model_copy(update={"port": port})))
            for port in ports
        ]
        on_listening(url_of(listeners[0]))
        server.run(sockets=listeners)


@contextmanager
def _taking_signals(server: DrainingServer) -> Iterator[None]:
    """Have the server take signals, also before uvicorn does; raise how it ended.

    Who sees the port open may send a signal at once.
    """
    before = install(server.handle_exit)
    try:
        yield
    except SystemExit as error:
        if error.code != STARTUP_FAILURE:
            raise
        if server.failure is None:  # uvicorn's code would mean wrong settings here
            raise SystemExit(EXIT_UNEXPECTED) from error
    finally:
        restore(before)
    if server.failure is not None:
        raise server.failure
    if server.force_exit:
        raise ForcedStopError
