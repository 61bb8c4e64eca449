"""Engines that could not be loaded, tried again in the background while another one speaks.

The first start may have had no network for the model of the best one. Each try is made on a thread
of its own, so that the engine that is in use speaks meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from vieneu_core.backoff import Backoff
from vieneu_core.engines.load_failure import load_failure
from vieneu_core.engines.loaded_engine import LoadedEngine
from vieneu_core.errors import ModelDownloadError

PAUSES = Backoff(first_s=300.0, longest_s=3600.0)
"""Pauses between two tries: a download that fails again costs little, a load more."""
_LOGGER = logging.getLogger(__name__)


class NotMeasuredError(Exception):
    """An engine seemed slow, but what else runs may be the reason."""


class EngineRetry:
    """Tries engines until one of them can be used.

    Args:
        names: The engines, best first.
        load: Loads one; returns None where it is not fast enough here. It raises
            `NotMeasuredError` where that is not certain.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        names: Sequence[str],
        load: Callable[[str], LoadedEngine | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = list(names)
        self._load = load
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._found: LoadedEngine | None = None
        self._n_tries = 0
        self._ended_s = clock()

    @property
    def is_over(self) -> bool:
        """Whether no engine is left to try."""
        return self._thread is None and not self._names

    def taken(self) -> LoadedEngine | None:
        """Return the engine that can be used now; begin a try that is due. Returns at once."""
        if self._thread is None:
            if self._names and self._clock() - self._ended_s >= PAUSES.pause_s(self._n_tries + 1):
                self._begin()
        elif not self._thread.is_alive():
            self._thread, self._ended_s = None, self._clock()
        if self._thread is not None or self._found is None:
            return None
        self._names.clear()
        return self._found

    def _begin(self) -> None:
        self._n_tries += 1
        thread = threading.Thread(target=self._try_all, name="engine-retry", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there are too many threads
            self._ended_s = self._clock()
            return
        self._thread = thread

    def _try_all(self) -> None:
        for name in tuple(self._names):
            try:
                self._found = self._load(name)
            except NotMeasuredError:
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, another one speaks
                _LOGGER.warning("%s cannot be used here: %s", name, load_failure(error).detail)
                if isinstance(error, ModelDownloadError):
                    continue
            if self._found is not None:
                _LOGGER.info("%s speaks from now on", name)
                return
            self._names.remove(name)
