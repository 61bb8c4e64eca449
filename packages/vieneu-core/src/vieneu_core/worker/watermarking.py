"""Watermarking of sentences for engines that cannot do so themselves."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, TypeVar

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE

if TYPE_CHECKING:
    from vieneu_core.audio.watermark import Watermarker

SIGN_OF_LIFE_S = 0.5
"""Seconds, much shorter than the time after which router and client consider an engine hung, and
than `WorkerTimes.cancel_s`: at a sign it is noticed that the sentence is cancelled."""
MOST_SIGNS_OF_LIFE = 240
"""Limit while the watermarker loads or marks: two minutes. PyTorch is imported in 2 s, but on a
busy machine without a file cache it takes more than the stall limit of 20 s."""
_CHUNK_S = 0.25
_T = TypeVar("_T")


def load_watermarker() -> Watermarker:
    """Load the watermarker; blocking. Raises: as `Watermarker`."""
    from vieneu_core.audio.watermark import Watermarker

    return Watermarker()


class Watermarking:
    """The watermarker, loaded for the first sentence that needs it.

    Not before: it takes 450 MB, and most who have its package never ask for it.

    Args:
        load: Returns the watermarker; called on its own thread.
        sign_of_life_s: Seconds between two empty chunks while it loads or marks.
    """

    def __init__(
        self,
        load: Callable[[], Watermarker] = load_watermarker,
        *,
        sign_of_life_s: float = SIGN_OF_LIFE_S,
    ) -> None:
        self._load = load
        self._sign_of_life_s = sign_of_life_s
        self._watermarker: Watermarker | None = None
        self._loading: Future[Watermarker] | None = None
        self._thread = _WorkThread()

    def mark(self, pieces: Iterator[bytes], sample_rate_hz: int) -> Iterator[bytes]:
        """Watermark a sentence as a whole; yield empty chunks meanwhile to show activity.

        The watermarker is loaded first: if it does not work, the engine need not begin.

        Args:
            pieces: Samples, mono signed 16-bit little-endian.
            sample_rate_hz: Their rate.

        Raises:
            WatermarkUnavailableError: the package is not installed, or does not work.
        """
        watermarker = self._watermarker or (yield from self._loaded())
        gathered = bytearray()
        for pcm in pieces:
            gathered += pcm
            yield b""
        whole = bytes(gathered)
        work = self._thread.call(lambda: watermarker.apply(whole, sample_rate_hz))
        yield from self._signs_while(work)
        yield from _in_chunks(work.result(), sample_rate_hz)

    def _loaded(self) -> Generator[bytes, None, Watermarker]:
        # If a sentence is cancelled meanwhile, loading continues for the next one.
        self._loading = self._loading or self._thread.call(self._load)
        yield from self._signs_while(self._loading)
        loading, self._loading = self._loading, None
        self._watermarker = loading.result()
        return self._watermarker

    def _signs_while(self, work: Future[Any]) -> Iterator[bytes]:
        for _ in range(MOST_SIGNS_OF_LIFE):
            yield b""
            if wait((work,), timeout=self._sign_of_life_s).done:
                break


class _WorkThread:
    """A thread for one call after the other.

    It is a daemon, which does not delay the end of the process, unlike the threads of an executor.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._is_started = False

    def call(self, work: Callable[[], _T]) -> Future[_T]:
        """Call ``work`` when all earlier calls have ended."""
        result: Future[_T] = Future()

        def run() -> None:
            try:
                result.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                result.set_exception(error)

        if not self._is_started:  # first: where no thread can be started, no call waits for one
            threading.Thread(target=self._run, name="watermarker", daemon=True).start()
            self._is_started = True
        self._calls.put(run)
        return result

    def _run(self) -> None:
        while True:
            self._calls.get()()


def _in_chunks(pcm: bytes, sample_rate_hz: int) -> Iterator[bytes]:
    n_bytes = round(sample_rate_hz * _CHUNK_S) * BYTES_PER_SAMPLE
    for start in range(0, len(pcm), n_bytes):
        yield pcm[start : start + n_bytes]
