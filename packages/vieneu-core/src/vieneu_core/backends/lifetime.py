"""Lifetime of a backend: bound to one event loop, and closed permanently at its end."""

from __future__ import annotations

import asyncio

from vieneu_core.errors import BackendNotLoadedError, ConfigurationError
from vieneu_core.translatable import Translatable


class Lifetime:
    """Records the event loop on which a backend was first used, and whether it was closed.

    Its worker, connections and tasks belong to that loop and do not work on another one.
    """

    def __init__(self, what: str, *, backend: str) -> None:
        self._what = what
        self._backend = backend
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    def use(self) -> None:
        """Bind to the running event loop, or check that it is the one of the first use.

        Raises:
            ConfigurationError: another event loop is running, or none.
        """
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                Translatable("{what} was called while no event loop runs.", what=self._what),
                remedy="Call it inside of a coroutine, such as the one given to asyncio.run().",
            ) from None
        if self._loop is None:
            self._loop = running
        elif self._loop is not running:
            raise ConfigurationError(
                Translatable(
                    "{what} belongs to another event loop than the one that runs now.",
                    what=self._what,
                ),
                remedy="Load, use and close it within one asyncio.run(); make one for each loop.",
            )

    def check(self) -> None:
        """Check the event loop as `use` does, but without binding to it.

        Raises:
            ConfigurationError: another event loop is running than that of the first use, or none.
        """
        if self._loop is not None:
            self.use()

    def require_open(self) -> None:
        """Check that the backend is not closed, and runs on its event loop.

        Raises:
            ConfigurationError: another event loop is running, or none.
            BackendNotLoadedError: the backend is closed.
        """
        self.use()
        if self.closed:
            raise self.not_loaded()

    def not_loaded(self) -> BackendNotLoadedError:
        """Return the error for a backend that was closed, or not loaded yet."""
        if self.closed:
            return BackendNotLoadedError(
                Translatable("{what} was closed permanently.", what=self._what),
                remedy="Make a new one.",
                backend=self._backend,
            )
        return BackendNotLoadedError(
            Translatable("{what} is not loaded.", what=self._what), backend=self._backend
        )

    def close(self) -> None:
        """Record that the backend is closed."""
        self.use()
        self.closed = True
