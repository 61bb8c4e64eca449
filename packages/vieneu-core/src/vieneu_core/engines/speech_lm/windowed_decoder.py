"""Streaming decoder: decodes codes in growing windows while they are generated.

A decoder uses context around each frame, so a window is decoded with frames on either side.
Those are decoded more than once; they are limited to half of the frames played: the context
before a window is as long as that allows, and the windows double in length. The first one is
short, so that audio starts after ten codes.

Where two windows meet, one frame is decoded in both, and cross-faded. All
other frames are played from one window. So for a decoder whose context is no longer than this
one, the joined windows equal one decoding of all codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE, SpeechDecoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_FRAMES = 8
"""Length of the first window."""
LONGEST_FRAMES = 64
"""Length of the longest window: 1.28 s."""
LOOKAHEAD_FRAMES = 2
"""Frames decoded after the end of a window: the first is cross-faded with the next window."""
LEAST_CONTEXT_FRAMES, MOST_CONTEXT_FRAMES = 3, 50
"""Frames decoded before the beginning of a window."""
MOST_WORK = 1.5
"""Limit on the frames decoded for each frame played."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of frames; the indices count from the first frame of the sentence."""

    context: int
    """First frame to decode."""
    start: int
    """First frame to play."""
    end: int
    """Frame after the last one to play."""
    stop: int
    """Frame after the last one to decode."""

    @property
    def n_decoded(self) -> int:
        """Number of frames to decode."""
        return self.stop - self.context


class WindowPlan:
    """Plans the windows of a sentence as its codes arrive."""

    def __init__(self) -> None:
        self._end = 0
        self._n_decoded = 0
        self._length = FIRST_FRAMES

    @property
    def n_decoded(self) -> int:
        """Frames that all windows so far decode."""
        return self._n_decoded

    def next(self, n_known: int) -> Window | None:
        """Return the next window, or None while there are too few codes."""
        start, end = self._end, self._end + self._length
        stop = end + LOOKAHEAD_FRAMES
        if n_known < stop:
            return None
        self._length = min(2 * self._length, LONGEST_FRAMES)
        return self._take(Window(start - self._context(start, end, stop), start, end, stop))

    def last(self, n_codes: int) -> Window | None:
        """Return the window of the remaining frames; None if there are none."""
        if n_codes == self._end:
            return None
        context = min(self._end, LEAST_CONTEXT_FRAMES)
        return self._take(Window(self._end - context, self._end, n_codes, n_codes))

    def _take(self, window: Window) -> Window:
        self._end = window.end
        self._n_decoded += window.n_decoded
        return window

    def _context(self, start: int, end: int, stop: int) -> int:
        """Return the longest context with which the last window stays within `MOST_WORK`."""
        # The rest is at least the lookahead, and the last window decodes it once.
        allowed = int(MOST_WORK * end + (MOST_WORK - 1) * (stop - end))
        spare = allowed - LEAST_CONTEXT_FRAMES - self._n_decoded - (stop - start)
        return min(start, max(spare, LEAST_CONTEXT_FRAMES), MOST_CONTEXT_FRAMES)


class StreamDecoder:
    """Decodes the codes of one sentence. Blocking; one caller at a time."""

    def __init__(self, decoder: SpeechDecoder) -> None:
        self._decoder = decoder
        self._plan = WindowPlan()
        self._codes: list[int] = []
        self._join: NDArray[np.float32] | None = None

    @property
    def n_codes(self) -> int:
        """Codes received so far."""
        return len(self._codes)

    @property
    def n_decoded(self) -> int:
        """Frames decoded so far, with repetitions."""
        return self._plan.n_decoded

    def push(self, codes: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of each window that these codes complete, once it is decoded.

        Yields:
            Samples of shape (n_samples,), never empty.

        Raises: as `SpeechDecoder.decode`.
        """
        self._codes += codes
        while (window := self._plan.next(len(self._codes))) is not None:
            yield self._decoded(window)

    def finish(self) -> NDArray[np.float32]:
        """Return the remaining samples at the end of the sentence.

        Raises: as `SpeechDecoder.decode`.
        """
        import numpy as np

        window = self._plan.last(len(self._codes))
        return np.zeros(0, np.float32) if window is None else self._decoded(window)

    def _decoded(self, window: Window) -> NDArray[np.float32]:
        samples = self._decoder.decode(self._codes[window.context : window.stop])
        begin = (window.start - window.context) * SAMPLES_PER_CODE
        end = (window.end - window.context) * SAMPLES_PER_CODE
        heard = samples[begin:end].copy()
        if self._join is not None:
            heard[:SAMPLES_PER_CODE] = _faded(self._join, heard[:SAMPLES_PER_CODE])
        self._join = None
        if window.stop > window.end:
            self._join = samples[end : end + SAMPLES_PER_CODE]
        return heard


def _faded(out: NDArray[np.float32], into: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cross-fade linearly between two decodings of a frame."""
    import numpy as np

    gain = (np.arange(len(into), dtype=np.float32) + 0.5) / np.float32(len(into))
    faded: NDArray[np.float32] = out * (1 - gain) + into * gain
    return faded
