"""Lifetime of a backend: one event loop, and closed for good at its end."""

from __future__ import annotations

import asyncio

from vieneu_core.errors import BackendNotLoadedError, ConfigurationError
from vieneu_core.translatable import Translatable


class Lifetime:
    """Remembers the event loop on which a backend was first used, and whether it was closed.

    Its worker, connections and tasks belong to that loop; on another one they would never answer.
    """

    def __init__(self, what: str, *, backend: str) -> None:
        self._what = what
        self._backend = backend
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    def use(self) -> None:
        """Make sure that the running event loop is the one of the first use.

        Raises:
            ConfigurationError: it is another one, or none runs.
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
        """As `use`, but before the first use anything goes.

        Raises:
            ConfigurationError: another event loop runs than that of the first use, or none.
        """
        if self._loop is not None:
            self.use()

    def require_open(self) -> None:
        """Make sure that it is not closed, on its own event loop.

        Raises:
            ConfigurationError: another event loop runs, or none.
            BackendNotLoadedError: it is closed.
        """
        self.use()
        if self.closed:
            raise self.not_loaded()

    def not_loaded(self) -> BackendNotLoadedError:
        """Return why it cannot speak: it was closed, or not loaded yet."""
        if self.closed:
            return BackendNotLoadedError(
                Translatable("{what} was closed for good.", what=self._what),
                remedy="Make a new one.",
                backend=self._backend,
            )
        return BackendNotLoadedError(
            Translatable("{what} is not loaded.", what=self._what), backend=self._backend
        )

    def close(self) -> None:
        """Note that it is closed for good."""
        self.use()
        self.closed = True
