"""`Relay`: a public server for a notebook's cells, on its own event loop and thread."""

from __future__ import annotations

import concurrent.futures
import queue
from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr

from vieneu_colab_server.colab.loop_thread import LoopThread
from vieneu_colab_server.colab.token_page import TokenPage
from vieneu_colab_server.exposure import PublicEvent
from vieneu_colab_server.server_process import ServerStartError
from vieneu_colab_server.supervised_server import PublicServer
from vieneu_core.errors import VieneuError
from vieneu_core.i18n import Messages
from vieneu_core.wire.schemas import HealthAnswer


class RelayClosedError(VieneuError):
    """The server of this notebook was closed."""

    code = "relay_closed"
    title = "The server is closed"
    default_remedy = "Run cell 5 again."


class Relay:
    """A server and its tunnel, from `start` until `close`. Every method blocks.

    Args:
        make: Creates the public server; its argument is called with the server's events.
        messages: Messages in the language of the cells.
    """

    def __init__(
        self, make: Callable[[Callable[[PublicEvent], None]], PublicServer], messages: Messages
    ) -> None:
        self._events: queue.SimpleQueue[PublicEvent] = queue.SimpleQueue()
        self._public = make(self._events.put)
        self._loop = LoopThread()
        self._page = TokenPage(lambda: self.token, messages)
        self._keeping: concurrent.futures.Future[None] | None = None
        self.messages = messages
        """Messages of the cells."""

    def __repr__(self) -> str:
        return f"Relay(url={self.url!r})"

    @property
    def url(self) -> str | None:
        """Public URL; None if the tunnel is not open."""
        return self._public.url

    @property
    def token(self) -> SecretStr:
        """The current token."""
        return self._public.server.token

    @property
    def ends_at(self) -> datetime | None:
        """End of the session."""
        return self._public.ends_at

    @property
    def down_reason(self) -> str:
        """Why a tunnel that was open is not; empty if it is open."""
        return self._public.down_reason

    @property
    def address_updated(self) -> bool:
        """Whether Home Assistant has the current address."""
        return self._public.address_updated

    @property
    def tunnel_name(self) -> str:
        """Name of the tunnel's provider."""
        return self._public.tunnel.name

    @property
    def token_page_url(self) -> str:
        """URL of a page on this machine that shows the token."""
        return self._page.url

    @property
    def token_page_opened(self) -> bool:
        """Whether a browser has opened that page."""
        return self._page.opened

    @property
    def runs(self) -> bool:
        """Whether server and tunnel are open."""
        return self._keeping is not None

    def open(
        self,
        notify: Callable[[PublicEvent], None],
        show_loading: Callable[[HealthAnswer], None] = lambda _: None,
    ) -> None:
        """Start the server and open the tunnel.

        Args:
            notify: Called with each event.
            show_loading: Called with the health of the server while it loads its model.

        Raises:
            ServerStartError: the server does not start.
            TunnelOpenError: the tunnel cannot be opened.
            VieneuError: the test sentence failed.
        """

        def show() -> None:
            self.dispatch(notify)
            if (seen := self._public.server.starting) is not None:
                show_loading(seen)

        try:
            self._loop.call(self._public.open(), show)
            self._loop.call(self._page.open())
        except BaseException:
            self._loop.close()
            raise
        self._keeping = self._loop.begin(self._public.keep())

    def dispatch(self, notify: Callable[[PublicEvent], None]) -> None:
        """Call ``notify`` with the events since the last call."""
        while not self._events.empty():
            notify(self._events.get())

    def health(self) -> HealthAnswer | None:
        """Return the health of the server; None if it does not respond.

        Raises:
            RelayClosedError: the relay was closed.
            VieneuError: the server could not be kept running.
        """
        if self._keeping is None:
            raise RelayClosedError("The server of this notebook was closed.")
        if self._keeping.done():
            self._keeping.result()
            raise ServerStartError("The server is not kept running any more.")
        return self._loop.call(self._public.server.health())

    def close(self) -> None:
        """Close the tunnel and stop the server. Without effect if that was done.

        After an interruption it can be closed again.
        """
        if self._keeping is None:
            return
        self._loop.call(self._page.close())
        self._loop.call(self._public.close())
        self._loop.close()
        self._keeping = None
