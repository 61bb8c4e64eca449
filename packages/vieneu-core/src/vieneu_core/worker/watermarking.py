"""Watermarking of sentences for engines that cannot do so themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE

if TYPE_CHECKING:
    from vieneu_core.audio.watermark import Watermarker

SIGN_OF_LIFE_S = 5.0
"""Seconds, shorter than the time after which router and client consider an engine hung."""
MOST_SIGNS_OF_LIFE = 24
"""Limit while the watermarker loads: two minutes. PyTorch is imported in 2 s, but on a busy
machine without a file cache it takes more than the stall limit of 20 s."""
_CHUNK_S = 0.25


def load_watermarker() -> Watermarker:
    """Load the watermarker; blocking. Raises: as `Watermarker`."""
    from vieneu_core.audio.watermark import Watermarker

    return Watermarker()


class Watermarking:
    """The watermarker, loaded for the first sentence that needs it.

    Args:
        load: Returns the watermarker; called on its own thread.
        sign_of_life_s: Seconds between two empty chunks while it loads.
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
        marked = watermarker.apply(bytes(gathered), sample_rate_hz)
        yield from _in_chunks(marked, sample_rate_hz)

    def _loaded(self) -> Generator[bytes, None, Watermarker]:
        # If a sentence is cancelled meanwhile, loading continues for the next one.
        self._loading = self._loading or _in_background(self._load)
        for _ in range(MOST_SIGNS_OF_LIFE):
            yield b""
            if wait((self._loading,), timeout=self._sign_of_life_s).done:
                break
        loading, self._loading = self._loading, None
        self._watermarker = loading.result()
        return self._watermarker


def _in_background(load: Callable[[], Watermarker]) -> Future[Watermarker]:
    """Call ``load`` on a daemon thread, which does not delay the end of the process."""
    loading: Future[Watermarker] = Future()

    def run() -> None:
        try:
            loading.set_result(load())
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            loading.set_exception(error)

    threading.Thread(target=run, name="watermarker", daemon=True).start()
    return loading


def _in_chunks(pcm: bytes, sample_rate_hz: int) -> Iterator[bytes]:
    n_bytes = round(sample_rate_hz * _CHUNK_S) * BYTES_PER_SAMPLE
    for start in range(0, len(pcm), n_bytes):
        yield pcm[start : start + n_bytes]
